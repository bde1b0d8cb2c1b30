"""Which kernels one call of a module launches, as IREE's own profiler records them.

Counting ops in the IR would miss what IREE fuses, splits or hoists; this runs the module once under
stock `iree-run-module` with profiling on and reads the record.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fsa.errors import FsaError

# The drivers offer different records: host spans on the CPU, device events on GPUs.
_MODES = {"local-sync": "host-execution", "vulkan": "dispatch-events", "cuda": "dispatch-events"}
DRIVERS = {"cpu": "local-sync", "vulkan": "vulkan", "cuda": "cuda"}
_ONCE = "_initializer"  # kernels that prepare constants when the module is loaded


def count(
    module: Path, kind: str, inputs: Sequence[np.ndarray[Any, Any]], function: str = "main"
) -> dict[str, int]:
    """Return kernel name -> launches for one call of `function` of a `.vmfb` file.

    `kind` is "cpu", "vulkan" or "cuda". Kernels that run only when the module is loaded are left
    out. Raises `FsaError` when the module does not run.
    """
    driver = DRIVERS[kind]
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder) / "calls.ireeprof"
        flags = [f"--module={module}", f"--function={function}", f"--device={driver}", "--output="]
        for number, array in enumerate(inputs):
            path = Path(folder) / f"{number}.npy"
            np.save(path, array)
            flags.append(f"--input=@{path}")
        flags += [
            f"--device_profiling_mode={_MODES[driver]}",
            f"--device_profiling_output={record}",
        ]
        _run("iree_run_module", flags)
        rows = _run("iree_profile", ["dispatch", "--format=jsonl", str(record)])
    return parse(rows)


def parse(rows: str) -> dict[str, int]:
    """Return kernel name -> launches from the lines that `iree-profile dispatch` prints."""
    found: dict[str, int] = {}
    for line in rows.splitlines():
        row = json.loads(line)
        if row["type"].endswith("dispatch_group") and not row["key"].startswith(_ONCE):
            found[row["key"]] = found.get(row["key"], 0) + row["count"]
    return found


def _run(tool: str, arguments: Sequence[str]) -> str:
    command = [sys.executable, "-m", f"iree._runtime.scripts.{tool}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode != 0:
        reason = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise FsaError(f"{tool.replace('_', '-')} failed: {reason[-1] if reason else 'no reason'}")
    return done.stdout
