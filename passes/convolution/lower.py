"""Window operations of a module: found, planned for, and replaced by launches."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from fsa.bindings import ir, tensor
from fsa.dialects.fsa.shapes import type_dims
from fsa.passes.convolution import packing
from fsa.passes.convolution.channels_cpu import ChannelsKernel, channels_tasks
from fsa.passes.convolution.dense_cpu import DenseKernel, dense_tasks
from fsa.passes.convolution.epilogue import Epilogue, Operand, find_epilogue
from fsa.passes.convolution.forms import FORMS
from fsa.passes.convolution.ops import WindowOp, read_window_op
from fsa.passes.convolution.rows_cpu import RowsKernel, rows_tasks
from fsa.passes.convolution.schedules import CHANNELS, DENSE, PORTABLE, ROWS, Plan, plan_window
from fsa.passes.emitter import (
    Builder,
    Index,
    Kernel,
    KernelSpec,
    Value,
    emit_guarded_launch,
    grid_for,
    kernel,
    tensor_dims,
)
from fsa.passes.plans import ops_to_plan, read_plan, require_plan
from fsa.runtime.targets import Target

PLANNER = "fsa-plan-convolution"
FORM_NAMES = (DENSE, ROWS, CHANNELS, PORTABLE)


@dataclass(frozen=True)
class Site:
    """Where a pass lowers ops: the module, its target, and the kernels that ops can share."""

    module: Any
    target: Target
    kernels: dict[str, Kernel] = field(default_factory=dict[str, Kernel])
    constants: dict[str, int] = field(default_factory=dict[str, int])

    def constant_name(self) -> str:
        """Return a fresh name for packed weights."""
        number = self.constants["made"] = self.constants.get("made", 0) + 1
        return f"convolution_weights_{number}"


def window_ops(module: Any) -> list[Any]:
    """Return the window operations in `module` (an `ir.Operation`) outside of stitched regions."""
    return ops_to_plan(module, FORMS)


def takes_kernel(op: Any, target: Target) -> bool:
    """Return whether a kernel for `target` takes the linalg op `op`."""
    read = read_window_op(op, weights=False) if target.kind == "cpu" else None
    return read is not None and plan_window(read.window, target, {})[0].form != PORTABLE


def fills_lanes_with_channels(op: Any, target: Target) -> bool:
    """Return whether, with its channels last, a kernel takes `op` with lanes along the channels."""
    read = read_window_op(op, weights=False) if target.kind == "cpu" else None
    if read is None:
        return False
    plan, _ = plan_window(replace(read.window, channels_last=True), target, {})
    return plan.form == CHANNELS and read.window.groups >= plan.lanes


def lower_window_op(op: Any, site: Site) -> bool:
    """Replace a planned op and its epilogue by a launch; return whether there is a kernel."""
    plan = read_plan(op, Plan, PLANNER)
    require_plan(op, plan.form in FORM_NAMES, f"a form out of {', '.join(FORM_NAMES)}")
    if plan.form == PORTABLE:
        return False
    found = read_window_op(op)
    require_plan(op, found is not None, 'the form "portable": no kernel takes this op')
    assert found is not None
    epilogue = epilogue_of(op)
    last = epilogue.result.owner.operation
    with ir.InsertionPoint(last), op.location:
        inputs, make = _MAKERS[plan.form](found, plan, epilogue, site)
        (value,) = _launch(op, found, plan, epilogue, site, inputs, make)
        if value.type != last.results[0].type:
            value = tensor.cast(last.results[0].type, value)
    last.results[0].replace_all_uses_with(value)
    _erase_chain(op, epilogue)
    return True


def epilogue_of(op: Any) -> Epilogue:
    """Return the element-wise ops that the kernel of a window operation computes."""
    start = _joined(op.results[0])
    return find_epilogue(start, start.type.rank - 1 if FORMS[op.name].last else 1)


def _joined(value: Value) -> Value:
    """Return the result of a grouped op with its groups joined, if that is its only use."""
    users = [use.owner.operation for use in value.uses]
    if value.type.rank == 5 and len(users) == 1 and users[0].name == "tensor.collapse_shape":
        result = users[0].results[0]
        _, groups, filters, *pixels = type_dims(value.type)
        joined = (groups or 0) * (filters or 0)
        if result.type.rank == 4 and type_dims(result.type)[1:] == [joined, *pixels]:
            return result
    return value


def _erase_chain(op: Any, epilogue: Epilogue) -> None:
    """Erase the ops that a launch replaced, users first."""
    chain = [made for made in reversed(epilogue.ops)]
    users = [use.owner.operation for use in op.results[0].uses]
    chain += [user for user in users if user.name == "tensor.collapse_shape" and user not in chain]
    for made in [*chain, op]:
        if not any(list(result.uses) for result in made.results):
            made.erase()


def _dense(
    found: WindowOp, plan: Plan, epilogue: Epilogue, site: Site
) -> tuple[list[Value], Callable[[Kernel], None]]:
    window = found.window
    width = plan.lanes * plan.tile_vectors
    assert found.weights is not None
    bias = np.zeros(1, np.float32) if found.bias is None else found.bias
    panels = packing.filter_panels(found.weights, width)
    biases = packing.bias_panels(bias, window.groups, window.filters, width)
    constants = [packing.resource_constant(made, site.constant_name()) for made in (panels, biases)]

    def fill(k: Kernel) -> None:
        DenseKernel(k, window, plan, epilogue).run()

    return [found.source, *constants], fill


def _rows(
    found: WindowOp, plan: Plan, epilogue: Epilogue, site: Site
) -> tuple[list[Value], Callable[[Kernel], None]]:
    window = found.window
    constants: list[Value] = []
    if found.weights is not None:
        bias = np.zeros(1, np.float32) if found.bias is None else found.bias
        numbers = packing.filter_numbers(found.weights, plan.tile_filters)
        biases = packing.bias_panels(bias, window.groups, window.filters, 1)
        constants = [
            packing.resource_constant(made, site.constant_name()) for made in (numbers, biases)
        ]

    def fill(k: Kernel) -> None:
        RowsKernel(k, window, plan, epilogue).run()

    return [found.source, *constants], fill


def _channels(
    found: WindowOp, plan: Plan, epilogue: Epilogue, site: Site
) -> tuple[list[Value], Callable[[Kernel], None]]:
    window = found.window
    constants: list[Value] = []
    if found.weights is not None:
        bias = np.zeros(1, np.float32) if found.bias is None else found.bias
        by_tap = found.weights.reshape(window.groups, window.taps).T
        biases = packing.bias_panels(bias, window.groups, 1, 1)
        constants = [
            packing.resource_constant(made, site.constant_name()) for made in (by_tap, biases)
        ]

    def fill(k: Kernel) -> None:
        ChannelsKernel(k, window, plan, epilogue).run()

    return [found.source, *constants], fill


_MAKERS = {DENSE: _dense, ROWS: _rows, CHANNELS: _channels}
_TASKS = {DENSE: dense_tasks, ROWS: rows_tasks, CHANNELS: channels_tasks}


def _launch(
    op: Any,
    found: WindowOp,
    plan: Plan,
    epilogue: Epilogue,
    site: Site,
    inputs: list[Value],
    fill: Callable[[Kernel], None],
) -> list[Value]:
    operands = [_readable(operand) for operand in epilogue.operands]
    initial = [] if found.initial is None else [found.initial]
    given = [*inputs, *operands, *initial]
    kind = epilogue.result.type
    kinds = [str(value.type) for value in given]
    key = f"{found.window} {plan} {kinds} {kind} {epilogue.signature()}"

    def make_kernel() -> Kernel:
        if key not in site.kernels:
            spec = KernelSpec(op.name.rpartition(".")[2], tuple(v.type for v in given), (kind,))
            with kernel(site.module, spec, site.target) as k:
                fill(k)
            site.kernels[key] = k
        return site.kernels[key]

    tasks = _TASKS[plan.form]
    builder = Builder()
    dims = tensor_dims(builder, found.source)
    batch = dims[0]
    sizes = [batch, *type_dims(kind)[1:]]

    def grid(b: Builder) -> list[Index]:
        return [grid_for(b, b.product(tasks(b, batch, found.window, plan)))]

    return emit_guarded_launch(make_kernel, grid=grid, inputs=given, results=[(kind, sizes)])


def _readable(operand: Operand) -> Value:
    """Return the operand as a tensor of rank 1 or more."""
    value = operand.value
    if value.type.rank:
        return value
    kind = ir.RankedTensorType.get([1], value.type.element_type)
    return tensor.expand_shape(kind, value, [], [], [1])
