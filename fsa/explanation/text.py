"""An explanation for a terminal: short, with equal regions once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from fsa.explanation.data import Explanation, Kernel, Measured, Region, Timing, Value

_SCHEME_STYLES = {"regional": "yellow", "global": "red", "local": "green"}
_FEW = 12  # rows of a table that are shown unless all are asked for


def print_explanation(found: Explanation, console: Console, everything: bool = False) -> None:
    """Print `found`; `everything` also shows what is cut short otherwise."""
    _head(found, console)
    for group in groups_of(found.regions):
        _region(group, console, everything)
    _families(found, console, everything)
    _left_out(found, console, everything)
    if found.measured is not None:
        _measured(found.measured, console, everything)
    console.print(Text(found.rule, style="dim"))


def groups_of(regions: Iterable[Region]) -> list[list[Region]]:
    """Return regions with the same body and plan together, in the order of the first of each."""
    groups: dict[int, list[Region]] = {}
    for region in regions:
        groups.setdefault(region.like, []).append(region)
    return list(groups.values())


def bytes_text(count: float) -> str:
    """Return a number of bytes with a unit, three digits."""
    for unit in ("B", "KB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} GB" if count < 1000 else f"{count:,.0f} GB"


def seconds_text(seconds: float) -> str:
    """Return a time with a unit."""
    return f"{seconds * 1e6:.1f} us" if seconds < 1e-3 else f"{seconds * 1e3:.3f} ms"


def _head(found: Explanation, console: Console) -> None:
    console.print(f"[bold]{escape(found.model)}[/] for {escape(found.target)}")
    console.print(Text(f"pipeline {found.pipeline}", style="dim"))
    table = Table(box=None, pad_edge=False, padding=(0, 2))
    for column in ("", "before", "after", ""):
        table.add_column(column, justify="right" if column else "left")
    before, after = found.cost_before, found.cost_after
    launches = sum(bool(kernel.symbol) for kernel in found.kernels)
    left = len(found.left_to_iree)
    rows = (
        ("kernels", before.kernels, after.kernels, str, f"{launches} of FSA, {left} left to IREE"),
        ("  memory-bound", before.memory_kernels, after.memory_kernels, str, ""),
        ("bytes moved", before.bytes, after.bytes, bytes_text, _share(before.bytes, after.bytes)),
        ("  memory-bound", before.memory_bytes, after.memory_bytes, bytes_text,
         _share(before.memory_bytes, after.memory_bytes)),
    )  # fmt: skip
    for name, first, second, shown, note in rows:
        table.add_row(name, shown(first), shown(second), f"[dim]{note}[/]")
    console.print(table)
    console.print()


def _share(before: int, after: int) -> str:
    return f"{after / before:.0%}" if before else ""


def _region(group: Sequence[Region], console: Console, everything: bool) -> None:
    region = group[0]
    names = ", ".join(f"r{member.id}" for member in group)
    many = f" ({len(group)} alike)" if len(group) > 1 else ""
    console.print(
        f"[bold cyan]{names}[/]{many} @{escape(region.function)}: "
        f"{region.kernels_before} ops -> {region.kernels_after} "
        f"kernel{'s' if region.kernels_after != 1 else ''}, {bytes_text(region.bytes_before)} -> "
        f"{bytes_text(region.bytes_after)}"
    )
    if region.form != "kernels":
        reason = region.reason or "it has no plan"
        console.print(f"  [red]{escape(region.form or 'not planned')}[/]: {escape(reason)}")
    planned = len(region.plan.get("kernels", ()))
    if planned > region.kernels_after:
        console.print(
            f"  {planned} kernels are planned; those that one worker runs after another are merged"
        )
    for line in extra_lines(region, everything):
        console.print(f"  {escape(line)}")
    if region.plan.get("extents"):
        sizes = ("?" if extent < 0 else extent for extent in region.plan["extents"])
        console.print("  loops " + ", ".join(f"d{d} {size}" for d, size in enumerate(sizes)))
    for number, kernel in enumerate(region.plan.get("kernels", ())):
        if isinstance(kernel, dict):
            console.print(f"  kernel {number}: {escape(mapping_line(kernel))}")
    if region.form == "kernels":
        _values(region, console, everything)
    console.print()


def extra_lines(region: Region, everything: bool = False) -> list[str]:
    """Return what the passes wrote on a region beside the plan of its kernels, a line each.

    Of a dictionary with a reason that is the reason, unless `everything` is asked for.
    """
    shown = {**region.attributes, **region.plan}
    hidden = ("kernels", "form", "extents")
    lines = [
        f"{name}: {_reasoned(value, everything)}"
        for name, value in shown.items()
        if name not in hidden
    ]
    if region.form != "kernels":
        lines = [line for line in lines if not line.startswith("reason: ")]
    return lines


def mapping_line(kernel: dict[str, Any]) -> str:
    """Return the mapping of a kernel: its kind, its numbers, its reason."""
    numbers = [
        f"{name} {compact(value)}"
        for name, value in kernel.items()
        if name not in ("mapping", "reason")
        and value not in ("", -1, [])
        and (name, value) != ("threads", 0)
    ]
    head = f"{kernel.get('mapping', '')} ({', '.join(numbers)})"
    return f"{head}: {kernel['reason']}" if kernel.get("reason") else head


def _reasoned(value: Any, everything: bool) -> str:
    if not isinstance(value, dict) or "reason" not in value:
        return compact(value)
    numbers = {name: entry for name, entry in value.items() if name != "reason"}
    return f"{value['reason']} {compact(numbers)}" if everything else str(value["reason"])


def compact(value: Any) -> str:
    """Return plain data in a short form."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k} {compact(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(compact, value)) + "]"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _values(region: Region, console: Console, everything: bool) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("   value", no_wrap=True, max_width=44)
    table.add_column("type", no_wrap=True, style="dim")
    table.add_column("at", justify="right", no_wrap=True)
    table.add_column("scheme")
    table.add_column("why")
    values = list(region.values)
    plain = [v for v in values if _is_plain(v)]
    shown = values if everything else [v for v in values if v not in plain]
    for value in shown:
        scheme = str(value.plan.get("scheme", ""))
        role = str(value.plan.get("role", "")).replace("_", "-")
        table.add_row(
            f"   {escape(value.label)}",
            value.type,
            f"k{value.plan.get('kernel', '?')}",
            f"[{_SCHEME_STYLES.get(scheme, 'default')}]{scheme}[/] [dim]{role}[/]",
            escape(str(value.plan.get("reason", ""))),
        )
    if shown:
        console.print(table)
    if len(shown) < len(values):
        rest = len(values) - len(shown)
        console.print(Text(f"   and {rest} local values, computed where they are used", "dim"))


def _is_plain(value: Value) -> bool:
    """Whether a value is local for no other reason than being cheap."""
    return (
        value.plan.get("scheme") == "local"
        and value.plan.get("role", "local") == "local"
        and (not value.plan.get("reason") or value.plan["reason"] == "computed where it is used")
    )


def _families(found: Explanation, console: Console, everything: bool) -> None:
    """Print the kernels outside of regions, equal ones once."""
    rows: dict[tuple[str, str], int] = {}
    for kernel in found.kernels:
        if kernel.region is None and (kernel.symbol or kernel.plan):
            row = _computes(found, kernel, everything), "; ".join(kernel.reasons)
            rows[row] = rows.get(row, 0) + 1
    if not rows:
        return
    console.print("[bold]other kernels[/] (+n: with n more ops that went into them)")
    for number, ((what, reasons), count) in enumerate(rows.items()):
        if number == _FEW and not everything:
            console.print(Text(f"  and {len(rows) - _FEW} more kinds; --all shows them", "dim"))
            break
        console.print(f"  {count} x {what}")
        if reasons:
            console.print(Text(f"      {reasons}", style="dim"))
    console.print()


def _computes(found: Explanation, kernel: Kernel, everything: bool) -> str:
    """Return what a kernel computes and the form of its plan, `everything` with all numbers."""
    ops = [found.before.ops[n] for n in kernel.replaces]
    main = next((op.label for op in ops if op.kind == "compute"), ops[0].label if ops else "")
    more = f" +{len(ops) - 1}" if len(ops) > 1 else ""
    form = str(kernel.plan.get("form", ""))
    if everything and kernel.plan:
        numbers = {name: value for name, value in kernel.plan.items() if name != "form"}
        form = mapping_line({"mapping": form, **numbers})
    family = kernel.family if kernel.symbol else "left to IREE"
    head = "" if main.startswith(family) else f"[cyan]{escape(family)}[/] "
    return f"{head}{escape(main)}{more}{f': {escape(form)}' if form else ''}"


def _left_out(found: Explanation, console: Console, everything: bool) -> None:
    """Print what the passes remarked, then the memory-bound ops that no kernel took."""
    labels = {op.id: op.label for op in found.before.ops}
    remarks = [r for r in found.remarks if r.message]
    left = [found.after.ops[n] for n in found.left_to_iree]
    if not remarks and not left:
        return
    console.print("[bold]left out[/]")
    for number, remark in enumerate(remarks):
        if number == _FEW and not everything:
            console.print(Text(f"  and {len(remarks) - _FEW} more; --all shows them", "dim"))
            break
        ops = _few([labels[n] for n in remark.ops if n in labels])
        console.print(f"  {f'{ops}: ' if ops else ''}{escape(remark.message)} ", end="")
        console.print(Text(f"({remark.pass_name})", style="dim"))
    if left:
        names = _few([op.label for op in left], _FEW)
        console.print(f"  {len(left)} ops are compiled by IREE: {names}")
    console.print()


def _few(labels: Sequence[str], most: int = 4) -> str:
    """Join labels, each once with its count."""
    counts: dict[str, int] = {}
    for label in labels:
        counts[label] = counts.get(label, 0) + 1
    words = [f"{count} x {label}" if count > 1 else label for label, count in counts.items()]
    more = f" and {len(words) - most} more" if len(words) > most else ""
    return escape(", ".join(words[:most]) + more)


def _measured(found: Measured, console: Console, everything: bool) -> None:
    total = {"before": _total(found.before), "after": _total(found.after)}
    console.print(
        f"[bold]measured[/] on {escape(found.device)}, mean of {found.calls} calls: "
        f"{_launches(found.before)} launches, {seconds_text(total['before'])} with the portable "
        f"lowering; {_launches(found.after)} launches, {seconds_text(total['after'])} with FSA's "
        "kernels"
    )
    rows = found.after if everything else found.after[:_FEW]
    for timing in rows:
        share = timing.seconds / total["after"] if total["after"] else 0
        console.print(
            f"  {seconds_text(timing.seconds):>12} {share:6.1%} {timing.launches:4d} x "
            f"{escape(timing.name)}"
        )
    if len(rows) < len(found.after):
        console.print(Text(f"  and {len(found.after) - len(rows)} more; --all shows them", "dim"))
    console.print()


def _total(rows: Sequence[Timing]) -> float:
    return sum(row.seconds for row in rows)


def _launches(rows: Sequence[Timing]) -> int:
    return sum(row.launches for row in rows)
