"""Result files: a Markdown table and a plot made from the document of a run."""

import json
from pathlib import Path
from typing import Any

from fsa.errors import InputError, reason_of

REFERENCE = "fsa"  # the contender that ratios refer to
Document = dict[str, Any]


def milliseconds(seconds: float) -> str:
    """Return a time in milliseconds with three significant digits."""
    return f"{seconds * 1e3:.3g} ms"


def ratio_text(case: Document, contender: Document) -> str:
    """Return how many times FSA's time a contender takes, "" where FSA took no part."""
    ours = [c["median_seconds"] for c in case["contenders"] if c["name"] == REFERENCE]
    return f"{contender['median_seconds'] / ours[0]:.2f}" if ours else ""


def share_text(case: Document, contender: Document) -> str:
    """Return the share of the machine's limit that a contender reaches, "" where none is known."""
    floor = case["floor_seconds"]
    return f"{floor / contender['median_seconds']:.0%}" if floor else ""


def _rate(probe: Document) -> str:
    return f"{probe['name']} {probe['rate'] / 1e9:.3g} G{probe['unit']}"


def markdown(document: Document) -> str:
    """Return the document as Markdown: the machine, then one table a case."""
    machine = document["machine"]
    core = document["pinned_core"]
    lines = [
        f"# FSA benchmarks, target {document['target']}",
        "",
        f"`{document['command']}`, {document['created']}, {document['rounds']} rounds in turns"
        + (f", pinned to core {core}" if core is not None else "")
        + ".",
        "",
        f"{machine['processor']}, {machine['cores']} cores, load {machine['load'][:1]}; "
        + ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
        + ".",
    ]
    if document["probes"]:
        limits = ", ".join(map(_rate, document["probes"]))
        lines += [
            "",
            f"Limits, measured through FSA in this run: {limits}. The copy is of 16 MiB, so what "
            "stays in a cache between calls can pass 100 % of it.",
        ]
    for case in document["cases"]:
        lines += ["", f"## {case['summary']}", ""]
        if case["floor_seconds"]:
            floor = milliseconds(case["floor_seconds"])
            lines += [f"The limit is {floor}, set by {case['floor_limit']}.", ""]
        lines += ["| contender | median | x FSA | of the limit | spread |", "|---|---|---|---|---|"]
        lines += [
            f"| {c['label']} | {milliseconds(c['median_seconds'])} | {ratio_text(case, c)} "
            f"| {share_text(case, c)} | {c['spread']:.0%} |"
            for c in case["contenders"]
        ]
        lines += [f"| {a['label']} | absent: {a['reason']} | | | |" for a in case["absent"]]
    return "\n".join(lines) + "\n"


def plot(document: Document, path: Path) -> None:
    """Draw the medians of each case as bars; raise `InputError` without matplotlib."""
    try:
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot
    except ImportError:
        raise InputError(
            "a plot needs matplotlib: expected it to be installed, found none; run "
            "`pip install 'fsa[bench]'`"
        ) from None
    cases = document["cases"]
    figure: Any
    figure, grid = pyplot.subplots(
        len(cases), 1, figsize=(8, 1 + 2.2 * len(cases)), squeeze=False, layout="constrained"
    )
    for axes, case in zip(grid[:, 0], cases, strict=True):
        contenders = case["contenders"][::-1]
        times = [c["median_seconds"] * 1e3 for c in contenders]
        colours = ["#c23b22" if c["name"] == REFERENCE else "#8a8d91" for c in contenders]
        bars = axes.barh([c["label"] for c in contenders], times, color=colours)
        axes.bar_label(bars, labels=[f" {t:.3g}" for t in times])
        if case["floor_seconds"]:
            axes.axvline(case["floor_seconds"] * 1e3, color="black", linestyle=":")
        axes.set_xscale("log")
        axes.set_title(case["summary"], fontsize=10, loc="left")
        axes.set_xlabel("median, ms; dotted: the machine's limit", fontsize=8)
        axes.margins(x=0.2)
    figure.savefig(path)
    pyplot.close(figure)


def write(document: Document, folder: Path, stem: str, *, with_plot: bool) -> list[Path]:
    """Write `stem`.json, .md and, if wanted, .svg into `folder`; return the paths."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        paths = [folder / f"{stem}.json", folder / f"{stem}.md"]
        paths[0].write_text(json.dumps(document, indent=1) + "\n")
        paths[1].write_text(markdown(document))
        if with_plot:
            paths.append(folder / f"{stem}.svg")
            plot(document, paths[-1])
    except OSError as error:
        raise InputError(f"cannot write results to {folder}: {reason_of(error)}") from None
    return paths
