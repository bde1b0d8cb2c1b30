"""Reductions and conversions on Vulkan that IREE by itself refuses or gets wrong."""

import ml_dtypes
import numpy as np
import pytest

import fsa

pytestmark = pytest.mark.vulkan

# Smallest elements along the second of three dimensions; the loops are not in the result's order.
TURNED = """
func.func @main(%x: tensor<5x31x8xf32>) -> tensor<8x5xf32> {
  %most = arith.constant 0x7F800000 : f32
  %e = tensor.empty() : tensor<8x5xf32>
  %i = linalg.fill ins(%most : f32) outs(%e : tensor<8x5xf32>) -> tensor<8x5xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(a, b, c) -> (a, c, b)>,
                                        affine_map<(a, b, c) -> (b, a)>],
                       iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x : tensor<5x31x8xf32>) outs(%i : tensor<8x5xf32>) {
  ^bb0(%a: f32, %o: f32):
    %m = arith.minimumf %o, %a : f32
    linalg.yield %m : f32
  } -> tensor<8x5xf32>
  return %r : tensor<8x5xf32>
}
"""

# All elements of a tensor of open size, reduced with OP from START.
OPEN = """
func.func @main(%x: tensor<?x16xbf16>) -> tensor<bf16> {
  %start = arith.constant START : bf16
  %e = tensor.empty() : tensor<bf16>
  %i = linalg.fill ins(%start : bf16) outs(%e : tensor<bf16>) -> tensor<bf16>
  %r = linalg.generic {indexing_maps = [affine_map<(a, b) -> (a, b)>, affine_map<(a, b) -> ()>],
                       iterator_types = ["reduction", "reduction"]}
      ins(%x : tensor<?x16xbf16>) outs(%i : tensor<bf16>) {
  ^bb0(%a: bf16, %o: bf16):
    %m = arith.OP %o, %a : bf16
    linalg.yield %m : bf16
  } -> tensor<bf16>
  return %r : tensor<bf16>
}
"""

# Sums over the first and the last dimension, all of them open.
COLUMNS = """
func.func @main(%x: tensor<?x?x5xf32>) -> tensor<?xf32> {
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %n = tensor.dim %x, %c1 : tensor<?x?x5xf32>
  %e = tensor.empty(%n) : tensor<?xf32>
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<?xf32>) -> tensor<?xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(a, b, c) -> (b, a, c)>,
                                        affine_map<(a, b, c) -> (a)>],
                       iterator_types = ["parallel", "reduction", "reduction"]}
      ins(%x : tensor<?x?x5xf32>) outs(%i : tensor<?xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %o, %a : f32
    linalg.yield %s : f32
  } -> tensor<?xf32>
  return %r : tensor<?xf32>
}
"""

CONVERSION = """
func.func @main(%x: tensor<37xFROM>) -> tensor<37xTO> {
  %e = tensor.empty() : tensor<37xTO>
  %r = linalg.generic {indexing_maps = [affine_map<(a) -> (a)>, affine_map<(a) -> (a)>],
                       iterator_types = ["parallel"]}
      ins(%x : tensor<37xFROM>) outs(%e : tensor<37xTO>) {
  ^bb0(%a: FROM, %o: TO):
    %y = arith.OP %a : FROM to TO
    linalg.yield %y : TO
  } -> tensor<37xTO>
  return %r : tensor<37xTO>
}
"""
PIPELINES = ["fsa-to-linalg", None]


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_results_in_another_order_than_the_loops(pipeline: str | None) -> None:
    x = np.random.default_rng(1).standard_normal((5, 31, 8)).astype(np.float32)
    got = fsa.compile(TURNED, target="vulkan:llvmpipe", pipeline=pipeline)(x)
    np.testing.assert_array_equal(np.asarray(got), x.min(1).T)


@pytest.mark.parametrize("pipeline", PIPELINES)
@pytest.mark.parametrize(
    ("op", "start"), [("maximumf", "0xFF80"), ("minnumf", "0x7FC0"), ("mulf", "1.0")]
)
def test_open_reductions_of_bf16(op: str, start: str, pipeline: str | None) -> None:
    x = np.random.default_rng(2).choice([0.5, 1.0, 2.0, -1.0], (7, 16)).astype(ml_dtypes.bfloat16)
    module = fsa.compile(
        OPEN.replace("OP", op).replace("START", start), target="vulkan:llvmpipe", pipeline=pipeline
    )
    wide = x.astype(np.float32)
    expected = {"maximumf": wide.max(), "minnumf": wide.min(), "mulf": wide.prod()}[op]
    assert np.asarray(module(x)).astype(np.float32) == expected


@pytest.mark.parametrize("shape", [(3, 7, 5), (1, 1, 5), (0, 3, 5), (3, 0, 5), (0, 0, 5)])
def test_open_sums_over_two_dimensions(shape: tuple[int, int, int]) -> None:
    x = np.random.default_rng(3).standard_normal(shape).astype(np.float32)
    got = fsa.compile(COLUMNS, target="vulkan:llvmpipe")(x)
    np.testing.assert_allclose(np.asarray(got), x.sum((0, 2)), rtol=0, atol=1e-5)


@pytest.mark.parametrize("pipeline", PIPELINES)
@pytest.mark.parametrize("kind", ["i8", "i16", "i32"])
def test_integers_to_bf16(kind: str, pipeline: str | None) -> None:
    numbers = np.arange(-18, 19) * {"i8": 7, "i16": 1771, "i32": 119304647}[kind]
    x = numbers.astype({"i8": np.int8, "i16": np.int16, "i32": np.int32}[kind])
    text = CONVERSION.replace("FROM", kind).replace("TO", "bf16").replace("OP", "sitofp")
    got = fsa.compile(text, target="vulkan:llvmpipe", pipeline=pipeline)(x)
    expected = x.astype(np.float32).astype(ml_dtypes.bfloat16)
    np.testing.assert_array_equal(np.asarray(got), expected)


@pytest.mark.parametrize("op", ["sitofp", "uitofp"])
@pytest.mark.parametrize("kind", ["f32", "bf16"])
def test_booleans_to_floats(op: str, kind: str) -> None:
    x = np.arange(37) % 3 == 0
    text = CONVERSION.replace("FROM", "i1").replace("TO", kind).replace("OP", op)
    got = np.asarray(fsa.compile(text, target="vulkan:llvmpipe")(x)).astype(np.float32)
    np.testing.assert_array_equal(got, x * np.float32(-1 if op == "sitofp" else 1))
