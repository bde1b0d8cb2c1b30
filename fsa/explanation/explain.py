"""`fsa.explain`: run a pipeline on a model, watch it, and say what became of the model."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from fsa.diagnostics import Diagnostics
from fsa.errors import InputError
from fsa.explanation.data import (
    RULE,
    Cost,
    Explanation,
    Graph,
    Kernel,
    Op,
    Region,
    Remark,
)
from fsa.explanation.graphs import Reading, read_graph
from fsa.explanation.traffic import OPEN_SIZE
from fsa.explanation.watch import PlannedOp, PlannedRegion, Watch
from fsa.runtime.targets import Target

_FAMILY = re.compile(r"(?:.*::)?fsa_(.*?)(?:_\d+)?$")


def explain_model(
    source: Any,
    target: str | Target,
    pipeline: str | None = None,
    *,
    skip: Sequence[str] = (),
    measure: bool | Sequence[Any] = False,
    name: str = "",
    **reading: Any,
) -> Explanation:
    """Explain what compiling `source` does; see `fsa.explain`.

    `reading` are the options of `fsa.frontend.model.read_model`, `name` is what it is called.
    """
    from fsa.frontend.model import read_model
    from fsa.runtime.compile import lower, parse_targets, pipeline_text

    targets = parse_targets(target)
    if len(targets) > 1:
        raise InputError(f"expected one target to explain, found {len(targets)}")
    text = pipeline_text(targets[0], pipeline, skip)
    module = read_model(source, **reading)
    diagnostics = Diagnostics()
    watch = Watch(diagnostics)
    lowered = lower(module, targets[0], text, diagnostics=diagnostics, observers=[watch])
    after = read_graph(lowered)
    found = assemble(watch, after)
    found = replace(
        found,
        model=name or _name_of(source),
        target=str(Target.of_module(lowered)),
        pipeline=text.removeprefix("builtin.module(").removesuffix(")"),
    )
    if measure is False:
        return found
    from fsa.explanation.measure import measured

    given = None if measure is True else measure
    return replace(found, measured=measured(module, lowered, given))


def _name_of(source: Any) -> str:
    if isinstance(source, str):
        return "MLIR text" if "\n" in source else source
    return getattr(source, "name", "") or type(source).__name__


def assemble(watch: Watch, after: Reading) -> Explanation:
    """Put together what was read before, between and after, without target and timing."""
    before = watch.before or after
    region_of = _region_of_origins(watch.regions)
    ends = {number: k for k, r in enumerate(watch.regions) for number in r.end[-1:]}
    before_ops = [replace(op, region=region_of.get(op.id), origin=(op.id,)) for op in before.ops]
    after_ops = [replace(op, region=_region_of(op, region_of, ends)) for op in after.ops]
    after_ops = [_named_as_before(op, before_ops) for op in after_ops]
    absorbed = _absorbed(before, before_ops, after_ops)
    after_ops = _fair_reads(before, before_ops, after, after_ops, absorbed)
    became = {
        number: op.kernel
        for op in after_ops
        if op.kind == "kernel" and op.region is None
        for number in (*op.origin, *absorbed.get(op.id, ()))
    }
    before_ops = [replace(op, kernel=became.get(op.id)) for op in before_ops]
    regions = _regions(watch.regions, before_ops, after_ops)
    left = tuple(op.id for op in after_ops if op.kind in ("memory", "compute"))
    return Explanation(
        "", "", "",
        RULE.format(open_size=OPEN_SIZE),
        Graph(tuple(before_ops), tuple(before.edges)),
        Graph(tuple(after_ops), tuple(after.edges)),
        regions,
        _kernels(watch.planned, regions, after_ops, absorbed),
        _remarks([*watch.remarks, *watch.left_out]),
        _cost(before_ops),
        _cost(after_ops),
        left,
    )  # fmt: skip


def _region_of_origins(regions: Sequence[PlannedRegion]) -> dict[int, int]:
    """Return id before -> the first region that holds the op."""
    found: dict[int, int] = {}
    for number, region in enumerate(regions):
        for op in region.ops:
            found.setdefault(op, number)
    return found


def _region_of(op: Op, region_of: dict[int, int], ends: dict[int, int]) -> int | None:
    """Return the region that an op after lowering belongs to."""
    if op.kind == "kernel":
        return next((ends[n] for n in reversed(op.origin) if n in ends), None)
    return next((region_of[n] for n in op.origin if n in region_of), None)


def _named_as_before(op: Op, before: Sequence[Op]) -> Op:
    location = next((before[n].location for n in op.origin if n < len(before)), op.location)
    return replace(op, location=location)


def _absorbed(
    before: Reading, before_ops: Sequence[Op], after_ops: Sequence[Op]
) -> dict[int, tuple[int, ...]]:
    """Return id of a kernel after -> ids before that are computed in it and have left no op.

    An op that is gone went into what comes next of it, else into what made its operands.
    """
    owner = {n: op.id for op in after_ops for n in op.origin if op.kind == "kernel"}
    alive = {n for op in after_ops for n in op.origin}
    users: dict[int, list[int]] = {}
    sources: dict[int, list[int]] = {}
    for source, user, _ in before.edges:
        users.setdefault(source, []).append(user)
        sources.setdefault(user, []).append(source)
    found: dict[int, list[int]] = {}
    gone = [o.id for o in before_ops if o.id not in alive and o.kind not in ("input", "output")]
    settled = dict(owner)
    for order, near in ((reversed(gone), users), (iter(gone), sources)):
        for n in order:
            if n in settled or before_ops[n].region is not None:
                continue
            at = next((settled[m] for m in near.get(n, ()) if m in settled), None)
            if at is not None:
                settled[n] = at
                found.setdefault(at, []).append(n)
    return {at: tuple(sorted(numbers)) for at, numbers in found.items()}


def _fair_reads(
    before: Reading,
    before_ops: Sequence[Op],
    after: Reading,
    after_ops: Sequence[Op],
    absorbed: dict[int, tuple[int, ...]],
) -> list[Op]:
    """Limit what each kernel reads to what the ops that it replaces read of a tensor of the type.

    So a kernel that picks some rows of a table is not charged the table.
    """
    members: dict[int, list[int]] = {}
    for op in before_ops:
        if op.region is not None:
            members.setdefault(op.region, []).append(op.id)
    found: list[Op] = []
    for op in after_ops:
        if op.kind != "kernel":
            found.append(op)
            continue
        inside = members[op.region] if op.region in members else op.origin
        most: dict[str, int] = {}
        for n in (*inside, *absorbed.get(op.id, ())):
            for type_, size in before.reads[n].items():
                most[type_] = most.get(type_, 0) + size
        read = sum(min(size, most.get(t, size)) for t, size in after.reads[op.id].items())
        found.append(replace(op, read=read))
    return found


def _regions(
    planned: Sequence[PlannedRegion], before: Sequence[Op], after: Sequence[Op]
) -> tuple[Region, ...]:
    first: dict[str, int] = {}
    found: list[Region] = []
    for number, region in enumerate(planned):
        plan = region.attributes.get("plan", {})
        plan = plan if isinstance(plan, dict) else {}
        inside = [before[n] for n in region.ops]
        outside = [op for op in after if op.region == number]
        found.append(
            Region(
                id=number,
                function=region.function,
                form=str(plan.get("form", "")),
                reason=str(plan.get("reason", "")),
                plan=plan,
                attributes={k: v for k, v in region.attributes.items() if k != "plan"},
                values=region.values,
                ops=tuple(sorted(region.ops)),
                like=first.setdefault(region.digest, number),
                kernels_before=_count(inside),
                kernels_after=_count(outside),
                bytes_before=_bytes(inside),
                bytes_after=_bytes(outside),
                text=region.text,
            )
        )
    return tuple(found)


def _kernels(
    planned: Sequence[PlannedOp],
    regions: Sequence[Region],
    after: Sequence[Op],
    absorbed: dict[int, tuple[int, ...]],
) -> tuple[Kernel, ...]:
    plans = {n: op.plan for op in planned for n in op.ops}
    found: list[Kernel] = []
    for op in after:
        if not op.is_kernel:
            continue
        replaces = tuple(sorted({*op.origin, *absorbed.get(op.id, ())}))
        if op.kind == "kernel" and op.region is not None:
            replaces = regions[op.region].ops
        plan = next((plans[n] for n in replaces if n in plans), {}) if op.region is None else {}
        symbol = op.kernel or ""
        match = _FAMILY.match(symbol)
        found.append(
            Kernel(
                symbol=symbol,
                op=op.id,
                family=match[1] if match else op.name,
                region=op.region,
                read=op.read,
                written=op.written,
                replaces=replaces,
                plan={k: v for k, v in plan.items() if k != "reasons"},
                reasons=tuple(map(str, plan.get("reasons", ()))),
            )
        )
    return tuple(found)


def _remarks(given: Iterable[Remark]) -> tuple[Remark, ...]:
    """Join remarks of one pass that say the same of several ops."""
    joined: dict[tuple[str, str], dict[int, None]] = {}
    for remark in given:
        joined.setdefault((remark.pass_name, remark.message), {}).update(dict.fromkeys(remark.ops))
    return tuple(Remark(p, m, tuple(ops)) for (p, m), ops in joined.items())


def _count(ops: Iterable[Op]) -> int:
    return sum(op.is_kernel for op in ops)


def _bytes(ops: Iterable[Op]) -> int:
    return sum(op.read + op.written for op in ops)


def _cost(ops: Sequence[Op]) -> Cost:
    memory = [
        op for op in ops if op.kind == "memory" or (op.kind == "kernel" and op.region is not None)
    ]
    return Cost(_count(ops), _bytes(ops), _count(memory), _bytes(memory))
