"""Launches in IREE's context: `fsa.launch` becomes `flow.dispatch`, with its sizes checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fsa.dialects.fsa.markers import ZEROED
from fsa.errors import CompileError

if TYPE_CHECKING:
    from fsa.runtime.handover_kernels import Kernel

MAX_ELEMENTS = 2**31 - 1
MAX_GRID = 65535
BARRIER = "util.optimization_barrier"
# Ops that can be computed at the start of a function when their operands can.
_PURE_SIZES = ("arith.", "affine.apply", "affine.min", "affine.max", "index.", "tensor.dim")


@dataclass
class Launch:
    """An `fsa.launch` in IREE's context, where the dialect is not registered."""

    op: Any
    kernel: tuple[str, ...]
    grid: list[Any]
    result_dims: list[Any]
    scalars: list[Any]
    inputs: list[Any]
    workgroup_size: tuple[int, ...]
    zeroed: int = 0  # of the results: how many hold zeros when the kernel begins

    @classmethod
    def read(cls, op: Any) -> Launch:
        """Take `op` apart by its `operandSegmentSizes`."""
        from iree.compiler import ir

        segments = list(ir.DenseI32ArrayAttr(op.attributes["operandSegmentSizes"]))
        operands = list(op.operands)
        dims, scalars = segments[3], segments[4]
        return cls(
            op=op,
            kernel=tuple(ir.SymbolRefAttr(op.attributes["kernel"]).value),
            grid=operands[:3],
            result_dims=operands[3 : 3 + dims],
            scalars=operands[3 + dims : 3 + dims + scalars],
            inputs=operands[3 + dims + scalars :],
            workgroup_size=tuple(ir.DenseI64ArrayAttr(op.attributes["workgroup_size"])),
            zeroed=ir.IntegerAttr(op.attributes[ZEROED]).value if ZEROED in op.attributes else 0,
        )

    @property
    def results(self) -> list[Any]:
        """The results of the op."""
        return list(self.op.results)


def replace_launch(launch: Launch, kernel: Kernel, executable: str) -> None:
    """Replace `launch` by a `flow.dispatch` of `executable`; sizes are checked when it runs."""
    from iree.compiler import ir

    op = launch.op
    # What was read may be a result of a launch that has been replaced since.
    launch = Launch.read(op)
    with ir.InsertionPoint(op), op.location:
        input_dims = [dynamic_dims(value) for value in launch.inputs]
        result_dims = _split_dims(launch)
        flat_inputs = [dim for dims in input_dims for dim in dims]
        sizes = [*flat_inputs, *launch.result_dims]
        words = [*launch.scalars, *(_to_i32(size) for size in sizes)]
        arguments = [*words, *launch.inputs, *map(_zeros, launch.results[: launch.zeroed])]
        grid = launch.grid
        if kernel.is_gpu and _follows_from_constants([*grid, *arguments]):
            # IREE would run it when compiling, on the host, for which there is no such kernel.
            grid = [barrier(grid[0]), *grid[1:]]
        ties = [len(words) + len(launch.inputs) + number for number in range(launch.zeroed)]
        ties += [-1] * (len(launch.results) - launch.zeroed)
        dispatch = ir.Operation.create(
            "flow.dispatch",
            results=[result.type for result in launch.results],
            operands=[*grid, *arguments, *flat_inputs, *launch.result_dims],
            attributes={
                "entry_points": ir.ArrayAttr.get([ir.SymbolRefAttr.get([executable, kernel.name])]),
                "operandSegmentSizes": ir.DenseI32ArrayAttr.get(
                    [3, len(arguments), len(flat_inputs), len(launch.result_dims)]
                ),
                "tied_operands": ir.ArrayAttr.get(
                    [ir.IntegerAttr.get(ir.IndexType.get(), tie) for tie in ties]
                ),
            },
        )
        shapes = [*zip(launch.inputs, input_dims, strict=True)]
        shapes += [*zip(launch.results, result_dims, strict=True)]
        _check_sizes(dispatch, kernel.name, shapes, grid)
    for old, new in zip(list(op.results), list(dispatch.results), strict=True):
        old.replace_all_uses_with(new)
    op.erase()


def _zeros(result: Any) -> Any:
    """Return zeros of the static type of `result`, integers, in memory of their own.

    They are behind a barrier: equal ones would become one, which the first launch changes.
    """
    from iree.compiler import ir

    kind = ir.RankedTensorType(result.type)
    zero = ir.Operation.create(
        "arith.constant",
        results=[kind.element_type],
        attributes={"value": ir.IntegerAttr.get(kind.element_type, 0)},
    ).results[0]
    splat = ir.Operation.create("flow.tensor.splat", results=[kind], operands=[barrier(zero)])
    return splat.results[0]


def barrier(value: Any) -> Any:
    """Return `value` behind a barrier, of which IREE's optimizations know nothing."""
    from iree.compiler import ir

    return ir.Operation.create(BARRIER, results=[value.type], operands=[value]).results[0]


def _follows_from_constants(values: Sequence[Any]) -> bool:
    """Whether no argument of a function, and no value known at run time alone, is behind values."""
    from iree.compiler import ir

    pending, seen = list(values), set[Any]()
    while pending:
        value = pending.pop()
        if isinstance(value.owner, ir.Block):
            return False
        op = value.owner.operation
        if op.name == BARRIER:
            return False
        if op not in seen:
            seen.add(op)
            pending += op.operands
    return True


def dynamic_dims(tensor: Any) -> list[Any]:
    """Return the values of the dynamic dimensions of `tensor`, creating them where needed."""
    from iree.compiler import ir

    type_ = ir.RankedTensorType(tensor.type)
    owner = tensor.owner
    if not isinstance(owner, ir.Block) and owner.operation.name == "flow.dispatch":
        return _dispatch_dims(owner.operation, tensor)
    return [
        ir.Operation.create(
            "tensor.dim", results=[ir.IndexType.get()], operands=[tensor, index_constant(axis)]
        ).results[0]
        for axis in range(type_.rank)
        if type_.is_dynamic_dim(axis)
    ]


def tied(tensor: Any, dims: list[Any]) -> Any:
    """Return `tensor`, whose dynamic dimensions IREE is told to be `dims`."""
    from iree.compiler import ir

    if not dims:
        return tensor
    return ir.Operation.create(
        "flow.tensor.tie_shape", results=[tensor.type], operands=[tensor, *dims]
    ).results[0]


def _dispatch_dims(dispatch: Any, result: Any) -> list[Any]:
    """Return the dynamic dimensions of a result of a `flow.dispatch`: operands of the dispatch."""
    from iree.compiler import ir

    counts = [dynamic_count(ir.RankedTensorType(r.type)) for r in dispatch.results]
    position = list(dispatch.results).index(result)
    operands = list(dispatch.operands)
    first = len(operands) - sum(counts) + sum(counts[:position])
    return operands[first : first + counts[position]]


def dynamic_count(type_: Any) -> int:
    """Return how many sizes of a tensor or memref type are `?`."""
    return sum(type_.is_dynamic_dim(axis) for axis in range(type_.rank))


def _split_dims(launch: Launch) -> list[list[Any]]:
    """Return `result_dims` result by result."""
    from iree.compiler import ir

    counts = [dynamic_count(ir.RankedTensorType(result.type)) for result in launch.results]
    if sum(counts) != len(launch.result_dims):
        raise CompileError(
            f"fsa.launch of @{launch.kernel[-1]} expected {sum(counts)} result_dims, one for each "
            f"dynamic dimension of its results, found {len(launch.result_dims)}"
        )
    remaining = iter(launch.result_dims)
    return [[next(remaining) for _ in range(count)] for count in counts]


def _check_sizes(
    dispatch: Any, kernel: str, shapes: Sequence[tuple[Any, list[Any]]], grid: list[Any]
) -> None:
    """Make a call fail when a tensor has 2^31 elements or more, or the grid is too large.

    A check between two dispatches would split IREE's command buffer, so each check goes to the
    start of the function where its operands can be computed there.
    """
    from iree.compiler import ir

    for value, dims in shapes:
        if not dims:
            continue
        type_ = ir.RankedTensorType(value.type)
        static = 1
        for axis in range(type_.rank):
            static *= 1 if type_.is_dynamic_dim(axis) else type_.get_dim_size(axis)
        if static == 0:
            continue
        text = f"kernel @{kernel} expected at most {MAX_ELEMENTS} elements in {type_}, found more"
        _assert_at_most(dispatch, dims, MAX_ELEMENTS // static, text)
    for axis, value in zip("xyz", grid, strict=True):
        known = constant_value(value)
        text = f"kernel @{kernel} expected at most {MAX_GRID} workgroups along {axis}, found "
        if known is None:
            _assert_at_most(dispatch, [value], MAX_GRID, text + "more")
        elif known > MAX_GRID:
            raise CompileError(text + str(known))


def _assert_at_most(dispatch: Any, factors: list[Any], limit: int, text: str) -> None:
    """Create `cf.assert` that the product of `factors` is at most `limit`."""
    from iree.compiler import ir

    entry = _function_entry(dispatch)
    early: dict[Any, bool] = {}
    if all(_computable_early(value, entry, early) for value in factors):
        where = ir.InsertionPoint.at_block_begin(entry)
        copies: dict[Any, Any] = {}
        with where:
            factors = [_copy_early(value, copies) for value in factors]
    else:
        where = ir.InsertionPoint(dispatch)
    with where:
        index = ir.IndexType.get()
        product = factors[0]
        for factor in factors[1:]:
            product = ir.Operation.create(
                "arith.muli", results=[index], operands=[product, factor]
            ).results[0]
        # Signed: a size from a branch that is not taken may be negative.
        fits = ir.Operation.create(
            "arith.cmpi",
            results=[ir.IntegerType.get_signless(1)],
            operands=[product, index_constant(limit)],
            attributes={"predicate": ir.IntegerAttr.get(ir.IntegerType.get_signless(64), 3)},
        ).results[0]
        ir.Operation.create(
            "cf.assert", operands=[fits], attributes={"msg": ir.StringAttr.get(text)}
        )


def _function_entry(op: Any) -> Any:
    """Return the entry block of the function around `op`."""
    while op.name != "func.func":
        op = op.parent.operation
    return op.regions[0].blocks[0]


def _computable_early(value: Any, entry: Any, known: dict[Any, bool]) -> bool:
    """Whether `value` can be computed from the arguments of the function by size arithmetic."""
    from iree.compiler import ir

    if isinstance(value.owner, ir.Block):
        return value.owner == entry
    if value not in known:
        op = value.owner.operation
        known[value] = (
            op.name.startswith(_PURE_SIZES)
            and not _may_divide_by_zero(op)
            and all(_computable_early(operand, entry, known) for operand in op.operands)
        )
    return known[value]


def _may_divide_by_zero(op: Any) -> bool:
    """Whether `op` divides by a value that is not a constant: undefined where a branch skips it."""
    divides = "div" in op.name or "rem" in op.name
    return divides and not constant_value(op.operands[1])


def _copy_early(value: Any, copies: dict[Any, Any]) -> Any:
    """Copy the ops that compute `value` to the current insertion point; return the copy."""
    from iree.compiler import ir

    if isinstance(value.owner, ir.Block):
        return value
    if value not in copies:
        op = value.owner.operation
        operands = [_copy_early(operand, copies) for operand in op.operands]
        copy = op.clone()
        for index, operand in enumerate(operands):
            copy.operands[index] = operand
        copies |= dict(zip(op.results, copy.results, strict=True))
    return copies[value]


def constant_value(value: Any) -> int | None:
    """Return the value of an `arith.constant`, None for anything else."""
    from iree.compiler import ir

    if isinstance(value.owner, ir.Block) or value.owner.operation.name != "arith.constant":
        return None
    return ir.IntegerAttr(value.owner.operation.attributes["value"]).value


def index_constant(value: int) -> Any:
    """Create an `arith.constant` of type index; return its result."""
    from iree.compiler import ir

    index = ir.IndexType.get()
    return ir.Operation.create(
        "arith.constant", results=[index], attributes={"value": ir.IntegerAttr.get(index, value)}
    ).results[0]


def _to_i32(value: Any) -> Any:
    from iree.compiler import ir

    return ir.Operation.create(
        "arith.index_cast", results=[ir.IntegerType.get_signless(32)], operands=[value]
    ).results[0]
