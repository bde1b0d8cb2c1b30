"""What was measured on a GPU, beside what is aimed at, as JSON and Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fsa.benchmarks.gpu_prepare import BARRIER
from fsa.benchmarks.report import milliseconds

Row = Mapping[str, Any]
LARGE_BYTES = 64_000_000


def targets(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return each target with what was measured of it; `met` is None where nothing was.

    `failed` counts the cases that belong to a target and that FSA did not compute, or not rightly:
    with any of them it is not met.
    """
    stitching = [r for r in rows if r.get("family") == "stitching"]
    copies = [r["share_of_copy"] for r in stitching if _large(r) and r.get("share_of_copy")]
    ratios = [r["ratio_to_best"] for r in stitching if r.get("ratio_to_best")]
    barriers = [r["ratio"][BARRIER] for r in stitching if BARRIER in r.get("ratio", {})]
    deep = [
        r["ratio"]["library"]
        for r in rows
        if r.get("depth", 0) >= 4096 and "library" in r.get("ratio", {})
    ]
    capsules = [
        r["ratio_to_best"]
        for r in rows
        if r.get("family") == "capsule" and _is_shape(r["name"]) and r.get("ratio_to_best")
    ]
    published = [
        (r["name"], r["published_seconds"] / r["median_seconds"]["fsa"])
        for r in rows
        if r.get("published_seconds") and "fsa" in r.get("median_seconds", {})
    ]
    latency = [ratio for name, ratio in published if name.endswith("-b1")]
    throughput = [ratio for name, ratio in published if not name.endswith("-b1")]
    return [
        _target("stitching: share of the copy rate over 64 MB, the least", 0.85, copies, min,
                _failed(stitching, lambda row: _large(row) or not row.get("bytes"))),
        _target("stitching: best of Inductor and XLA by FSA, geometric mean", 1.5, ratios, _mean,
                _failed(stitching)),
        _target("stitching: barrier by split launch, geometric mean", None, barriers, _mean,
                _failed(stitching, lambda row: BARRIER in row.get("absent", {}),
                        BARRIER)),
        _target("binarized: cuBLAS f16 by FSA, depth from 4096, the least", 1.0, deep, min,
                _failed(rows, lambda row: row.get("depth", 0) >= 4096)),
        _target("binarized: published V100 latency by FSA's, the least", None, latency, min,
                _failed(rows, lambda row: _is_network(row["name"], "-b1"))),
        _target("binarized: FSA's throughput by the V100's published, the least", None, throughput,
                min, _failed(rows, lambda row: _is_network(row["name"], "-b64"))),
        _target("capsule: best of Inductor and XLA by FSA, twelve shapes, the least", 5.0,
                capsules, min, _failed(rows, lambda row: row.get("family") == "capsule"
                                       and _is_shape(row["name"]))),
    ]  # fmt: skip


def _failed(
    rows: Sequence[Row], belongs: Callable[[Row], bool] = lambda row: True, name: str = "fsa"
) -> int:
    """Count the rows that belong and have no time of the contender `name`."""
    return sum(belongs(row) and name not in row.get("median_seconds", {}) for row in rows)


def _large(row: Row) -> bool:
    return row.get("bytes", 0) > LARGE_BYTES


def _is_shape(name: str) -> bool:
    return "-routing-" not in name and "-network-" not in name


def _is_network(name: str, batch: str) -> bool:
    return name.startswith("binarized-") and name.endswith(batch)


def _mean(values: Sequence[float]) -> float:
    return statistics.geometric_mean(values)


def _target(
    name: str, aim: float | None, values: Sequence[float], of: Any, failed: int
) -> dict[str, Any]:
    measured = of(values) if values else None
    met = None if aim is None or (measured is None and not failed) else False
    if aim is not None and measured is not None:
        met = measured >= aim and not failed
    return {
        "name": name, "aim": aim, "measured": measured, "cases": len(values), "failed": failed,
        "met": met,
    }  # fmt: skip


def line(row: Row) -> str:
    """Return a case as one line of text."""
    if "failed" in row:
        return f"{row['name']:40} failed: {row['failed']}"
    times = "  ".join(f"{n} {milliseconds(s)}" for n, s in row["median_seconds"].items())
    absent = "".join(f"; {n}: {why}" for n, why in row["absent"].items())
    return f"{row['name']:40} {times}{absent}"


def markdown(document: Mapping[str, Any]) -> str:
    """Return the document as Markdown: targets, then one table a family, then what is missing."""
    rows = document["cases"]
    lines = [
        f"# FSA on {document['device']}, target {document['target']}",
        "",
        f"`{document['command']}`, {document['created']}, {document['rounds']} rounds in turns, "
        "seconds on the wall from call to result. Ratios are medians over the rounds.",
        "",
        "| aimed at | at least | measured | cases | failed | met |",
        "|---|---|---|---|---|---|",
    ]
    for target in document["targets"]:
        aim, measured = target["aim"], target["measured"]
        lines.append(
            f"| {target['name']} | {'' if aim is None else aim} | "
            f"{'nothing' if measured is None else f'{measured:.2f}'} | {target['cases']} | "
            f"{target['failed']} | {({True: 'yes', False: 'no', None: ''})[target['met']]} |"
        )
    for probe in document["probes"]:
        lines += ["", f"Limit: {probe['name']} {probe['rate'] / 1e9:.0f} G{probe['unit']}."]
    timed = [r for r in rows if "median_seconds" in r]
    for family in dict.fromkeys(r["family"] for r in timed):
        lines += _table(family, [r for r in timed if r["family"] == family])
    gone = [(r["name"], n, why) for r in rows for n, why in r.get("absent", {}).items()]
    gone += [(r["name"], "case", r["failed"]) for r in rows if "failed" in r]
    if gone:
        lines += ["", "## Missing", "", *(f"- {name}, {who}: {why}" for name, who, why in gone)]
    return "\n".join(lines) + "\n"


def _table(family: str, rows: Sequence[Row]) -> list[str]:
    names = list(dict.fromkeys(n for r in rows for n in r["median_seconds"] if n != "fsa"))
    head = ["case", "MB", "FSA", "of copy", *(f"{n} x FSA" for n in names if n != "copy")]
    lines = ["", f"## {family}", "", f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for row in rows:
        ours = row["median_seconds"].get("fsa")
        share = row.get("share_of_copy")
        ratios = row.get("ratio", {})
        cells = [
            row["name"],
            f"{row['bytes'] / 1e6:.3g}",
            milliseconds(ours) if ours else "absent",
            f"{share:.0%}" if share else "",
            *(f"{ratios[n]:.2f}" if n in ratios else "" for n in names if n != "copy"),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return lines
