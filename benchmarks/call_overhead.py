"""What a call costs in Python: FSA's against IREE's own with prepared argument lists.

Contenders run in turns in one process, on a function of 16 elements. `prepared` invokes with an
argument list that was built before and a new result list; `resident` is an FSA call with device
tensors, `numpy` one with NumPy arrays, which adds the conversion both ways. Inline devices are
timed in processor time of the thread, which other processes disturb less.

Run: `python benchmarks/call_overhead.py`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import fsa


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


def measure(
    contenders: dict[str, Callable[[], Any]], rounds: int, calls: int, clock: Callable[[], float]
) -> dict[str, float]:
    """Return the median over `rounds` of the time of one call in microseconds."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, call in contenders.items():
            began = clock()
            for _ in range(calls):
                call()
            times[name].append((clock() - began) / calls * 1e6)
    return {name: statistics.median(values) for name, values in times.items()}


def main() -> None:
    """Measure each device and number of arguments; print a table or JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=41)
    parser.add_argument("--calls", type=int, default=500)
    parser.add_argument("--device", action="append", help="default: cpu:sync and cpu:task")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for device in options.device or ["cpu:sync", "cpu:task"]:
        for count in (1, 4):
            module = fsa.compile(program(count), device.partition(":")[0])
            module.wanted_device = device
            arrays = [np.full(16, i, np.float32) for i in range(count)]
            resident = [module.to_device(array) for array in arrays]
            found = measure(
                {
                    "prepared": prepared(module, resident),
                    "resident": lambda m=module, r=resident: m(*r),
                    "numpy": lambda m=module, a=arrays: m(*a),
                },
                options.rounds,
                options.calls,
                time.thread_time if device == "cpu:sync" else time.perf_counter,
            )
            rows.append({"device": device, "arguments": count, **found})
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    print("device    args  prepared us  resident us  ratio  numpy us")
    for row in rows:
        print(
            f"{row['device']:9} {row['arguments']:4}  {row['prepared']:11.2f}  "
            f"{row['resident']:11.2f}  {row['resident'] / row['prepared']:5.2f}  "
            f"{row['numpy']:8.2f}"
        )


if __name__ == "__main__":
    main()
