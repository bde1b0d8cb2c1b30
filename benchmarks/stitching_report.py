"""The memory-bound benchmark's results as a page: each target beside what was measured."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from fsa.errors import InputError

PEERS = ("iree", "inductor", "xla")
DTYPES = ("f32", "f16", "bf16")
# What is asked of FSA, as ratios to the best peer or shares of a copy.
MEAN, MEAN_WHERE_SLOW, LEAST, LIMIT, SHARE = 1.4, 2.0, 1.1, 0.9, 0.6
SLOW_PEER = 0.5  # of the limit: below it a peer leaves room
# What the page reads: of a document, of each case, and of a case that FSA and a peer computed.
_OF_DOCUMENT = ("command", "created", "machine", "cases")
_OF_CASE = ("name", "dtype", "median_seconds", "wrong", "absent")
_OF_COMPARED = (
    *("ratio", "ratio_to_best", "best_peer", "limit", "share_of_copy", "share_of_limit"),
    "best_peer_share_of_limit",
)

Case = Mapping[str, Any]


def geometric_mean(numbers: Sequence[float]) -> float:
    """Return the geometric mean; 1 for no numbers."""
    return statistics.geometric_mean(numbers) if numbers else 1.0


def compared(cases: Sequence[Case], dtype: str) -> list[Case]:
    """Return the cases of a dtype that FSA and some peer computed."""
    return [c for c in cases if c["dtype"] == dtype and c.get("ratio_to_best")]


def is_below(case: Case, share: str = "share_of_limit") -> bool:
    """Whether a case misses both bounds: the ratio to the best peer, and a share of its limit."""
    return case["ratio_to_best"] < LEAST and case[share] < LIMIT


def check(document: Any) -> None:
    """Raise `InputError` unless `page` can read a document: older versions wrote other ones."""
    _check_entries(document, _OF_DOCUMENT, "the document")
    for number, case in enumerate(document["cases"]):
        where = f"case {number}"
        _check_entries(case, _OF_CASE, where)
        if case.get("ratio_to_best"):
            _check_entries(case, _OF_COMPARED, f"{where}, {case['name']} {case['dtype']},")


def _check_entries(found: Any, wanted: Sequence[str], where: str) -> None:
    missing = [name for name in wanted if not isinstance(found, dict) or name not in found]
    if missing:
        raise InputError(f"expected {where} to have {', '.join(missing)}, found none")


def _peer_share_of_copy(case: Case) -> float:
    seconds = case["median_seconds"]
    return seconds["copy"] / seconds[case["best_peer"]]


def summary(cases: Sequence[Case]) -> dict[str, Any]:
    """Return the figures that the targets are about, by dtype."""
    figures: dict[str, Any] = {}
    for dtype in DTYPES:
        found = compared(cases, dtype)
        slow = [c for c in found if c["best_peer_share_of_limit"] < SLOW_PEER]
        slow_copy = [c for c in found if _peer_share_of_copy(c) < SLOW_PEER]
        figures[dtype] = {
            "cases": len(found),
            "geometric_mean": geometric_mean([c["ratio_to_best"] for c in found]),
            "cases_where_peer_below_half": len(slow),
            "geometric_mean_where_peer_below_half": geometric_mean(
                [c["ratio_to_best"] for c in slow]
            ),
            "cases_where_peer_below_half_of_copy": len(slow_copy),
            "geometric_mean_where_peer_below_half_of_copy": geometric_mean(
                [c["ratio_to_best"] for c in slow_copy]
            ),
            "slower_than_best": [c["name"] for c in found if c["ratio_to_best"] < 1.0],
            "below_both_bounds": [c["name"] for c in found if is_below(c)],
            "below_both_bounds_of_copy": [c["name"] for c in found if is_below(c, "share_of_copy")],
            "below_share_of_copy_anywhere": [
                c["name"] for c in found if c["share_of_copy"] < SHARE
            ],
            "below_share_of_copy": [
                c["name"] for c in found if c["limit"] == "copy" and c["share_of_copy"] < SHARE
            ],
        }
    return figures


def page(document: Mapping[str, Any]) -> str:
    """Return the results in Markdown: how they were made, targets, and a table of all cases."""
    cases, load = document["cases"], document["machine"].get("load")
    lines = [
        "# Memory-bound computations on one core",
        "",
        f"`{document['command']}`, {document['created']}; processor time"
        + (f" on a machine shared with other work (load {load})." if load else "."),
        "Contenders run in turns in one process; a ratio is a peer's time by FSA's, the share a "
        "copy's of as many bytes as the case reads and writes. The best peer of each case counts. "
        "The limit of a case is a call of IREE's runtime with as many tensors of one number, which "
        "it adds up as IREE compiles it, and that copy, or `arithmetic` if that takes longer: what "
        "FSA's own code takes on data in the second cache, where it waits for no memory. It is "
        "named after what takes most of it. `arithmetic` is no limit of the machine: code that "
        "computes slowly raises it, and a share of it says only what memory costs beside that "
        "code. Each count that has to do with a limit therefore stands twice, with the copy as the "
        "limit of every case in the second place. Shares of a copy are medians of ratios within a "
        "round, shares of a limit and those of peers ratios of medians.",
        "",
        *_targets(cases),
        "",
        *_missed(cases),
        "",
        *_table(cases),
        *_notes(cases),
    ]
    return "\n".join(lines) + "\n"


def _targets(cases: Sequence[Case]) -> list[str]:
    lines = ["| what | target | " + " | ".join(DTYPES) + " |", "|---|---|---|---|---|"]
    figures = summary(cases)

    def row(what: str, target: str, entry: Any) -> None:
        shown = [entry(figures[d]) if figures[d]["cases"] else "not measured" for d in DTYPES]
        lines.append(f"| {what} | {target} | {' | '.join(shown)} |")

    row("cases", "", lambda f: str(f["cases"]))
    row(
        "geometric mean to the best peer",
        f">= {MEAN}x",
        lambda f: f"{f['geometric_mean']:.2f}x",
    )
    row(
        "the same where the best peer is under half of the limit",
        f">= {MEAN_WHERE_SLOW}x",
        lambda f: (
            f"{f['geometric_mean_where_peer_below_half']:.2f}x "
            f"({f['cases_where_peer_below_half']} cases)"
        ),
    )
    row(
        "the same where the best peer is under half of a copy",
        f">= {MEAN_WHERE_SLOW}x",
        lambda f: (
            f"{f['geometric_mean_where_peer_below_half_of_copy']:.2f}x "
            f"({f['cases_where_peer_below_half_of_copy']} cases)"
        ),
    )
    row(
        f"cases below both {LEAST}x the best peer and {LIMIT:.0%} of the limit",
        "none",
        lambda f: str(len(f["below_both_bounds"])),
    )
    row(
        f"cases below both {LEAST}x the best peer and {LIMIT:.0%} of a copy",
        "none",
        lambda f: str(len(f["below_both_bounds_of_copy"])),
    )
    row("cases slower than the best peer", "", lambda f: str(len(f["slower_than_best"])))
    row(
        f"cases below {SHARE:.0%} of a copy, where that is the limit",
        "none",
        lambda f: str(len(f["below_share_of_copy"])),
    )
    row(
        f"cases below {SHARE:.0%} of a copy, whatever the limit",
        "",
        lambda f: str(len(f["below_share_of_copy_anywhere"])),
    )
    return lines


def _table(cases: Sequence[Case]) -> list[str]:
    lines = [
        "| case | dtype | FSA us | share of copy | limit | share of it | "
        + " | ".join(PEERS)
        + " | to the best |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for case in cases:
        ratios = case.get("ratio", {})
        shown = [f"{ratios[p]:.2f}" if p in ratios else "-" for p in PEERS]
        best = case.get("ratio_to_best")
        mark = " (below)" if best and is_below(case) else ""
        ours = case["median_seconds"].get("fsa", float("nan")) * 1e6
        lines.append(
            f"| {case['name']} | {case['dtype']} | {ours:.1f} | "
            f"{case.get('share_of_copy', 0):.0%} | {case.get('limit', '-')} | "
            f"{case.get('share_of_limit', 0):.0%} | {' | '.join(shown)} | "
            f"{f'{best:.2f}' if best else '-'}{mark} |"
        )
    return lines


def _missed(cases: Sequence[Case]) -> list[str]:
    """List the cases behind the counts."""
    kinds = {
        "slower_than_best": "Slower than the best peer",
        "below_both_bounds": "Below both bounds",
        "below_both_bounds_of_copy": "Below both bounds, with the copy as the limit",
        "below_share_of_copy": f"Below {SHARE:.0%} of a copy that is the limit",
        "below_share_of_copy_anywhere": f"Below {SHARE:.0%} of a copy, whatever the limit",
    }
    figures = summary(cases)
    lines: list[str] = []
    for key, title in kinds.items():
        names = [f"{name} {dtype}" for dtype in DTYPES for name in figures[dtype][key]]
        lines.append(f"- {title}: {', '.join(names) or 'none'}.")
    return lines


def _notes(cases: Sequence[Case]) -> list[str]:
    wrong = [f"{c['name']} {c['dtype']}: {', '.join(c['wrong'])}" for c in cases if c["wrong"]]
    absent = [
        f"{c['name']} {c['dtype']}: {peer}: {why}"
        for c in cases
        for peer, why in c["absent"].items()
    ]
    lines: list[str] = []
    if wrong:
        lines += ["", "Results further from float64 than the tolerance, not compared:", ""]
        lines += [f"- {entry}" for entry in wrong]
    if absent:
        lines += ["", "Contenders that did not run:", "", *(f"- {entry}" for entry in absent)]
    return lines
