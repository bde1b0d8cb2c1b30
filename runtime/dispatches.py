"""Which kernels one call of a module launches, as IREE's own profiler records them.

Counting ops in the IR would miss what IREE fuses, splits or hoists; this runs the module once under
stock `iree-run-module` with profiling on and reads the record.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fsa.errors import FsaError

# The drivers offer different records: host spans on the CPU, device events on GPUs.
_MODES = {"local-sync": "host-execution", "vulkan": "dispatch-events", "cuda": "dispatch-events"}
DRIVERS = {"cpu": "local-sync", "vulkan": "vulkan", "cuda": "cuda"}
_ONCE = "_initializer"  # kernels that prepare constants when the module is loaded


def count(module: Path, kind: str, inputs: Sequence[Any], function: str = "main") -> dict[str, int]:
    """Return kernel name -> launches for one call of `function` of a `.vmfb` file.

    `kind` is "cpu", "vulkan" or "cuda", `inputs` are arrays and numbers. Kernels that run only when
    the module is loaded are left out. Raises `FsaError` when the module does not run.
    """
    driver = DRIVERS[kind]
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder) / "calls.ireeprof"
        flags = [f"--module={module}", f"--function={function}", f"--device={driver}", "--output="]
        flags += [*_inputs(Path(folder), inputs), *_recording(driver, record)]
        _run("iree_run_module", flags)
        rows = _run("iree_profile", ["dispatch", "--format=jsonl", str(record)])
    return parse(rows)


@dataclass(frozen=True)
class Kernel:
    """What one kernel takes of a call: how often it is launched, and seconds in all.

    `fastest` are the seconds of its fastest launch, which other work on the machine disturbs least.
    """

    name: str
    launches: int
    seconds: float
    fastest: float = 0.0


def times(
    module: Path,
    kind: str,
    inputs: Sequence[Any],
    function: str = "main",
    calls: int = 10,
) -> list[Kernel]:
    """Return what each kernel takes of one call of `function`, the longest first.

    Means over `calls` calls under stock `iree-benchmark-module`. Raises `FsaError` when the module
    does not run.
    """
    driver = DRIVERS[kind]
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder) / "calls.ireeprof"
        flags = [f"--module={module}", f"--function={function}", f"--device={driver}"]
        flags += _inputs(Path(folder), inputs)
        flags += [f"--benchmark_min_time={calls}x", *_recording(driver, record)]
        _run("iree_benchmark_module", flags)
        rows = _run("iree_profile", ["dispatch", "--format=jsonl", str(record)])
    found = [
        Kernel(
            row["key"],
            row["count"] // calls,
            row["total_ns"] * 1e-9 / calls,
            row["min_ns"] * 1e-9,
        )
        for row in _groups(rows)
    ]
    return sorted(found, key=lambda kernel: -kernel.seconds)


def parse(rows: str) -> dict[str, int]:
    """Return kernel name -> launches from the lines that `iree-profile dispatch` prints."""
    found: dict[str, int] = {}
    for row in _groups(rows):
        found[row["key"]] = found.get(row["key"], 0) + row["count"]
    return found


def _groups(rows: str) -> list[dict[str, Any]]:
    """Return the row of each kernel, without those that only run when the module is loaded."""
    decoded = [json.loads(line) for line in rows.splitlines()]
    return [
        row
        for row in decoded
        if row["type"].endswith("dispatch_group") and not row["key"].startswith(_ONCE)
    ]


def _inputs(folder: Path, inputs: Sequence[Any]) -> list[str]:
    """Write arrays to files; return the flags that name them, and those of numbers."""
    import numpy as np

    flags: list[str] = []
    for number, array in enumerate(inputs):
        if isinstance(array, int | float):
            flags.append(f"--input={array}")
            continue
        path = folder / f"{number}.npy"
        np.save(path, array)
        flags.append(f"--input=@{path}")
    return flags


def _recording(driver: str, record: Path) -> list[str]:
    return [
        f"--device_profiling_mode={_MODES[driver]}",
        f"--device_profiling_output={record}",
    ]


def _run(tool: str, arguments: Sequence[str]) -> str:
    command = [sys.executable, "-m", f"iree._runtime.scripts.{tool}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode != 0:
        reason = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise FsaError(f"{tool.replace('_', '-')} failed: {reason[-1] if reason else 'no reason'}")
    return done.stdout
