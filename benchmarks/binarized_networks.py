"""The networks of BSTC's table on CPUs: latency and throughput, and what a second core gives.

The networks have random weights (`examples/binarized_networks.py`). One core runs a module that was
compiled for one core, on the calling thread; two cores run one compiled for two, on a pool of
threads. Times are elapsed time, contenders take turns in one process, and a speed-up is the median
over the rounds of one core's time by that of two in the same round. The probes (counting bits,
multiply-add, a copy) take their turns in each case: what two cores give them is the most that the
machine has at that time, since a virtual machine's cores may be threads of one for a while.

BSTC's own figures stand beside (A. Li et al., SC'19, on a V100).

Run: `taskset -c 0,1 python benchmarks/binarized_networks.py`. Modules are compiled first, into the
folder `--compiled` unless they lie there (needs torch); `--compile-only` ends then. Writes
`benchmarks/results/binarized_networks.json`.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import fsa
from fsa.benchmarks import documents
from fsa.benchmarks.probes import copy_probe, fma_probe, popcount_probe
from fsa.benchmarks.timing import time_in_turns
from fsa.runtime.targets import Target

OUTPUT = Path(__file__).parent / "results" / "binarized_networks.json"
IMAGES = {
    "mlp": (1, 28, 28),
    "vgg": (3, 32, 32),
    "alexnet": (3, 224, 224),
    "resnet14": (3, 32, 32),
    "resnet18": (3, 224, 224),
}
# Seconds of one image, and images a second: BSTC on a V100, where it gives them.
PUBLISHED = {
    "mlp": (40e-6, 8.98e6),
    "vgg": (466e-6, 5.78e4),
    "alexnet": (979e-6, 4400.0),
    "resnet14": (1027e-6, None),
    "resnet18": (1906e-6, 2880.0),
}
BATCH = 64
PROBE_PASSES, PROBE_STEPS = 80_000, 2_000_000  # milliseconds: long against waking a thread
COPY_BYTES = 1 << 24  # beyond the second caches, as the floats between layers are

Array = np.ndarray[Any, Any]
Call = Callable[[], Any]


def _compile_network(name: str, batch: int) -> Any:
    import torch

    from fsa.examples.binarized_networks import NETWORKS, randomized

    torch.manual_seed(0)
    (network,) = [found for found in NETWORKS if found.name == name]
    images = torch.zeros(batch, *network.image)
    return fsa.compile(randomized(network.build()), (images,))


def _module(path: Path, cores: set[int], make: Callable[[], Any], device: str) -> Any:
    """Return the module at `path`, compiled for as many cores if it does not exist, on `device`."""
    if not path.exists():
        before = os.sched_getaffinity(0)
        os.sched_setaffinity(0, cores)
        try:
            make().save(path)
        finally:
            os.sched_setaffinity(0, before)
    return fsa.load(path, device)


def _calls(
    folder: Path, name: str, make: Callable[[], Any], inputs: Array, cores: list[int]
) -> dict[str, Call]:
    """Return the calls of a case on one core and on all, after comparing their results."""
    one = _module(folder / f"{name}-1.vmfb", set(cores[:1]), make, "cpu:sync")
    resident = one.to_device(inputs)
    calls: dict[str, Call] = {"case one": lambda: one(resident)}
    if len(cores) > 1:
        both = _module(folder / f"{name}-{len(cores)}.vmfb", set(cores), make, "cpu:task")
        there = both.to_device(inputs)
        calls["case all"] = lambda: both(there)
        if not np.array_equal(one(resident).numpy(), both(there).numpy()):
            raise SystemExit(f"{name}: one core and several give different numbers")
    return calls


def _probes(cores: list[int]) -> dict[str, Call]:
    """Return the calls of the probes, on one core and on each of all at a time."""
    target = Target.parse("cpu")
    calls: dict[str, Call] = {}
    for label, count, device in (("one", 1, "cpu:sync"), ("all", len(cores), "cpu:task")):
        made = {
            "popcount": popcount_probe(target, count, PROBE_PASSES),
            "fma": fma_probe(target, count, PROBE_STEPS),
            "copy": copy_probe(target, COPY_BYTES, count),
        }
        for kind, probe in made.items():
            module = fsa.compile(probe.module, target="cpu")
            module.wanted_device = device
            resident = module.to_device(probe.inputs[0])

            def call(module: Any = module, resident: Any = resident) -> Any:
                return module(resident)

            calls[f"{kind} {label}"] = call
    return calls


def _row(name: str, calls: dict[str, Call], cores: int, rounds: int) -> dict[str, Any]:
    """Time a case beside the probes, in turns; a gain is the median over the rounds."""
    timings = time_in_turns(calls, rounds=rounds, sample_seconds=0.005, warm=True)

    def gains(kind: str) -> list[float]:
        # Of the arithmetic, each core does the whole; a copy is shared.
        work = cores if kind in ("popcount", "fma") else 1
        pairs = zip(timings[f"{kind} one"].samples, timings[f"{kind} all"].samples, strict=True)
        return [work * one / several for one, several in pairs]

    row: dict[str, Any] = {
        "name": name,
        "seconds": {label: timing.median for label, timing in timings.items()},
        "spread": {label: timing.spread for label, timing in timings.items()},
    }
    if cores > 1:
        found = {kind: gains(kind) for kind in ("case", "popcount", "fma", "copy")}
        row["gains"] = {kind: statistics.median(values) for kind, values in found.items()}
        row["shares"] = {
            kind: statistics.median(a / b for a, b in zip(found["case"], found[kind], strict=True))
            for kind in ("popcount", "fma", "copy")
        }
    return row


def _line(row: dict[str, Any]) -> str:
    text = f"{row['name']:24} one core {row['seconds']['case one'] * 1e3:10.3f} ms"
    if "gains" not in row:
        return text
    gains = "  ".join(f"{kind} {gain:.2f}" for kind, gain in row["gains"].items())
    return f"{text}  gains: {gains}  share of popcount {row['shares']['popcount']:.0%}"


def main() -> None:
    """Compile, measure, print a table and write the result file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--networks", default=",".join(IMAGES), help="with commas")
    parser.add_argument("--compiled", type=Path, help="keeps compiled modules from run to run")
    parser.add_argument("--compile-only", action="store_true", help="end before any measurement")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="the result file")
    options = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))[:2]
    folder = options.compiled or Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    draw = np.random.default_rng(0)
    made: list[tuple[str, dict[str, Call]]] = []
    for network in options.networks.split(","):
        for batch in (1, BATCH):
            images = draw.standard_normal((batch, *IMAGES[network]), np.float32)
            name = f"{network}-{batch}"
            build = lambda n=network, b=batch: _compile_network(n, b)  # noqa: E731
            used = cores if batch > 1 else cores[:1]
            made.append((name, _calls(folder, name, build, images, used)))
    probes = _probes(cores) if len(cores) > 1 else {}
    if options.compile_only:
        return
    document = documents.begin(
        "python benchmarks/binarized_networks.py",
        cores=cores,
        batch=BATCH,
        published=PUBLISHED,
        rows=[],
    )
    for name, calls in made:
        several = "case all" in calls
        contenders = {**calls, **probes} if several else calls
        used = len(cores) if several else 1
        document["rows"].append(_row(name, contenders, used, options.rounds))
        print(_line(document["rows"][-1]), flush=True)
    documents.save(document, options.output)


if __name__ == "__main__":
    main()
