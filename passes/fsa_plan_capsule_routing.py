"""The pass `fsa-plan-capsule-routing`."""

from dataclasses import dataclass
from typing import Any

from fsa.bindings import ir
from fsa.diagnostics import Diagnostics
from fsa.dialects.fsa.shapes import type_dims
from fsa.passes.base import Pass, PassError
from fsa.passes.capsule import schedules
from fsa.passes.capsule.ops import capsule_ops, element_name, predict_sizes
from fsa.passes.plans import given_entries, target_of, write_plan
from fsa.passes.weights.constants import constant_op
from fsa.runtime.targets import Target


@dataclass(frozen=True)
class PlanCapsuleRouting(Pass):
    """Plan the capsule ops for the module's target.

    Writes the attribute `plan` on each `fsa.capsule_routing`, `fsa.capsule_predict` and
    `fsa.squash`: what is distributed over workgroups, lanes and tiles, and where sums and logits
    live, with short reasons. Entries of a plan that is already there are kept. Ops inside a
    stitched region are left to it.
    """

    name = "fsa-plan-capsule-routing"
    summary = "choose distribution, lanes, tiles and buffers of the capsule ops for the target"

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Write a plan on each capsule op in `op`."""
        ops = capsule_ops(op)
        if not ops:
            return
        target = target_of(op)
        for found in ops:
            _plan(found, target)


def _plan(op: Any, target: Target) -> None:
    planners = {
        "fsa.capsule_routing": _plan_routing,
        "fsa.capsule_predict": _plan_predict,
        "fsa.squash": _plan_squash,
    }
    element = element_name(op)
    has = {"f64": target.has_f64, "f16": target.has_f16}
    if not has.get(element, True):
        expected = [name for name in ("f16", "bf16", "f32") if has.get(name, True)]
        raise PassError(
            op.location,
            f"expected '{op.name}' on {target} in {' or '.join(expected)}, found {element}",
        )
    plan, reasons = planners[op.name](op, element, target)
    write_plan(op, plan, reasons)


def _plan_routing(op: Any, element: str, target: Target) -> tuple[Any, list[str]]:
    on_cpu = target.kind == "cpu"
    given = given_entries(op, schedules.RoutingCpu if on_cpu else schedules.RoutingGpu)
    batch, low, high, depth = type_dims(op.operands[0].type)
    sizes = (batch, low, high, depth)
    agreement = ir.StringAttr(op.attributes["agreement"]).value
    if not on_cpu:
        return schedules.routing_gpu(sizes, element, agreement, target, given)
    iterations = ir.IntegerAttr(op.attributes["iterations"]).value
    return schedules.routing_cpu(sizes, iterations, element, agreement, target, given)


def _plan_predict(op: Any, element: str, target: Target) -> tuple[Any, list[str]]:
    if target.kind != "cpu":
        return schedules.element_gpu(target, given_entries(op, schedules.ElementGpu))
    sizes = predict_sizes(type_dims(op.operands[0].type), type_dims(op.operands[1].type))
    given = given_entries(op, schedules.PredictCpu)
    is_constant = constant_op(op.operands[1]) is not None
    return schedules.predict_cpu(sizes, element, is_constant, target, given)


def _plan_squash(op: Any, element: str, target: Target) -> tuple[Any, list[str]]:
    if target.kind != "cpu":
        return schedules.element_gpu(target, given_entries(op, schedules.ElementGpu))
    given = given_entries(op, schedules.SquashCpu)
    return schedules.squash_cpu(type_dims(op.operands[0].type)[-1], element, target, given)
