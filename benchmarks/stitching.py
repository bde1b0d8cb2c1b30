"""Memory-bound computations on one core: FSA's stitched regions, IREE, TorchInductor and XLA.

Contenders run in turns in one process on one core, beside a copy of as many bytes as the case reads
and writes (`copy`, NumPy's `copyto` between buffers that exist), FSA's kernels on data that the
second cache holds (`arithmetic`: less a call, by the number of elements), and a call of IREE's
runtime with as many tensors of one number, which it adds up as IREE compiles it (`call`). The limit
of a case is the call and the slower of the other two, named after what takes most of it;
`arithmetic` is one of FSA's code, which slow code raises, not of the machine, so the page counts
everything against the copy alone as well. A ratio is the median over the rounds of a peer's time by
FSA's in the same round: above 1, FSA is faster. The share of a copy is such a ratio, the share of a
limit the ratio of two medians. Times are processor time of the process. Each case has a process of
its own: what allocators hold from earlier cases does not count.
Run: `python benchmarks/stitching.py`. Writes `benchmarks/results/stitching_cpu.json`, and a page
beside it; `--keep` keeps what an earlier run wrote there of cases that this one leaves out.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np

import fsa
from fsa.benchmarks import documents, machine, plain_iree
from fsa.benchmarks.cases.in_cache import in_cache, share
from fsa.benchmarks.cases.memory_bound import PROBLEMS as STITCHED
from fsa.benchmarks.cases.memory_bound import Problem
from fsa.benchmarks.cases.windowed import WINDOWED
from fsa.benchmarks.stitching_report import check, page, summary
from fsa.benchmarks.timing import Timing, time_in_turns
from fsa.errors import FsaError, InputError
from fsa.frontend.model import read_model

OUTPUT = Path(__file__).parent / "results" / "stitching_cpu.json"
ELEMENTS: dict[str, Any] = {"f32": np.float32, "f16": np.float16, "bf16": ml_dtypes.bfloat16}
# |found - reference| relative to the largest |reference|, as far as the result's type allows.
TOLERANCES = {"f32": 2e-5, "f16": 4e-3, "bf16": 3e-2}
# Windows are planned first, so that their kernels keep the element-wise ops behind them.
PIPELINE = (
    "fsa-attach-target{target=cpu},fsa-clean-up,fsa-plan-convolution,"
    "fsa-form-stitched-regions{min-ops=1},fsa-to-cpu"
)
PEERS = ("iree", "inductor", "xla")
PRELOADED = ("fsa.benchmarks.stitching", "jax", "torch._inductor.compile_fx")
PROBLEMS = (*STITCHED, *WINDOWED)
Array = np.ndarray[Any, Any]


def _tuple(result: Any) -> tuple[Any, ...]:
    return tuple(result) if isinstance(result, tuple | list) else (result,)


def _to_torch(array: Array) -> Any:
    import torch

    if array.dtype == ml_dtypes.bfloat16:
        return torch.from_numpy(array.view(np.int16).copy()).view(torch.bfloat16)
    return torch.from_numpy(array.copy())


def _wide(result: Any) -> Array:
    """Return a result of any contender in float64."""
    if hasattr(result, "detach"):
        result = result.detach().double().numpy()
    elif hasattr(result, "numpy"):
        result = result.numpy()
    return np.asarray(result).astype(np.float64)


def compile_stitched(imported: Any) -> Any:
    """Return a problem compiled for this CPU with everything in regions that can be in one."""
    return fsa.compile(imported, target="cpu", pipeline=PIPELINE)


class Contest:
    """One problem in one dtype: its arguments, its reference and its contenders."""

    def __init__(self, problem: Problem, dtype: str, wanted: Sequence[str]):
        self.problem, self.dtype = problem, dtype
        self.arrays = tuple(
            given.draw(seed, ELEMENTS[dtype]) for seed, given in enumerate(problem.inputs)
        )
        self.tensors = tuple(map(_to_torch, self.arrays))
        wide = tuple(t.double() if t.is_floating_point() else t for t in self.tensors)
        self.reference = [_wide(r) for r in _tuple(problem.torch(*wide))]
        outputs = _tuple(problem.torch(*self.tensors))
        self.bytes = sum(a.nbytes for a in self.arrays) + sum(t.nbytes for t in outputs)
        self.calls: dict[str, Callable[[], Any]] = {}
        self.deviations: dict[str, float] = {}
        self.absent: dict[str, str] = {}
        for name in wanted:
            try:
                call = getattr(self, f"_{name}")()
                self.deviations[name] = self._deviation(_tuple(call()))
                self.calls[name] = call
            except Exception as error:  # a contender that fails is a result
                self.absent[name] = (str(error).strip().splitlines() or [repr(error)])[0][:200]
        source = np.ones(max(self.bytes // 2, 1), np.uint8)
        target = np.empty_like(source)
        self.calls["copy"] = lambda: np.copyto(target, source)

    def _deviation(self, found: tuple[Any, ...]) -> float:
        worst = 0.0
        for got, expected in zip(found, self.reference, strict=True):
            difference = np.abs(_wide(got).reshape(expected.shape) - expected)
            worst = max(worst, float(difference.max()) / (float(np.abs(expected).max()) or 1.0))
        return worst

    def _given(self, values: Sequence[Any], fixed: bool = False) -> list[Any]:
        """Return those of `values`, one an argument, that are passed in calls, or are fixed."""
        inputs = self.problem.inputs
        return [v for v, given in zip(values, inputs, strict=True) if given.fixed == fixed]

    def _with_fixed(self, passed: Sequence[Any], fixed: Sequence[Any]) -> list[Any]:
        """Return all arguments in their order."""
        of_call, known = iter(passed), iter(fixed)
        return [next(known if given.fixed else of_call) for given in self.problem.inputs]

    def _as_module(self) -> Any:
        """Return the problem as a PyTorch module, whose buffers are the fixed arguments."""
        import torch

        contest = self

        class Wrapped(torch.nn.Module):
            def __init__(self) -> None:
                super().__init__()
                fixed = contest._given(contest.tensors, fixed=True)
                self.names = [f"fixed_{number}" for number in range(len(fixed))]
                for name, value in zip(self.names, fixed, strict=True):
                    self.register_buffer(name, value)

            def forward(self, *arguments: Any) -> Any:
                fixed = [getattr(self, name) for name in self.names]
                return contest.problem.torch(*contest._with_fixed(arguments, fixed))

        return Wrapped()

    def imported(self) -> Any:
        """Return the problem as FSA reads it from PyTorch."""
        return read_model(self._as_module(), tuple(self._given(self.tensors)))

    def _of_module(self, module: Any) -> Callable[[], Any]:
        module.wanted_device = "cpu:sync"
        resident = [module.to_device(array) for array in self._given(self.arrays)]
        return lambda: module(*resident)

    def _fsa(self) -> Callable[[], Any]:
        return self._of_module(compile_stitched(self.imported()))

    def _iree(self) -> Callable[[], Any]:
        return self._of_module(plain_iree.compile_module(self.imported(), "cpu", "cpu:sync"))

    def _inductor(self) -> Callable[[], Any]:
        import torch

        torch.set_num_threads(1)
        options: Any = {"freezing": True} if self._given(self.tensors, fixed=True) else None
        function: Any = torch.compile(self._as_module().eval(), options=options)
        arguments = self._given(self.tensors)

        def call() -> Any:
            with torch.inference_mode():
                return function(*arguments)

        return call

    def _xla(self) -> Callable[[], Any]:
        import jax

        jax.config.update("jax_enable_x64", any(a.dtype == np.int64 for a in self.arrays))
        fixed = list(map(jax.numpy.asarray, self._given(self.arrays, fixed=True)))
        function = jax.jit(lambda *given: self.problem.jax(*self._with_fixed(given, fixed)))
        arguments = list(map(jax.numpy.asarray, self._given(self.arrays)))
        return lambda: jax.block_until_ready(function(*arguments))


def _median_ratio(theirs: Timing, ours: Timing) -> float:
    return statistics.median(a / b for a, b in zip(theirs.samples, ours.samples, strict=True))


def _limit(contest: Contest, timings: Mapping[str, Timing]) -> tuple[float, str]:
    """Return the seconds that the case takes at least, and what most of them are for.

    They are those of a call, and of a copy or of the arithmetic, where that is known.
    """
    call = timings["call"].median
    work = {"copy": timings["copy"].median}
    smaller = in_cache(contest.problem)
    if smaller is not None and "in_cache" in timings:
        seconds = max(timings["in_cache"].median - call, 0.0)
        work["arithmetic"] = seconds * share(contest.problem, smaller)
    longest = max(work, key=lambda name: work[name])
    return call + work[longest], longest if work[longest] > call else "call"


def _next_to_nothing(arguments: int, results: int) -> str:
    """Return a function that adds its arguments, of one number each, and a number a result."""
    one = "tensor<1xf32>"
    given = ", ".join(f"%a{n}: {one}" for n in range(arguments))
    lines = [f"%s0 = arith.addf %a0, %a0 : {one}"]
    lines += [f"%s{n} = arith.addf %s{n - 1}, %a{n} : {one}" for n in range(1, arguments)]
    for n in range(results):
        lines.append(f"%c{n} = arith.constant dense<{n + 1}.0> : {one}")
        lines.append(f"%r{n} = arith.addf %s{arguments - 1}, %c{n} : {one}")
    returned, kinds = ", ".join(f"%r{n}" for n in range(results)), ", ".join([one] * results)
    body = "\n".join(lines)
    return f"func.func @main({given}) -> ({kinds}) {{\n{body}\nreturn {returned} : {kinds}\n}}"


def _add_limits(contest: Contest) -> None:
    """Let a call that adds a few numbers, and FSA's kernels on data in a cache, take their turns.

    The call takes and returns as many tensors as the case.
    """
    arguments = sum(not given.fixed for given in contest.problem.inputs)
    text = _next_to_nothing(arguments, len(contest.reference))
    call = plain_iree.compile_text(text, "cpu", "cpu:sync")
    ones = [call.to_device(np.ones(1, np.float32)) for _ in range(arguments)]
    contest.calls["call"] = lambda: call(*ones)
    smaller = in_cache(contest.problem)
    if smaller is None or "fsa" not in contest.calls:
        return
    made = Contest(smaller, contest.dtype, ["fsa"])
    if "fsa" in made.calls:
        contest.calls["in_cache"] = made.calls["fsa"]


def run_case(
    problem: Problem, dtype: str, wanted: Sequence[str], rounds: int, sample_seconds: float
) -> dict[str, Any]:
    """Time one problem in one dtype; return what the result file holds of it."""
    contest = Contest(problem, dtype, wanted)
    _add_limits(contest)
    timings = time_in_turns(
        contest.calls,
        rounds=rounds,
        sample_seconds=sample_seconds,
        clock=time.process_time,
        warm=True,
    )
    ours = timings.get("fsa")
    wrong = [n for n, d in contest.deviations.items() if not d <= TOLERANCES[dtype]]
    rivals = [name for name in timings if name in PEERS and name not in wrong]
    best = min(rivals, key=lambda name: timings[name].median, default=None)
    case: dict[str, Any] = {
        "name": problem.name,
        "dtype": dtype,
        "bytes": contest.bytes,
        "median_seconds": {name: timing.median for name, timing in timings.items()},
        "spread": {name: timing.spread for name, timing in timings.items()},
        "deviation": contest.deviations,
        "wrong": wrong,
        "absent": contest.absent,
    }
    if ours is not None:
        case["ratio"] = {n: _median_ratio(timings[n], ours) for n in timings if n != "fsa"}
        case["share_of_copy"] = case["ratio"]["copy"]
        least, case["limit"] = _limit(contest, timings)
        case["share_of_limit"] = least / ours.median
        case["best_peer"] = best
        case["ratio_to_best"] = case["ratio"][best] if best else None
        if best:
            case["best_peer_share_of_limit"] = least / timings[best].median
    return case


def _line(case: Mapping[str, Any]) -> str:
    ours = case["median_seconds"].get("fsa", float("nan"))
    ratios = "  ".join(
        f"{name} {case['ratio'][name]:5.2f}" if name in case.get("ratio", {}) else f"{name}   -  "
        for name in PEERS
    )
    notes = [f"wrong: {','.join(case['wrong'])}"] if case["wrong"] else []
    notes += [f"{name}: {why}" for name, why in case["absent"].items()]
    return (
        f"{case['name']:29} {case['dtype']:4} {ours * 1e6:10.1f} us  "
        f"copy {case.get('share_of_copy', float('nan')):5.0%}  "
        f"{case.get('limit', '-'):10} {case.get('share_of_limit', float('nan')):5.0%}  {ratios}  "
        f"best {case.get('ratio_to_best') or float('nan'):5.2f} {'; '.join(notes)}"
    )


def _run_named(name: str, dtype: str, *how: Any) -> dict[str, Any]:
    """Run the case of a name, in the process of one case."""
    (problem,) = (problem for problem in PROBLEMS if problem.name == name)
    return run_case(problem, dtype, *how)


def _in_process(name: str, dtype: str, options: argparse.Namespace) -> dict[str, Any]:
    """Run one case in a process of its own, a fork of one that has only imported packages."""
    context = get_context("forkserver")
    context.set_forkserver_preload(list(PRELOADED))
    wanted = ["fsa", *(name for name in options.peers.split(",") if name)]
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        how = wanted, options.rounds, options.sample_seconds
        return pool.submit(_run_named, name, dtype, *how).result()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--sample-seconds", type=float, default=0.02)
    parser.add_argument("--peers", default=",".join(PEERS), help="peers, with commas")
    parser.add_argument("--dtypes", default=",".join(ELEMENTS), help="dtypes, with commas")
    parser.add_argument("--only", default="", help="problems whose name has one of these texts")
    parser.add_argument("--core", type=int, help="the core to run on, by default the highest")
    parser.add_argument("--keep", action="store_true", help="keep other cases of the result file")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="the result file")
    return parser.parse_args()


def main() -> None:
    """Measure the problems; print a table and write the result file."""
    try:
        _measure(_options())
    except FsaError as error:
        raise SystemExit(f"error: {error}") from None


def _measure(options: argparse.Namespace) -> None:
    before = _kept(options.output) if options.keep else None
    pinned = machine.pin(options.core)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    document = documents.begin(
        "python benchmarks/stitching.py",
        pinned_core=pinned,
        rounds=options.rounds,
        cases=[],
    )
    if before is not None:
        document["command"] = f"{before['command']} && {document['command']}"
    measured: list[Any] = []
    for problem in PROBLEMS:
        if not any(text in problem.name for text in options.only.split(",")):
            continue
        for dtype in options.dtypes.split(","):
            if dtype in problem.dtypes:
                measured.append(_in_process(problem.name, dtype, options))
                print(_line(measured[-1]), flush=True)
                document["cases"] = _merged(before["cases"] if before else (), measured)
                document["summary"] = summary(document["cases"])
                documents.save(document, options.output)
    documents.write(options.output.with_suffix(".md"), page(document))


def _kept(path: Path) -> Any:
    """Return the document of an earlier run, None where there is none.

    Raises `InputError` for one that the page cannot read, before hours of measuring.
    """
    if not path.exists():
        return None
    try:
        found = documents.read(path)
        check(found)
    except InputError as error:
        raise InputError(
            f"cannot keep what is in {path}: {error}; measure without --keep, or into another file"
        ) from None
    return found


def _merged(before: Sequence[Any], cases: Sequence[Any]) -> list[Any]:
    """Return the new cases and, of those from before, the others, in their order."""
    known = {(c["name"], c["dtype"]): c for c in [*before, *cases]}
    order = [(p.name, dtype) for dtype in ELEMENTS for p in PROBLEMS]
    return [known[key] for key in order if key in known]


if __name__ == "__main__":
    main()
