"""What a second core gives: every family's kernels, beside copying, multiplying and counting bits.

One core runs a module compiled for one, on the calling thread; several run one compiled for as
many, on a pool of threads. They and the probes take turns in one process for each case, and a gain
is the median over the rounds of one core's time by that of several in the same round. So is its
share of a probe's gain: a virtual machine's cores may be threads of one core for a while. The probe
that counts is a copy of as many bytes as the case reads and writes where that takes at least half
of the case's time on one core, else the arithmetic (multiply-add, or counting bits). Of the two
forms of the copy, through the caches and past them, the one that is faster on one core is taken.
The `launch` row is a kernel that does nothing: what a call costs on either.

Run: `python benchmarks/cores.py --cores 0,1`. Writes `benchmarks/results/cores.json` and a page
beside it. A virtual machine that halts idle cores may need 30 us to wake one; the result says
for how long the guest polls first (Linux: `/sys/module/haltpoll/parameters/guest_halt_poll_ns`).
"""

import os
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import click
import numpy as np

import fsa
from fsa.benchmarks import documents
from fsa.benchmarks.cores_report import page
from fsa.benchmarks.probes import Probe, copy_probe, fma_probe, popcount_probe
from fsa.benchmarks.timing import time_in_turns
from fsa.runtime.targets import Target

OUTPUT = Path(__file__).parent / "results" / "cores.json"
HALT_POLLING = Path("/sys/module/haltpoll/parameters/guest_halt_poll_ns")
LEAST_BYTES = 1 << 20  # a case that moves less has no work for a second core
COPIES = ("copy", "streaming copy")
STEPS, PASSES = 2_000_000, 40_000  # milliseconds of arithmetic: long against waking a thread
MATMULS = ((512, 512, 512), (1024, 1024, 1024), (1024, 1024, 4096), (2048, 2048, 2048))
ROUTINGS = ("capsule-routing-b1", "capsule-routing-b32", "capsule-mn1")
Array = np.ndarray[Any, Any]
Call = Callable[[], object]


@dataclass(frozen=True)
class Subject:
    """A case: `compile` makes its module for the cores that the process may use at that time."""

    name: str
    family: str
    inputs: tuple[Array, ...]
    compile: Callable[[], Any]
    moved: int  # bytes that it reads and writes at least
    arithmetic: str = "fma"


def _routing(name: str) -> Subject:
    from fsa.benchmarks.cases import case_of

    case = case_of(name)
    build: Callable[[], Any] = lambda: fsa.compile(case.module(), target="cpu")  # noqa: E731
    return Subject(case.summary, "capsule", case.inputs(), build, case.work.bytes)


def _matmul(sizes: tuple[int, int, int]) -> Subject:
    from fsa.benchmarks.binarized_modules import left_of, source, weights_of

    rows, columns, depth = sizes
    weights = weights_of(sizes)
    return Subject(
        f"binarized matmul {rows}x{columns}x{depth}",
        "binarized",
        (left_of(sizes),),
        lambda: fsa.compile(source(sizes, weights, 1), target="cpu"),
        weights.nbytes + left_of(sizes).nbytes + 4 * rows * columns,
        "popcount",
    )


def _memory_bound(name: str) -> Subject:
    from fsa.benchmarks.stitching import PROBLEMS, Contest, compile_stitched

    (problem,) = (problem for problem in PROBLEMS if problem.name == name)
    contest = Contest(problem, "f32", ())
    build: Callable[[], Any] = lambda: compile_stitched(contest.imported())  # noqa: E731
    return Subject(name, "stitching", contest.arrays, build, contest.bytes)


def _nothing() -> Subject:
    one = np.zeros(1, np.float32)
    text = "func.func @main(%x: tensor<1xf32>) -> tensor<1xf32> {\n"
    text += "%y = math.absf %x : tensor<1xf32>\nreturn %y : tensor<1xf32>\n}"
    return Subject("launch", "launch", (one,), lambda: fsa.compile(text, target="cpu"), 8)


def names() -> Iterator[tuple[str, Any]]:
    """Yield what `subject_of` takes, for every case."""
    from fsa.benchmarks.cases.memory_bound import PROBLEMS

    yield "launch", None
    yield from (("capsule", name) for name in ROUTINGS)
    yield from (("binarized", sizes) for sizes in MATMULS)
    yield from (("stitching", p.name) for p in PROBLEMS if "f32" in p.dtypes)


def subject_of(family: str, name: Any) -> Subject:
    """Return the case of a family by what `names` yields of it."""
    makers: dict[str, Callable[[Any], Subject]] = {
        "launch": lambda _: _nothing(),
        "capsule": _routing,
        "binarized": _matmul,
        "stitching": _memory_bound,
    }
    return makers[family](name)


def _on(cores: Sequence[int], make: Callable[[], Any]) -> Any:
    """Return what `make` compiles while this process may use only `cores`, on as many threads."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        module = make()
    finally:
        os.sched_setaffinity(0, before)
    module.wanted_device = "cpu:sync" if len(cores) == 1 else "cpu:task"
    return module


def _call(module: Any, inputs: Sequence[Array]) -> Call:
    resident = [module.to_device(array) for array in inputs]
    return lambda: module(*resident)


def _probes(subject: Subject, count: int) -> dict[str, Probe]:
    target = Target.parse("cpu")
    if subject.arithmetic == "popcount":
        arithmetic = popcount_probe(target, count, PASSES)
    else:
        arithmetic = fma_probe(target, count, STEPS)
    copied = max(subject.moved // 2, 1)
    return {
        "copy": copy_probe(target, copied, count),
        "streaming copy": copy_probe(target, copied, count, stream=True),
        subject.arithmetic: arithmetic,
    }


def measure(family: str, name: Any, cores: Sequence[int], rounds: int) -> dict[str, Any] | None:
    """Time one case; return what the result holds of it, None where it moves too few bytes."""
    os.sched_setaffinity(0, cores)
    subject = subject_of(family, name)
    if subject.family == "stitching" and subject.moved < LEAST_BYTES:
        return None
    calls: dict[str, Call] = {}
    results: list[Any] = []
    for label, used in (("one", cores[:1]), ("all", cores)):
        module = _on(used, subject.compile)
        calls[f"case {label}"] = _call(module, subject.inputs)
        results.append(module(*subject.inputs))
        for kind, probe in _probes(subject, len(used)).items():
            made = _on(used, lambda probe=probe: fsa.compile(probe.module, target="cpu"))
            calls[f"{kind} {label}"] = _call(made, probe.inputs)
    _check(subject, results)
    timings = time_in_turns(calls, rounds=rounds, sample_seconds=0.01, warm=True)

    def gains(kind: str, work: int = 1) -> list[float]:
        pairs = zip(timings[f"{kind} one"].samples, timings[f"{kind} all"].samples, strict=True)
        return [work * one / several for one, several in pairs]

    # Of the arithmetic, each core did the whole.
    every = {kind: gains(kind) for kind in ("case", *COPIES)}
    every[subject.arithmetic] = gains(subject.arithmetic, len(cores))
    copy = min(COPIES, key=lambda kind: timings[f"{kind} one"].median)
    bound = timings[f"{copy} one"].median >= timings["case one"].median / 2
    limit = copy if bound else subject.arithmetic
    return {
        "name": subject.name,
        "family": subject.family,
        "bytes": subject.moved,
        "limit": limit,
        "gains": {kind: statistics.median(found) for kind, found in every.items()},
        "share": statistics.median(a / b for a, b in zip(every["case"], every[limit], strict=True)),
        "median_seconds": {label: timing.median for label, timing in timings.items()},
        "spread": {label: timing.spread for label, timing in timings.items()},
    }


def _check(subject: Subject, results: Sequence[Any]) -> None:
    """Exit where one core and several do not agree (sums may be added in another order)."""
    alone, together = ([r] if not isinstance(r, tuple | list) else r for r in results)
    for one, several in zip(alone, together, strict=True):
        a, b = (np.asarray(r).astype(np.float64) for r in (one, several))
        if not np.allclose(a, b, rtol=1e-4, atol=1e-5 * (1 + np.abs(a).max(initial=0))):
            raise SystemExit(f"{subject.name}: one core and several give different numbers")


def _polling() -> int | None:
    return int(HALT_POLLING.read_text()) if HALT_POLLING.exists() else None


def _line(row: Mapping[str, Any]) -> str:
    seconds = row["median_seconds"]
    return (
        f"{row['name'][:52]:52} {seconds['case one'] * 1e6:9.1f} -> "
        f"{seconds['case all'] * 1e6:9.1f} us  gain {row['gains']['case']:.2f}  "
        f"{row['limit']} {row['gains'][row['limit']]:.2f}  share {row['share']:.0%}"
    )


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--cores", default="0,1", show_default=True, help="The first is the one core.")
@click.option("--rounds", default=11, show_default=True, type=click.IntRange(min=1))
@click.option("--families", default="launch,capsule,binarized,stitching", show_default=True)
@click.option("--only", default="", help="Cases whose name has one of these texts, with commas.")
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), default=OUTPUT, show_default=True
)
def main(cores: str, rounds: int, families: str, only: str, output: Path) -> None:
    """Time the cases and probes on one core and on several, in turns."""
    used = [int(core) for core in cores.split(",")]
    if len(used) < 2 or not set(used) <= os.sched_getaffinity(0):
        raise click.UsageError(
            f"expected at least two cores of {sorted(os.sched_getaffinity(0))}, found {cores}"
        )
    document = documents.begin(
        "python benchmarks/cores.py",
        cores=used,
        rounds=rounds,
        guest_halt_poll_ns=_polling(),
        rows=[],
    )
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as pool:
        for family, name in names():
            if family not in families.split(",") or not _wanted(str(name), only):
                continue
            row = pool.submit(measure, family, name, used, rounds).result()
            if row is not None:
                document["rows"].append(row)
                click.echo(_line(row))
    documents.save(document, output)
    output.with_suffix(".md").write_text(page(document))


def _wanted(name: str, only: str) -> bool:
    return any(text in name for text in only.split(","))


if __name__ == "__main__":
    main()
