"""The cases of `benchmarks/cores.py`, by family and name; each is made in a process of its own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

import fsa

MATMULS = ((512, 512, 512), (1024, 1024, 1024), (1024, 1024, 4096), (2048, 2048, 2048))
ROUTINGS = ("capsule-routing-b1", "capsule-routing-b32", "capsule-mn1")
LEAST_BYTES = 1 << 20  # a memory-bound case that moves less has no work for a second core
Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Subject:
    """A case: `compile` makes its module for the cores that the process may use at that time."""

    name: str
    family: str
    inputs: tuple[Array, ...]
    compile: Callable[[], Any]
    moved: int  # bytes that it reads and writes at least
    arithmetic: str = "fma"


def _nothing(name: str) -> Subject:
    one = np.zeros(1, np.float32)
    text = "func.func @main(%x: tensor<1xf32>) -> tensor<1xf32> {\n"
    text += "%y = math.absf %x : tensor<1xf32>\nreturn %y : tensor<1xf32>\n}"
    return Subject(name, "launch", (one,), partial(fsa.compile, text, target="cpu"), 8)


def _routing(name: str) -> Subject:
    from fsa.benchmarks.cases import case_of

    case = case_of(name)

    def build() -> Any:
        return fsa.compile(case.module(), target="cpu")

    return Subject(case.summary, "capsule", case.inputs(), build, case.work.bytes)


def _matmul(name: str) -> Subject:
    from fsa.benchmarks.binarized_modules import left_of, source, weights_of

    sizes = _matmuls()[name]
    weights, left = weights_of(sizes), left_of(sizes)

    def build() -> Any:
        return fsa.compile(source(sizes, weights, 1), target="cpu")

    moved = weights.nbytes + left.nbytes + 4 * sizes[0] * sizes[1]
    return Subject(name, "binarized", (left,), build, moved, "popcount")


def _matmuls() -> dict[str, tuple[int, int, int]]:
    return {f"binarized matmul {m}x{n}x{k}": (m, n, k) for m, n, k in MATMULS}


def _problem(family: str, name: str) -> Subject:
    from fsa.benchmarks.stitching import PROBLEMS, Contest, compile_stitched

    (problem,) = (problem for problem in PROBLEMS if problem.name == name)
    contest = Contest(problem, "f32", ())

    def build() -> Any:
        return compile_stitched(contest.imported())

    passed = zip(contest.arrays, problem.inputs, strict=True)
    arrays = tuple(array for array, given in passed if not given.fixed)
    return Subject(name, family, arrays, build, contest.bytes)


def _windowed(name: str) -> Subject:
    from fsa.benchmarks.convolution import LAYERS, onnx_model

    layers = {layer.name: layer for layer in LAYERS}
    if name not in layers:
        return _problem("windowed", name)
    layer = layers[name]
    model = onnx_model(layer)
    x = np.random.default_rng(1).standard_normal((1, layer.channels, *layer.size), np.float32)
    weights = sum(len(each.raw_data) for each in model.graph.initializer)
    results = x.size // layer.stride ** len(layer.size)
    build = partial(fsa.compile, model, target="cpu")
    return Subject(name, "windowed", (x,), build, x.nbytes + weights + 4 * results)


def names() -> dict[str, tuple[str, ...]]:
    """Return the names of the cases of each family."""
    from fsa.benchmarks.cases.memory_bound import PROBLEMS
    from fsa.benchmarks.cases.windowed import WINDOWED
    from fsa.benchmarks.convolution import LAYERS

    windows = [layer.name for layer in LAYERS if 1 < layer.groups == layer.channels]
    return {
        "launch": ("launch",),
        "capsule": ROUTINGS,
        "binarized": tuple(_matmuls()),
        "stitching": tuple(p.name for p in PROBLEMS if "f32" in p.dtypes),
        "windowed": (*(problem.name for problem in WINDOWED), *windows),
    }


def subject_of(family: str, name: str) -> Subject | None:
    """Return the case of a family by its name, None where it moves too few bytes."""
    makers: Mapping[str, Callable[[str], Subject]] = {
        "launch": _nothing,
        "capsule": _routing,
        "binarized": _matmul,
        "stitching": partial(_problem, "stitching"),
        "windowed": _windowed,
    }
    subject = makers[family](name)
    small = family in ("stitching", "windowed") and subject.moved < LEAST_BYTES
    return None if small else subject
