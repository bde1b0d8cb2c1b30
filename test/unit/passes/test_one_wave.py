"""Regions in one launch with barriers over the device: right, never larger than a wave, fresh."""

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import stitched_cases as cases
from gpu_simulator import Simulator
from op_execution import ptx_of

import fsa
from fsa.errors import FsaError
from fsa.frontend.mlir import read_mlir
from fsa.runtime.compile import compile_to_vmfb, lower
from fsa.runtime.targets import Target

# Few threads: each is one of the host.
SMALL = replace(Target.parse("cuda"), max_workgroup_size=32)
CASES = {
    "whole-sum": lambda: cases.whole_sum((7, 13)),
    "rows-then-columns": lambda: cases.rows_then_columns(13, 21),
}


def _pipeline(workgroups: int) -> str:
    return (
        f"fsa-form-stitched-regions{{min-ops=1}},fsa-plan-stitching{{one-wave={workgroups}}},"
        "fsa-stitched-to-gpu,convert-fsa-to-linalg"
    )


def _grids(module: Any) -> list[int]:
    """Return the workgroups of every launch."""
    text = str(module)
    numbers = re.findall(r"(%\w+) = arith.constant (\d+) : index", text)
    known = {name: int(number) for name, number in numbers}
    return [known[name] for name in re.findall(r'"fsa.launch"\((%\w+)', text)]


@pytest.mark.parametrize("workgroups", [1, 3])
@pytest.mark.parametrize("name", CASES)
def test_a_wave_is_right_and_does_not_hang(name: str, workgroups: int) -> None:
    """All workgroups run at once, on threads of the host; a wait without end fails the test."""
    case = CASES[name]()
    module = lower(read_mlir(case.text), SMALL, _pipeline(workgroups))
    assert _grids(module) == [workgroups]
    simulator = Simulator(module)
    for _ in range(2):
        found = simulator.run_main(module, [np.asarray(a) for a in case.arguments])
        for got, want in zip(found, case.expected, strict=True):
            np.testing.assert_allclose(got, want, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("name", CASES)
def test_every_workgroup_is_resident(name: str) -> None:
    """A workgroup that can be launched at all fits a multiprocessor, and each gets only one."""
    target = Target.parse("cuda:sm_80")
    module = lower(read_mlir(CASES[name]().text), target, _pipeline(target.multiprocessors))
    (grid,) = _grids(module)
    assert grid == target.multiprocessors
    text = str(module)
    # Arrivals that a barrier waits for are those of whole grids.
    arrivals = [int(n) for n in re.findall(r"cmpi ult, %\w+, %c(\d+)_i32", text)]
    assert arrivals
    assert all(n % grid == 0 for n in arrivals)
    (threads,) = map(int, re.findall(r"workgroup_size = array<i64: (\d+), 1, 1>", text))
    assert threads <= target.max_workgroup_size
    buffers = re.findall(r"memref<(\d+)(?:x(\d+))?xf32, #gpu.address_space<workgroup>>", text)
    assert sum(4 * int(a) * int(b or 1) for a, b in set(buffers)) <= target.workgroup_memory_bytes


def test_more_workgroups_than_multiprocessors_are_refused() -> None:
    target = Target.parse("cuda:sm_80")
    with pytest.raises(FsaError, match=r"expected one_wave to be 1 to 108.*found 109"):
        lower(read_mlir(CASES["whole-sum"]().text), target, _pipeline(109))


def _sum_and_quotient(n: int) -> str:
    """Return the text of x divided by the sum of all its elements, for argument `n`."""
    return f"""
      %s{n} = linalg.generic {{indexing_maps = [#all, #none],
          iterator_types = ["reduction", "reduction"]}}
          ins(%x{n} : tensor<7x13xf32>) outs(%z : tensor<f32>) {{
      ^bb0(%v: f32, %a: f32):
        %t = arith.addf %v, %a : f32
        linalg.yield %t : f32
      }} -> tensor<f32>
      %y{n} = linalg.generic {{indexing_maps = [#all, #none, #all],
          iterator_types = ["parallel", "parallel"]}}
          ins(%x{n}, %s{n} : tensor<7x13xf32>, tensor<f32>) outs(%e : tensor<7x13xf32>) {{
      ^bb0(%v: f32, %a: f32, %o: f32):
        %t = arith.divf %v, %a : f32
        linalg.yield %t : f32
      }} -> tensor<7x13xf32>"""


def test_waves_run_one_after_another() -> None:
    """Each takes the counter of the one before, so that two never share the device."""
    text = f"""
    #all = affine_map<(a, b) -> (a, b)>
    #none = affine_map<(a, b) -> ()>
    func.func @main(%x0: tensor<7x13xf32>, %x1: tensor<7x13xf32>)
        -> (tensor<7x13xf32>, tensor<7x13xf32>) {{
      %zero = arith.constant 0.0 : f32
      %none = tensor.empty() : tensor<f32>
      %e = tensor.empty() : tensor<7x13xf32>
      %z = linalg.fill ins(%zero : f32) outs(%none : tensor<f32>) -> tensor<f32>
      {_sum_and_quotient(0)}
      {_sum_and_quotient(1)}
      return %y0, %y1 : tensor<7x13xf32>, tensor<7x13xf32>
    }}"""
    module = str(lower(read_mlir(text), SMALL, _pipeline(2)))
    found = re.findall(r'(%\w+):\d+ = "fsa.launch"\(%\w+, %\w+, %\w+, (%\w+(?:#\d)?)', module)
    (first, zeros), (_, before) = found
    assert f"{zeros} = arith.constant dense<0> : tensor<1xi32>" in module
    assert before == f"{first}#0"


def test_atomics_order_memory_and_stand_between_barriers() -> None:
    target = Target.parse("cuda")
    module = lower(read_mlir(CASES["rows-then-columns"]().text), target, _pipeline(128))
    (ptx,) = ptx_of(compile_to_vmfb(module, target))
    steps = re.findall(r"\n\s+(?:@\S+ )?(bar\.sync|atom\.[\w.]+)", ptx)
    atomics = [n for n, step in enumerate(steps) if step.startswith("atom.acq_rel")]
    assert len(atomics) == 2  # one arrives, one waits
    first, last = atomics
    assert last == first + 1
    assert steps[first - 1] == steps[last + 1] == "bar.sync"


COUNTED = """
gpu.module @kernels {
  gpu.func @count(%x: memref<1xi32>, %counter: memref<1xi32>, %seen: memref<1xi32>) kernel {
    %zero = arith.constant 0 : index
    %one = arith.constant 1 : i32
    %before = memref.atomic_rmw addi %one, %counter[%zero] : (i32, memref<1xi32>) -> i32
    memref.store %before, %seen[%zero] : memref<1xi32>
    gpu.return
  }
}
func.func @main(%x: tensor<1xi32>) -> (tensor<1xi32>, tensor<1xi32>, tensor<1xi32>) {
  %c1 = arith.constant 1 : index
  %a:2 = "fsa.launch"(%c1, %c1, %c1, %x) {SEGMENTS} : (index, index, index, tensor<1xi32>)
      -> (tensor<1xi32>, tensor<1xi32>)
  %b:2 = "fsa.launch"(%c1, %c1, %c1, %a#0) {SEGMENTS} : (index, index, index, tensor<1xi32>)
      -> (tensor<1xi32>, tensor<1xi32>)
  return %a#1, %b#1, %b#0 : tensor<1xi32>, tensor<1xi32>, tensor<1xi32>
}
"""
SEGMENTS = (
    "fsa.zeroed = 1 : i64, kernel = @kernels::@count, workgroup_size = array<i64: 1, 1, 1>, "
    f"operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1{', 0' * 31}>, "
    f"resultSegmentSizes = array<i32: 1, 1{', 0' * 14}>"
)


@pytest.mark.vulkan
def test_a_counter_is_zero_at_every_launch() -> None:
    text = COUNTED.replace("SEGMENTS", SEGMENTS)
    module = fsa.compile(text, target="vulkan", pipeline="canonicalize,cse")
    for _ in range(3):
        first, second, counter = module(np.array([7], np.int32))
        assert (int(first[0]), int(second[0]), int(counter[0])) == (0, 0, 1)
