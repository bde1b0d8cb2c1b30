"""docs/models.md: the model table as text, from the result file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from fsa.benchmarks.model_contenders import LABELS, TOLERANCE
from fsa.benchmarks.models.notes import NOTES

PEERS = [name for name in LABELS if name != "fsa"]
# A row that FSA runs slower than this against ONNX Runtime is explained.
SLOW = 0.9


def ratio(row: dict[str, Any], peer: str) -> float | None:
    """Return the time of `peer` over that of FSA, None where one of them was not timed."""
    timed = row.get("contenders", {})
    if "fsa" not in timed or peer not in timed:
        return None
    return timed[peer]["median_seconds"] / timed["fsa"]["median_seconds"]


def best_iree(row: dict[str, Any]) -> float | None:
    """Return the time of plain IREE at its faster flags over that of FSA."""
    found = [r for peer in ("iree", "iree-best") if (r := ratio(row, peer)) is not None]
    return min(found) if found else None


def geometric_mean(values: Sequence[float]) -> float | None:
    """Return the geometric mean, None of nothing."""
    return math.exp(sum(math.log(v) for v in values) / len(values)) if values else None


def summary(row: dict[str, Any]) -> str:
    """Return one line about a row."""
    if "reason" in row:
        return f"failed: {row['reason']}"
    fsa = row["contenders"].get("fsa")
    if fsa is None:
        return f"failed: {row['absent'].get('fsa', 'no result')}"
    ratios = [f"{LABELS[p]} {_times(ratio(row, p))}" for p in PEERS if p in row["contenders"]]
    ratios += [f"no {LABELS[p]} ({row['absent'][p][:60]})" for p in PEERS if p in row["absent"]]
    vulkan = _vulkan(row)
    return f"{_milliseconds(fsa)}, error {fsa['error']:.1g}; {', '.join(ratios)}; Vulkan {vulkan}"


def document(results: dict[str, Any]) -> str:
    """Return docs/models.md."""
    rows = results["rows"]
    ready = [row for row in rows if "fsa" in row.get("contenders", {})]
    machine = results.get("machine", {})
    where = f"One core of {machine.get('processor', 'an unknown processor')}"
    versions = ", ".join(f"{k} {v}" for k, v in machine.get("packages", {}).items() if k != "fsa")
    parts = [
        "# The model table",
        "Written by `make table` (`python -m fsa.benchmarks.model_table`); do not edit. "
        "The numbers are in `benchmarks/results/models.json`, the models in `benchmarks/models/`.",
        f"{where}; {versions}. All contenders of a row run in turns in one process with one "
        "thread; medians. A ratio above 1 says that FSA is faster. Plain IREE gets the import as "
        "it is, at `--iree-opt-level=O3`, and at its best flags: beside that, data tiling, "
        "convolutions as matmuls, and kernels allowed that need more than the default stack.",
        _speed_table(ready),
        _means(ready),
        _extremes(ready),
        "## Correctness and compilation",
        "The error is the largest difference from PyTorch (ONNX Runtime for ONNX files) as a "
        f"share of the output's largest number, {TOLERANCE:g} at most. Vulkan is checked on "
        f"{_device(rows)}. The peak is the largest resident memory of the compiling process, "
        "PyTorch, the model and MLIR included; the limit is four times the weights and 1 GiB.",
        _compile_table(ready),
    ]
    parts += [part for part in (_absences(ready), _failures(rows), _explanations(ready)) if part]
    return "\n\n".join(parts) + "\n"


def _table(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rule = ["---", *["---:"] * (len(heads) - 1)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (heads, rule, *lines))


def _speed_table(rows: Sequence[dict[str, Any]]) -> str:
    heads = ["model", "FSA ms", *(f"x {LABELS[peer]}" for peer in PEERS)]
    lines = [
        [
            row["name"],
            f"{row['contenders']['fsa']['median_seconds'] * 1e3:.2f}",
            *(_times(ratio(row, peer)) for peer in PEERS),
        ]
        for row in rows
    ]
    means = [_times(geometric_mean(_ratios(rows, peer))) for peer in PEERS]
    return _table(heads, [*lines, ["**geometric mean**", "", *means]])


def _compile_table(rows: Sequence[dict[str, Any]]) -> str:
    heads = ["model", "import s", "compile s", "IREE O3 s", "weights MB", "module MB"]
    heads += ["peak MB", "limit MB", "error cpu", "error Vulkan"]
    lines: list[list[str]] = []
    for row in rows:
        made = row["compile"]
        plain = row.get("plain_iree", {}).get("iree", {}).get("compile_seconds")
        lines.append(
            [
                row["name"],
                f"{made['import_seconds']:.1f}",
                f"{made['compile_seconds']:.1f}",
                f"{plain:.1f}" if plain is not None else "-",
                *(f"{made[key] / 1e6:.1f}" for key in ("weights_bytes", "module_bytes")),
                *(f"{made[key] / 1e6:.0f}" for key in ("peak_bytes", "limit_bytes")),
                f"{row['contenders']['fsa']['error']:.1g}",
                _vulkan(row),
            ]
        )
    return _table(heads, lines)


def _means(rows: Sequence[dict[str, Any]]) -> str:
    over = [value for row in rows if (value := best_iree(row)) is not None]
    ort = _ratios(rows, "onnxruntime")
    return (
        f"Geometric means: {_times(geometric_mean(ort))} ONNX Runtime over {len(ort)} rows, "
        f"{_times(geometric_mean(_ratios(rows, 'iree')))} IREE O3, "
        f"{_times(geometric_mean(over))} the faster of IREE's two sets of flags."
    )


def _extremes(rows: Sequence[dict[str, Any]]) -> str:
    """Return the best and the worst row against each peer that the targets name."""
    lines: list[str] = []
    for label, found in (
        ("ONNX Runtime", [(ratio(row, "onnxruntime"), row["name"]) for row in rows]),
        ("IREE O3", [(ratio(row, "iree"), row["name"]) for row in rows]),
        ("IREE at its faster flags", [(best_iree(row), row["name"]) for row in rows]),
    ):
        known = sorted((value, name) for value, name in found if value is not None)
        if known:
            (low, worst), (high, best) = known[0], known[-1]
            lines.append(f"- {label}: best {best} ({_times(high)}), worst {worst} ({_times(low)}).")
    return "\n".join(lines)


def _absences(rows: Sequence[dict[str, Any]]) -> str:
    lines = [
        f"- {row['name']}: {LABELS[peer]}: {reason}"
        for row in rows
        for peer, reason in row.get("absent", {}).items()
    ]
    return "\n".join(["## Contenders that did not take part", "", *lines]) if lines else ""


def _failures(rows: Sequence[dict[str, Any]]) -> str:
    lines: list[str] = []
    for row in rows:
        reason = row.get("reason") or row.get("absent", {}).get("fsa")
        if reason:
            lines.append(f"- {row['name']}: {reason}")
        elif "reason" in row.get("vulkan", {}):
            lines.append(f"- {row['name']} on Vulkan: {row['vulkan']['reason']}")
    return "\n".join(["## Failures", "", *lines]) if lines else ""


def _explanations(rows: Sequence[dict[str, Any]]) -> str:
    """Say what the time of each slow row goes into."""
    lines: list[str] = []
    for row in rows:
        ort, plain = ratio(row, "onnxruntime"), best_iree(row)
        slow = (ort is not None and ort < SLOW) or (plain is not None and plain < 1)
        note = NOTES.get(row["name"], NOTES.get(row["model"], ""))
        if slow or row["name"] in NOTES:
            lines.append(f"- {row['name']}: {note or 'not explained yet'}")
    return "\n".join(["## Where the time goes", "", *lines]) if lines else ""


def _device(rows: Sequence[dict[str, Any]]) -> str:
    names = {row["vulkan"]["device"] for row in rows if "device" in row.get("vulkan", {})}
    return ", ".join(sorted(names)) or "no device"


def _ratios(rows: Sequence[dict[str, Any]], peer: str) -> list[float]:
    return [value for row in rows if (value := ratio(row, peer)) is not None]


def _times(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _milliseconds(contender: dict[str, Any]) -> str:
    return f"{contender['median_seconds'] * 1e3:.2f} ms"


def _vulkan(row: dict[str, Any]) -> str:
    found = row.get("vulkan", {})
    if "error" in found:
        return f"{found['error']:.1g}" + ("" if found["error"] <= TOLERANCE else " WRONG")
    return "failed" if "reason" in found else "-"
