"""What `binarized_cpu` measures: matmuls, convolutions and the digit MLP, each with its peers."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import fsa
from fsa.benchmarks.binarized_peers import Clock, bnn_lab_matmul, larq_conv2d
from fsa.benchmarks.peers.base import Unavailable
from fsa.dialects.fsa import reference

SIDE = 64

Array = np.ndarray[Any, Any]
Call = Callable[[], Any]


@dataclass(frozen=True)
class Case:
    """Contenders by name, and the 64-bit words whose differing bits are counted."""

    name: str
    words: int
    calls: dict[str, Call]


def _constant(array: Array) -> str:
    shape = "x".join(map(str, array.shape))
    return f'arith.constant dense<"0x{array.tobytes().hex().upper()}"> : tensor<{shape}xi32>'


def _signs(draw: Any, *shape: int) -> Array:
    return np.where(draw.standard_normal(shape) >= 0, 1.0, -1.0).astype(np.float32)


def _expect_equal(name: str, ours: Any, theirs: Any) -> None:
    if not np.array_equal(np.asarray(ours), np.asarray(theirs)):
        raise SystemExit(f"{name}: results differ")


def _without(reason: Unavailable) -> None:
    print(f"without a peer: {reason}", file=sys.stderr)


def matmul_case(sizes: tuple[int, int, int], target: str) -> Case:
    """Return a matmul of constant weights."""
    rows, columns, depth = sizes
    draw = np.random.default_rng(0)
    left, right = _signs(draw, rows, depth), _signs(draw, columns, depth)
    bits: Any = reference.pack_bits(left)
    weights: Any = reference.pack_bits(right)
    words = bits.shape[1]
    module = fsa.compile(
        f"""func.func @main(%a: tensor<{rows}x{words}xi32>) -> tensor<{rows}x{columns}xi32> {{
          %b = {_constant(weights)}
          %0 = "fsa.binarized_matmul"(%a, %b) {{depth = {depth} : i64}}
            : (tensor<{rows}x{words}xi32>, tensor<{columns}x{words}xi32>)
            -> tensor<{rows}x{columns}xi32>
          return %0 : tensor<{rows}x{columns}xi32>
        }}""",
        target=target,
    )
    turned = np.ascontiguousarray(right.T)
    resident = module.to_device(bits)
    calls: dict[str, Call] = {
        "fsa": lambda: module(bits),
        "fsa-resident": lambda: module(resident),
        "blas": lambda: left @ turned,
    }
    _expect_equal("matmul", calls["fsa"](), calls["blas"]())
    try:
        calls["bnn-lab"] = bnn_lab_matmul(bits, weights, depth)
        _expect_equal("bnn-lab's matmul", calls["bnn-lab"](), calls["fsa"]())
    except Unavailable as reason:
        _without(reason)
    torch = _torch()
    if torch is not None and rows > 16:  # what its int8 matmul takes
        a, b = torch.from_numpy(left.astype(np.int8)), torch.from_numpy(turned.astype(np.int8))
        calls["int8"] = lambda: torch._int_mm(a, b)
    name = f"matmul {rows}x{columns}x{depth}"
    return Case(name, rows * columns * -(-depth // 64), calls)


def conv_case(channels: int, target: str, clock: Clock) -> Case:
    """Return a 3x3 convolution of a 64x64 image with as many filters as channels.

    Larq's processor time goes to `clock`.
    """
    draw = np.random.default_rng(0)
    image, filters = _signs(draw, 1, SIDE, SIDE, channels), _signs(draw, channels, 3, 3, channels)
    bits: Any = reference.pack_bits(image)
    weights: Any = reference.pack_bits(filters)
    words = bits.shape[3]
    kinds = (
        f"tensor<1x{SIDE}x{SIDE}x{words}xi32>",
        f"tensor<{channels}x3x3x{words}xi32>",
        f"tensor<1x{SIDE}x{SIDE}x{channels}xi32>",
    )
    module = fsa.compile(
        f"""func.func @main(%a: {kinds[0]}) -> {kinds[2]} {{
          %b = {_constant(weights)}
          %0 = "fsa.binarized_conv2d"(%a, %b) {{channels = {channels} : i64,
              strides = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>, pad_mode = "zero"}}
            : ({kinds[0]}, {kinds[1]}) -> {kinds[2]}
          return %0 : {kinds[2]}
        }}""",
        target=target,
    )
    planes = np.ascontiguousarray(image.transpose(0, 3, 1, 2))
    run = _onnx_conv(np.ascontiguousarray(filters.transpose(0, 3, 1, 2)))
    calls: dict[str, Call] = {"fsa": lambda: module(bits), "ort": lambda: run(planes)}
    _expect_equal("convolution", calls["fsa"](), calls["ort"]().transpose(0, 2, 3, 1))
    try:
        calls["larq"], computed = larq_conv2d(bits, weights, channels, clock)
        _expect_equal("Larq's convolution", computed, calls["fsa"]())
    except Unavailable as reason:
        _without(reason)
    counted = SIDE * SIDE * channels * 9 * channels // 64
    return Case(f"conv 3x3 {channels}-{channels} @{SIDE}", counted, calls)


def mlp_case(target: str) -> Case:
    """Return the digit MLP of the examples at batch 1, and the same network in f32."""
    from fsa.bindings import ir
    from fsa.dialects.fsa.dialect import new_context
    from fsa.examples import binarized_mlp

    layers = binarized_mlp.load()
    with new_context(), ir.Location.unknown():
        module = fsa.compile(binarized_mlp.build(1, layers), target=target)
    x = np.random.default_rng(0).random((1, 28, 28), np.float32)
    expected = binarized_mlp.reference(x, layers)
    if not np.allclose(module(x), expected, rtol=1e-5, atol=1e-5):
        raise SystemExit("MLP: results differ")
    resident = module.to_device(x)
    run = _onnx_mlp([layer.signs.shape for layer in layers])
    flat = x.reshape(1, -1)
    calls: dict[str, Call] = {
        "fsa": lambda: module(x),
        "fsa-resident": lambda: module(resident),
        "ort": lambda: run(flat),
    }
    words = sum(n * -(-k // 64) for n, k in (layer.signs.shape for layer in layers))
    return Case("MLP 784-1024-1024-1024-10, batch 1", words, calls)


def _torch() -> Any:
    try:
        import torch
    except ImportError:
        return None
    torch.set_num_threads(1)
    return torch


def _session(nodes: Any, inputs: list[int], outputs: list[int], constants: dict[str, Array]) -> Any:
    """Return a function of `x` that runs an ONNX graph on one thread."""
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    info = helper.make_tensor_value_info
    described = helper.make_graph(
        nodes,
        "graph",
        [info("x", TensorProto.FLOAT, inputs)],
        [info("y", TensorProto.FLOAT, outputs)],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(described, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return lambda x: session.run(None, {"x": x})[0]


def _onnx_conv(weights: Array) -> Any:
    from onnx import helper

    node = helper.make_node("Conv", ["x", "w"], ["y"], kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    shape = [1, weights.shape[1], SIDE, SIDE]
    return _session([node], shape, [1, weights.shape[0], SIDE, SIDE], {"w": weights})


def _onnx_mlp(shapes: list[tuple[int, int]]) -> Any:
    from onnx import helper

    draw = np.random.default_rng(0)
    nodes: list[Any] = []
    constants: dict[str, Array] = {}
    value = "x"
    for number, (outputs, inputs) in enumerate(shapes):
        last = number == len(shapes) - 1
        constants[f"w{number}"] = draw.standard_normal((outputs, inputs), np.float32)
        constants[f"b{number}"] = draw.standard_normal(outputs, np.float32)
        product = "y" if last else f"p{number}"
        names = [value, f"w{number}", f"b{number}"]
        nodes.append(helper.make_node("Gemm", names, [product], transB=1))
        if not last:
            value = f"r{number}"
            nodes.append(helper.make_node("Relu", [product], [value]))
    return _session(nodes, [1, shapes[0][1]], [1, shapes[-1][0]], constants)
