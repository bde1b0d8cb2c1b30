"""The pass `fsa-capsule-to-gpu`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from fsa.bindings import ir
from fsa.diagnostics import Diagnostics
from fsa.dialects.fsa.ops.capsule_routing import coefficient_sizes, is_batch_shared
from fsa.dialects.fsa.shapes import type_dims
from fsa.passes.base import Pass
from fsa.passes.capsule import schedules
from fsa.passes.capsule.approximation import arithmetic_of
from fsa.passes.capsule.elements_gpu import emit_predict, emit_squash, item_grid
from fsa.passes.capsule.ops import (
    PLANNER,
    accumulator_type,
    capsule_ops,
    is_power_of_two,
    predict_sizes,
)
from fsa.passes.capsule.routing_cpu import stores_coefficients
from fsa.passes.capsule.routing_gpu import WorkgroupBuffers, emit_routing, workgroup_buffers
from fsa.passes.capsule.routing_steps_gpu import emit_coefficients, emit_update
from fsa.passes.emitter import (
    Builder,
    Index,
    Kernel,
    KernelSpec,
    Value,
    emit_guarded_launch,
    filled,
    grid_for,
    kernel,
    tensor_dims,
)
from fsa.passes.patterns.capsule_routing import first_coefficients
from fsa.passes.patterns.lowering import Conventions
from fsa.passes.plans import read_plan, require_plan, target_of
from fsa.passes.structure.rewriting import replace_op
from fsa.runtime.targets import Target


@dataclass(frozen=True)
class CapsuleToGpu(Pass):
    """Lower the planned capsule ops to GPU kernels and `fsa.launch`.

    Routing is one launch, or two an iteration where no workgroup can hold a sample or the batch
    shares its logits. Half types are summed in f32. Sizes of 0 are decided at the launch: the
    result is then zero.
    """

    name = "fsa-capsule-to-gpu"
    summary = "lower planned capsule ops to GPU kernels"

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Replace each capsule op in `op` by launches; `PassError` where a plan is missing."""
        ops = capsule_ops(op)
        if not ops:
            return
        target = target_of(op, "vulkan", "cuda")
        emitters: dict[str, Callable[[_Launcher], list[Value]]] = {
            "fsa.capsule_routing": _routing,
            "fsa.capsule_predict": _predict,
            "fsa.squash": _squash,
        }
        for found in ops:
            with ir.InsertionPoint(found), found.location:
                results = emitters[found.name](_Launcher(op, found, target))
            replace_op(found, results)


class _Launcher:
    """Emits launches in place of `op`; a kernel that is launched several times is built once."""

    def __init__(self, module: Any, op: Any, target: Target):
        self.module = module
        self.op = op
        self.target = target
        self.builder = Builder()
        self.accumulator = accumulator_type(op)
        self.threads = 1
        self._kernels: dict[str, Kernel] = {}

    def read(self, kind: type[Any]) -> Any:
        """Return the op's plan, its workgroup size checked."""
        plan = read_plan(self.op, kind, PLANNER)
        limit = self.target.max_workgroup_size or plan.workgroup_size
        require_plan(
            self.op,
            is_power_of_two(plan.workgroup_size) and plan.workgroup_size <= limit,
            f"a workgroup_size that is a power of two up to {limit}, found {plan.workgroup_size}",
        )
        self.threads = plan.workgroup_size
        return plan

    def launch(
        self,
        name: str,
        emit: Callable[[Kernel], None],
        inputs: Sequence[Value],
        results: Sequence[tuple[Any, Sequence[Index]]],
        grid: Callable[[Builder], list[Index]],
        workgroup: WorkgroupBuffers = (),
        *,
        with_coefficients: bool = False,
    ) -> list[Value]:
        """Launch the kernel `name` that `emit` fills; the same name is the same kernel.

        Where a tensor is empty, results are zero; `with_coefficients` the last one is the op's own,
        and those are what routing starts with.
        """

        def make() -> Kernel:
            if name not in self._kernels:
                spec = KernelSpec(
                    name,
                    tuple(value.type for value in inputs),
                    tuple(kind for kind, _ in results),
                    workgroup=workgroup,
                    workgroup_size=(self.threads, 1, 1),
                )
                with kernel(self.module, spec, self.target) as made:
                    emit(made)
                self._kernels[name] = made
            return self._kernels[name]

        def empty(builder: Builder) -> list[Value]:
            *zero, _ = results
            zeros = [filled(builder, kind, dims) for kind, dims in zero]
            return [*zeros, self.first_coefficients()]

        return emit_guarded_launch(
            make,
            grid=grid,
            inputs=inputs,
            results=results,
            empty=empty if with_coefficients else None,
        )

    def first_coefficients(self) -> Value:
        """Return the coefficients that routing starts with, by ops for any device."""
        return first_coefficients(self.op, Conventions.of_module(self.module))


def _predict(launcher: _Launcher) -> list[Value]:
    launcher.read(schedules.ElementGpu)
    op, threads = launcher.op, launcher.threads
    u, w = op.operands
    sizes = predict_sizes(tensor_dims(launcher.builder, u), tensor_dims(launcher.builder, w))
    shape = list(sizes[:-1])
    return launcher.launch(
        "capsule_predict",
        lambda k: emit_predict(k, launcher.accumulator),
        [u, w],
        [(op.results[0].type, shape)],
        lambda b: item_grid(b, b.product(shape), threads),
    )


def _squash(launcher: _Launcher) -> list[Value]:
    launcher.read(schedules.ElementGpu)
    op, threads = launcher.op, launcher.threads
    sizes = tensor_dims(launcher.builder, op.operands[0])
    return launcher.launch(
        "squash",
        lambda k: emit_squash(k, op, launcher.accumulator),
        [op.operands[0]],
        [(op.results[0].type, sizes)],
        lambda b: item_grid(b, b.product(sizes[:-1]), threads),
    )


def _routing(launcher: _Launcher) -> list[Value]:
    """Return v and, where the op has them, the coefficients."""
    made = _launched_routing(launcher)
    if len(made) < len(launcher.op.results):  # one iteration from zero logits: they are all 1 / H
        made.append(launcher.first_coefficients())
    return made


def _launched_routing(launcher: _Launcher) -> list[Value]:
    plan = launcher.read(schedules.RoutingGpu)
    strategies = ("one_launch", "launch_per_step")
    require_plan(
        launcher.op,
        plan.strategy in strategies,
        f"the strategy {' or '.join(strategies)}, found {plan.strategy}",
    )
    if plan.strategy == "one_launch":
        return _routing_one_launch(launcher, plan)
    return _RoutingSteps(launcher).emit()


def _routing_one_launch(launcher: _Launcher, plan: schedules.RoutingGpu) -> list[Value]:
    op = launcher.op
    agreement = ir.StringAttr(op.attributes["agreement"]).value
    _, _, high, depth = type_dims(op.operands[0].type)
    is_static = high is not None and depth is not None
    require_plan(
        op,
        is_static and agreement == "per_sample",
        "the strategy launch_per_step where H or D is dynamic or agreement is batch_shared",
    )
    require_plan(
        op,
        1 <= plan.parts <= plan.tile,
        f"parts from 1 to the tile of {plan.tile}, found {plan.parts}",
    )
    buffers = workgroup_buffers(plan, high or 0, depth or 0, launcher.accumulator)
    needed = sum(shape[0] * kind.width // 8 for shape, kind in buffers)
    limit = launcher.target.workgroup_memory_bytes
    require_plan(
        op,
        needed <= limit,
        f"buffers of at most {limit} bytes of workgroup memory, found {needed}",
    )
    batch, low, *rest = tensor_dims(launcher.builder, op.operands[0])
    results: list[tuple[Any, list[Index]]] = [(op.results[0].type, [batch, *rest])]
    if stores_coefficients(op):
        results.append((op.results[1].type, [batch, low, rest[0]]))
    return launcher.launch(
        op.name,
        lambda k: emit_routing(k, plan, op, launcher.accumulator),
        list(op.operands),
        results,
        lambda b: [grid_for(b, batch)],
        buffers,
        with_coefficients=len(results) > 1,
    )


class _RoutingSteps:
    """The launches of one routing: a mean, then coefficients and an update an iteration."""

    def __init__(self, launcher: _Launcher):
        op = launcher.op
        self.launcher = launcher
        self.u_hat, *self.start_logits = op.operands
        self.iterations = ir.IntegerAttr(op.attributes["iterations"]).value
        self.epsilon = ir.FloatAttr(op.attributes["epsilon"]).value
        self.arithmetic = arithmetic_of(op)
        self.shared = is_batch_shared(op.attributes)
        self.batch, self.low, self.high, self.depth = tensor_dims(launcher.builder, self.u_hat)
        self.result = op.results[0].type
        shape = [_extent(size) for size in (self.batch, self.high, self.depth)]
        self.directions = ir.RankedTensorType.get(shape, launcher.accumulator)

    def emit(self) -> list[Value]:
        """Emit all launches and return v, and the coefficients if kernels write them."""
        which, given, kept = ("mean", [self.u_hat], list[Value]())
        if self.start_logits:
            coefficients, *kept = self._coefficients(is_last=self.iterations == 1)
            which, given = ("last", [self.u_hat, coefficients])
        if self.iterations == 1:
            return [self._update(which, given, self.result), *kept]
        which = "first" if self.start_logits else which
        directions = self._update(which, given, self.directions)
        # Not a loop: IREE cannot follow the sizes of dynamic tensors through one.
        for _ in range(self.iterations - 2):
            given = [self.u_hat, *self._coefficients(directions), directions]
            directions = self._update("add", given, self.directions)
        coefficients, *kept = self._coefficients(directions, is_last=True)
        return [self._update("last", [self.u_hat, coefficients], self.result), *kept]

    def _coefficients(self, *directions: Value, is_last: bool = False) -> list[Value]:
        """Return those by the agreement with `directions`; the first ones have no such part.

        The last ones are followed by the op's own result, where it has them.
        """
        groups = 1 if self.shared else self.batch
        sizes = [groups, self.low, self.high]
        kind = ir.RankedTensorType.get([_extent(s) for s in sizes], self.launcher.accumulator)
        results: list[tuple[Any, list[Index]]] = [(kind, sizes)]
        if is_last and len(self.launcher.op.results) > 1:
            op = self.launcher.op
            own = coefficient_sizes(op.attributes, self.batch, self.low, self.high)
            results.append((op.results[1].type, own))
        which = "first_" if not directions else "last_" if len(results) > 1 else ""
        return self.launcher.launch(
            f"capsule_routing_{which}coefficients",
            lambda k: emit_coefficients(
                k,
                shared=self.shared,
                started=bool(self.start_logits),
                agreed=bool(directions),
                arithmetic=self.arithmetic,
                accumulator=self.launcher.accumulator,
            ),
            [self.u_hat, *self.start_logits, *directions],
            results,
            lambda b: item_grid(b, b.mul(groups, self.low), self.launcher.threads),
            with_coefficients=len(results) > 1,
        )

    def _update(self, which: str, inputs: list[Value], kind: Any) -> Value:
        sizes = [self.batch, self.high, self.depth]
        return self.launcher.launch(
            f"capsule_routing_update_{which}",
            lambda k: emit_update(
                k,
                weighted=which != "mean",
                shared=self.shared,
                epsilon=self.epsilon,
                arithmetic=self.arithmetic,
                accumulator=self.launcher.accumulator,
            ),
            inputs,
            [(kind, sizes), (self.directions, sizes)],
            lambda b: [grid_for(b, b.mul(self.batch, self.high))],
            (((self.launcher.threads,), self.launcher.accumulator),),
        )[0]


def _extent(size: Index) -> int:
    return size if isinstance(size, int) else ir.ShapedType.get_dynamic_size()
