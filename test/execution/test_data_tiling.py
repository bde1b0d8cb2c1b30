"""Layouts that IREE chooses for matmuls do not change what a reshape between them means."""

import numpy as np

import fsa

# A matmul whose rows are regrouped into a batch.
REGROUPED = """
func.func @main(%a: tensor<28x11xf64>, %b: tensor<11x24xf64>, %w: tensor<4x24x48xf64>)
    -> tensor<4x7x48xf64> {
  %zero = arith.constant 0.0 : f64
  %e0 = tensor.empty() : tensor<28x24xf64>
  %i0 = linalg.fill ins(%zero : f64) outs(%e0 : tensor<28x24xf64>) -> tensor<28x24xf64>
  %m = linalg.matmul ins(%a, %b : tensor<28x11xf64>, tensor<11x24xf64>)
    outs(%i0 : tensor<28x24xf64>) -> tensor<28x24xf64>
  %x = tensor.expand_shape %m [[0, 1], [2]] output_shape [4, 7, 24]
    : tensor<28x24xf64> into tensor<4x7x24xf64>
  %e1 = tensor.empty() : tensor<4x7x48xf64>
  %i1 = linalg.fill ins(%zero : f64) outs(%e1 : tensor<4x7x48xf64>) -> tensor<4x7x48xf64>
  %r = linalg.batch_matmul ins(%x, %w : tensor<4x7x24xf64>, tensor<4x24x48xf64>)
    outs(%i1 : tensor<4x7x48xf64>) -> tensor<4x7x48xf64>
  return %r : tensor<4x7x48xf64>
}
"""


def test_rows_regrouped_between_matmuls() -> None:
    generator = np.random.default_rng(5)
    # f32 has kernels of its own; the type in the text is what IREE gets.
    for element in (np.float32, np.float64):
        text = REGROUPED.replace("f64", f"f{np.dtype(element).itemsize * 8}")
        a, b, w = (
            generator.integers(-4, 5, shape).astype(element)
            for shape in ((28, 11), (11, 24), (4, 24, 48))
        )
        for pipeline in ("fsa-to-linalg", "fsa-to-cpu"):
            found = fsa.compile(text, target="cpu", pipeline=pipeline)(a, b, w)
            np.testing.assert_array_equal(found, (a @ b).reshape(4, 7, 24) @ w)
