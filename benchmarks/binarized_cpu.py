"""Binarized matmuls, convolutions and a network on one core: FSA's kernels against f32 and int8.

Contenders run in turns in one process on one core, and multiply the same numbers: FSA packed bits,
NumPy's BLAS f32 (`blas`), torch int8 (`int8`), ONNX Runtime f32 (`ort`), and packed bits with the
kernels of bnn-lab and Larq (`bnn-lab`, `larq`), where these are installed: `binarized_peers` says
how, and a line says why one is missing. Weights are constants for FSA and ONNX Runtime. `popcount`
is FSA's probe of the machine's vector population count, where the target has one; `of_popcount` is
the share of its rate that a case reaches. A ratio is the median over the rounds of a peer's time by
FSA's in the same round: above 1, FSA is faster. Results of FSA are compared with BLAS or ONNX
Runtime first, number for number.

FSA's calls take and give NumPy arrays, and as `fsa-resident`, for matmuls and the digit MLP,
tensors on the device; bnn-lab's write into the same array each time.

Times are processor time of the calling thread, on which all contenders run, calls from Python
included; Larq's is that of the convolution alone, in a process of its own on the same core. Run
`python benchmarks/binarized_cpu.py`; for AVX2, with the same instructions for BLAS and bnn-lab,
`OPENBLAS_CORETYPE=Haswell BNN_KERNEL=avx2 python benchmarks/binarized_cpu.py --target cpu:haswell
--group matmul`. Writes `benchmarks/results/binarized_cpu.json`, or what `--output` names.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsa
from fsa.benchmarks import documents, machine
from fsa.benchmarks.binarized_cases import Case, conv_case, matmul_case, mlp_case
from fsa.benchmarks.binarized_peers import Clock
from fsa.benchmarks.probes import probes
from fsa.benchmarks.timing import Timing, time_in_turns
from fsa.runtime.targets import Target

OUTPUT = Path(__file__).parent / "results" / "binarized_cpu.json"
RESTRICTIONS = ("OPENBLAS_CORETYPE", "BNN_KERNEL")  # the instructions that peers may use
MATMULS = (
    (1024, 1024, 4096),
    (1, 1024, 1024),
    (1, 4096, 4096),
    (4, 1024, 1024),
    (64, 1024, 1024),
    (512, 512, 512),
    (1024, 10, 1024),
    (33, 65, 1000),
)
CHANNELS = (64, 128, 256, 320, 512, 640)

Call = Callable[[], Any]


def cases(groups: set[str], target: str, clock: Clock) -> Iterator[Case]:
    """Yield the cases of the chosen groups: mlp, matmul, conv."""
    if "mlp" in groups:
        yield mlp_case(target)
    if "matmul" in groups:
        for sizes in MATMULS:
            yield matmul_case(sizes, target)
    if "conv" in groups:
        for channels in CHANNELS:
            yield conv_case(channels, target, clock)


def _probe(target: str) -> tuple[Call, int] | None:
    """Return the probe of the vector population count, and the 64-bit words that it counts."""
    found = [probe for probe in probes(Target.parse(target)) if probe.name == "popcount"]
    if not found:
        return None
    (probe,) = found
    module = fsa.compile(probe.module, target=target)
    return lambda: module(*probe.inputs), probe.amount


def _ratios(timings: dict[str, Timing], theirs: str, mine: str) -> list[float]:
    """Return how many times as long as `mine` `theirs` took, round by round."""
    pairs = zip(timings[theirs].samples, timings[mine].samples, strict=True)
    return [their / my for their, my in pairs]


def run_case(
    case: Case, probe: Any, rounds: int, sample_seconds: float, clock: Clock
) -> dict[str, Any]:
    """Time one case; return what the result file holds of it."""
    calls = dict(case.calls)
    if probe is not None:
        calls["popcount"] = probe[0]
    timings = time_in_turns(
        calls, rounds=rounds, sample_seconds=sample_seconds, clock=clock, warm=True
    )
    ours = timings["fsa"].samples
    made: dict[str, Any] = {
        "name": case.name,
        "words": case.words,
        "median_seconds": {name: timing.median for name, timing in timings.items()},
        "spread": {name: timing.spread for name, timing in timings.items()},
    }
    for mine in ("fsa", "fsa-resident"):
        for name in timings if mine in timings else ():
            if name not in ("fsa", "fsa-resident", "popcount"):
                made[f"{name}_by_{mine}"] = statistics.median(_ratios(timings, name, mine))
    if probe is not None:
        pairs = zip(timings["popcount"].samples, ours, strict=True)
        made["of_popcount"] = statistics.median(
            case.words / probe[1] * limit / mine for limit, mine in pairs
        )
    return made


def main() -> None:
    """Measure the cases; print a table and write the result file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--sample-seconds", type=float, default=0.02)
    parser.add_argument("--target", default="cpu", help="what FSA compiles for")
    parser.add_argument("--group", default="mlp,matmul,conv", help="groups of cases, with commas")
    parser.add_argument("--core", type=int, help="the core to run on, by default the highest")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="the result file")
    options = parser.parse_args()
    prefix = [f"{name}={os.environ[name]}" for name in RESTRICTIONS if name in os.environ]
    document = documents.begin(
        shlex.join([*prefix, "python", "benchmarks/binarized_cpu.py"]),
        pinned_core=machine.pin(options.core),
        rounds=options.rounds,
        target=options.target,
        cases=[],
    )
    options.output.parent.mkdir(parents=True, exist_ok=True)
    probe = _probe(options.target)
    clock = Clock()
    for case in cases(set(options.group.split(",")), options.target, clock):
        made = run_case(case, probe, options.rounds, options.sample_seconds, clock)
        document["cases"].append(made)
        options.output.write_text(json.dumps(document, indent=1) + "\n")
        ratios = "  ".join(
            f"{name} {value:.2f}" for name, value in made.items() if isinstance(value, float)
        )
        print(f"{case.name:36} {made['median_seconds']['fsa'] * 1e6:9.1f} us  {ratios}", flush=True)


if __name__ == "__main__":
    main()
