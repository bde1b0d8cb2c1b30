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
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import click
import numpy as np

import fsa
from fsa.benchmarks import documents
from fsa.benchmarks.cores_cases import LEAST_BYTES, Array, Subject, names, subject_of
from fsa.benchmarks.cores_report import page
from fsa.benchmarks.probes import Probe, copy_probe, fma_probe, popcount_probe
from fsa.benchmarks.timing import time_in_turns
from fsa.errors import FsaError
from fsa.runtime.targets import Target

OUTPUT = Path(__file__).parent / "results" / "cores.json"
HALT_POLLING = Path("/sys/module/haltpoll/parameters/guest_halt_poll_ns")
COPIES = ("copy", "streaming copy")
STEPS, PASSES = 2_000_000, 40_000  # milliseconds of arithmetic: long against waking a thread
Call = Callable[[], object]


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


def measure(family: str, name: str, cores: Sequence[int], rounds: int) -> dict[str, Any] | None:
    """Time one case in this process, in which no thread is started yet.

    Returns what the result holds of it, None where it moves too few bytes. Raises `FsaError` as
    `click.ClickException`, which passes from one process to another.
    """
    os.sched_setaffinity(0, cores)
    try:
        subject = subject_of(family, name)
        return None if subject is None else _measured(subject, cores, rounds)
    except FsaError as error:
        raise click.ClickException(f"{name}: {error}") from None


def _measured(subject: Subject, cores: Sequence[int], rounds: int) -> dict[str, Any]:
    calls: dict[str, Call] = {}
    results: list[Any] = []
    for label, used in (("one", cores[:1]), ("all", cores)):
        module = _on(used, subject.compile)
        calls[f"case {label}"] = _call(module, subject.inputs)
        results.append(module(*subject.inputs))
        for kind, probe in _probes(subject, len(used)).items():
            made = _on(used, partial(fsa.compile, probe.module, target="cpu"))
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
    """Raise where one core and several do not agree (sums may be added in another order)."""
    alone, together = ([r] if not isinstance(r, tuple | list) else r for r in results)
    for one, several in zip(alone, together, strict=True):
        a, b = (np.asarray(r).astype(np.float64) for r in (one, several))
        if not np.allclose(a, b, rtol=1e-4, atol=1e-5 * (1 + np.abs(a).max(initial=0))):
            raise click.ClickException(
                f"{subject.name}: one core and several give different numbers"
            )


def _polling() -> int | None:
    return int(HALT_POLLING.read_text()) if HALT_POLLING.exists() else None


def _line(row: Mapping[str, Any]) -> str:
    seconds = row["median_seconds"]
    return (
        f"{row['name'][:52]:52} {seconds['case one'] * 1e6:9.1f} -> "
        f"{seconds['case all'] * 1e6:9.1f} us  gain {row['gains']['case']:.2f}  "
        f"{row['limit']} {row['gains'][row['limit']]:.2f}  share {row['share']:.0%}"
    )


def _cores(_: object, __: object, text: str) -> list[int]:
    """Read the option `--cores`."""
    usable = sorted(os.sched_getaffinity(0))
    given = [core.strip() for core in text.split(",")]
    used = [int(core) for core in given if core.isdecimal()]
    if len(used) < max(2, len(given)) or len(set(used)) < len(used) or not {*used} <= {*usable}:
        raise click.BadParameter(
            f"expected at least two different cores of {usable}, separated by commas, found {text}"
        )
    return used


def _families(_: object, __: object, text: str | None) -> list[str]:
    """Read the option `--families`."""
    known = list(names())
    given = known if text is None else [family.strip() for family in text.split(",")]
    for family in given:
        if family not in known:
            raise click.BadParameter(f"expected families of {', '.join(known)}, found {family!r}")
    return given


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--cores", default="0,1", show_default=True, callback=_cores, help="The first is the one core."
)
@click.option("--rounds", default=11, show_default=True, type=click.IntRange(min=1))
@click.option(
    "--families", callback=_families, help="Families, separated by commas; by default all."
)
@click.option("--only", default="", help="Cases whose name has one of these texts, with commas.")
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), default=OUTPUT, show_default=True
)
def main(cores: list[int], rounds: int, families: list[str], only: str, output: Path) -> None:
    """Time the cases and probes on one core and on several, in turns."""
    wanted = [
        (family, name)
        for family, every in names().items()
        for name in every
        if family in families and any(text in name for text in only.split(","))
    ]
    document = documents.begin(
        "python benchmarks/cores.py",
        cores=cores,
        rounds=rounds,
        guest_halt_poll_ns=_polling(),
        rows=[],
    )
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as pool:
        for family, name in wanted:
            row = pool.submit(measure, family, name, cores, rounds).result()
            if row is not None:
                document["rows"].append(row)
                click.echo(_line(row))
    if not document["rows"]:
        raise click.UsageError(
            f"expected cases that move {LEAST_BYTES} bytes or more, found none whose name has "
            f"one of {only!r} in {', '.join(families)}; nothing is written"
        )
    try:
        documents.save(document, output)
        documents.write(output.with_suffix(".md"), page(document))
    except FsaError as error:
        raise click.ClickException(str(error)) from None


if __name__ == "__main__":
    main()
