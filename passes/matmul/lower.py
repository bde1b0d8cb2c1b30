"""Matmuls of a module: found, described for the planner, and replaced by launches."""

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from fsa.bindings import ir, tensor
from fsa.dialects.fsa.markers import KERNEL_MARKER
from fsa.dialects.fsa.shapes import tensor_type, type_dims
from fsa.passes.base import PassError
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
from fsa.passes.matmul import kernel_cpu, weights
from fsa.passes.matmul.binary import binary_weights, packed_signs, words_tensor
from fsa.passes.matmul.chains import FULL, Chain, chain_behind
from fsa.passes.matmul.checks import check_plan
from fsa.passes.matmul.contraction import (
    BATCH,
    COLUMN,
    DEPTH,
    ROW,
    Axes,
    Contraction,
    contraction_of,
)
from fsa.passes.matmul.epilogue import Epilogue, flattened
from fsa.passes.matmul.schedules import (
    INITIAL,
    PACKED,
    PORTABLE,
    TABLES,
    MatmulTile,
    Problem,
    group_bits,
)
from fsa.passes.matmul.tables_cpu import emit_tables
from fsa.passes.plans import ATTRIBUTE, read_plan
from fsa.passes.structure.rewriting import replace_op
from fsa.runtime.targets import Target

PLANNER = "fsa-plan-matmul"


def matmuls(module: Any) -> list[Contraction]:
    """Return the contractions of f32 in `module`, outside of kernels and stitched regions."""
    found: list[Contraction] = []

    def visit(op: Any) -> Any:
        operation = op.operation
        if operation.name == "fsa.stitched_region" or KERNEL_MARKER in operation.attributes:
            return ir.WalkResult.SKIP
        contraction = contraction_of(operation)
        if contraction is not None:
            found.append(contraction)
        return ir.WalkResult.ADVANCE

    module.walk(visit, ir.WalkOrder.PRE_ORDER)
    return found


def epilogues(
    contractions: Sequence[Contraction], claimed: Collection[Any] = frozenset()
) -> list[Chain]:
    """Return the element-wise ops that each matmul computes; each op goes to one of them.

    Where an op joins several matmuls, the last takes it: by then the others are computed. Ops in
    `claimed` go to none.
    """
    taken: set[Any] = set(claimed)
    found: list[Chain] = []
    for contraction in reversed(contractions):
        chain = chain_behind(contraction.op.results[0], taken=taken)
        taken.update(chain.ops)
        found.append(chain)
    return found[::-1]


def planned_problem(contraction: Contraction, chain: Chain) -> Problem:
    """Return what the planner needs to know of a contraction with `chain` as its epilogue."""
    rhs_axes = contraction.rhs_axes
    return Problem(
        batch=contraction.size(BATCH),
        rows=contraction.size(ROW),
        columns=contraction.size(COLUMN),
        depth=contraction.size(DEPTH),
        constant_rhs=weights.is_constant(contraction.rhs),
        binary_rhs=binary_weights(contraction.rhs, rhs_axes) is not None,
        depth_last=rhs_axes[-1] == DEPTH,
        row_bytes=_row_bytes(contraction),
        epilogue=len(chain.stages),
    )


def _row_bytes(contraction: Contraction) -> int:
    """Return the bytes between rows of the lhs; 0 where depth is not innermost, or sizes open."""
    axes = contraction.lhs_axes
    if ROW not in axes or axes[-1] != DEPTH:
        return 0
    inner = type_dims(contraction.lhs.type)[axes.index(ROW) + 1 :]
    return 0 if None in inner else 4 * math.prod(size or 0 for size in inner)


@dataclass
class _Site:
    """Where matmuls are lowered; what they share."""

    module: Any
    target: Target
    kernels: dict[str, Kernel] = field(default_factory=dict[str, Kernel])
    panels: dict[Any, Value] = field(default_factory=dict[Any, Value])


def lower_all(module: Any, target: Callable[[], Target]) -> None:
    """Replace each matmul of `module` that has a plan by the launch of a kernel."""
    planned = [found.op for found in matmuls(module) if ATTRIBUTE in found.op.attributes]
    if not planned:
        return
    site = _Site(module, target())
    for op in planned:
        # Read again: the matmul before it may have replaced its operands.
        contraction = contraction_of(op)
        assert contraction is not None
        plan = read_plan(op, MatmulTile, PLANNER)
        check_plan(contraction, plan)
        if plan.form == INITIAL:
            replace_op(contraction.op, [contraction.init])
        elif plan.form != PORTABLE:
            _lower(contraction, plan, site)


def _lower(contraction: Contraction, plan: MatmulTile, site: _Site) -> None:
    chain = chain_behind(contraction.op.results[0], plan.epilogue)
    last = chain.ops[-1] if chain.ops else contraction.op
    with last.location, ir.InsertionPoint(last):
        value = _launch(contraction, plan, chain, site)
    doomed = [contraction.op, *chain.ops]
    read = weights.layout_chain(contraction.rhs) if plan.form == TABLES else None
    replace_op(doomed.pop(), [value])
    while doomed:
        doomed.pop().erase()
    for op in read or []:
        # Bits that nothing else reads must not be unpacked by a kernel of their own.
        if not list(op.results[0].uses):
            op.erase()


def _launch(contraction: Contraction, plan: MatmulTile, chain: Chain, site: _Site) -> Value:
    """Emit the launch; return its value in the shape of the last op that it replaces."""
    builder = Builder()
    last = chain.ops[-1] if chain.ops else contraction.op
    out = last.results[0]
    rhs, rhs_axes = _rhs(contraction, plan, site)
    extents = _extents(builder, contraction)
    rows = builder.mul(extents.get(BATCH, 1), extents[ROW])
    flat = tensor_type(
        [rows if isinstance(rows, int) else None,
         extents[COLUMN] if isinstance(extents[COLUMN], int) else None],
        ir.F32Type.get(),
    )  # fmt: skip
    zero = weights.is_zero_fill(contraction.init)
    extra = [] if zero else [_as_matrix(builder, contraction.init)]
    scales = _scales(contraction, plan, site)
    extra += [] if scales is None else [scales]
    extra += [
        flattened(builder, value, kind)
        for value, kind in zip(chain.operands, chain.kinds, strict=True)
    ]
    inputs = [contraction.lhs, rhs, *extra]
    axes = (contraction.lhs_axes, rhs_axes)

    def make_kernel() -> Kernel:
        spec = KernelSpec("matmul", tuple(value.type for value in inputs), (flat,))
        given = (zero, scales is not None)
        key = f"{[str(kind) for kind in spec.inputs]} {flat} {axes} {plan} {given} {chain.key()}"
        if key not in site.kernels:
            static = {axis: size for axis, size in extents.items() if isinstance(size, int)}
            site.kernels[key] = _kernel(spec, site, plan, chain, axes, static, given)
        return site.kernels[key]

    def grid(at: Builder) -> list[Index]:
        return [grid_for(at, at.product(kernel_cpu.task_extents(at, extents, plan)))]

    (value,) = emit_guarded_launch(
        make_kernel, grid=grid, inputs=inputs, results=[(flat, [rows, extents[COLUMN]])]
    )
    return _reshaped(builder, value, out.type, tensor_dims(builder, last.operands[-1]))


def _kernel(
    spec: KernelSpec, site: _Site, plan: MatmulTile, chain: Chain,
    axes: tuple[Axes, Axes], static: dict[str, int], given: tuple[bool, bool],
) -> Kernel:  # fmt: skip
    """Build the kernel; `given` says whether sums begin with zeros, and columns have scales."""
    zero, has_scales = given
    with kernel(site.module, spec, site.target) as k:
        lhs, rhs, *extra = k.inputs
        init = None if zero else extra.pop(0)
        scales = extra.pop(0) if has_scales else None
        extents: dict[str, Index] = {ROW: 1, COLUMN: static.get(COLUMN, 0)}
        if plan.form == TABLES:
            extents[DEPTH] = static[DEPTH]
        for memory, names in ((lhs, axes[0]), (rhs, axes[1])):
            for number, axis in enumerate(names):
                if axis in (BATCH, ROW, COLUMN, DEPTH):
                    extents[axis] = static.get(axis, None) or k.dim(memory, number)
        operands = kernel_cpu.Operands(lhs, rhs, init, k.outputs[0], *axes, extents)
        epilogue = Epilogue(chain, tuple(extra))
        if plan.form == TABLES:
            emit_tables(k, operands, plan, epilogue, scales)
        else:
            kernel_cpu.emit(k, operands, plan, epilogue)
    return k


def _scales(contraction: Contraction, plan: MatmulTile, site: _Site) -> Value | None:
    """Return the absolute values of binary weights, one a column, where they are not all 1."""
    if plan.form != TABLES:
        return None
    found = binary_weights(contraction.rhs, contraction.rhs_axes)
    if found is None or found.scales is None:
        return None
    key = (contraction.rhs, contraction.rhs_axes, "scales")
    if key not in site.panels:
        with ir.InsertionPoint.at_block_begin(_entry(contraction.op)):
            site.panels[key] = weights.constant_tensor(found.scales)
    return site.panels[key]


def _packed_signs(contraction: Contraction, plan: MatmulTile, site: _Site) -> tuple[Value, Axes]:
    """Return the signs of binary weights as the kernel reads them."""
    width = plan.lanes * plan.tile_columns
    key = (contraction.rhs, contraction.rhs_axes, width, "signs")
    if key not in site.panels:
        found = binary_weights(contraction.rhs, contraction.rhs_axes)
        assert found is not None  # the plan was checked
        words = packed_signs(found.signs, group_bits(plan.lanes), width)
        with ir.InsertionPoint.at_block_begin(_entry(contraction.op)):
            site.panels[key] = words_tensor(words)
    return site.panels[key], ("panel", "words", "lane")


def _rhs(contraction: Contraction, plan: MatmulTile, site: _Site) -> tuple[Value, Axes]:
    """Return the rhs as the kernel reads it."""
    if plan.form == TABLES:
        return _packed_signs(contraction, plan, site)
    if plan.form != PACKED:
        return contraction.rhs, contraction.rhs_axes
    width = plan.lanes * plan.tile_columns
    batch = tuple(axis for axis in contraction.rhs_axes if axis == BATCH)
    axes = (*batch, "panel", DEPTH, "lane")
    key = (contraction.rhs, contraction.rhs_axes, width)
    if key not in site.panels:
        elements = weights.constant_elements(contraction.rhs)
        if elements is None:
            raise PassError(
                contraction.op.location,
                f"expected the weights of '{contraction.op.name}' in the module, found a constant "
                "without its elements",
            )
        packed = weights.packed_panels(elements, contraction.rhs_axes, width)
        with ir.InsertionPoint.at_block_begin(_entry(contraction.op)):
            site.panels[key] = weights.constant_tensor(packed)
    return site.panels[key], axes


def _entry(op: Any) -> Any:
    """Return the entry block of the function around `op`."""
    while op.name != "func.func":
        op = op.parent.operation
    return op.regions[0].blocks[0]


def _extents(builder: Builder, contraction: Contraction) -> dict[str, Index]:
    """Return the size of each axis, ints where they are known."""
    found: dict[str, Index] = {ROW: 1}
    pairs = (
        (contraction.lhs, contraction.lhs_axes),
        (contraction.rhs, contraction.rhs_axes),
    )
    for value, axes in pairs:
        for axis, size in zip(axes, tensor_dims(builder, value), strict=True):
            if not isinstance(found.get(axis), int) or axis == ROW:
                found[axis] = size
    return found


def _as_matrix(builder: Builder, value: Value) -> Value:
    """Return an initial value as [batch * rows, columns]."""
    return flattened(builder, value, FULL)


def _reshaped(builder: Builder, value: Value, kind: Any, dims: list[Index]) -> Value:
    """Return the matrix `value` as a tensor of type `kind` and size `dims`."""
    rank = kind.rank
    if rank == 2:
        return value if value.type == kind else tensor.cast(kind, value)
    dynamic = [size for size in dims if not isinstance(size, int)]
    if rank == 1:
        return tensor.collapse_shape(kind, value, [[0, 1]])
    groups = [list(range(rank - 1)), [rank - 1]]
    lead = type_dims(kind)[:-1]
    joined = None if None in lead else math.prod(size or 0 for size in lead)
    wanted = tensor_type([joined, type_dims(kind)[-1]], kind.element_type)
    value = value if value.type == wanted else tensor.cast(wanted, value)
    return tensor.expand_shape(kind, value, groups, dynamic, list(kind.shape))
