"""`fsa.stitched_region` and `fsa.yield`: a graph of memory-bound ops that becomes one kernel."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from fsa.bindings import ext, ir
from fsa.dialects.fsa import variadic
from fsa.dialects.fsa.dialect import TENSOR_OPS
from fsa.dialects.fsa.region_shapes import RegionShapes
from fsa.dialects.fsa.shapes import Extent, ShapeBuilder
from fsa.dialects.fsa.verifier import VerifiedOp, require

BODY_DIALECTS = (
    *("affine", "arith", "complex", "index", "linalg", "math", "tensor", "ub"),
    "vector",
)
BODY_OPS = tuple(f"fsa.{name}" for name in TENSOR_OPS)
# Ops of the dialects above with control flow or side effects.
EXCLUDED_OPS = ("affine.for", "affine.if", "affine.parallel", "vector.print")
# What a schedule by hand leaves in a body: loops over tiles, and vectors.
SCHEDULE_OPS = ("scf.for", "scf.forall", "scf.forall.in_parallel", "scf.if", "scf.yield")
TERMINATOR = "fsa.yield"


class StitchedRegion(
    VerifiedOp, name="stitched_region", traits=[ext.Pure, ir.IsIsolatedFromAboveTrait]
):
    """A graph of tensor ops, isolated from above, that becomes one kernel (AStitch).

    Operands and results are tensors and scalars, in the numbered fields `input_*` and `output_*`;
    the block's arguments stand for the operands and its `fsa.yield` gives the results.
    """

    __annotations__ = {**variadic.inputs(), **variadic.outputs(), "body": ext.Region}

    @classmethod
    def constraints(cls, op: Any) -> None:
        """Check stitched_region_c1 to stitched_region_c5."""
        # stitched_region_c1: a region takes and gives tensors and scalars.
        for value in (*op.operands, *op.results):
            require(
                "stitched_region_c1",
                _is_tensor_or_scalar(value.type),
                "expected operands and results to be ranked tensors, integers, floats, complex "
                f"numbers or index, found {value.type}",
            )
        # stitched_region_c2: the arguments of the only block stand for the operands.
        blocks = list(op.regions[0].blocks)
        require("stitched_region_c2", len(blocks) == 1, f"expected one block, found {len(blocks)}")
        _require_types("stitched_region_c2", "block arguments", blocks[0].arguments, op.operands)
        # stitched_region_c3: fsa.yield ends the block.
        body = list(blocks[0].operations)
        last = body[-1].operation.name if body else "an empty block"
        require(
            "stitched_region_c3",
            last == TERMINATOR,
            f"expected the block to end with {TERMINATOR}, found {last}",
        )
        # stitched_region_c4: fsa.yield gives the results.
        _require_types("stitched_region_c4", "yielded values", body[-1].operands, op.results)
        # stitched_region_c5: only ops without control flow or side effects are stitched.
        for name in _disallowed(body[:-1]):
            require(
                "stitched_region_c5",
                False,
                f"expected ops of the dialects {', '.join(BODY_DIALECTS)}, loops of scf and tensor "
                f"ops of fsa in the body, found {name}",
            )

    @classmethod
    def result_shape(cls, op: Any, builder: ShapeBuilder) -> list[list[Extent]]:
        """Return the extents of each result; raise `Unresolvable` if they depend on data.

        A result that is no tensor has no extents.
        """
        shapes = RegionShapes(op, builder)
        yielded = list(list(op.regions[0].blocks[0].operations)[-1].operands)
        return [
            shapes.dims(value) if isinstance(value.type, ir.RankedTensorType) else []
            for value in yielded
        ]


class Yield(VerifiedOp, name="yield", traits=[ext.Pure, ir.IsTerminatorTrait]):
    """Return values from an `fsa.stitched_region`."""

    __annotations__ = variadic.inputs()

    @classmethod
    def constraints(cls, op: Any) -> None:
        """Check yield_c1."""
        # yield_c1: there is a region to return from.
        parent = op.parent.name if op.parent is not None else "no parent"
        require(
            "yield_c1",
            parent == StitchedRegion.OPERATION_NAME,
            f"expected to be in {StitchedRegion.OPERATION_NAME}, found {parent}",
        )


def _is_tensor_or_scalar(type: Any) -> bool:
    scalars = (ir.IntegerType, ir.FloatType, ir.IndexType, ir.ComplexType)
    return isinstance(type, (ir.RankedTensorType, *scalars))


def _require_types(label: str, what: str, found: Any, expected: Any) -> None:
    found_types = [str(value.type) for value in found]
    expected_types = [str(value.type) for value in expected]
    require(
        label,
        found_types == expected_types,
        f"expected {what} of types ({', '.join(expected_types)}), found ({', '.join(found_types)})",
    )


def _disallowed(operations: Sequence[Any]) -> Iterator[str]:
    """Give the names of ops, nested ones too, that a stitched region may not hold."""
    for view in operations:
        operation = view.operation
        name = operation.name
        if name in EXCLUDED_OPS or (
            name.partition(".")[0] not in BODY_DIALECTS
            and name not in BODY_OPS
            and name not in SCHEDULE_OPS
        ):
            yield name
        for region in operation.regions:
            for block in region.blocks:
                yield from _disallowed(list(block.operations))


def stitched_region(
    inputs: Sequence[Any],
    result_types: Sequence[Any],
    body: Callable[..., Sequence[Any]],
    *,
    loc: Any = None,
    ip: Any = None,
) -> StitchedRegion:
    """Build `fsa.stitched_region`; raise ValueError for more values than the op can take.

    `body` is called with the block's arguments and the insertion point set in the block, and
    returns the values to yield.
    """
    region = StitchedRegion(
        *variadic.padded(list(inputs), variadic.MAX_INPUTS, "inputs"),
        *variadic.padded(list(result_types), variadic.MAX_OUTPUTS, "outputs"),
        loc=loc,
        ip=ip,
    )
    with loc or ir.Location.current:
        block = region.operation.regions[0].blocks.append(*[value.type for value in inputs])
        with ir.InsertionPoint(block):
            yield_(body(*block.arguments))
    return region


def yield_(values: Sequence[Any], *, loc: Any = None, ip: Any = None) -> Yield:
    """Build `fsa.yield` of `values`."""
    return Yield(*variadic.padded(list(values), variadic.MAX_INPUTS, "values"), loc=loc, ip=ip)
