"""The benchmark's memory-bound problems in small and odd sizes, through FSA, against float64."""

from pathlib import Path

import memory_bound_cases as cases
import numpy as np
import pytest
from memory_bound_cases import HALF, PROBLEMS, Problem
from op_execution import LONG, assemble, capable_target, has_ptxas, ptx_of

from fsa.runtime.compile import compile_to_vmfb, lower
from fsa.runtime.targets import Target

pytest.importorskip("torch")


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)
def test_problem(problem: Problem) -> None:
    dtype = problem.dtypes[0]
    cases.check(problem, dtype, cases.arguments(problem, dtype), "cpu")


@pytest.mark.parametrize("dtype", ["f16", "bf16"])
@pytest.mark.parametrize("name", HALF)
def test_problem_in_half_precision(name: str, dtype: str) -> None:
    problem = cases.problem_called(name)
    cases.check(problem, dtype, cases.arguments(problem, dtype), "cpu")


def _vulkan(problem: Problem, dtype: str) -> str:
    """Return the default target where it takes odd counts of narrow elements, else a named one."""
    narrow = dtype != "f32" or problem.name.startswith("cross-entropy")  # which compares labels
    target = capable_target() if narrow else "vulkan"
    if target is None:
        pytest.skip("no known Vulkan target has 16-bit storage on this device")
    return target


def _on_vulkan() -> list[tuple[Problem, str]]:
    """Return every problem in its first type, and the others in turns (all in the long mode)."""
    found: list[tuple[Problem, str]] = []
    for number, problem in enumerate(PROBLEMS):
        found.append((problem, problem.dtypes[0]))
        others = problem.dtypes[1:]
        if LONG:
            found += [(problem, dtype) for dtype in others]
        elif others and number % 4 == 0:
            found.append((problem, others[number // 4 % len(others)]))
    return found


@pytest.mark.vulkan
@pytest.mark.parametrize(("problem", "dtype"), _on_vulkan(), ids=lambda v: getattr(v, "name", v))
def test_problem_on_vulkan(problem: Problem, dtype: str) -> None:
    cases.check(problem, dtype, cases.arguments(problem, dtype), _vulkan(problem, dtype))


SOME = cases.one_of_each()[:: 1 if LONG else 4]
# The importer writes a maximum of two tensors as a comparison, which drops NaN, and torch's own
# variance makes NaN of an infinity: these say nothing of a kernel.
LOSE_NAN = ("chain", "splat", "statistics")
# torch-mlir crashes on an empty tensor seen as a vector.
WITH_ROWS = [problem for problem in SOME if not problem.name.startswith("irregular-root")]
SPECIAL = [p for p in cases.one_of_each() if not p.name.startswith(LOSE_NAN)][:: 1 if LONG else 4]


@pytest.mark.vulkan
@pytest.mark.parametrize("problem", SOME, ids=lambda problem: problem.name)
def test_sizes_of_one_on_vulkan(problem: Problem) -> None:
    dtype = problem.dtypes[0]
    arrays = cases.arguments(problem, dtype, cases.ONES)
    cases.check(problem, dtype, arrays, _vulkan(problem, dtype))


@pytest.mark.vulkan
@pytest.mark.parametrize("problem", WITH_ROWS, ids=lambda problem: problem.name)
def test_no_rows_on_vulkan(problem: Problem) -> None:
    dtype = problem.dtypes[0]
    sizes = {**cases.SMALLER, problem.inputs[0].shape[0]: 0}
    arrays = cases.arguments(problem, dtype, sizes)
    cases.check(problem, dtype, arrays, _vulkan(problem, dtype))


@pytest.mark.vulkan
@pytest.mark.parametrize("problem", SPECIAL, ids=lambda problem: problem.name)
def test_special_values_on_vulkan(problem: Problem) -> None:
    dtype = problem.dtypes[0]
    arrays = cases.arguments(problem, dtype)
    values = arrays[0].reshape(-1)
    for number, special in enumerate((np.nan, np.inf, -np.inf)):
        values[(values.size - 1) * number // 2] = special
    cases.check(problem, dtype, arrays, _vulkan(problem, dtype))


def _for_cuda() -> list[tuple[Problem, str]]:
    """Return some problems in turns of the types, all of them in the long mode."""
    pairs = [(problem, dtype) for problem in PROBLEMS for dtype in problem.dtypes]
    return pairs[:: 1 if LONG else 10]


@pytest.mark.parametrize(("problem", "dtype"), _for_cuda(), ids=lambda v: getattr(v, "name", v))
def test_problem_compiles_for_cuda(problem: Problem, dtype: str, tmp_path: Path) -> None:
    module = cases.imported(problem, cases.arguments(problem, dtype))
    target = Target.parse("cuda")
    programs = ptx_of(compile_to_vmfb(lower(module, target, cases.pipeline("cuda")), target))
    assert programs
    if has_ptxas:
        complaints = [assemble(ptx, tmp_path) for ptx in programs]
        assert not any(complaints), "\n".join(filter(None, complaints))
