"""Who takes part in a row of the model table, prepared and timed in turns in one process."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from fsa.benchmarks.model_worker import COMPILED, expected_results, scaled_error
from fsa.benchmarks.peers.base import Unavailable, require
from fsa.benchmarks.timing import time_in_turns

# Of the largest number of each result. A contender that is further off is not timed.
TOLERANCE = 1e-4
LABELS = {
    "fsa": "FSA",
    "torch": "PyTorch eager",
    "inductor": "TorchInductor",
    "onnxruntime": "ONNX Runtime",
    "iree": "IREE O3",
    "iree-best": "IREE best flags",
}
# Flags beside those of the target. Of the two forms of data tiling in IREE 3.13 this one is the
# faster. At its default limit of stack memory IREE refuses models with attention or long rows.
IREE_FLAGS = {
    "iree": ("--iree-opt-level=O3",),
    "iree-best": (
        "--iree-opt-level=O3",
        "--iree-opt-data-tiling=true",
        "--iree-global-opt-use-im2col-for-convs=true",
        "--iree-llvmcpu-fail-on-out-of-bounds-stack-allocation=false",
    ),
}

Prepared = tuple[Callable[[], object], list[Any]]


def _compiled_module(path: Path, instance: Any) -> Prepared:
    """Load a module; its arguments lie on the device, and results stay there."""
    from fsa.runtime.module import Module

    if not path.exists():
        reason = path.with_suffix(".txt")
        raise Unavailable(reason.read_text() if reason.exists() else "it was not compiled")
    module = Module(path.read_bytes(), "cpu:sync")
    arguments = [module.to_device(value) for value in instance.arrays()]
    results = module(*arguments)
    packed = results if isinstance(results, tuple) else (results,)
    return lambda: module(*arguments), [np.array(result.numpy()) for result in packed]


def _pytorch(instance: Any, compiled: bool) -> Prepared:
    if instance.is_onnx:
        raise Unavailable("the model is an ONNX file")
    torch = require("torch", "torch")
    torch.set_num_threads(1)
    function: Any = torch.compile(instance.source) if compiled else instance.source

    def call() -> Any:
        with torch.inference_mode():
            return function(*instance.inputs)

    results = call()
    packed = results if isinstance(results, tuple) else (results,)
    return call, [value.numpy() for value in packed]


@contextmanager
def _plain_attention(model: Any) -> Generator[None]:
    """Let transformers write attention as matmuls and softmax: torch.onnx knows those alone."""
    configs = {id(c): c for part in model.modules() if (c := getattr(part, "config", None))}
    before = {key: config._attn_implementation for key, config in configs.items()}
    for config in configs.values():
        config._attn_implementation = "eager"
    try:
        yield
    finally:
        for key, config in configs.items():
            config._attn_implementation = before[key]


def onnx_bytes(instance: Any) -> bytes:
    """Return the model as ONNX, operator set 18, its inputs named x0, x1, ..."""
    import torch

    def export() -> bytes:
        names = [f"x{number}" for number in range(len(instance.inputs))]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.onnx"
            torch.onnx.export(
                instance.source,
                instance.inputs,
                path,
                dynamo=False,
                opset_version=18,
                input_names=names,
            )
            return path.read_bytes()

    try:
        return export()
    except AssertionError:  # says that it has no form for attention with grouped queries
        with _plain_attention(instance.source):
            return export()


def _onnx_runtime(instance: Any) -> Prepared:
    """One thread, inputs and outputs bound beforehand."""
    runtime = require("onnxruntime", "onnx")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    source = str(instance.source) if instance.is_onnx else onnx_bytes(instance)
    session = runtime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    binding = session.io_binding()
    # An exported graph keeps no input that does not matter, such as one that is shadowed.
    known = {value.name for value in session.get_inputs()}
    names = instance.input_names or [f"x{number}" for number in range(len(instance.inputs))]
    for name, array in zip(names, instance.arrays(), strict=True):
        if name in known:
            binding.bind_cpu_input(name, np.ascontiguousarray(array))
    for output in session.get_outputs():
        binding.bind_output(output.name)

    def call() -> object:
        return session.run_with_iobinding(binding)

    call()
    return call, binding.copy_outputs_to_cpu()


def _prepare(name: str, instance: Any, folder: Path) -> Prepared:
    if name == "onnxruntime":
        return _onnx_runtime(instance)
    if name in ("torch", "inductor"):
        return _pytorch(instance, compiled=name == "inductor")
    file = COMPILED.format(target="cpu" if name == "fsa" else name)
    return _compiled_module(folder / file, instance)


def measure(
    instance: Any, folder: Path, *, rounds: int, sample_seconds: float, contenders: list[str]
) -> dict[str, Any]:
    """Prepare, check and time the contenders; return what a row holds of them.

    `folder` holds the compiled modules; where one is missing, a text file says why.
    """
    expected = expected_results(instance)
    calls: dict[str, Callable[[], object]] = {}
    found: dict[str, dict[str, Any]] = {}
    absent: dict[str, str] = {}
    for name in contenders:
        start = time.perf_counter()
        try:
            call, results = _prepare(name, instance, folder)
            error = scaled_error(results, expected)
            if not error <= TOLERANCE:
                raise Unavailable(f"wrong result: off by {error:.2g} of the output's scale")
        except Exception as reason:
            lines = str(reason).strip().splitlines() or [type(reason).__name__]
            absent[name] = lines[0][:300]
            continue
        calls[name] = call
        found[name] = {"error": error, "prepare_seconds": time.perf_counter() - start}
    timings = time_in_turns(calls, rounds=rounds, sample_seconds=sample_seconds)
    for name, timing in timings.items():
        found[name] |= {
            "median_seconds": timing.median,
            "best_seconds": timing.best,
            "spread": timing.spread,
            "calls": timing.calls * len(timing.samples),
        }
    return {"contenders": found, "absent": absent}
