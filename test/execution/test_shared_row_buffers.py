"""Regions whose values take turns in the memory of row buffers come out right on every device."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from gpu_simulator import Simulator
from normalization_chains import less_one_place, normalizations, table_and_rows, tables
from op_execution import ptx_of
from stitched_cases import Case

import fsa
from fsa.frontend.mlir import read_mlir
from fsa.passes.stitching.limits import buffer_budget
from fsa.runtime.compile import compile_to_vmfb, lower
from fsa.runtime.targets import Target

FORM = "fsa-form-stitched-regions{min-ops=1},fsa-plan-stitching"
# Rows of which three fit the budget at once, by target.
THIRD = {kind: buffer_budget(Target.parse(kind)) // 12 for kind in ("cpu", "vulkan", "cuda")}
CASES: dict[str, Callable[[str], Case]] = {
    "long": lambda kind: normalizations(5, THIRD[kind], 6),
    "long-dynamic": lambda kind: normalizations(7, THIRD[kind] | 1, 6, dynamic=True),
    "odd": lambda _: normalizations(37, 131, 4),
    "few": lambda _: normalizations(2, 131, 4),
    "one-element": lambda _: normalizations(3, 1, 3),
    "packed": lambda _: normalizations(67, 40, 3),
    "f16": lambda _: normalizations(6, 131, 4, "f16"),
    "tables": lambda _: tables(5, 33, 17),
    "table-and-rows": lambda _: table_and_rows(9, 13, 21),
    "one-place": lambda _: less_one_place(6, 130, 3),
    "one-place-packed": lambda _: less_one_place(67, 40, 3),
}


def _pipeline(kind: str) -> str:
    device = "cpu" if kind == "cpu" else "gpu"
    return f"{FORM},fsa-stitched-to-{device},convert-fsa-to-linalg"


def _compare(case: Case, found: Any) -> None:
    found = found if isinstance(found, tuple | list) else (found,)
    for got, want in zip(map(np.asarray, found), case.expected, strict=True):
        loose = 2e-2 if got.dtype == np.float16 else 2e-5
        np.testing.assert_allclose(got.astype(np.float64), want, rtol=loose, atol=loose)


@pytest.mark.parametrize("name", CASES)
def test_on_a_cpu(name: str) -> None:
    case = CASES[name]("cpu")
    module: Any = fsa.compile(case.text, target="cpu", pipeline=_pipeline("cpu"))
    _compare(case, module(*case.arguments))


@pytest.mark.vulkan
@pytest.mark.parametrize("name", [name for name in CASES if name != "f16"])
def test_on_vulkan(name: str) -> None:
    case = CASES[name]("vulkan")
    module: Any = fsa.compile(case.text, target="vulkan", pipeline=_pipeline("vulkan"))
    _compare(case, module(*case.arguments))


@pytest.mark.parametrize("name", ["long", "long-dynamic", "f16", "tables"])
def test_compile_for_cuda(name: str) -> None:
    text, target = CASES[name]("cuda").text, Target.parse("cuda:sm_80")
    binary = compile_to_vmfb(lower(read_mlir(text), target, _pipeline("cuda")), target)
    assert any("bar.sync" in program for program in ptx_of(binary))


@pytest.mark.parametrize("name", ["few", "tables", "table-and-rows"])
def test_threads_of_a_gpu_wait_before_memory_is_written_again(name: str) -> None:
    """Each thread is one of the host, and runs ahead wherever no barrier stops it."""
    case = CASES[name]("cuda")
    module = lower(read_mlir(case.text), Target.parse("cuda"), _pipeline("cuda"))
    _compare(case, Simulator(module).run_main(module, list(case.arguments)))
