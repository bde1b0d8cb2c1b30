"""FSA on a GPU beside plain IREE, TorchInductor, XLA and the vendor's libraries.

In two steps, since a machine with a card may lack the compilers. Where they are:

    python benchmarks/gpu.py --prepare modules --target cuda:sm_80

compiles the stitched regions, the binarized matmuls, convolutions and networks, and the capsules,
each with FSA and with plain IREE. Where the card is, with iree-base-runtime, NumPy, PyTorch and JAX
(whatever is missing is named in the result):

    python benchmarks/gpu.py --measure modules

checks every result against its reference, times all contenders of a case in turns, and writes one
JSON and one Markdown file, with what is aimed at beside what was measured. Both steps go on where a
run was cut. On a software Vulkan device (`--target vulkan`) only correctness means something.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from fsa.benchmarks import documents, gpu_measure, gpu_prepare, gpu_probe, gpu_report
from fsa.benchmarks.gpu_cases import FAMILIES, chosen
from fsa.benchmarks.gpu_measure import PEERS, Plan
from fsa.errors import FsaError
from fsa.runtime.targets import Target

RESULTS = Path(__file__).parent / "results"


def main(arguments: Sequence[str] | None = None) -> int:
    """Prepare or measure; return the exit status."""
    options = _options(arguments)
    try:
        if options.prepare is not None:
            _prepare(options)
        if options.measure is not None:
            _measure(options)
    except FsaError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="gpu.py", description=(__doc__ or "").partition("\n")[0],
    )  # fmt: skip
    parser.add_argument("--prepare", type=Path, metavar="DIR", help="compile into this folder")
    parser.add_argument("--measure", type=Path, metavar="DIR", help="measure what lies there")
    parser.add_argument("--target", default="cuda", help="what --prepare compiles for")
    parser.add_argument(
        "--multiprocessors",
        type=int,
        help="of the card: regions of several kernels are also compiled as one launch of so many "
        "workgroups, which no smaller card may run; the target's without it, 0: not at all",
    )
    parser.add_argument(
        "--limit-seconds", type=float, default=300.0, help="what one module may take to compile"
    )
    parser.add_argument("--families", default="", help=f"with commas: {', '.join(FAMILIES)}")
    parser.add_argument("--only", default="", help="cases whose name has one of these texts")
    parser.add_argument("--dtypes", default="", help="with commas: f32, f16, bf16, bits")
    parser.add_argument("--peers", default=",".join(PEERS), help="rivals, with commas")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--sample-seconds", type=float, default=0.02)
    parser.add_argument("--output", type=Path, help="the result file, without its extension")
    parser.add_argument("--work", default="", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.prepare is None and options.measure is None:
        parser.error("expected --prepare DIR, --measure DIR or both")
    return options


def _prepare(options: argparse.Namespace) -> None:
    target = Target.parse(options.target)
    wave = target.multiprocessors if options.multiprocessors is None else options.multiprocessors
    wave = wave if target.kind == "cuda" else 0
    if options.work:
        gpu_prepare.work(options.prepare, options.target, options.work.split(","), wave)
        return
    cases = chosen(options.families, options.only, options.dtypes)
    said = partial(print, flush=True)
    gpu_prepare.prepare(options.prepare, cases, options.target, said, options.limit_seconds, wave)


def _measure(options: argparse.Namespace) -> None:
    index = gpu_prepare.read_index(options.measure)
    peers = tuple(name for name in options.peers.split(",") if name)
    target = index["target"]
    plan = Plan(options.measure, target, peers, options.rounds, options.sample_seconds)
    if options.work:
        gpu_measure.work(plan, options.work.split(","))
        return
    stem = options.output or RESULTS / f"gpu_{target.replace(':', '_')}"
    journal = stem.with_suffix(".jsonl")
    rows = _read(journal)
    known = {row["name"] for row in rows}
    cases = chosen(options.families, options.only, options.dtypes)
    facts = {c.name: {"family": c.family, "dtype": c.dtype, "depth": c.depth} for c in cases}
    names = [c.name for c in cases if c.name in index["cases"] and c.name not in known]
    stem.parent.mkdir(parents=True, exist_ok=True)

    def done(row: dict[str, Any]) -> None:
        row = {**facts[row["name"]], **row}
        rows.append(row)
        with journal.open("a") as file:
            file.write(json.dumps(row) + "\n")
        print(gpu_report.line(row), flush=True)

    gpu_measure.measure(plan, names, done)
    document = _document(target, options.rounds, index, rows)
    documents.save(document, stem.with_suffix(".json"))
    stem.with_suffix(".md").write_text(gpu_report.markdown(document))
    journal.unlink(missing_ok=True)
    print(f"wrote {stem}.json and {stem}.md")


def _read(journal: Path) -> list[dict[str, Any]]:
    """Return what a run that was cut has measured."""
    if not journal.exists():
        return []
    return [json.loads(line) for line in journal.read_text().splitlines()]


def _document(
    target: str, rounds: int, index: dict[str, Any], rows: list[dict[str, Any]]
) -> dict[str, Any]:
    from fsa.runtime.devices import open_device

    return documents.begin(
        "python benchmarks/gpu.py",
        target=target,
        device=open_device(target.partition(":")[0]).info.description,
        rounds=rounds,
        compiled={name: index[name] for name in ("created", "machine")},
        probes=gpu_probe.copy_probe(rounds) if target.startswith("cuda") else [],
        targets=gpu_report.targets(rows),
        cases=rows,
    )


if __name__ == "__main__":
    sys.exit(main())
