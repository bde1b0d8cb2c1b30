"""f16 and bf16 on a CPU: kernels compute them in f32, and round where a value leaves the kernel.

A processor converts halves as it loads and stores them, but computes with few of them at best. So
inside of a CPU kernel every value of such a type is held as f32: in registers, accumulators and row
buffers. What an op makes is not rounded before the next op takes it (as TorchInductor and XLA do
it); a cast that the program writes rounds, and so does memory. GPUs compute as types are written.

What a value decides, the rounded value decides: comparisons, conversions to integers, tests for
infinity and NaN, and functions with steps (floor, remainder) see halves as memory would hold
them. So `x == max(x)` holds for the same elements whether the maximum comes from memory or from
a register, and a product beyond the largest f16 is infinite. Maxima and minima select the same
either way, for rounding never changes an order; so do comparisons that only choose between the two
values that they compare, as rectifiers and clamps are written (what they choose is no more rounded
than a sum: a product below the smallest f16 stays above 0). Sums, products and functions stay
unrounded: a difference of a value and of the same value from memory may be that rounding, where it
is 0 op by op.
"""

from collections.abc import Sequence
from typing import Any

from fsa.bindings import ir
from fsa.passes.emitter import Kernel as KernelBuilder
from fsa.passes.emitter.types import element_type, is_vector

_NARROWING, _WIDENING, _BITS = "arith.truncf", "arith.extf", "arith.bitcast"
# Ops with float results that step where their operands do not; those with other results all do.
_STEPS = frozenset(
    ("arith.remf", "math.ceil", "math.floor", "math.round", "math.roundeven", "math.trunc")
)


def held_element(k: KernelBuilder, element: Any) -> Any:
    """Return the type in which a kernel holds values of a scalar type."""
    return element if k.is_gpu or not is_half(element) else ir.F32Type.get()


def is_half(element: Any) -> bool:
    """Whether a type is f16 or bf16."""
    return isinstance(element, ir.F16Type | ir.BF16Type)


def apply(k: KernelBuilder, op: Any, operands: Sequence[Any]) -> list[Any]:
    """Repeat a scalar op on values as they are held, scalars or vectors; return the results so."""
    kinds = [element_type(result) for result in op.results]
    if k.is_gpu or not any(map(is_half, [*kinds, *map(element_type, op.operands)])):
        return k.elementwise(op, operands)
    if op.name == _WIDENING:
        compared = any(_decides(use.owner) for use in op.results[0].uses)
        exact = _rounded(k, operands[0], element_type(op.operands[0])) if compared else operands[0]
        return [k.cast(exact, kinds[0])]
    if op.name == _NARROWING and "roundingmode" not in op.attributes:
        return [_narrowed(k, operands[0], kinds[0])]
    if op.name in (_NARROWING, _BITS):
        exact = k.cast(operands[0], element_type(op.operands[0]))
        return [_held(k, made) for made in k.elementwise(op, [exact])]
    if _decides(op):
        operands = [
            _rounded(k, value, element_type(own))
            for value, own in zip(operands, op.operands, strict=True)
        ]
    return _held_results(k, op, operands, kinds)


def _held(k: KernelBuilder, value: Any) -> Any:
    return k.cast(value, held_element(k, element_type(value)))


def _decides(op: Any) -> bool:
    """Whether a rounding of an operand may change a result by more than a rounding."""
    if op.name == "arith.cmpf" and _selects(op):
        return False
    kinds = [element_type(result) for result in op.results]
    return op.name in _STEPS or any(not isinstance(kind, ir.FloatType) for kind in kinds)


def _selects(comparison: Any) -> bool:
    """Whether a comparison does nothing but choose one of the two values that it compares."""
    compared = set(comparison.operands)
    return all(
        use.owner.name == "arith.select"
        and use.operand_number == 0
        and set(list(use.owner.operands)[1:]) <= compared
        for use in comparison.results[0].uses
    )


def _rounded(k: KernelBuilder, value: Any, element: Any) -> Any:
    """Return a held value as memory of its type would hold it; a value just read is so already."""
    if not is_half(element):
        return value
    maker = value.owner
    if not isinstance(maker, ir.Block) and maker.name == _WIDENING:
        if element_type(maker.operands[0]) == element:
            return value
    return _narrowed(k, value, element)


def _narrowed(k: KernelBuilder, value: Any, element: Any) -> Any:
    """Round a float to f16, bf16 or a type that is no half; return it as it is held."""
    held = _held(k, k.cast(value, element))
    if not isinstance(element, ir.BF16Type) or k.is_gpu or k.narrows_at_once(value):
        return held
    # IREE computes bf16 in f32 and drops a narrowing that is widened again, so bits are rounded.
    single = value if isinstance(element_type(value), ir.F32Type) else held
    bits = k.bitcast(single, ir.IntegerType.get_signless(32))
    odd = k.bit_and(k.shift_right(bits, 16), 1)
    nearest = k.bit_and(k.add(k.add(bits, 0x7FFF), odd), -0x10000)
    rounded = k.bitcast(nearest, element_type(single))
    return k.select(k.compare("ne", single, single), single, rounded)


def _held_results(
    k: KernelBuilder, op: Any, operands: Sequence[Any], kinds: Sequence[Any]
) -> list[Any]:
    shape = next((value.type.shape for value in operands if is_vector(value)), None)
    held = [held_element(k, kind) for kind in kinds]
    results = held if shape is None else [ir.VectorType.get(shape, kind) for kind in held]
    attributes = dict(op.attributes.items())
    made = ir.Operation.create(op.name, results=results, operands=operands, attributes=attributes)
    return list(made.results)
