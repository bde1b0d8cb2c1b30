"""What a call costs in Python: FSA's against IREE's own with prepared argument lists.

Contenders run in turns in one process on one core, on a function of 16 elements. `prepared` invokes
with an argument list that was built before and a new result list; `resident` is an FSA call with
device tensors, `numpy` one with NumPy arrays, which adds the conversion both ways. Times are
processor time of the calling thread: the wait for a worker thread of `cpu:task`, which depends on
what else runs, is no cost in Python. The ratio is the median over the rounds of `resident` by
`prepared` in the same round.

Run: `python benchmarks/call_overhead.py`. Writes `benchmarks/results/call_overhead.json`.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import fsa
from fsa.benchmarks import documents, machine
from fsa.benchmarks.timing import time_in_turns

OUTPUT = Path(__file__).parent / "results" / "call_overhead.json"
LABELS = {
    "prepared": "VmContext.invoke, prepared list",
    "resident": "FSA, device tensors",
    "numpy": "FSA, NumPy arrays",
}


def program(arguments: int) -> str:
    """Return a function that adds up `arguments` vectors of 16 elements."""
    names = [f"%a{i}" for i in range(arguments)]
    lines = ["%s0 = arith.addf %a0, %a0 : tensor<16xf32>"]
    lines += [
        f"%s{i} = arith.addf %s{i - 1}, {names[i]} : tensor<16xf32>" for i in range(1, arguments)
    ]
    given = ", ".join(f"{name}: tensor<16xf32>" for name in names)
    body = "\n".join(lines)
    end = f"return %s{arguments - 1} : tensor<16xf32>"
    return f"func.func @main({given}) -> tensor<16xf32> {{\n{body}\n{end}\n}}"


def prepared(module: fsa.Module, arguments: list[Any]) -> Callable[[], Any]:
    """Return a call through `VmContext.invoke` with an argument list that was built before."""
    from iree.runtime import VmContext, VmVariantList, create_hal_module

    from fsa.runtime.devices import vm_instance

    hal = create_hal_module(vm_instance(), module.device.hal)
    context = VmContext(vm_instance(), [hal, module.vm_module])
    function: Any = module.vm_module.lookup_function("main")
    inputs = VmVariantList(len(arguments))
    for argument in arguments:
        inputs.push_ref(argument)

    def call() -> Any:
        outputs = VmVariantList(1)
        context.invoke(function, inputs, outputs)
        return outputs

    return call


def run_case(device: str, count: int, rounds: int, sample_seconds: float) -> dict[str, Any]:
    """Time a function of `count` arguments on `device`; return what the result file holds of it."""
    module = fsa.compile(program(count), target=device.partition(":")[0])
    module.wanted_device = device
    arrays = [np.full(16, i, np.float32) for i in range(count)]
    resident = [module.to_device(array) for array in arrays]
    timings = time_in_turns(
        {
            "prepared": prepared(module, resident),
            "resident": lambda: module(*resident),
            "numpy": lambda: module(*arrays),
        },
        rounds=rounds,
        sample_seconds=sample_seconds,
        clock=time.thread_time,
    )
    pairs = zip(timings["resident"].samples, timings["prepared"].samples, strict=True)
    return {
        "name": f"{device}-{count}",
        "device": device,
        "arguments": count,
        "resident_by_prepared": statistics.median(ours / bare for ours, bare in pairs),
        "numpy_conversion_seconds": timings["numpy"].median - timings["resident"].median,
        "contenders": [
            {
                "name": name,
                "label": LABELS[name],
                "median_seconds": timing.median,
                "best_seconds": timing.best,
                "spread": timing.spread,
                "calls_a_sample": timing.calls,
            }
            for name, timing in timings.items()
        ],
    }


def main() -> None:
    """Measure each device and number of arguments; print a table and write the result file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=201)
    parser.add_argument("--sample-seconds", type=float, default=0.004)
    parser.add_argument("--device", action="append", help="default: cpu:sync and cpu:task")
    parser.add_argument("--core", type=int, help="the core to run on, by default the highest")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="the result file")
    options = parser.parse_args()
    document = documents.begin(
        "python benchmarks/call_overhead.py",
        pinned_core=machine.pin(options.core),
        rounds=options.rounds,
        cases=[
            run_case(device, count, options.rounds, options.sample_seconds)
            for device in options.device or ["cpu:sync", "cpu:task"]
            for count in (1, 4)
        ],
    )
    print("device    args  prepared us  resident us  ratio  numpy us")
    for case in document["cases"]:
        bare, ours, arrays = (entry["median_seconds"] * 1e6 for entry in case["contenders"])
        print(
            f"{case['device']:9} {case['arguments']:4}  {bare:11.2f}  {ours:11.2f}  "
            f"{case['resident_by_prepared']:5.2f}  {arrays:8.2f}"
        )
    documents.save(document, options.output)


if __name__ == "__main__":
    main()
