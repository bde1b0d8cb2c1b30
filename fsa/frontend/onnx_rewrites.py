"""ONNX nodes that torch-mlir has no lowering for, or another meaning, written out as others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fsa.frontend.onnx_writer import STANDARD, Known, NodeWriter, attributes_of, known_values


def rewrite_nodes(model: Any, opset: int) -> None:
    """Replace such nodes of `model`, an `onnx.ModelProto` with inferred types, in place.

    `opset` is the operator set of the model.
    """
    graph = model.graph
    if not any(node.op_type in _REWRITES and node.domain in STANDARD for node in graph.node):
        return
    known = known_values(graph)
    nodes: list[Any] = []
    for node in graph.node:
        rewrite = _REWRITES.get(node.op_type) if node.domain in STANDARD else None
        written = None if rewrite is None else rewrite(node, known, opset)
        nodes += [node] if written is None else written
    del graph.node[:]
    graph.node.extend(nodes)


def _rank(name: str, known: dict[str, Known]) -> int | None:
    sizes = known.get(name, Known()).sizes
    return None if sizes is None else len(sizes)


def _compress(node: Any, _: dict[str, Known], __: int) -> list[Any]:
    """Gather where the condition holds; without an axis, of all elements in a row."""
    writer = NodeWriter(node)
    data, condition = node.input
    axis = attributes_of(node).get("axis")
    if axis is None:
        data, axis = writer.make("Reshape", [data, writer.constant([-1])]), 0
    places = writer.make("Reshape", [writer.make("NonZero", [condition]), writer.constant([-1])])
    return writer.returns(writer.make("Gather", [data, places], axis=axis))


def _normalize(node: Any, known: dict[str, Known], opset: int) -> list[Any] | None:
    """Divide by the norm; where that is 0, so is the result."""
    element = known.get(node.input[0], Known()).element
    if not element:
        return None
    writer = NodeWriter(node)
    attributes = {"axis": -1, "p": 2} | attributes_of(node)
    kind, axes = f"ReduceL{attributes['p']}", [attributes["axis"]]
    # The axes of these became an input in operator set 18.
    if opset < 18:
        norm = writer.make(kind, [node.input[0]], axes=axes)
    else:
        norm = writer.make(kind, [node.input[0], writer.constant(axes)])
    is_zero = writer.make("Equal", [norm, writer.constant(0.0, element)])
    divisor = writer.make("Where", [is_zero, writer.constant(1.0, element), norm])
    return writer.returns(writer.make("Div", [node.input[0], divisor]))


def _multiply(node: Any, known: dict[str, Known], _: int) -> list[Any] | None:
    """Multiply matrices of one row or column in place of a vector, where there is a batch."""
    ranks = [_rank(name, known) for name in node.input]
    if None in ranks or 1 not in ranks or max(rank or 0 for rank in ranks) < 3:
        return None
    writer = NodeWriter(node)
    left, right = node.input
    if ranks[0] == 1:
        left, axis = writer.make("Unsqueeze", [left, writer.constant([0])]), -2
    else:
        right, axis = writer.make("Unsqueeze", [right, writer.constant([1])]), -1
    product = writer.make("MatMul", [left, right])
    return writer.returns(writer.make("Squeeze", [product, writer.constant([axis])]))


def _cast(node: Any, known: dict[str, Known], _: int) -> list[Any] | None:
    """Widen floats of 8 bits to f32 first, which holds them: no CPU has code for less."""
    from onnx import TensorProto

    eight_bits = (
        TensorProto.FLOAT8E4M3FN,
        TensorProto.FLOAT8E4M3FNUZ,
        TensorProto.FLOAT8E5M2,
        TensorProto.FLOAT8E5M2FNUZ,
    )
    to = attributes_of(node)["to"]
    if known.get(node.input[0], Known()).element not in eight_bits or to == TensorProto.FLOAT:
        return None
    writer = NodeWriter(node)
    wide = writer.make("Cast", [node.input[0]], to=TensorProto.FLOAT)
    return writer.returns(writer.make("Cast", [wide], **attributes_of(node)))


def _transposed_convolution(node: Any, known: dict[str, Known], _: int) -> list[Any] | None:
    """Give a depthwise one a second filter of zeros a group, whose results are left out.

    torch-mlir has no lowering for a transposed convolution with a filter a channel.
    """
    sizes = known.get(node.input[1], Known()).sizes
    attributes = attributes_of(node)
    groups: int = attributes.get("group", 1)
    if groups == 1 or not sizes or sizes[:2] != [groups, 1]:
        return None
    writer = NodeWriter(node)
    rank = len(sizes)
    widths = writer.constant([0] * rank + [0, 1] + [0] * (rank - 2))
    weights = writer.make("Pad", [node.input[1], widths])
    result = writer.make("ConvTranspose", [node.input[0], weights], **attributes)
    ends = [writer.constant([number]) for number in (0, 2 * groups, 1, 2)]
    result = writer.make("Slice", [result, *ends])
    if len(node.input) > 2 and node.input[2]:
        shape = writer.constant([1, -1] + [1] * (rank - 2))
        bias = writer.make("Reshape", [node.input[2], shape])
        result = writer.make("Add", [result, bias])
    return writer.returns(result)


_REWRITES: dict[str, Callable[[Any, dict[str, Known], int], list[Any] | None]] = {
    "Cast": _cast,
    "Compress": _compress,
    "ConvTranspose": _transposed_convolution,
    "LpNormalization": _normalize,
    "MatMul": _multiply,
}
