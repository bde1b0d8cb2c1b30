"""The pass `fsa-simplify-broadcasts`."""

from dataclasses import dataclass
from typing import Any, ClassVar

from fsa.bindings import ir
from fsa.diagnostics import Diagnostics
from fsa.passes.base import Pass
from fsa.passes.structure.bodies import copy_body, generic_op
from fsa.passes.structure.loops import linalg_ops
from fsa.passes.structure.rewriting import replace_op
from fsa.passes.structure.sizes import Size, Sizes, constant

Subscripts = tuple[int | None, ...]  # a loop for each dimension, None for position 0


@dataclass(frozen=True)
class FsaSimplifyBroadcasts(Pass):
    """Turn extracts at the position of the loops into inputs.

    An `expand` to a dynamic size is imported as a body that extracts element
    `size == 1 ? 0 : i` of a tensor that it does not take as an input, since the size may be 1 and
    then every `i` reads the same element. Where the sizes show which of the two it is, the tensor
    becomes an input with an indexing map, an identity most often, which upstream's canonicalize
    removes. Sizes that `fsa-simplify-sizes` has found equal count as equal.
    """

    name: ClassVar[str] = "fsa-simplify-broadcasts"
    summary: ClassVar[str] = "Turn extracts at loop positions into inputs with indexing maps"
    anchor: ClassVar[str] = "any"

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Rewrite the generics inside `op`."""
        sizes = Sizes()
        pending: list[tuple[Any, dict[int, Subscripts]]] = []
        for operation in linalg_ops(op):
            if operation.name == "linalg.generic" and len(operation.results):
                found = _readable(operation, sizes)
                if found:
                    pending.append((operation, found))
        for operation, found in pending:  # sizes hold values of the IR as it was
            _rewrite(operation, found)


def _readable(op: Any, sizes: Sizes) -> dict[int, Subscripts]:
    """Return the extracts of the body, by position, that can be inputs, with their subscripts."""
    block = op.regions[0].blocks[0]
    found: dict[int, Subscripts] = {}
    extents: list[Size] | None = None
    for position, view in enumerate(block.operations):
        extract = view.operation
        if extract.name != "tensor.extract" or _is_inside(extract.operands[0], block):
            continue
        extents = extents or _loop_extents(op, sizes)
        if extents is None:
            return {}
        subscripts = [_subscript(index, extents, sizes) for index in list(extract.operands)[1:]]
        source = extract.operands[0]
        if all(
            _fits(subscript, sizes.dim(source, axis), extents)
            for axis, subscript in enumerate(subscripts)
        ):
            found[position] = tuple(None if s == "first" else s for s in subscripts)
    return found


def _is_inside(value: Any, block: Any) -> bool:
    owner = value.owner
    return owner == block if isinstance(owner, ir.Block) else owner.operation.block == block


def _loop_extents(op: Any, sizes: Sizes) -> list[Size] | None:
    """Return the extent of each loop; None unless the first result is indexed by all of them."""
    maps = [ir.AffineMapAttr(attribute).value for attribute in op.attributes["indexing_maps"]]
    first = len(op.operands) - len(op.results)
    if maps[first] != ir.AffineMap.get_identity(maps[first].n_dims):
        return None
    init = op.operands[first]
    return [sizes.dim(init, axis) for axis in range(init.type.rank)]


def _subscript(index: Any, extents: list[Size], sizes: Sizes) -> Any:
    """Return the loop that `index` is, "first" where it is 0, None for anything else."""
    if isinstance(index.owner, ir.Block):
        return None
    op = index.owner.operation
    if op.name == "linalg.index":
        return op.attributes["dim"].value
    if op.name == "arith.constant":
        return "first" if op.attributes["value"].value == 0 else None
    if op.name != "arith.select" or isinstance(op.operands[0].owner, ir.Block):
        return None
    compare, taken, other = op.operands[0].owner.operation, op.operands[1], op.operands[2]
    loop = _subscript(other, extents, sizes)
    if not isinstance(loop, int) or _subscript(taken, extents, sizes) != "first":
        return None
    is_equality = compare.name == "arith.cmpi" and compare.attributes["predicate"].value == 0
    # Where the loop runs once, its position is 0 anyway.
    compared = [sizes.of(operand) for operand in compare.operands] if is_equality else []
    return (
        loop if compared in ([extents[loop], constant(1)], [constant(1), extents[loop]]) else None
    )


def _fits(subscript: Any, extent: Size, extents: list[Size]) -> bool:
    if subscript == "first":
        return True
    return isinstance(subscript, int) and extent == extents[subscript]


def _rewrite(op: Any, found: dict[int, Subscripts]) -> None:
    """Give the generic `op` the inputs `found` and erase it."""
    block = op.regions[0].blocks[0]
    body = [view.operation for view in block.operations]
    operands, maps = list(op.operands), list(op.attributes["indexing_maps"])
    inputs = len(operands) - len(op.results)
    with op.location, ir.InsertionPoint(op):
        loops = len(op.attributes["iterator_types"])
        added = [body[position].operands[0] for position in found]
        new_maps = [_map(loops, subscripts) for subscripts in found.values()]

        def with_added(*arguments: Any) -> list[Any]:
            read = arguments[inputs : inputs + len(added)]
            kept = arguments[:inputs] + arguments[inputs + len(added) :]
            mapped = dict(zip(list(block.arguments), kept, strict=True))
            for position, argument in zip(found, read, strict=True):
                mapped[body[position].results[0]] = argument
            return copy_body(block, mapped)

        new = generic_op(
            [*operands[:inputs], *added],
            operands[inputs:],
            [*maps[:inputs], *new_maps, *maps[inputs:]],
            op.attributes["iterator_types"],
            with_added,
        )
    replace_op(op, new.results)


def _map(loops: int, subscripts: Subscripts) -> Any:
    entries = [
        ir.AffineConstantExpr.get(0) if loop is None else ir.AffineDimExpr.get(loop)
        for loop in subscripts
    ]
    return ir.AffineMapAttr.get(ir.AffineMap.get(loops, 0, entries))
