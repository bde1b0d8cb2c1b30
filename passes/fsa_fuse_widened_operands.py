"""The pass `fsa-fuse-widened-operands`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from fsa.bindings import ir, linalg
from fsa.diagnostics import Diagnostics
from fsa.passes.base import Pass
from fsa.passes.structure.bodies import copy_body, generic_op
from fsa.passes.structure.fills import fill_of
from fsa.passes.structure.loops import iterator_types, linalg_ops
from fsa.passes.structure.rewriting import replace_op
from fsa.runtime.targets import ATTRIBUTE, Target


@dataclass(frozen=True)
class FsaFuseWidenedOperands(Pass):
    """For Vulkan, compute operands of reductions that are cheap to compute inside the reduction.

    These are tensors of one value (linalg.fill) and elements that an all-parallel linalg.generic
    makes wider, such as int8 weights that are scaled to f32. IREE 3.13 copies such producers into
    the kernel of a matmul, gives both a thread per element in workgroup memory, and puts no barrier
    between the threads that write it and the threads that read it, so that a result depends on what
    the memory held before. In the body of the reduction each thread computes the elements that it
    reads; numbers and the order of sums stay the same.
    """

    name: ClassVar[str] = "fsa-fuse-widened-operands"
    summary: ClassVar[str] = "Compute filled and widened operands inside reductions, for Vulkan"
    anchor: ClassVar[str] = "any"

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Rewrite the reductions of the module `op`."""
        if ATTRIBUTE not in op.attributes or Target.of_module(op).kind != "vulkan":
            return
        for found in linalg_ops(op):
            _fuse(found)


@dataclass(frozen=True)
class _Read:
    """How a reduction gets the elements of an operand: from inputs, each at its subscripts.

    `maker` is the op whose body gives the element, None where the only input has it.
    """

    inputs: tuple[Any, ...]
    maps: tuple[Any, ...]
    maker: Any = None

    def element(self, arguments: Sequence[Any]) -> Any:
        """Build the element, inside a body, from the elements of the inputs."""
        if self.maker is None:
            return arguments[0]
        if self.maker.name == "linalg.fill":
            return self.maker.operands[0]
        block = self.maker.regions[0].blocks[0]
        (value,) = copy_body(block, dict(zip(block.arguments, arguments, strict=False)))
        return value


def _fuse(op: Any) -> None:
    maps = linalg.get_indexing_maps(op)
    if maps is None or not len(op.results) or "reduction" not in iterator_types(op):
        return
    inputs = len(op.operands) - len(op.results)
    affine = [ir.AffineMapAttr(attribute).value for attribute in maps]
    plain = [_Read((op.operands[k],), (affine[k],)) for k in range(inputs)]
    reads = [_read(read) for read in plain]
    missing = _loops(affine) - _loops([m for read in reads for m in read.maps] + affine[inputs:])
    if missing:  # Only a tensor that would go says how often these run.
        reads = [
            old if missing & _loops(old.maps) else new
            for old, new in zip(plain, reads, strict=True)
        ]
    if reads != plain:
        _rewrite(op, reads, affine[inputs:])


def _rewrite(op: Any, reads: Sequence[_Read], outputs: Sequence[Any]) -> None:
    inputs = [value for read in reads for value in read.inputs]
    maps = [found for read in reads for found in read.maps]
    block = op.regions[0].blocks[0]

    def body(*elements: Any) -> list[Any]:
        arguments = iter(elements)
        values = [read.element([next(arguments) for _ in read.inputs]) for read in reads]
        return copy_body(block, dict(zip(block.arguments, (*values, *arguments), strict=True)))

    with op.location, ir.InsertionPoint(op):
        kept = list(op.operands)[len(reads) :]
        new = generic_op(inputs, kept, (*maps, *outputs), iterator_types(op), body)
    replace_op(op, new.results)


def _loops(maps: Sequence[Any]) -> set[int]:
    """Return the loops whose number of iterations operands with these maps tell."""
    return {
        expression.position
        for found in maps
        for expression in found.results
        if isinstance(expression, ir.AffineDimExpr)
    }


def _composed(inner: Any, outer: Any) -> Any:
    """Return the subscripts `inner` of a tensor's dimensions, where those are read at `outer`."""
    return ir.AffineMap.get(
        outer.n_dims, outer.n_symbols, [expression.compose(outer) for expression in inner.results]
    )


def _read(plain: _Read) -> _Read:
    """Return how to compute an operand inside its user; `plain` where it is read as it is."""
    (operand,), (place,) = plain.inputs, plain.maps
    if not isinstance(operand.type, ir.RankedTensorType):
        return plain
    fill = fill_of(operand)
    if fill is not None:
        return _Read((), (), fill)
    op = operand.owner.operation if isinstance(operand, ir.OpResult) else None
    if op is None or op.name != "linalg.generic" or len(op.results) != 1 or not _is_plain(op):
        return plain
    *inputs, _ = op.operands
    if not any(_width(value.type) < _width(operand.type) for value in inputs):
        return plain
    *maps, out = [ir.AffineMapAttr(found).value for found in op.attributes["indexing_maps"]]
    # The loops of the producer, as dimensions of what it makes, then as subscripts of its user.
    order = [expression.position for expression in out.results]
    dims = [ir.AffineDimExpr.get(order.index(loop)) for loop in range(len(order))]
    loops = _composed(ir.AffineMap.get(len(order), 0, dims), place)
    return _Read(tuple(inputs), tuple(_composed(found, loops) for found in maps), op)


def _is_plain(op: Any) -> bool:
    """Tell whether all loops run in parallel over the result, from elements of inputs alone."""
    if "reduction" in iterator_types(op):
        return False
    out = ir.AffineMapAttr(op.attributes["indexing_maps"][len(op.operands) - 1]).value
    block = op.regions[0].blocks[0]
    body = [inner.operation for inner in block.operations]
    former = block.arguments[len(block.arguments) - 1]
    return (
        out.is_permutation
        and all(inner.name.startswith(("arith.", "math.", "linalg.yield")) for inner in body)
        and not any(operand == former for inner in body for operand in inner.operands)
    )


def _width(type: Any) -> int:
    """Return the bits of an element of `type`; 64 for what has no fixed width."""
    return getattr(_element(type), "width", 64)


def _element(type: Any) -> Any:
    return type.element_type if isinstance(type, ir.RankedTensorType) else type
