"""f16 and bf16 on a CPU: kernels compute them in f32, and round where a value leaves the kernel.

A processor converts halves as it loads and stores them, but computes with few of them at best. So
inside of a CPU kernel every value of such a type is held as f32: in registers, accumulators and row
buffers. What an op makes is not rounded before the next op takes it (as TorchInductor and XLA do
it); a cast that the program writes rounds, and so does memory. GPUs compute as types are written.
"""

from collections.abc import Sequence
from typing import Any

from fsa.bindings import ir
from fsa.passes.emitter import Kernel as KernelBuilder
from fsa.passes.emitter.types import element_type, is_vector

_NARROWING, _WIDENING, _BITS = "arith.truncf", "arith.extf", "arith.bitcast"


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
        return [k.cast(operands[0], kinds[0])]
    if op.name == _NARROWING:
        return [_held(k, k.cast(operands[0], kinds[0]))]
    if op.name == _BITS:
        exact = k.cast(operands[0], element_type(op.operands[0]))
        return [_held(k, made) for made in k.elementwise(op, [exact])]
    return _held_results(k, op, operands, kinds)


def _held(k: KernelBuilder, value: Any) -> Any:
    return k.cast(value, held_element(k, element_type(value)))


def _held_results(
    k: KernelBuilder, op: Any, operands: Sequence[Any], kinds: Sequence[Any]
) -> list[Any]:
    shape = next((value.type.shape for value in operands if is_vector(value)), None)
    held = [held_element(k, kind) for kind in kinds]
    results = held if shape is None else [ir.VectorType.get(shape, kind) for kind in held]
    attributes = dict(op.attributes.items())
    made = ir.Operation.create(op.name, results=results, operands=operands, attributes=attributes)
    return list(made.results)
