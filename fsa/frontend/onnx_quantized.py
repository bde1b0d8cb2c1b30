"""DequantizeLinear nodes with a scale a channel or a block are written out.

torch-mlir takes an unsigned zero point of a channel for a signed number, and knows no blocks.
"""

from __future__ import annotations

from typing import Any

from fsa.errors import InputError
from fsa.frontend.onnx_writer import STANDARD, Known, NodeWriter, attributes_of, known_values


def write_out_dequantization(model: Any) -> None:
    """Replace such nodes of `model`, an `onnx.ModelProto` with inferred types, in place.

    y = (x - zero point) * scale, the difference in int32, the product in the type of the scale.
    Raises `InputError` where the sizes of what a node takes are needed and not known.
    """
    graph = model.graph
    if not any(node.op_type == "DequantizeLinear" for node in graph.node):
        return
    known = known_values(graph)
    nodes: list[Any] = []
    for node in graph.node:
        nodes += _written_out(node, known) if _is_meant(node, known) else [node]
    del graph.node[:]
    graph.node.extend(nodes)


def _attributes(node: Any) -> dict[str, int]:
    return {"axis": 1, "block_size": 0} | attributes_of(node)


def _is_meant(node: Any, known: dict[str, Known]) -> bool:
    from onnx import TensorProto

    if node.op_type != "DequantizeLinear" or node.domain not in STANDARD:
        return False
    kind = known.get(node.input[0], Known()).element
    scales = known.get(node.input[1], Known()).sizes
    if kind not in (TensorProto.INT8, TensorProto.UINT8):
        return False
    # Of signed numbers with a scale a channel torch-mlir makes integer matmuls.
    return bool(scales) and (_attributes(node)["block_size"] > 0 or kind == TensorProto.UINT8)


def _written_out(node: Any, known: dict[str, Known]) -> list[Any]:
    from onnx import TensorProto

    given, all_scales = known[node.input[0]].sizes or [], known[node.input[1]].sizes or []
    sizes = [size for size in given if size is not None]
    scales = [size for size in all_scales if size is not None]
    if len(sizes) != len(given) or len(scales) != len(all_scales):
        raise InputError(
            f"expected DequantizeLinear (node '{node.name}') of known sizes, where there is a "
            "scale a channel or a block"
        )
    writer = NodeWriter(node)
    make, constant = writer.make, writer.constant

    def along(name: str) -> str:
        """Give a scale or zero point a size for each axis of what is dequantized."""
        attributes = _attributes(node)
        axis, block = attributes["axis"] % len(sizes), attributes["block_size"]
        if not block:
            return make("Reshape", [name, constant([-1] + [1] * (len(sizes) - 1 - axis))])
        count = scales[axis]
        inner = [*scales[:axis], count, 1, *scales[axis + 1 :]]
        wide = [*scales[:axis], count, block, *scales[axis + 1 :]]
        merged = [*scales[:axis], count * block, *scales[axis + 1 :]]
        repeated = make("Expand", [make("Reshape", [name, constant(inner)]), constant(wide)])
        whole = make("Reshape", [repeated, constant(merged)])
        ends = [constant([0]), constant([sizes[axis]]), constant([axis])]
        return make("Slice", [whole, *ends])

    value = make("Cast", [node.input[0]], to=TensorProto.INT32)
    if len(node.input) > 2 and node.input[2]:
        zero = make("Cast", [along(node.input[2])], to=TensorProto.INT32)
        value = make("Sub", [value, zero])
    floats = make("Cast", [value], to=known[node.input[1]].element)
    return writer.returns(make("Mul", [floats, along(node.input[1])]))
