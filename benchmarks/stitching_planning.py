"""What the choice and the plans of stitched regions cost, and FSA's share of compile time.

Synthetic graphs go through `fsa-form-stitched-regions` and `fsa-plan-stitching`: chains of
element-wise ops, and `mixed` ones, whose every tenth op needs a sum of rows and whose others read
one of the eight values before as well, so that all hang together. Models go through the whole
pipeline for the CPU and IREE's compiler: `passes` is what the passes of FSA itself take, `pipeline`
all that runs before IREE, upstream's passes and snapshots of the IR included. Times are processor
time, the least of the rounds. Run: `python benchmarks/stitching_planning.py`. Writes
`benchmarks/results/stitching_planning.json` and a page beside it.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np

from fsa.benchmarks import documents, machine
from fsa.benchmarks.models import model
from fsa.frontend.model import read_model
from fsa.passes.driver.resolve import PythonStep
from fsa.passes.driver.runner import Observer
from fsa.runtime.compile import compile_to_vmfb, lower
from fsa.runtime.targets import Target

OUTPUT = Path(__file__).parent / "results" / "stitching_planning.json"
SIZES = {"chain": (500, 1000, 2000, 5000, 10000), "mixed": (200, 500, 1000, 2000, 5000)}
PIPELINE = "fsa-form-stitched-regions,fsa-plan-stitching"
MODELS = "minilm:128,silero-vad-op15:full,vit:small"
TARGETS = {"plan_seconds_of_5000_ops": 3.0, "share_of_passes": 0.25}


class _OwnPasses(Observer):
    """Adds up the processor time of FSA's own passes."""

    def __init__(self) -> None:
        self.seconds, self._start = 0.0, 0.0

    def before_pass(self, step: Any, path: tuple[str, ...], op: Any) -> None:
        """Start the clock."""
        self._start = time.process_time()

    def after_pass(self, step: Any, path: tuple[str, ...], op: Any) -> None:
        """Count a pass of FSA."""
        if isinstance(step, PythonStep):
            self.seconds += time.process_time() - self._start


def synthetic(kind: str, ops: int) -> Any:
    """Return a module of `ops` tensor ops, a "chain" or "mixed"."""
    from fsa.bindings import arith, math
    from fsa.examples import graph

    draw = np.random.default_rng(0)

    def body(x: Any, y: Any) -> Any:
        values = [x, y]
        for number in range(ops):
            if kind == "chain":
                last = values[-1]
                made = (
                    graph.elementwise(arith.addf, last, y)
                    if number % 2
                    else graph.elementwise(math.sin, last)
                )
            elif number % 10 == 9:
                total = graph.reduce_last(arith.addf, values[-1], 0.0)
                made = graph.elementwise(arith.subf, values[-1], graph.PerRow(total))
            else:
                other = values[-1 - int(draw.integers(1, min(8, len(values))))]
                made = graph.elementwise(arith.addf, values[-1], other)
            values.append(made)
        return values[-1]

    return graph.function("main", [((64, 96), "f32")] * 2, body)


def planning(kind: str, ops: int, target: Target, rounds: int) -> dict[str, Any]:
    """Return what forming and planning the regions of a synthetic graph takes."""
    module, seconds = synthetic(kind, ops), list[float]()
    for _ in range(rounds):
        start = time.process_time()
        lower(module, target, f"fsa-attach-target{{target=cpu}},{PIPELINE}")
        seconds.append(time.process_time() - start)
    return {"kind": kind, "ops": ops, "seconds": min(seconds)}


def share(name: str, size: str, target: Target, rounds: int) -> dict[str, Any]:
    """Return where the time to compile a model goes, reading it not counted."""
    instance = model(name).build(size)
    own, pipeline, backend = list[float](), list[float](), list[float]()
    for _ in range(rounds):
        # A module of its own for each: what is known of one's weights is not read again.
        module = read_model(instance.source, **instance.options())
        start = time.process_time()
        lowered = lower(module, target)
        pipeline.append(time.process_time() - start)
        watch = _OwnPasses()
        module = read_model(instance.source, **instance.options())
        lower(module, target, observers=[watch])
        own.append(watch.seconds)
        start = time.process_time()
        compile_to_vmfb(lowered, target)
        backend.append(time.process_time() - start)
    total = min(pipeline) + min(backend)
    return {
        "model": f"{name} {size}",
        "passes_seconds": min(own),
        "pipeline_seconds": min(pipeline),
        "iree_seconds": min(backend),
        "share_of_passes": min(own) / total,
        "share_of_pipeline": min(pipeline) / total,
    }


def page(document: dict[str, Any]) -> str:
    """Return the result file as a page."""
    targets = document["targets"]
    lines = [
        "# Planning of stitched regions, and FSA's share of compile time",
        "",
        f"Command: `{document['command']}`. Processor seconds.",
        "",
        f"Target: 5,000 ops in under {targets['plan_seconds_of_5000_ops']:g} s, near-linear.",
        "",
        "| graph | ops | seconds | us an op |",
        "|---|---|---|---|",
    ]
    for row in document["planning"]:
        each = 1e6 * row["seconds"] / row["ops"]
        lines.append(f"| {row['kind']} | {row['ops']} | {row['seconds']:.2f} | {each:.0f} |")
    lines += [
        "",
        f"Target: FSA's own passes under {targets['share_of_passes']:.0%} of compile time.",
        "",
        "| model | own passes, s | all before IREE, s | IREE, s | own passes | all before IREE |",
        "|---|---|---|---|---|---|",
    ]
    for row in document["compile_time"]:
        lines.append(
            f"| {row['model']} | {row['passes_seconds']:.2f} | {row['pipeline_seconds']:.2f} | "
            f"{row['iree_seconds']:.2f} | {row['share_of_passes']:.0%} | "
            f"{row['share_of_pipeline']:.0%} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure; print the page and write the result files."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--models", default=MODELS, help="name:size, with commas")
    parser.add_argument("--core", type=int, help="the core to run on, by default the highest")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="the result file")
    options = parser.parse_args()
    target = Target.parse("cpu")
    document = documents.begin(
        "python benchmarks/stitching_planning.py",
        pinned_core=machine.pin(options.core),
        rounds=options.rounds,
        targets=TARGETS,
        planning=[
            planning(kind, ops, target, options.rounds)
            for kind, sizes in SIZES.items()
            for ops in sizes
        ],
        compile_time=[
            share(name, size, target, options.rounds)
            for name, _, size in (entry.partition(":") for entry in options.models.split(","))
        ],
    )
    print(page(document))
    documents.save(document, options.output)
    options.output.with_suffix(".md").write_text(page(document))


if __name__ == "__main__":
    main()
