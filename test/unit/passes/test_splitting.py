"""Long reductions to few results are cut into pieces for a GPU, and come out right."""

from typing import Any

import memory_bound_cases as cases
import numpy as np
import pytest
from gpu_simulator import Simulator

import fsa
from fsa.frontend.model import read_model
from fsa.passes.stitching import splitting
from fsa.runtime.compile import lower
from fsa.runtime.targets import Target

pytest.importorskip("torch")

SIZES = {**cases.SMALLER, 64: 2, 30_000: 64, 4096: 96, 1024: 8, 11_000: 2, 12_345: 128}
NAMES = ("row-sum 64x30000", "column-sum 4096x1024", "statistics 4096x1024", "max-neg 11000x12345")


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Split small reductions too."""
    monkeypatch.setattr(splitting, "LEAST_ELEMENTS", 64)
    monkeypatch.setattr(splitting, "TASKS_A_MULTIPROCESSOR", 1)


def _case(name: str) -> tuple[Any, list[Any], Any]:
    problem = cases.problem_called(name)
    arrays = cases.arguments(problem, "f32", SIZES)
    return cases.imported(problem, arrays), arrays, cases.expected(problem, arrays)


def _check(found: Any, expected: Any) -> None:
    for got, want in zip(found, expected, strict=True):
        np.testing.assert_allclose(np.asarray(got).reshape(want.shape), want, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_split_reductions_for_cuda(name: str) -> None:
    source, arrays, expected = _case(name)
    module = lower(source, Target.parse("cuda"), cases.pipeline("cuda"))
    assert str(module).count('"fsa.launch"') >= 2
    assert splitting.SPLIT not in str(module)
    _check(Simulator(module).run_main(module, arrays), expected)


@pytest.mark.vulkan
@pytest.mark.parametrize("name", NAMES[1:3])
def test_split_reductions_on_vulkan(name: str) -> None:
    source, arrays, expected = _case(name)
    module = fsa.compile(source, target="vulkan", pipeline=cases.pipeline("vulkan"))
    found = module(*arrays)
    _check(found if isinstance(found, tuple) else (found,), expected)


def test_rows_that_go_on_with_the_result_stay_whole() -> None:
    """A softmax of few rows is one kernel: each row divides by its sum."""
    source, _, _ = _case("softmax 12x512x512")
    module = lower(source, Target.parse("cuda"), cases.pipeline("cuda"))
    assert str(module).count('"fsa.launch"') == 1


def test_reductions_that_ask_for_their_position_stay_whole() -> None:
    """Pieces would number their elements anew: sum_j x[i, j] * j."""
    source = """
    func.func @main(%x: tensor<2x4096xf32>) -> tensor<2xf32> {
      %zero = arith.constant 0.0 : f32
      %e = tensor.empty() : tensor<2xf32>
      %f = linalg.fill ins(%zero : f32) outs(%e : tensor<2xf32>) -> tensor<2xf32>
      %y = linalg.generic {
          indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>],
          iterator_types = ["parallel", "reduction"]}
          ins(%x : tensor<2x4096xf32>) outs(%f : tensor<2xf32>) {
      ^bb0(%a: f32, %o: f32):
        %j = linalg.index 1 : index
        %w = arith.index_cast %j : index to i32
        %v = arith.sitofp %w : i32 to f32
        %p = arith.mulf %a, %v : f32
        %s = arith.addf %p, %o : f32
        linalg.yield %s : f32
      } -> tensor<2xf32>
      return %y : tensor<2xf32>
    }
    """
    module = lower(read_model(source), Target.parse("cuda"), cases.pipeline("cuda"))
    x = np.random.default_rng(1).standard_normal((2, 4096)).astype(np.float32)
    expected = x.astype(np.float64) @ np.arange(4096)
    (found,) = Simulator(module).run_main(module, [x])
    np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-4)
