"""The page of what a second core gives, from the document of a run."""

from collections.abc import Mapping
from typing import Any

# Shares of the probes' gain that are asked for, by family.
TARGETS = {"stitching": 0.9, "windowed": 0.9, "binarized": 0.9, "capsule": 0.85}


def page(document: Mapping[str, Any]) -> str:
    """Return the document of `benchmarks/cores.py` as Markdown."""
    machine, rows = document["machine"], document["rows"]
    polling = document["guest_halt_poll_ns"]
    lines = [
        f"# {len(document['cores'])} cores",
        "",
        f"`{document['command']}`, {document['created']}; {machine['processor']}, "
        f"load {machine['load'][:1]}"
        + (f", idle cores poll for {polling / 1e3:g} us" if polling is not None else "")
        + ". One core is the calling thread, several are IREE's pool. A gain is one core's time "
        "by that of all. The probe is a copy of as many bytes, through the caches or past them "
        "(the faster one on one core), or arithmetic where a copy takes less than half of the "
        "case's time.",
        "",
    ]
    for family, asked in TARGETS.items():
        shares = [row["share"] for row in rows if row["family"] == family]
        if shares:
            reached = sum(share >= asked for share in shares)
            lines.append(
                f"- {family}: asked {asked:.0%} of the probe's gain; reached by {reached} of "
                f"{len(shares)}, the least is {min(shares):.0%}"
            )
    lines += ["", "| case | one core | all | gain | probe | its gain | share |"]
    lines.append("|---|---|---|---|---|---|---|")
    for row in rows:
        one, several = (row["median_seconds"][f"case {label}"] * 1e6 for label in ("one", "all"))
        gains, limit = row["gains"], row["limit"]
        lines.append(
            f"| {row['name']} | {one:.1f} us | {several:.1f} us | {gains['case']:.2f} | {limit} "
            f"| {gains[limit]:.2f} | {row['share']:.0%} |"
        )
    return "\n".join(lines) + "\n"
