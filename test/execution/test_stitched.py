"""Stitched regions through kernels, on every device, against NumPy and the portable lowering."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import stitched_cases as cases
from op_execution import LONG, assemble, has_ptxas, ptx_of

import fsa
from fsa.frontend.mlir import read_mlir
from fsa.runtime.compile import compile_to_vmfb, lower
from fsa.runtime.targets import Target

FORM = "fsa-form-stitched-regions{min-ops=1}"


def _pipeline(kind: str) -> str:
    device = "cpu" if kind == "cpu" else "gpu"
    return f"{FORM},fsa-plan-stitching,fsa-stitched-to-{device},convert-fsa-to-linalg"


def _tolerance(expected: np.ndarray, actual: np.ndarray) -> dict[str, float]:
    if actual.dtype.kind in "iub":
        return {"rtol": 0, "atol": 0}
    eps = {2: 2e-3 if actual.dtype == np.float16 else 1.6e-2, 4: 2e-5, 8: 1e-12}
    return {"rtol": eps[actual.dtype.itemsize], "atol": eps[actual.dtype.itemsize]}


def _launches(text: str, kind: str) -> int:
    return str(lower(read_mlir(text), Target.parse(kind), _pipeline(kind))).count('"fsa.launch"')


def _check(case: cases.Case, kind: str, launches: int = 1) -> None:
    found = _launches(case.text, kind)
    assert found == launches, f"expected {launches} launches, found {found}"
    module = fsa.compile(case.text, target=kind, pipeline=_pipeline(kind))
    actual: Any = module(*case.arguments)
    actual = actual if isinstance(actual, tuple | list) else (actual,)
    for got, want in zip(actual, case.expected, strict=True):
        got = np.asarray(got)
        assert got.shape == np.shape(want)
        loose = _tolerance(want, got)
        if got.dtype.kind not in "iub":
            got, want = got.astype(np.float64), np.asarray(want, np.float64)
        np.testing.assert_allclose(got, want, **loose)


KINDS = ["cpu", pytest.param("vulkan", marks=pytest.mark.vulkan)]
CASES = {
    "softmax": lambda: cases.softmax((3, 7, 53)),
    "softmax-one": lambda: cases.softmax((1, 1, 1)),
    "softmax-outputs": lambda: cases.softmax((2, 3, 67), all_outputs=True),
    "softmax-bf16": lambda: cases.softmax((2, 4, 34), "bf16"),
    "softmax-dynamic-rows": lambda: cases.softmax((3, 7, 53), dynamic=(True, True, False)),
    "softmax-dynamic": lambda: cases.softmax((3, 7, 53), dynamic=(True, True, True)),
    "layer-norm": lambda: cases.layer_norm_gelu(5, 771),
    "layer-norm-dynamic": lambda: cases.layer_norm_gelu(5, 771, (True, True)),
    "layer-norm-dynamic-rows": lambda: cases.layer_norm_gelu(7, 16, (True, False)),
    "column-sum": lambda: cases.column_sum(33, 17),
    "column-sum-centred": lambda: cases.column_sum(33, 17, normalize=True),
    "chain": lambda: cases.chain((3, 17)),
    "chain-1": lambda: cases.chain((1,)),
    "chain-1000": lambda: cases.chain((1000,)),
    "chain-dynamic": lambda: cases.chain((5, 3, 19), dynamic=True),
    "transposed": lambda: cases.transposed(19, 35),
    "symmetric": lambda: cases.symmetric(21),
    "arg-max": lambda: cases.arg_max(37, 45),
    "group-norm": lambda: cases.group_norm(2, 9, 3, 5),
    "scalar-f32": lambda: cases.scaled((3, 5), "f32", -1.5),
    "scalar-i32": lambda: cases.scaled((3, 5), "i32", -7),
    "booleans": lambda: cases.booleans(8, 36),
    "integers": lambda: cases.integers(9, 37),
    "row-sum-dynamic": lambda: cases.row_sum(6, 41, dynamic=True),
}
# Narrow elements of odd counts: Vulkan without 8- and 16-bit storage reads words of 32 bits.
NARROW = {
    "softmax-f16": lambda: cases.softmax((2, 5, 33), "f16"),
    "softmax-bf16": lambda: cases.softmax((2, 5, 33), "bf16"),
    "chain-f16": lambda: cases.chain((5, 19), "f16"),
    "booleans": lambda: cases.booleans(9, 37),
}
TWO_KERNELS = {
    "whole-sum": lambda: cases.whole_sum((7, 13)),
    "rows-then-columns": lambda: cases.rows_then_columns(13, 21),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", CASES)
def test_one_kernel(name: str, kind: str) -> None:
    _check(CASES[name](), kind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", TWO_KERNELS)
def test_global_values_cross_between_kernels(name: str, kind: str) -> None:
    _check(TWO_KERNELS[name](), kind, launches=2)


@pytest.mark.parametrize("name", NARROW)
def test_narrow_elements(name: str) -> None:
    _check(NARROW[name](), "cpu")


# Code for a GPU takes long to generate; what the kernels compute is tested on Vulkan.
ON_CUDA = [*CASES, *NARROW, *TWO_KERNELS][:: 1 if LONG else 3]


@pytest.mark.parametrize("name", ON_CUDA)
def test_assembles_for_cuda(name: str, tmp_path: Path) -> None:
    case = (CASES | NARROW | TWO_KERNELS)[name]()
    target = Target.parse("cuda")
    vmfb = compile_to_vmfb(lower(read_mlir(case.text), target, _pipeline("cuda")), target)
    programs = ptx_of(vmfb)
    assert programs
    if has_ptxas:
        for ptx in programs:
            assert assemble(ptx, tmp_path) is None


@pytest.mark.parametrize("scalar", ["f64", "i64", "index"])
def test_wide_scalars(scalar: str) -> None:
    _check(cases.scaled((3, 5), scalar, -3), "cpu")


def test_f64() -> None:
    _check(cases.column_sum(9, 21, "f64", normalize=True), "cpu")


def test_empty_rows_and_columns() -> None:
    module = fsa.compile(
        cases.row_sum(3, 5, dynamic=True).text, target="cpu", pipeline=_pipeline("cpu")
    )
    for rows, columns in [(0, 5), (3, 0), (0, 0), (3, 5)]:
        x = np.ones((rows, columns), np.float32)
        np.testing.assert_array_equal(module(x), x.sum(1))


def test_special_values() -> None:
    case = cases.softmax((1, 2, 21))
    x = case.arguments[0].copy()
    x[0, 0, 3], x[0, 1, 20] = np.nan, -np.inf
    for kind in ("cpu",):
        y = np.asarray(
            fsa.compile(case.text, target=kind, pipeline=_pipeline(kind))(x, case.arguments[1])
        )
        assert np.isnan(y[0, 0]).all()
        assert y[0, 1, 20] == 0
        assert np.isfinite(y[0, 1]).all()


@pytest.mark.parametrize("name", ["softmax", "layer-norm", "column-sum-centred", "group-norm"])
def test_agrees_with_the_portable_lowering(name: str) -> None:
    case = CASES[name]()
    kernels = fsa.compile(case.text, target="cpu", pipeline=_pipeline("cpu"))(*case.arguments)
    portable = fsa.compile(case.text, target="cpu", pipeline=f"{FORM},convert-fsa-to-linalg")(
        *case.arguments
    )
    for a, b in zip(_tuple(kernels), _tuple(portable), strict=True):
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=2e-5, atol=2e-5)


def _tuple(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, tuple | list) else (value,)


def test_transposed_layer_norm() -> None:
    """Rows in packs: what is kept of them takes more than the first cache, and 21 are no two packs.

    The sum keeps its dimension, as front ends write it.
    """
    torch: Any = pytest.importorskip("torch")

    class Normalised(torch.nn.Module):
        def forward(self, x: Any, y: Any) -> Any:
            z = x.transpose(1, 2) + y
            return torch.nn.functional.layer_norm(z, z.shape[-1:]) + z

    x, y = torch.randn(1, 517, 21), torch.randn(1, 21, 517)
    found: Any = fsa.compile(Normalised(), target="cpu", example_inputs=(x, y))(x, y)
    expected = Normalised()(x.double(), y.double())
    np.testing.assert_allclose(np.asarray(found, np.float64), expected, rtol=0, atol=2e-5)
