"""The model zoo at its small sizes: FSA against PyTorch and ONNX Runtime, on CPU and Vulkan."""

import warnings
from typing import Any

import numpy as np
import pytest

import fsa
from fsa.benchmarks.models import Instance, Model, model, names
from fsa.errors import DeviceUnavailable
from fsa.frontend.model import read_model
from fsa.runtime.devices import open_device

# Of the largest number in an output. What is left of it below that is rounding.
TOLERANCE = 1e-4

# Models that are compiled with an open batch; the others, among them one of each of these kinds,
# have static sizes.
DYNAMIC = {"minilm", "silero-vad-op18", "llama-prefill", "mlp-mixer", "mobilenet-v3", "lstm"}
BATCHES = {"minilm": (1, 8)}
SIZES = {"minilm": "16"}


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    """PyTorch's threads would compete with the other workers of the test run."""
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def _expected(instance: Instance, inputs: tuple[Any, ...]) -> list[np.ndarray]:
    """Return what PyTorch or ONNX Runtime computes."""
    if instance.is_onnx:
        import onnxruntime

        session = onnxruntime.InferenceSession(str(instance.source))
        return session.run(None, dict(zip(instance.input_names, inputs, strict=True)))
    import torch

    with torch.no_grad():
        results = instance.source(*inputs)
    return [value.numpy() for value in (results if isinstance(results, tuple) else (results,))]


def _problems(module: Any, arrays: list[np.ndarray], expected: list[np.ndarray]) -> list[str]:
    found = module(*arrays)
    results = found if isinstance(found, tuple) else (found,)
    assert len(results) == len(expected)
    problems: list[str] = []
    for number, (got, want) in enumerate(zip(results, expected, strict=True)):
        got = np.asarray(got)
        if got.shape != want.shape or got.dtype != want.dtype:
            problems.append(f"result {number}: {got.dtype}{got.shape}, {want.dtype}{want.shape}")
            continue
        error = np.abs(got.astype(np.float64) - want).max() / np.abs(want).max()
        if not error <= TOLERANCE:
            problems.append(f"result {number}: off by {error:.2g} of its scale")
    return problems


def _runs(entry: Model, instance: Instance) -> list[tuple[Any, ...]]:
    if entry.name not in DYNAMIC:
        return [instance.inputs]
    size = SIZES.get(entry.name, "small")
    return [entry.inputs_of(size, batch) for batch in BATCHES.get(entry.name, (1, 3))]


def _why_no_vulkan() -> str | None:
    try:
        open_device("vulkan")
    except DeviceUnavailable as error:
        return str(error)
    return None


def _check_scales(results: list[np.ndarray]) -> None:
    """Random weights neither explode nor vanish, so that an error has a scale."""
    for result in results:
        spread = float(np.abs(result).max())
        assert 0.05 < spread < 50, spread


@pytest.mark.parametrize("name", names())
def test_model(name: str) -> None:
    """Each model is imported once and compiled once a target."""
    try:
        entry = model(name)
    except ImportError as error:
        pytest.skip(f"{error.name} is not installed")
    reason = entry.missing()
    if reason is not None:
        pytest.skip(reason)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        instance = entry.build(SIZES.get(name, "small"), dynamic=name in DYNAMIC)
        imported = read_model(instance.source, **instance.options())
    runs = [(inputs, _expected(instance, inputs)) for inputs in _runs(entry, instance)]
    if not instance.is_onnx:  # those are trained
        _check_scales(runs[0][1])
    targets = ["cpu"] if _why_no_vulkan() else ["cpu", "vulkan"]
    for target in targets:
        module = fsa.compile(imported, target=target, cache=False)
        for inputs, expected in runs:
            problems = _problems(module, [np.asarray(value) for value in inputs], expected)
            assert not problems, f"{target}: {problems}"
    if len(targets) == 1:
        pytest.skip(f"right on cpu; {_why_no_vulkan()}")
