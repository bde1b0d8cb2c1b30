"""The pass `fsa-plan-binarized`."""

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from fsa.diagnostics import Diagnostics
from fsa.dialects.fsa.attributes import read_i64
from fsa.dialects.fsa.shapes import type_dims
from fsa.passes.base import Pass, PassError
from fsa.passes.binarized import gpu_schedules, schedules, tiles
from fsa.passes.binarized.fusion import finish_behind, threshold_behind
from fsa.passes.binarized.ops import binarized_ops
from fsa.passes.binarized.turned import is_constant
from fsa.passes.plans import ATTRIBUTE, given_entries, target_of, write_plan
from fsa.runtime.targets import Target

Chosen = tuple[Any, list[str]]
Planner = Callable[[Any, Target, set[Any]], Chosen]


@dataclass(frozen=True)
class PlanBinarized(Pass):
    """Plan the binarized ops for the module's target.

    Writes the attribute `plan` on each: tile, lanes, tasks or threads, with the reasons. Entries
    of a plan that is already there are kept. The form "portable", reported as a remark, leaves an
    op to `convert-fsa-to-linalg`. Ops inside a stitched region are left to it.
    """

    name: ClassVar[str] = "fsa-plan-binarized"
    summary: ClassVar[str] = "Choose tiles, lanes and workgroups of the binarized ops"

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Write a plan on each binarized op of a module."""
        ops = binarized_ops(op)
        if not ops:
            return
        target = target_of(op)
        planners = _CPU if target.kind == "cpu" else _GPU
        for found in ops:
            _check_floats(found, target)
        # Where an op joins two convolutions, the last computes it: by then the other has its sums.
        claimed: set[Any] = set()
        chosen = [planners[found.name](found, target, claimed) for found in reversed(ops)]
        for found, (plan, reasons) in zip(ops, reversed(chosen), strict=True):
            if getattr(plan, "form", None) == "portable" and not _names_form(found):
                diagnostics.remark(found.location, f"no kernel for '{found.name}': {reasons[0]}")
            write_plan(found, plan, reasons)


def _names_form(op: Any) -> bool:
    """Tell whether a person, or an earlier run, already chose the form of `op`."""
    return ATTRIBUTE in op.attributes and "form" in op.attributes[ATTRIBUTE]


def _given(op: Any, kind: type[Any]) -> dict[str, Any]:
    """Return the entries that a person fixed; raise `PassError` for a size below the least.

    That is 1, or 0 for what is 0 where nothing is said.
    """
    given = given_entries(op, kind)
    may_be_zero = {entry.name for entry in fields(kind) if entry.default == 0}
    for name, value in given.items():
        least = 0 if name in may_be_zero else 1
        if isinstance(value, int) and value < least:
            raise PassError(
                op.location,
                f"expected the plan entry '{name}' of '{op.name}' to be at least {least}, "
                f"found {value}",
            )
    return given


def _check_floats(op: Any, target: Target) -> None:
    has = {"f16": target.has_f16, "bf16": True, "f32": True, "f64": target.has_f64}
    for value in (*op.operands, *op.results):
        found = str(value.type.element_type)
        if not has.get(found, True):
            *most, last = (name for name, there in has.items() if there)
            raise PassError(
                op.location,
                f"expected '{op.name}' on {target} in {', '.join(most)} or {last}, found {found}",
            )


def _word_bits(value: Any) -> int:
    return value.type.element_type.width


def _matmul_sizes(op: Any) -> tuple[int | None, int | None, int, int]:
    lhs, rhs = op.operands
    rows, words = type_dims(lhs.type)[-2:]
    return rows, type_dims(rhs.type)[-2], words, _word_bits(lhs)


def _matmul_cpu(op: Any, target: Target, claimed: set[Any]) -> Chosen:
    given = _given(op, tiles.CpuTile)
    return schedules.cpu_matmul(*_matmul_sizes(op), target, given, _uses(op, given, claimed))


def _uses(op: Any, given: dict[str, Any], claimed: set[Any]) -> tiles.Uses:
    """Return what is around `op`; it may compute what no other `claimed`, as far as is given."""
    constant = is_constant(op.operands[1]) and op.operands[1].type.rank in (2, 4)
    threshold = threshold_behind(op) is not None
    finish = None if threshold else finish_behind(op, given.get("stages"), claimed)
    if finish is None:
        return tiles.Uses(constant, threshold)
    return tiles.Uses(constant, threshold, len(finish.chain.stages), finish.epilogue)


def _matmul_gpu(op: Any, target: Target, claimed: set[Any]) -> Chosen:
    given = _given(op, gpu_schedules.GpuTile)
    return gpu_schedules.gpu_tile(*_matmul_sizes(op), target, given)


def _conv2d_cpu(op: Any, target: Target, claimed: set[Any]) -> Chosen:
    filters, *taps = type_dims(op.operands[1].type)
    columns = filters // read_i64(op.attributes, "groups", 1)
    width = type_dims(op.results[0].type)[2]
    given = _given(op, tiles.CpuTile)
    bits = _word_bits(op.operands[0])
    words = math.prod(taps)
    uses = _uses(op, given, claimed)
    plan, reasons = schedules.cpu_conv2d(width, columns, words, bits, target, given, uses)
    # Only what the plan computes is taken from others: it may say to compute nothing.
    if plan.form != "portable" and plan.epilogue in tiles.FINISHED:
        finish = finish_behind(op, plan.stages, claimed)
        claimed.update(() if finish is None else finish.chain.ops)
    return plan, reasons


def _conv2d_gpu(op: Any, target: Target, claimed: set[Any]) -> Chosen:
    filters, _, _, words = type_dims(op.operands[1].type)
    columns = filters // read_i64(op.attributes, "groups", 1)
    given = _given(op, gpu_schedules.GpuTile)
    return gpu_schedules.gpu_tile(None, columns, words, _word_bits(op.operands[0]), target, given)


def _bytes(value: Any, axes: int) -> int:
    """Return the size of the last `axes` dimensions; a dynamic one counts as `DYNAMIC_ROWS`."""
    extents = type_dims(value.type)[-axes:] if axes else []
    known = [schedules.DYNAMIC_ROWS if extent is None else extent for extent in extents]
    return math.prod(known) * value.type.element_type.width // 8


def _rows_cpu(op: Any, target: Target, claimed: set[Any]) -> Chosen:
    row_bytes = max(_bytes(op.operands[0], 1), _bytes(op.results[0], 1))
    return schedules.cpu_rows(row_bytes, _given(op, tiles.CpuRows))


def _pool_cpu(op: Any, target: Target, claimed: set[Any]) -> Chosen:
    words = type_dims(op.operands[0].type)[-1]
    given = _given(op, tiles.CpuPool)
    row_bytes = _bytes(op.results[0], 2)
    return schedules.cpu_pool(row_bytes, words or 1, _word_bits(op.operands[0]), target, given)


def _rows_gpu(op: Any, target: Target, claimed: set[Any]) -> Chosen:
    given = _given(op, gpu_schedules.GpuRows)
    if op.name == "fsa.binarized_max_pool2d":
        return gpu_schedules.gpu_rows(None, target, given)
    unpacked = op.results[0] if op.name == "fsa.unpack_bits" else op.operands[0]
    return gpu_schedules.gpu_rows(type_dims(unpacked.type)[-1], target, given)


_CPU: dict[str, Planner] = {
    "fsa.binarized_matmul": _matmul_cpu,
    "fsa.binarized_conv2d": _conv2d_cpu,
    "fsa.pack_bits": _rows_cpu,
    "fsa.unpack_bits": _rows_cpu,
    "fsa.binarized_threshold": _rows_cpu,
    "fsa.binarized_max_pool2d": _pool_cpu,
}
_GPU: dict[str, Planner] = {
    "fsa.binarized_matmul": _matmul_gpu,
    "fsa.binarized_conv2d": _conv2d_gpu,
    "fsa.pack_bits": _rows_gpu,
    "fsa.unpack_bits": _rows_gpu,
    "fsa.binarized_threshold": _rows_gpu,
    "fsa.binarized_max_pool2d": _rows_gpu,
}
