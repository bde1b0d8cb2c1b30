"""One benchmark run: probes, then each case with all its contenders in turns."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from fsa.benchmarks import documents, gpu_probe, machine
from fsa.benchmarks.case import Case, deviation
from fsa.benchmarks.limits import floor_seconds
from fsa.benchmarks.peers.base import Peer, Prepared, Unavailable
from fsa.benchmarks.timing import Clock, time_in_turns

Progress = Callable[[str], None]


def run_case(
    case: Case,
    peers: Sequence[Peer],
    target: str,
    *,
    rates: Mapping[str, float],
    rounds: int = 15,
    sample_seconds: float = 0.05,
    progress: Progress = lambda _: None,
    clock: Clock = time.perf_counter,
    warm: bool = False,
) -> dict[str, Any]:
    """Prepare, check and time every contender of `case`; return what a result file holds of it.

    A contender whose result deviates from the reference by more than the case allows is not timed.
    """
    expected = case.reference(*case.inputs())
    ready: dict[str, Prepared] = {}
    deviations: dict[str, float] = {}
    absent: list[dict[str, str]] = []
    for peer in peers:
        progress(f"{case.name}: preparing {peer.label}")
        try:
            prepared = _prepare(peer, case, target)
            deviations[peer.name] = deviation(prepared.result, expected)
            if not deviations[peer.name] <= case.tolerance:
                raise Unavailable(
                    f"expected a deviation of at most {case.tolerance:g} from the reference, "
                    f"found {deviations[peer.name]:.3g}"
                )
            ready[peer.name] = prepared
        except Unavailable as reason:
            absent.append({"name": peer.name, "label": peer.label, "reason": str(reason)})
    progress(f"{case.name}: timing {len(ready)} contenders in {rounds} rounds")
    calls = {name: prepared.call for name, prepared in ready.items()}
    timings = time_in_turns(
        calls, rounds=rounds, sample_seconds=sample_seconds, clock=clock, warm=warm
    )
    labels = {peer.name: peer.label for peer in peers}
    floor = floor_seconds(case.work, rates)
    return {
        "name": case.name,
        "family": case.family,
        "summary": case.summary,
        "work": vars(case.work),
        "floor_seconds": floor[0] if floor else None,
        "floor_limit": floor[1] if floor else None,
        "contenders": [
            {
                "name": name,
                "label": labels[name],
                "median_seconds": timing.median,
                "best_seconds": timing.best,
                "spread": timing.spread,
                "calls_a_sample": timing.calls,
                "samples_seconds": list(timing.samples),
                "deviation": deviations[name],
            }
            for name, timing in timings.items()
        ],
        "absent": absent,
    }


def _prepare(peer: Peer, case: Case, target: str) -> Prepared:
    kind = target.partition(":")[0]
    if kind not in peer.kinds:
        raise Unavailable(f"it runs on {', '.join(peer.kinds)} here, not on {kind}")
    return peer.prepare(case, target)


def measure_probes(
    target: str, rounds: int, sample_seconds: float, clock: Clock = time.perf_counter
) -> list[dict[str, Any]]:
    """Measure the machine's limits in turns: all of a CPU, the copy rate of an NVIDIA GPU."""
    if target.startswith("cuda"):
        return gpu_probe.copy_probe(rounds)
    if not target.startswith("cpu"):
        return []
    from fsa.benchmarks import probes
    from fsa.runtime.compile import compile_module
    from fsa.runtime.targets import Target

    described = Target.parse(target)
    made = probes.probes(described)
    calls: dict[str, Callable[[], object]] = {}
    for probe in made:
        module = compile_module(probe.module, described)
        arguments = [module.to_device(array) for array in probe.inputs]
        calls[probe.name] = _bound(module, arguments)
    timings = time_in_turns(calls, rounds=rounds, sample_seconds=sample_seconds, clock=clock)
    return [
        {
            "name": probe.name,
            "unit": f"{probe.unit}/s",
            "rate": probe.amount / timings[probe.name].median,
            "median_seconds": timings[probe.name].median,
            "amount": probe.amount,
        }
        for probe in made
    ]


def _bound(module: Any, arguments: Sequence[Any]) -> Callable[[], object]:
    return lambda: module(*arguments)


def run(
    cases: Iterable[Case],
    peers: Sequence[Peer],
    target: str,
    *,
    command: str,
    rounds: int = 15,
    sample_seconds: float = 0.05,
    clock: str = "wall",
    warm: bool = False,
    core: int | None = None,
    progress: Progress = lambda _: None,
) -> dict[str, Any]:
    """Run the benchmark and return the document that a result file holds.

    For a CPU target the process is pinned to one core first, so all contenders run on one. `clock`
    "cpu" counts the seconds that this process runs, with all its threads, instead of all. `warm` is
    as for `time_in_turns`.
    """
    counted = time.process_time if clock == "cpu" else time.perf_counter
    pinned = machine.pin(core) if target.startswith("cpu") else None
    progress("measuring what the machine can do")
    limits = measure_probes(target, rounds, sample_seconds, counted)
    rates = {limit["name"]: limit["rate"] for limit in limits}
    return documents.head(command) | {
        "target": target,
        "pinned_core": pinned,
        "rounds": rounds,
        "clock": clock,
        "warm": warm,
        "probes": limits,
        "cases": [
            run_case(
                case,
                peers,
                target,
                rates=rates,
                rounds=rounds,
                sample_seconds=sample_seconds,
                progress=progress,
                clock=counted,
                warm=warm,
            )
            for case in cases
        ],
    }
