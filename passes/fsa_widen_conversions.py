"""The pass `fsa-widen-conversions`."""

from dataclasses import dataclass
from typing import Any, ClassVar

from fsa.bindings import arith, ir
from fsa.diagnostics import Diagnostics
from fsa.passes.base import Pass
from fsa.passes.emitter import Builder
from fsa.passes.emitter.types import element_type, is_vector
from fsa.passes.patterns.tensors import elementwise, sizes_of
from fsa.passes.structure.rewriting import replace_op
from fsa.runtime.targets import ATTRIBUTE, Target

_TO_FLOAT = ("arith.sitofp", "arith.uitofp")
_TO_INTEGER = ("arith.fptosi", "arith.fptoui")


@dataclass(frozen=True)
class FsaWidenConversions(Pass):
    """For Vulkan, convert integers to bf16 by way of f32, and between floats and i1 otherwise.

    IREE 3.13 computes bf16 in f32 but forgets these conversions ("'spirv.Bitcast' op mismatch in
    result type bitwidth"), and SPIR-V has none between floats and booleans but that of an unsigned
    one to a float. An integer of over 24 bits is rounded twice, as frameworks do it. Kernels are
    rewritten as well as the bodies of linalg ops.
    """

    name: ClassVar[str] = "fsa-widen-conversions"
    summary: ClassVar[str] = "Convert by way of types that Vulkan converts"
    anchor: ClassVar[str] = "any"

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Rewrite the conversions of the module `op`."""
        if ATTRIBUTE not in op.attributes or Target.of_module(op).kind != "vulkan":
            return
        found: list[Any] = []

        def visit(inner: Any) -> Any:
            if inner.operation.name in (*_TO_FLOAT, *_TO_INTEGER):
                found.append(inner.operation)
            return ir.WalkResult.ADVANCE

        op.walk(visit, ir.WalkOrder.PRE_ORDER)
        for conversion in found:
            _widen(conversion)


def _widen(op: Any) -> None:
    """Replace a conversion that Vulkan does not have; one of tensors by a linalg.generic."""
    source, kind = op.operands[0], op.results[0].type
    if not _is_missing(op.name, element_type(source), element_type(kind)):
        return
    with op.location, ir.InsertionPoint(op):
        if isinstance(kind, ir.RankedTensorType):
            element = kind.element_type
            value = elementwise(
                sizes_of(source), element, [source], lambda x: _converted(op.name, x, element)
            )
        else:
            value = _converted(op.name, source, kind)
    replace_op(op, [value])


def _is_missing(name: str, source: Any, element: Any) -> bool:
    """Tell whether Vulkan lacks the conversion of a scalar."""
    boolean = ir.IntegerType.get_signless(1)
    if name in _TO_INTEGER:
        return bool(element == boolean)
    return source == boolean or isinstance(element, ir.BF16Type)


def _converted(name: str, source: Any, kind: Any) -> Any:
    """Build the conversion of a scalar or vector to the type `kind` in another way."""
    builder = Builder()
    if name in _TO_INTEGER:
        word = _of_shape(kind, ir.IntegerType.get_signless(32))
        convert = arith.fptosi if name == "arith.fptosi" else arith.fptoui
        return arith.trunci(kind, convert(word, source))
    if element_type(source) == ir.IntegerType.get_signless(1):
        one = -1.0 if name == "arith.sitofp" else 1.0
        return builder.select(source, builder.constant(one, kind), builder.constant(0.0, kind))
    convert = arith.sitofp if name == "arith.sitofp" else arith.uitofp
    return _rounded(builder, convert(_of_shape(kind, ir.F32Type.get()), source))


def _rounded(builder: Builder, single: Any) -> Any:
    """Round finite f32 to bf16, to nearest even, by their bits.

    Upstream's and IREE's canonicalization puts arith.truncf and the conversion before it together.
    """
    bits = builder.bitcast(single, ir.IntegerType.get_signless(32))
    odd = builder.bit_and(builder.shift_right(bits, 16), 1)
    nearest = builder.shift_right(builder.add(builder.add(bits, 0x7FFF), odd), 16)
    short = builder.cast(nearest, ir.IntegerType.get_signless(16))
    return builder.bitcast(short, ir.BF16Type.get())


def _of_shape(like: Any, element: Any) -> Any:
    """Return `element`, or a vector of it where `like` is a vector type."""
    return ir.VectorType.get(like.shape, element) if is_vector(like) else element
