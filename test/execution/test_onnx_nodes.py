"""A sample of ONNX's own node tests, all of which must give ONNX's numbers."""

import random

import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxslim")

from fsa.benchmarks.onnx_nodes import cases, outcome

# Each was right when all of the tests were run.
RIGHT = (
    "gelu_tanh_1 dequantizelinear_axis einsum_inner_prod averagepool_2d_ceil "
    "sce_mean_weight_ii nllloss_NC mvn expand_dim_changed qlinearmatmul_2D_uint8_float32 "
    "split_equal_parts_1d_opset13 hannwindow gelu_default_1 "
    "castlike_FLOAT_to_DOUBLE"
).split()

# What torch-mlir has no lowering for, or another meaning, and the front end writes out.
REWRITTEN = (
    "compress_0 l2normalization_axis_0 matmul_4d_1d gru_bidirectional simple_rnn_reverse "
    "lstm_reverse cast_FLOAT8E5M2_to_FLOAT16 blackmanwindow"
).split()


def test_rewritten_nodes_are_right() -> None:
    names = [f"test_{name}" for name in REWRITTEN]
    found = {case.name: outcome(case) for case in cases(names)}
    assert found == dict.fromkeys(names, ("ok", ""))


def test_a_sample_is_right() -> None:
    names = [f"test_{name}" for name in random.Random(21).sample(RIGHT, 6)]
    found = {case.name: outcome(case) for case in cases(names)}
    assert found == dict.fromkeys(names, ("ok", ""))
