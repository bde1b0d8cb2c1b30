"""Regions of very many ops are planned and lowered without recursion, and come out right."""

import numpy as np
import pytest

import fsa
from fsa.frontend.mlir import read_mlir
from fsa.runtime.compile import lower
from fsa.runtime.targets import Target

FORM = "fsa-form-stitched-regions,fsa-plan-stitching"
COUNT = 1000
TENSOR = "tensor<4x16xf32>"


def _chain(count: int) -> str:
    """A function of `count` ops one behind the other, and its division by the sums of its rows."""
    lines, value = list[str](), "%x"
    for k in range(count):
        op, other = ("arith.mulf", "%y") if k % 2 else ("arith.addf", "%x")
        lines.append(f"%v{k} = {op} {value}, {other} : {TENSOR}")
        value = f"%v{k}"
    return f"""
    func.func @main(%x: {TENSOR}, %y: {TENSOR}) -> {TENSOR} {{
      %zero = arith.constant 0.0 : f32
      %e = tensor.empty() : tensor<4xf32>
      %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4xf32>) -> tensor<4xf32>
      {" ".join(lines)}
      %s = linalg.reduce ins({value} : {TENSOR}) outs(%f : tensor<4xf32>) dimensions = [1]
        (%a: f32, %b: f32) {{ %c = arith.addf %a, %b : f32 linalg.yield %c : f32 }}
      %w = tensor.empty() : {TENSOR}
      %t = linalg.broadcast ins(%s : tensor<4xf32>) outs(%w : {TENSOR}) dimensions = [1]
      %r = arith.divf {value}, %t : {TENSOR}
      return %r : {TENSOR}
    }}"""


def test_a_long_chain_on_a_cpu() -> None:
    pipeline = f"{FORM},fsa-stitched-to-cpu,convert-fsa-to-linalg"
    x, y = np.random.default_rng(0).uniform(0.5, 0.9, (2, 4, 16)).astype(np.float32)
    value = x.astype(np.float64)
    for k in range(COUNT):
        value = value * y if k % 2 else value + x
    found = fsa.compile(_chain(COUNT), target="cpu", pipeline=pipeline)(x, y)
    expected = value / value.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-4)


@pytest.mark.parametrize("kind", ["cuda", "vulkan"])
def test_a_long_chain_for_a_gpu(kind: str) -> None:
    text = str(lower(read_mlir(_chain(COUNT)), Target.parse(kind), FORM))
    assert '"portable"' not in text
    assert "part of a group of over 256 ops" in text
