"""Measure prepared modules and their rivals on the device: one case at a time, in turns.

Cases run in worker processes, since a kernel that faults takes its process with it. Needs no
compiler: IREE's run time, NumPy and PyTorch, for XLA also JAX.
"""

from __future__ import annotations

import os
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import fsa
from fsa.benchmarks.gpu_cases import Array, GpuCase, gpu_cases, to_numpy
from fsa.benchmarks.gpu_prepare import BARRIER, read_index
from fsa.benchmarks.gpu_probe import multiprocessors
from fsa.benchmarks.gpu_workers import Result, announce, answer, run_jobs
from fsa.benchmarks.precompiled import path_of
from fsa.benchmarks.timing import Timing, time_in_turns
from fsa.errors import InputError

OURS = ("fsa", BARRIER)
MODULES = (*OURS, "iree")
COMPILERS = ("inductor", "xla")
PEERS = (*MODULES[1:], *COMPILERS, "library")
# Rivals compile within it, too.
SILENCE_SECONDS = 300.0
# A rival computes in its own way, and in half precision where that is what it is for.
RIVAL_TOLERANCE = 1e-2


@dataclass(frozen=True)
class Plan:
    """What a worker does: which contenders, and for how long."""

    folder: Path
    target: str
    peers: tuple[str, ...]
    rounds: int
    sample_seconds: float


def _tuple(result: Any) -> tuple[Any, ...]:
    return tuple(result) if isinstance(result, tuple | list) else (result,)


def worst_deviation(found: Sequence[Any], expected: Sequence[Array]) -> float:
    """Return the largest difference of any result, relative to its largest |expected|."""
    if len(found) != len(expected):
        return float("inf")
    worst = 0.0
    for got, want in zip(found, expected, strict=True):
        array = to_numpy(got).astype(np.float64)
        if array.size != want.size:
            return float("inf")
        wide = want.astype(np.float64)
        difference = float(np.abs(array.reshape(want.shape) - wide).max(initial=0.0))
        scale = float(np.abs(wide).max(initial=0.0)) or 1.0
        # A NaN is no small difference.
        worst = max(worst, difference / scale if difference == difference else float("inf"))
    return worst


def check_wave(folder: Path, case: str) -> None:
    """Refuse a launch whose workgroups wait for each other, unless all are resident at once.

    Raises `InputError`: on a card with fewer multiprocessors than workgroups it would never end.
    """
    made = read_index(folder)["cases"].get(case, {}).get(BARRIER, {})
    wanted, found = made.get("workgroups"), multiprocessors()
    if wanted is None:
        raise InputError("expected the number of its workgroups in the index; prepare it again")
    if found < wanted:
        raise InputError(
            f"expected a card with at least {wanted} multiprocessors, for as many workgroups that "
            f"wait for each other, found {found}; prepare it with --multiprocessors {found}"
        )


class Contest:
    """One case on the device: its arguments, its reference, and its contenders ready to call."""

    def __init__(self, case: GpuCase, plan: Plan):
        self.case, self.plan = case, plan
        self.arrays = case.inputs()
        self.expected = case.reference(self.arrays)
        self.calls: dict[str, Callable[[], Any]] = {}
        self.deviations: dict[str, float] = {}
        self.absent: dict[str, str] = {}
        self.bytes = 0
        for name in ("fsa", *plan.peers):
            self._add(name)

    def _add(self, name: str) -> None:
        try:
            call = self._call(name)
            if call is None:
                return
            found = _tuple(call())
            self.deviations[name] = worst_deviation(found, self.expected)
            if not self.deviations[name] <= self._bound(name):
                self.absent[name] = f"wrong: off by {self.deviations[name]:.3g} of its scale"
                return
        except Exception as error:  # a contender that fails is a result
            self.absent[name] = (str(error).strip().splitlines() or [repr(error)])[0][:200]
            return
        if name in MODULES:
            results = sum(to_numpy(value).nbytes for value in found)
            self.bytes = sum(array.nbytes for array in self.arrays) + results
        self.calls[name] = call

    def _bound(self, name: str) -> float:
        if name in MODULES:
            return self.case.tolerance
        # Signs of sums that f16 rounds are other signs.
        exact = self.case.family == "binarized"
        return float("inf") if exact else max(RIVAL_TOLERANCE, self.case.tolerance)

    def _call(self, name: str) -> Callable[[], Any] | None:
        if name in MODULES:
            return self._module(name)
        form = {
            "inductor": self.case.torch, "xla": self.case.jax, "library": self.case.library
        }[name]  # fmt: skip
        if form is None:
            return None
        if not self.plan.target.startswith("cuda"):
            raise RuntimeError(f"it is no rival on {self.plan.target}")
        return self._xla(form) if name == "xla" else self._torch(form, name == "inductor")

    def _module(self, name: str) -> Callable[[], Any] | None:
        path = path_of(self.plan.folder, self.case.name, name, self.plan.target)
        if not path.exists():
            if name == BARRIER:
                return None
            raise RuntimeError("it was not compiled")
        if name == BARRIER:
            check_wave(self.plan.folder, self.case.name)
        module = fsa.load(path, self.plan.target.partition(":")[0])
        resident = [module.to_device(array) for array in self.arrays]
        return lambda: module(*resident)

    def _torch(self, form: Any, compiled: bool) -> Callable[[], Any]:
        import torch

        if not torch.cuda.is_available():
            raise RuntimeError("this torch finds no CUDA device")
        expressed = form(self.arrays)
        function: Any = torch.compile(expressed.function) if compiled else expressed.function

        def call() -> Any:
            with torch.inference_mode():
                result = function(*expressed.arguments)
            torch.cuda.synchronize()
            return result

        return call

    def _xla(self, form: Any) -> Callable[[], Any]:
        import jax

        if jax.default_backend() != "gpu":
            raise RuntimeError(f"this JAX runs on {jax.default_backend()}")
        jax.config.update("jax_enable_x64", any(a.dtype == np.int64 for a in self.arrays))
        expressed = form(self.arrays)
        function = jax.jit(expressed.function)
        arguments = tuple(map(jax.device_put, expressed.arguments))
        return lambda: jax.block_until_ready(function(*arguments))


def _copy(size: int) -> Callable[[], Any] | None:
    """Return a copy on the device that reads and writes `size` bytes in all; None without one."""
    import torch

    if not torch.cuda.is_available():
        return None
    source = torch.ones(max(size // 2, 1), dtype=torch.uint8, device="cuda")
    target = torch.empty_like(source)

    def call() -> None:
        target.copy_(source)
        torch.cuda.synchronize()

    return call


def _median_ratio(theirs: Timing, ours: Timing) -> float:
    return statistics.median(a / b for a, b in zip(theirs.samples, ours.samples, strict=True))


def run_case(case: GpuCase, plan: Plan) -> dict[str, Any]:
    """Check and time all contenders of a case; return what the result file holds of it."""
    contest = Contest(case, plan)
    calls = dict(contest.calls)
    copy = _copy(contest.bytes) if contest.bytes else None
    if copy is not None:
        calls["copy"] = copy
    timings = time_in_turns(
        calls, rounds=plan.rounds, sample_seconds=plan.sample_seconds, warm=True
    )
    row: dict[str, Any] = {
        "name": case.name,
        "family": case.family,
        "dtype": case.dtype,
        "bytes": contest.bytes,
        "depth": case.depth,
        "median_seconds": {name: t.median for name, t in timings.items()},
        "spread": {name: t.spread for name, t in timings.items()},
        "deviation": contest.deviations,
        "absent": contest.absent,
        "library": case.library_label,
        "published_seconds": case.published,
        "note": case.note,
    }
    row.update(_ratios(timings))
    return row


def _ratios(timings: Mapping[str, Timing]) -> dict[str, Any]:
    """Return how many times FSA's time each of the others takes, round by round."""
    ours = timings.get("fsa")
    if ours is None:
        return {}
    ratios = {name: _median_ratio(t, ours) for name, t in timings.items() if name != "fsa"}
    rivals = [name for name in COMPILERS if name in timings]
    best = min(rivals, key=lambda name: timings[name].median, default=None)
    return {
        "ratio": ratios,
        "share_of_copy": ratios.get("copy"),
        "best_rival": best,
        "ratio_to_best": ratios[best] if best else None,
    }


# Workers.


def work(plan: Plan, names: Sequence[str]) -> None:
    """Run the cases called `names` in this process, as a worker."""
    cases = {case.name: case for case in gpu_cases()}
    for name in names:
        announce(name)
        try:
            answer(run_case(cases[name], plan))
        except Exception as error:  # the next case may do better
            answer({"name": name, "failed": (str(error).splitlines() or [repr(error)])[0][:300]})


def measure(plan: Plan, names: Sequence[str], done: Callable[[Result], None]) -> None:
    """Run the cases in workers; call `done` with the row of each."""

    def command(left: Sequence[str]) -> list[str]:
        return [
            *(sys.executable, "-m", "fsa.benchmarks.gpu", "--work", ",".join(left)),
            *("--measure", str(plan.folder), "--peers", ",".join(plan.peers)),
            *("--rounds", str(plan.rounds), "--sample-seconds", str(plan.sample_seconds)),
        ]

    environment = {**os.environ, "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
    run_jobs(command, names, done, silence_seconds=SILENCE_SECONDS, environment=environment)
