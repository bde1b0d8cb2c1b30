"""softmax(0.125 x + mask) over the last dimension, f32 [12, 512, 512]: attention of one layer."""

from typing import Any

import numpy as np

from fsa.benchmarks.case import Array, Case, Expressed, Inputs, Work

SHAPE = (12, 512, 512)
FACTOR = 0.125


def _inputs() -> Inputs:
    draw = np.random.RandomState(0)
    x = draw.standard_normal(SHAPE).astype(np.float32)
    mask = np.where(draw.random_sample(SHAPE[1:]) < 0.1, -1e4, 0.0).astype(np.float32)
    return x, mask


def _reference(x: Array, mask: Array) -> Array:
    scores = x.astype(np.float64) * FACTOR + mask
    powers = np.exp(scores - scores.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def _softmax(x: Any, mask: Any) -> list[Any]:
    from fsa.bindings import arith, math
    from fsa.examples import graph

    factor = graph.scalar("f32", FACTOR)
    scores = graph.elementwise(lambda a, m: arith.addf(arith.mulf(a, factor), m), x, mask)
    largest = graph.reduce_last(arith.maximumf, scores, -np.inf)
    powers = graph.elementwise(
        lambda a, m: math.exp(arith.subf(a, m)), scores, graph.PerRow(largest)
    )
    total = graph.reduce_last(arith.addf, powers, 0.0)
    return [graph.elementwise(arith.divf, powers, graph.PerRow(total))]


def _module() -> Any:
    from fsa.examples import graph

    def main(x: Any, mask: Any) -> Any:
        return graph.stitched([x, mask], [x.type], _softmax)[0]

    return graph.function("main", [(SHAPE, "f32"), (SHAPE[1:], "f32")], main)


def _numpy(inputs: Inputs) -> Expressed:
    def function(x: Array, mask: Array) -> Array:
        scores = x * np.float32(FACTOR)
        scores += mask
        scores -= scores.max(-1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(-1, keepdims=True)
        return scores

    return Expressed(function, inputs)


def _torch(inputs: Inputs) -> Expressed:
    import torch

    def function(x: Any, mask: Any) -> Any:
        return torch.softmax(x * FACTOR + mask, dim=-1)

    return Expressed(function, tuple(torch.from_numpy(array) for array in inputs))


def _jax(inputs: Inputs) -> Expressed:
    import jax

    def function(x: Any, mask: Any) -> Any:
        return jax.nn.softmax(x * FACTOR + mask, axis=-1)

    return Expressed(function, tuple(jax.numpy.asarray(array) for array in inputs))


def _onnx(inputs: Inputs) -> tuple[bytes, dict[str, Array]]:
    from onnx import TensorProto, helper, numpy_helper

    factor = numpy_helper.from_array(np.array(FACTOR, np.float32), "factor")
    nodes = [
        helper.make_node("Mul", ["x", "factor"], ["scaled"]),
        helper.make_node("Add", ["scaled", "mask"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["y"], axis=-1),
    ]
    info = helper.make_tensor_value_info
    described = helper.make_graph(
        nodes,
        "softmax",
        [info("x", TensorProto.FLOAT, SHAPE), info("mask", TensorProto.FLOAT, SHAPE[1:])],
        [info("y", TensorProto.FLOAT, SHAPE)],
        [factor],
    )
    model = helper.make_model(described, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model.SerializeToString(), dict(zip(("x", "mask"), inputs, strict=True))


def cases() -> dict[str, Case]:
    """Return this module's cases by name."""
    elements = int(np.prod(SHAPE))
    case = Case(
        name="softmax-mask",
        family="stitched",
        summary="softmax(0.125 x + mask), 12x512x512 f32",
        inputs=_inputs,
        module=_module,
        reference=_reference,
        work=Work(bytes=4 * (2 * elements + SHAPE[1] * SHAPE[2])),
        tolerance=1e-5,
        numpy=_numpy,
        torch=_torch,
        jax=_jax,
        onnx=_onnx,
    )
    return {case.name: case}
