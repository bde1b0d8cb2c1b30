"""Watches a pipeline and reads the module at the places that an explanation speaks of."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from fsa.bindings import ir
from fsa.diagnostics import Diagnostic, Diagnostics
from fsa.explanation.attributes import plain, plain_dictionary
from fsa.explanation.data import Remark, Value
from fsa.explanation.graphs import LEAVES, REGION, Reading, origins, read_graph
from fsa.explanation.labels import label_of
from fsa.passes.driver.runner import Observer

FORMING = "fsa-form-stitched-regions"
LOWERING = "convert-fsa-to-linalg"
# What passes write on ops: plans, those of a region's values, and why no region took an op.
PLAN, NODE, LEFT_OUT = "plan", "fsa.stitch", "fsa.left_out"
_OUTSIDE = re.compile("<<UNKNOWN SSA VALUE>>")  # how MLIR prints what another op makes
_CONSTANTS = re.compile(r"dense(_resource)?<[^>]*>")  # weights do not make regions differ
_TEXT_ELEMENTS = 8  # constants with more elements are left out of a region's text


@dataclass(frozen=True)
class PlannedRegion:
    """A region after planning; `end` are the ids that its location names."""

    function: str
    attributes: dict[str, Any]
    values: tuple[Value, ...]
    ops: tuple[int, ...]
    end: tuple[int, ...]
    text: str
    digest: str


@dataclass(frozen=True)
class PlannedOp:
    """An op outside of regions that a plan pass wrote a plan on."""

    name: str
    ops: tuple[int, ...]
    plan: dict[str, Any]


@dataclass
class Watch(Observer):
    """Reads the graph before the first pass that forms or plans, the plans after each that plans,
    and remarks all along."""

    diagnostics: Diagnostics
    before: Reading | None = None
    regions: list[PlannedRegion] = field(default_factory=list[PlannedRegion])
    planned: list[PlannedOp] = field(default_factory=list[PlannedOp])
    left_out: list[Remark] = field(default_factory=list[Remark])
    remarks: list[Remark] = field(default_factory=list[Remark])
    _seen: int = 0

    def before_pass(self, step: Any, path: Sequence[str], op: Any) -> None:
        """Read and mark the module where the work on it begins."""
        if self.before is None and (_plans(step.name) or step.name in (FORMING, LOWERING)):
            self.before = read_graph(_root(op), mark=True)

    def after_pass(self, step: Any, path: Sequence[str], op: Any) -> None:
        """Read what the pass planned, and what it remarked."""
        for item in self.diagnostics.items[self._seen :]:
            self.remarks.append(_remark(step.name, item))
        self._seen = len(self.diagnostics.items)
        if _plans(step.name) or step.name == FORMING:
            self.regions, self.planned, self.left_out = [], [], []
            self._read_plans(_root(op))

    def _read_plans(self, module: Any) -> None:
        for function in module.regions[0].blocks[0].operations:
            if function.operation.name != "func.func":
                continue
            name = ir.StringAttr(function.operation.attributes["sym_name"]).value

            def visit(view: Any, name: str = name) -> Any:
                op = view.operation
                if op.name == REGION:
                    self.regions.append(_region(op, name))
                    return ir.WalkResult.SKIP
                if PLAN in op.attributes:
                    plan = plain_dictionary(op, PLAN)
                    self.planned.append(PlannedOp(op.name, origins(op.location), plan))
                if LEFT_OUT in op.attributes:
                    reason = str(plain(op.attributes[LEFT_OUT]))
                    self.left_out.append(Remark(FORMING, reason, origins(op.location)))
                return ir.WalkResult.ADVANCE

            function.operation.walk(visit, ir.WalkOrder.PRE_ORDER)


def _plans(name: str) -> bool:
    return name.startswith("fsa-plan-")


def _root(op: Any) -> Any:
    """Return the module around an op; passes may be nested."""
    while op.name != "builtin.module":
        op = op.parent.operation
    return op


def _remark(pass_name: str, item: Diagnostic) -> Remark:
    return Remark(pass_name, item.message, origins(item.location))


def _region(op: Any, function: str) -> PlannedRegion:
    values: list[Value] = []
    ops: dict[int, None] = {}
    for view in op.regions[0].blocks[0].operations:
        inner = view.operation
        if inner.name in LEAVES or not len(inner.results):
            continue
        found = origins(inner.location)
        ops.update(dict.fromkeys(found))
        if any(isinstance(result.type, ir.RankedTensorType) for result in inner.results):
            types = ", ".join(str(r.type).removeprefix("tensor<")[:-1] for r in inner.results)
            plan = plain_dictionary(inner, NODE)
            values.append(Value(label_of(inner), types, found, plan))
    attributes = {
        name: plain(op.attributes[name])
        for name in op.attributes
        if name not in ("operandSegmentSizes", "resultSegmentSizes")
    }
    numbers = itertools.count()
    text = _OUTSIDE.sub(
        lambda _: f"%in{next(numbers)}",
        op.get_asm(large_elements_limit=_TEXT_ELEMENTS, use_local_scope=True),
    )
    return PlannedRegion(
        function, attributes, tuple(values), tuple(ops), origins(op.location),
        text, hashlib.sha256(_CONSTANTS.sub("dense<>", text).encode()).hexdigest(),
    )  # fmt: skip
