"""Ops that meet: fsa ops inside a stitched region, and folds across ops, on every device."""
# ruff: noqa: E501 (MLIR text)

import numpy as np
import pytest

import fsa
from fsa.dialects.fsa import reference

KINDS = ["cpu", pytest.param("vulkan", marks=pytest.mark.vulkan)]
PIPELINES = [None, "fsa-to-linalg"]


def _ones(count: int, ones: int) -> str:
    return ", ".join(["1"] * ones + ["0"] * (count - ones))


@pytest.mark.parametrize("pipeline", PIPELINES)
@pytest.mark.parametrize("kind", KINDS)
def test_region_with_ops_of_both_families(kind, pipeline):
    """Such a region is lowered as a whole: the kernel passes of the families leave its ops alone."""
    text = f"""
    func.func @main(%x: tensor<?x70xf32>, %s: tensor<2x3x5xf32>) -> (tensor<?x3xi32>, tensor<2x3x5xf32>) {{
      %y:2 = "fsa.stitched_region"(%x, %s) ({{
      ^bb0(%a: tensor<?x70xf32>, %b: tensor<2x3x5xf32>):
        %t = arith.negf %a : tensor<?x70xf32>
        %bits = "fsa.pack_bits"(%t) : (tensor<?x70xf32>) -> tensor<?x3xi32>
        %v = "fsa.squash"(%b) {{epsilon = 1.0e-7 : f64}} : (tensor<2x3x5xf32>) -> tensor<2x3x5xf32>
        "fsa.yield"(%bits, %v) {{operandSegmentSizes = array<i32: {_ones(32, 2)}>}} : (tensor<?x3xi32>, tensor<2x3x5xf32>) -> ()
      }}) {{operandSegmentSizes = array<i32: {_ones(32, 2)}>, resultSegmentSizes = array<i32: {_ones(16, 2)}>}}
        : (tensor<?x70xf32>, tensor<2x3x5xf32>) -> (tensor<?x3xi32>, tensor<2x3x5xf32>)
      return %y#0, %y#1 : tensor<?x3xi32>, tensor<2x3x5xf32>
    }}"""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((4, 70)).astype(np.float32)
    s = rng.standard_normal((2, 3, 5)).astype(np.float32)
    bits, v = fsa.compile(text, target=kind, pipeline=pipeline)(x, s)
    np.testing.assert_array_equal(bits, reference.pack_bits(-x))
    np.testing.assert_allclose(v, reference.squash(s), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("pipeline", PIPELINES)
@pytest.mark.parametrize("kind", KINDS)
def test_unpack_of_pack_keeps_the_sign_of_denormals(kind, pipeline):
    """The fold of the two ops must not compare floats: devices flush denormals to zero."""
    text = """
    func.func @main(%x: tensor<7xf32>) -> tensor<7xf32> {
      %b = "fsa.pack_bits"(%x) : (tensor<7xf32>) -> tensor<1xi32>
      %y = "fsa.unpack_bits"(%b) {depth = 7 : i64} : (tensor<1xi32>) -> tensor<7xf32>
      return %y : tensor<7xf32>
    }"""
    x = np.array([-1e-40, 1e-40, -0.0, np.nan, -np.inf, np.inf, -2], np.float32)
    y = fsa.compile(text, target=kind, pipeline=pipeline)(x)
    np.testing.assert_array_equal(y, [-1, 1, 1, -1, -1, 1, -1])
