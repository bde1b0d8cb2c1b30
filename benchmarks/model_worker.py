"""One step of one row of the model table, in a process of its own.

`python -m fsa.benchmarks.model_worker STEP MODEL SIZE FOLDER` does the step and writes what it
found to FOLDER/STEP.json. A process of its own has a peak of memory that can be asked for, and
a model that crashes or runs out of memory does not end the table.
"""

from __future__ import annotations

import json
import resource
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fsa.benchmarks import machine

IMPORTED = "import.mlirbc"  # in the row's folder: the model as plain IREE gets it
COMPILED = "{target}.vmfb"
# Bytes that compiling may take beside four times the weights.
ALLOWANCE = 1 << 30


def scaled_error(results: list[Any], expected: list[Any]) -> float:
    """Return the largest difference of any result, as a share of that result's largest number.

    Results of another number or shape are infinitely wrong.
    """
    import numpy as np

    if len(results) != len(expected):
        return float("inf")
    worst = 0.0
    for got, want in zip(results, expected, strict=True):
        if got.shape != want.shape:
            return float("inf")
        difference = np.abs(got.astype(np.float64) - want).max()
        scale = np.abs(want).max()
        error = float(difference / scale) if scale else float(difference)
        worst = max(worst, float("inf") if np.isnan(error) else error)
    return worst


def expected_results(instance: Any) -> list[Any]:
    """Return what PyTorch, for an ONNX file ONNX Runtime, computes, as arrays."""
    if instance.is_onnx:
        import onnxruntime

        session = onnxruntime.InferenceSession(str(instance.source))
        feeds = dict(zip(instance.input_names, instance.inputs, strict=True))
        return list(session.run(None, feeds))
    import torch

    with torch.inference_mode():
        results = instance.source(*instance.inputs)
    return [value.numpy() for value in (results if isinstance(results, tuple) else (results,))]


def _weights_bytes(instance: Any) -> int:
    """Return the size of the weights, each counted once; of an ONNX file, the size of the file."""
    if instance.is_onnx:
        return instance.source.stat().st_size
    tensors = [*instance.source.parameters(), *instance.source.buffers()]
    return sum({value.data_ptr(): value.nbytes for value in tensors}.values())


def _peak_bytes() -> int:
    """Return the largest memory that this process, or a child that has ended, had resident."""
    mine, children = (
        resource.getrusage(who).ru_maxrss
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return max(mine, children) * 1024


def _import_and_compile(instance: Any, target: str, folder: Path) -> tuple[dict[str, Any], Any]:
    import fsa
    from fsa.frontend.model import read_model

    start = time.perf_counter()
    imported = read_model(instance.source, **instance.options())
    between = time.perf_counter()
    module = fsa.compile(imported, target=target, cache=False)
    path = folder / COMPILED.format(target=target)
    module.save(path)
    found = {
        "import_seconds": between - start,
        "compile_seconds": time.perf_counter() - between,
        "module_bytes": path.stat().st_size,
    }
    return found, imported


def _compile(instance: Any, folder: Path) -> dict[str, Any]:
    """Import and compile for the CPU; leave the import for plain IREE."""
    start = _peak_bytes()
    found, imported = _import_and_compile(instance, "cpu", folder)
    weights, peak = _weights_bytes(instance), _peak_bytes()
    imported.operation.write_bytecode(str(folder / IMPORTED))
    return found | {
        "weights_bytes": weights,
        "before_bytes": start,
        "peak_bytes": peak,
        "limit_bytes": 4 * weights + ALLOWANCE,
    }


def _check_vulkan(instance: Any, folder: Path) -> dict[str, Any]:
    """Compile for Vulkan, run once on the default device and compare."""
    import numpy as np

    import fsa
    from fsa.runtime.devices import open_device

    description = open_device("vulkan").info.description
    found, _ = _import_and_compile(instance, "vulkan", folder)
    module = fsa.load(folder / COMPILED.format(target="vulkan"))
    results = module(*instance.arrays())
    arrays = [np.asarray(r) for r in (results if isinstance(results, tuple) else (results,))]
    return found | {
        "device": description,
        "error": scaled_error(arrays, expected_results(instance)),
    }


def _time(instance: Any, folder: Path) -> dict[str, Any]:
    """Time the contenders in turns."""
    from fsa.benchmarks import model_contenders

    settings = json.loads((folder / "settings.json").read_text())
    return model_contenders.measure(instance, folder, **settings)


STEPS: dict[str, Callable[[Any, Path], dict[str, Any]]] = {
    "compile": _compile,
    "vulkan": _check_vulkan,
    "time": _time,
}


def main(step: str, name: str, size: str, folder: Path) -> int:
    """Do one step, write its answer; return the exit code, 1 after a failure, which is named."""
    from fsa.errors import FsaError

    core: int | None = None
    if step != "vulkan":  # a software device may use all cores; it is not timed
        core = machine.pin()  # before any library counts cores or starts threads
    warnings.simplefilter("ignore")
    try:
        from fsa.benchmarks.models import model

        entry = model(name)
        if (missing := entry.missing()) is not None:
            raise FsaError(missing)
        answer = STEPS[step](entry.build(size), folder)
    except Exception as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        reason = lines[0] if isinstance(error, FsaError) else f"{type(error).__name__}: {lines[0]}"
        (folder / f"{step}.json").write_text(json.dumps({"reason": reason}))
        return 1
    (folder / f"{step}.json").write_text(json.dumps(answer | {"core": core}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3], Path(sys.argv[4])))
