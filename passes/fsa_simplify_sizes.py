"""The pass `fsa-simplify-sizes`."""

from dataclasses import dataclass
from typing import Any, ClassVar

from fsa.bindings import arith, cf, ir, tensor
from fsa.diagnostics import Diagnostics
from fsa.dialects.fsa.shapes import type_dims
from fsa.passes.base import Pass
from fsa.passes.patterns.tensors import cast_to, index_constant
from fsa.passes.structure.reshapes import Grouping, grouping_of, regroup
from fsa.passes.structure.sizes import Extent, Size, Sizes, listed_shape

_COMPUTED = frozenset(
    "arith.addi arith.subi arith.muli arith.divsi arith.ceildivsi arith.floordivsi arith.maxsi "
    "arith.minsi arith.index_cast affine.apply tensor.dim".split()
)
# arith.CmpIPredicate -> whether `left - right` satisfies it, given that it is "zero", "positive" or
# "not negative".
_EQ, _NE, _SLT, _SLE, _SGT, _SGE = range(6)
_DECIDED: dict[str, dict[int, bool]] = {
    "zero": {_EQ: True, _NE: False, _SLT: False, _SLE: True, _SGT: False, _SGE: True},
    "positive": {_EQ: False, _NE: True, _SLT: False, _SLE: False, _SGT: True, _SGE: True},
    "not negative": {_SLT: False, _SGE: True},
}
_MIRRORED = {_EQ: _EQ, _NE: _NE, _SLT: _SGT, _SLE: _SGE, _SGT: _SLT, _SGE: _SLE}


@dataclass(frozen=True)
class FsaSimplifySizes(Pass):
    """Compute the sizes of dynamic dimensions from the dimensions of the arguments.

    Models of dynamic shape carry arithmetic on sizes through every reshape: `(batch * 12) / 12`,
    dimensions of intermediate tensors, and run-time checks that sizes agree. Sizes are read as
    polynomials of the dimensions that come from outside; what is one of those, or a number, is
    replaced by it, and comparisons that hold or fail for all sizes become constants. Equal sizes
    are then the same value, which the passes that follow rely on. A `tensor.reshape` whose shape is
    made of such sizes becomes a collapse_shape and an expand_shape, which later passes see through.
    Where a function asserts that dimensions of two arguments are equal, the check moves to its
    start, and they are one size from then on. Casts that forget the sizes of what is concatenated
    are left out. As everywhere, arithmetic on sizes does not overflow.
    """

    name: ClassVar[str] = "fsa-simplify-sizes"
    summary: ClassVar[str] = "Reduce arithmetic on dynamic sizes to the arguments' dimensions"
    anchor: ClassVar[str] = "any"

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Simplify the sizes inside `op`."""
        sizes = Sizes()
        checks = _asserted(op, sizes)
        for one, other in checks:
            sizes.equate(one, other)
        values: list[tuple[Any, Size]] = []
        decided: list[tuple[Any, bool]] = []
        reshapes: list[tuple[Any, Grouping]] = []

        def visit(view: Any) -> Any:
            visited = view.operation
            if visited.name in _COMPUTED and _is_size(visited.results[0].type):
                size = sizes.of(visited.results[0])
                if size.constant is not None or _is_simpler(visited, size, sizes):
                    values.append((visited, size))
            if visited.name == "tensor.reshape":
                grouping = _grouping(visited, sizes)
                if grouping is not None:
                    reshapes.append((visited, grouping))
            if visited.name == "arith.cmpi" and _is_size(visited.operands[0].type):
                truth = _decide(visited, sizes)
                if truth is not None:
                    decided.append((visited, truth))
            if visited.name == "tensor.concat":
                _see_through_casts(visited)
            return ir.WalkResult.ADVANCE

        op.walk(visit, ir.WalkOrder.PRE_ORDER)
        # Replaced ops stay until the end: atoms are values of theirs.
        for visited, truth in decided:
            with visited.location, ir.InsertionPoint(visited):
                flag = arith.constant(ir.IntegerType.get_signless(1), truth)
            visited.results[0].replace_all_uses_with(flag)
        for visited, size in values:
            with visited.location, ir.InsertionPoint(visited):
                value = _built(size, visited.results[0].type, sizes)
            visited.results[0].replace_all_uses_with(value)
        for visited, grouping in reshapes:
            _regroup(visited, grouping)
        for (one, other), checked in checks.items():
            _check(checked, (sizes.atoms[one.atom or 0], sizes.atoms[other.atom or 0]))
        for visited, _ in reversed([*decided, *values]):
            if not any(True for _ in visited.results[0].uses):
                visited.erase()


def _see_through_casts(concat: Any) -> None:
    """Let a concatenation take its operands as they were before a cast forgot their sizes."""
    for number, operand in enumerate(concat.operands):
        owner = operand.owner
        if isinstance(owner, ir.Block) or owner.operation.name != "tensor.cast":
            continue
        source = owner.operation.operands[0]
        ranked = isinstance(source.type, ir.RankedTensorType)
        if ranked and source.type.has_static_shape and not operand.type.has_static_shape:
            concat.operands[number] = source


def _asserted(root: Any, sizes: Sizes) -> dict[tuple[Size, Size], Any]:
    """Return the asserts, at the top of a function, that dimensions of two arguments are equal.

    The first assert of each pair of dimensions.
    """
    found: dict[tuple[Size, Size], Any] = {}

    def visit(view: Any) -> Any:
        op = view.operation
        if op.name != "cf.assert" or op.parent.name != "func.func":
            return ir.WalkResult.ADVANCE
        flag = op.operands[0].owner
        if isinstance(flag, ir.Block) or flag.operation.name != "arith.cmpi":
            return ir.WalkResult.ADVANCE
        compare = flag.operation
        if compare.attributes["predicate"].value == _EQ and _is_size(compare.operands[0].type):
            left, right = (sizes.of(operand) for operand in compare.operands)
            if left.atom is None or right.atom is None:
                return ir.WalkResult.ADVANCE
            atoms = [sizes.atoms[number] for number in (left.atom, right.atom)]
            entry = op.parent.regions[0].blocks[0]
            if left != right and all(_is_extent_of(entry, atom) for atom in atoms):
                found.setdefault((left, right), op)
        return ir.WalkResult.ADVANCE

    root.walk(visit, ir.WalkOrder.PRE_ORDER)
    return found


def _is_extent_of(block: Any, atom: Any) -> bool:
    return isinstance(atom, Extent) and atom.value.owner == block


def _check(op: Any, pair: tuple[Extent, Extent]) -> None:
    """Assert at the start of the function, as `op` did, that two dimensions are equal."""
    entry = op.parent.regions[0].blocks[0]
    with op.location, ir.InsertionPoint.at_block_begin(entry):
        one, other = (tensor.dim(atom.value, index_constant(atom.axis)) for atom in pair)
        cf.AssertOp(arith.cmpi(arith.CmpIPredicate.eq, one, other), op.attributes["msg"])


def _grouping(op: Any, sizes: Sizes) -> Grouping | None:
    """Return how the dimensions of a tensor.reshape go together, None when that is not known."""
    source, result = op.operands[0], op.results[0]
    if listed_shape(op) is None or not isinstance(source.type, ir.RankedTensorType):
        return None
    before = [sizes.dim(source, axis) for axis in range(source.type.rank)]
    return grouping_of(before, [sizes.dim(result, axis) for axis in range(result.type.rank)])


def _regroup(op: Any, grouping: Grouping) -> None:
    """Replace a tensor.reshape by a collapse_shape and an expand_shape."""
    result = op.results[0]
    with op.location, ir.InsertionPoint(op):
        sizes = [
            _as_index(value) if extent is None else extent
            for extent, value in zip(type_dims(result.type), listed_shape(op) or (), strict=True)
        ]
        value = regroup(op.operands[0], grouping, sizes)
        result.replace_all_uses_with(cast_to(value, result.type))
    op.erase()


def _as_index(value: Any) -> Any:
    index = ir.IndexType.get()
    return value if value.type == index else arith.index_cast(index, value)


def _is_size(type: Any) -> bool:
    return isinstance(type, ir.IndexType) or (isinstance(type, ir.IntegerType) and type.width == 64)


def _is_simpler(op: Any, size: Size, sizes: Sizes) -> bool:
    """Tell whether `size`, a single atom, can be had by less than `op`."""
    if size.atom is None:
        return False
    atom = sizes.atoms[size.atom]
    if isinstance(atom, Extent):
        return op.name not in ("tensor.dim", "arith.index_cast") or (
            op.name == "tensor.dim" and op.operands[0] != atom.value
        )
    return atom != op.results[0] and (
        op.name != "arith.index_cast" or atom.type == op.results[0].type
    )


def _decide(op: Any, sizes: Sizes) -> bool | None:
    """Return what an arith.cmpi gives for all sizes, None when that depends on them."""
    predicate = op.attributes["predicate"].value
    if predicate not in _MIRRORED:
        return None
    left, right = (sizes.of(operand) for operand in op.operands)
    for difference, asked in (
        (left.plus(right, -1), predicate),
        (right.plus(left, -1), _MIRRORED[predicate]),
    ):
        sign = _sign(difference, sizes)
        if sign is not None and asked in _DECIDED[sign]:
            return _DECIDED[sign][asked]
    return None


def _sign(difference: Size, sizes: Sizes) -> str | None:
    if difference.constant == 0:
        return "zero"
    if not sizes.is_never_negative(difference):
        return None
    return "positive" if dict(difference.terms).get((), 0) > 0 else "not negative"


def _built(size: Size, type: Any, sizes: Sizes) -> Any:
    """Build a number or a single atom as a value of `type`."""
    if size.constant is not None:
        return arith.constant(type, size.constant)
    atom = sizes.atoms[size.atom or 0]
    if isinstance(atom, Extent):
        atom = tensor.dim(atom.value, index_constant(atom.axis))
    return atom if atom.type == type else arith.index_cast(type, atom)
