"""The pass `fsa-capsule-to-cpu`."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from fsa.bindings import ir
from fsa.diagnostics import Diagnostics
from fsa.dialects.fsa.ops.capsule_routing import coefficient_sizes
from fsa.dialects.fsa.shapes import type_dims
from fsa.passes.base import Pass, PassError
from fsa.passes.capsule import schedules
from fsa.passes.capsule.ops import (
    PLANNER,
    accumulator_type,
    capsule_ops,
    is_power_of_two,
    predict_sizes,
)
from fsa.passes.capsule.predict_cpu import emit_packed_predict, emit_predict
from fsa.passes.capsule.routing_cpu import emit_routing, scratch_size, stores_coefficients
from fsa.passes.capsule.routing_high_cpu import launch_high
from fsa.passes.capsule.routing_split_cpu import launch_parts
from fsa.passes.capsule.squash_cpu import emit_squash
from fsa.passes.emitter import (
    Builder,
    Kernel,
    KernelSpec,
    Value,
    emit_guarded_launch,
    grid_for,
    kernel,
    tensor_dims,
)
from fsa.passes.patterns.capsule_routing import first_coefficients
from fsa.passes.patterns.lowering import Conventions
from fsa.passes.plans import read_plan, require_plan, target_of
from fsa.passes.structure.rewriting import replace_op
from fsa.passes.structure.transposes import transposed
from fsa.passes.weights.constants import Constants, constant_op, name_of
from fsa.runtime.targets import Target

MAX_LANES = 64
MAX_SWEEP = 64
MAX_PARTS = 1024


@dataclass(frozen=True)
class CapsuleToCpu(Pass):
    """Lower the planned capsule ops to CPU kernels and `fsa.launch`.

    Each op becomes one launch, routing whose workgroups share a sample's capsules about one an
    iteration. Half types are summed in f32. Sizes of 0 are decided at the launch:
    the result is then zero.
    """

    name = "fsa-capsule-to-cpu"
    summary = "lower planned capsule ops to CPU kernels"

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Replace each capsule op in `op` by a launch; `PassError` where a plan is missing."""
        ops = capsule_ops(op)
        if not ops:
            return
        target = target_of(op, "cpu")
        emitters = {
            "fsa.capsule_routing": _routing,
            "fsa.capsule_predict": _predict,
            "fsa.squash": _squash,
        }
        for found in ops:
            with ir.InsertionPoint(found), found.location:
                results = emitters[found.name](op, found, target)
            replace_op(found, results)


def _require_lanes(op: Any, lanes: int) -> None:
    require_plan(
        op,
        is_power_of_two(lanes) and 2 <= lanes <= MAX_LANES,
        f"lanes that are a power of two from 2 to {MAX_LANES}, found {lanes}",
    )


def _routing(module: Any, op: Any, target: Target) -> list[Value]:
    """Return v and, where the op has them, the coefficients."""
    made = _launched_routing(module, op, target)
    if len(op.results) == 1 or (len(made) > 1 and 0 not in type_dims(op.operands[0].type)):
        return made
    # Empty predictions agree with nothing, and one iteration from zero logits has equal ones.
    return [made[0], first_coefficients(op, Conventions.of_module(module))]


def _launched_routing(module: Any, op: Any, target: Target) -> list[Value]:
    plan = read_plan(op, schedules.RoutingCpu, PLANNER)
    _check_routing(op, plan)
    u_hat, *logits = op.operands
    # Turned, so that the logits of neighbouring rows lie side by side.
    inputs = [u_hat, *(_turned(value, (1, 0)) for value in logits)]
    accumulator = accumulator_type(op)
    if plan.distribute in schedules.SPLIT:
        launch = launch_parts if plan.distribute == "low" else launch_high
        return launch(module, op, inputs, plan, accumulator, target)
    builder = Builder()
    sizes = tensor_dims(builder, u_hat)
    batch, low, high, depth = sizes
    results: list[tuple[Any, list[Any]]] = [(op.results[0].type, [batch, high, depth])]
    if stores_coefficients(op):
        results.append((op.results[1].type, coefficient_sizes(op.attributes, batch, low, high)))
    wanted = len(results)
    scratch = scratch_size(builder, plan, sizes)
    if plan.buffers == "scratch":
        extent = scratch if isinstance(scratch, int) else ir.ShapedType.get_dynamic_size()
        results.append((ir.RankedTensorType.get([extent], accumulator), [scratch]))

    def make() -> Kernel:
        kinds = tuple(value.type for value in inputs)
        spec = KernelSpec(op.name, kinds, tuple(kind for kind, _ in results))
        with kernel(module, spec, target) as made:
            emit_routing(made, plan, op, accumulator)
        return made

    return emit_guarded_launch(
        make,
        grid=lambda b: [grid_for(b, batch) if plan.distribute == "batch" else 1],
        inputs=inputs,
        results=results,
    )[:wanted]


def _check_routing(op: Any, plan: schedules.RoutingCpu) -> None:
    _require_lanes(op, plan.lanes)
    agreement = ir.StringAttr(op.attributes["agreement"]).value
    allowed = ("batch" if agreement == "per_sample" else "none", *schedules.SPLIT)
    require_plan(
        op,
        plan.distribute in allowed,
        f"distribute {' or '.join(allowed)} with {agreement} agreement, found {plan.distribute}",
    )
    require_plan(
        op,
        is_power_of_two(plan.dot_lanes) and 2 <= plan.dot_lanes <= plan.lanes,
        f"dot_lanes that are a power of two up to the lanes, found {plan.dot_lanes}",
    )
    _, _, high, depth = type_dims(op.operands[0].type)
    is_known = plan.distribute == "batch" and high is not None and depth is not None
    require_plan(
        op,
        plan.prefetch == "none" or (plan.prefetch in ("sample", "tile", "both") and is_known),
        "prefetch none, or sample, tile or both where a workgroup routes one sample and H and D "
        f"are static, found {plan.prefetch}",
    )
    is_split = plan.distribute in schedules.SPLIT
    limit = MAX_PARTS if is_split else 1
    require_plan(op, 1 <= plan.parts <= limit, f"parts from 1 to {limit} here, found {plan.parts}")
    require_plan(
        op, 1 <= plan.sweep <= MAX_SWEEP, f"a sweep from 1 to {MAX_SWEEP}, found {plan.sweep}"
    )
    one_each = plan.distribute == "batch"
    require_plan(
        op,
        plan.tiles in (1, 2) and (one_each or plan.tiles == 1),
        f"tiles of 1, or 2 where a workgroup routes one sample, found {plan.tiles}",
    )
    require_plan(
        op, plan.buffers in ("local", "scratch"), f"buffers local or scratch, found {plan.buffers}"
    )
    if plan.buffers == "local":
        fits = high is not None and depth is not None and plan.distribute == "batch"
        require_plan(op, fits, "buffers scratch where H or D is dynamic or distribute is not batch")


def _predict(module: Any, op: Any, target: Target) -> list[Value]:
    plan = read_plan(op, schedules.PredictCpu, PLANNER)
    _require_lanes(op, plan.lanes)
    require_plan(op, plan.tile >= 1, f"a tile of 1 or more, found {plan.tile}")
    require_plan(
        op, 1 <= plan.sweep <= MAX_SWEEP, f"a sweep from 1 to {MAX_SWEEP}, found {plan.sweep}"
    )
    u, w = op.operands
    is_packed = plan.weights == "packed"
    require_plan(
        op,
        plan.weights == "given" or (is_packed and constant_op(w) is not None),
        f"weights given, or packed where they are constant, found {plan.weights}",
    )
    builder = Builder()
    sizes = predict_sizes(tensor_dims(builder, u), tensor_dims(builder, w))
    batch, low, high, depth, _ = sizes

    emit = emit_packed_predict if is_packed else emit_predict
    if is_packed:
        w = _turned(w, (0, 3, 1, 2))  # [L, Din, H, D]

    def make() -> Kernel:
        spec = KernelSpec(op.name, (u.type, w.type), (op.results[0].type,))
        with kernel(module, spec, target) as made:
            emit(made, plan, accumulator_type(op))
        return made

    return emit_guarded_launch(
        make,
        grid=lambda b: [grid_for(b, b.ceildiv(low, plan.tile))],
        inputs=[u, w],
        results=[(op.results[0].type, [batch, low, high, depth])],
    )


def _turned(value: Value, permutation: tuple[int, ...]) -> Value:
    """Return a tensor transposed: a constant as another constant."""
    if constant_op(value) is None:
        return transposed(value, permutation)
    constants = Constants()
    array = constants.read(value)
    if array is None:
        raise PassError(value.owner.location, "expected a constant whose elements can be read")
    turned = np.ascontiguousarray(array.transpose(permutation))
    return constants.make(turned, value.type.element_type, name_of(value))


def _squash(module: Any, op: Any, target: Target) -> list[Value]:
    plan = read_plan(op, schedules.SquashCpu, PLANNER)
    _require_lanes(op, plan.lanes)
    require_plan(op, plan.tile >= 1, f"a tile of 1 or more, found {plan.tile}")
    s = op.operands[0]
    sizes = tensor_dims(Builder(), s)

    def make() -> Kernel:
        spec = KernelSpec(op.name, (s.type,), (op.results[0].type,))
        with kernel(module, spec, target) as made:
            emit_squash(made, plan, op, accumulator_type(op))
        return made

    return emit_guarded_launch(
        make,
        grid=lambda b: [grid_for(b, b.ceildiv(b.product(sizes[:-1]), plan.tile))],
        inputs=[s],
        results=[(op.results[0].type, sizes)],
    )
