"""Regions that a person has scheduled: the loops in the body become the kernel as they stand.

A transform script (or an editor) tiles, fuses and vectorizes the ops of a region; what it leaves is
bufferized by upstream's one-shot bufferization straight into the kernel's arguments. A body that is
one `scf.forall` has its iterations spread over workgroups; any other body is one task, since what
one loop writes another may read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from fsa.bindings import arith, ir
from fsa.passes.base import PassError
from fsa.passes.emitter import Builder, KernelSpec, emit_launch, grid_for, kernel
from fsa.passes.stitching.bufferize import bufferize, lower_loops
from fsa.passes.stitching.scalars import decode, encode, words_of
from fsa.passes.structure.rewriting import replace_op
from fsa.runtime.targets import Target

DIALECTS = ("scf", "vector")
# Kinds of elements that a kernel sees as they are; i1 and index change on their way in.
_PLAIN = ("i8", "i16", "i32", "i64", "f16", "bf16", "f32", "f64")
# What may stand beside the one scf.forall of a body that is spread over workgroups.
_PRELUDE = ("affine", "arith", "ub")


def schedule_in(region: Any) -> str | None:
    """Return the name of the first loop or vector op in the body of a region, None without any."""
    found: list[str] = []

    def visit(view: Any) -> Any:
        name: str = view.operation.name
        if name.partition(".")[0] not in DIALECTS:
            return ir.WalkResult.ADVANCE
        found.append(name)
        return ir.WalkResult.INTERRUPT

    region.walk(visit, ir.WalkOrder.PRE_ORDER)
    return found[0] if found else None


def check_schedule(region: Any, target: Target) -> None:
    """Raise `PassError` where a scheduled region cannot become a kernel of `target`."""
    if target.kind != "cpu":
        raise PassError(
            region.location,
            f"expected a region without a schedule for the target {target}, found "
            f"{schedule_in(region)} in its body: loops become a kernel on a CPU only",
        )
    for value in (*region.operands, *region.results):
        type_ = value.type
        if not isinstance(type_, ir.RankedTensorType):
            continue
        if not type_.has_static_shape or str(type_.element_type) not in _PLAIN:
            raise PassError(
                region.location,
                "expected a scheduled region to take and give tensors of static size of "
                f"{', '.join(_PLAIN)}, found {type_}",
            )


def lower_scheduled(module: Any, region: Any, target: Target) -> None:
    """Replace a scheduled region of `module` by the kernel that its body is, and its launch."""
    check_schedule(region, target)
    with region.location:
        bufferized = bufferize(region)
        operands = list(region.operands)
        inputs = [value for value in operands if isinstance(value.type, ir.RankedTensorType)]
        scalars = [value for value in operands if not isinstance(value.type, ir.RankedTensorType)]
        outputs = [result.type for result in region.results]
        grid = _grid_of(bufferized)
        spec = KernelSpec(
            "scheduled_region",
            inputs=tuple(value.type for value in inputs),
            outputs=tuple(outputs),
            scalars=sum(words_of(value.type) for value in scalars),
        )
        with kernel(module, spec, target) as built:
            numbers = iter(decode(built, built.scalars, [value.type for value in scalars]))
            memrefs = iter(built.inputs)
            arguments = [
                next(memrefs if isinstance(value.type, ir.RankedTensorType) else numbers)
                for value in operands
            ]
            with built.tasks(grid.tasks) as task:
                _place(built, bufferized, [*arguments, *built.outputs], grid, task)
            function = ir.InsertionPoint.current.block.owner.operation
        lower_loops(_function_around(function), region)
        with ir.InsertionPoint(region):
            builder = Builder()
            words = [word for value in scalars for word in encode(builder, value)]
            results = emit_launch(
                builder,
                built,
                lambda b: [grid_for(b, grid.tasks)],
                inputs,
                [(type_, list(type_.shape)) for type_ in outputs],
                words,
            )
        replace_op(region, results)


@dataclass(frozen=True)
class _Grid:
    """The iterations of the outer forall, one a task; one task without any."""

    lower: tuple[int, ...] = ()
    steps: tuple[int, ...] = ()
    trips: tuple[int, ...] = ()

    @property
    def tasks(self) -> int:
        """Return the number of tasks."""
        return prod(self.trips)


def _body_of(bufferized: Any) -> Any:
    return next(iter(bufferized.body.operations)).operation.regions[0].blocks[0]


def _grid_of(bufferized: Any) -> _Grid:
    """Return the grid of a body that is one forall of static bounds; else one task."""
    ops = [view.operation for view in _body_of(bufferized).operations][:-1]
    foralls = [op for op in ops if op.name == "scf.forall"]
    others = [op for op in ops if op.name != "scf.forall"]
    if len(foralls) != 1 or any(op.name.partition(".")[0] not in _PRELUDE for op in others):
        return _Grid()
    names = ("staticLowerBound", "staticUpperBound", "staticStep")
    lower, upper, steps = (tuple(foralls[0].attributes[name]) for name in names)
    dynamic = ir.ShapedType.get_dynamic_size()
    if dynamic in (*lower, *upper, *steps):
        return _Grid()
    trips = tuple(-(-(u - low) // s) for low, u, s in zip(lower, upper, steps, strict=True))
    return _Grid(lower, steps, trips)


def _place(built: Any, bufferized: Any, arguments: Sequence[Any], grid: _Grid, task: Any) -> None:
    """Move the body into the task loop that is being built."""
    block = _body_of(bufferized)
    for own, value in zip(list(block.arguments), arguments, strict=True):
        own.replace_all_uses_with(built.value(value))
    numbers: list[Any] = []
    if grid.trips:
        at = built.delinearize(task, list(grid.trips))
        numbers = [
            built.value(built.add(built.mul(number, step), low))
            for number, step, low in zip(at, grid.steps, grid.lower, strict=True)
        ]
    anchor = arith.ConstantOp(ir.IndexType.get(), 0).operation
    for view in list(block.operations)[:-1]:
        op = view.operation
        if grid.trips and op.name == "scf.forall":
            inner = op.regions[0].blocks[0]
            for own, value in zip(list(inner.arguments), numbers, strict=True):
                own.replace_all_uses_with(value)
            for nested in list(inner.operations)[:-1]:
                nested.operation.move_before(anchor)
        else:
            op.move_before(anchor)
    anchor.erase()


def _function_around(op: Any) -> Any:
    while op.name != "func.func":
        op = op.parent.operation
    return op
