"""DequantizeLinear nodes with a scale a channel or a block are written out.

torch-mlir takes an unsigned zero point of a channel for a signed number, and knows no blocks.
"""

from __future__ import annotations

from typing import Any

from fsa.errors import InputError

_STANDARD = ("", "ai.onnx")


def write_out_dequantization(model: Any) -> None:
    """Replace such nodes of `model`, an `onnx.ModelProto` with inferred types, in place.

    y = (x - zero point) * scale, the difference in int32, the product in the type of the scale.
    Raises `InputError` where the sizes of what a node takes are needed and not known.
    """
    graph = model.graph
    if not any(node.op_type == "DequantizeLinear" for node in graph.node):
        return
    known = _types(graph)
    nodes: list[Any] = []
    for node in graph.node:
        nodes += _written_out(node, known) if _is_meant(node, known) else [node]
    del graph.node[:]
    graph.node.extend(nodes)


def _types(graph: Any) -> dict[str, tuple[int, list[int | None] | None]]:
    """Return element type and sizes of each value, None for those that are not known."""
    found: dict[str, tuple[int, list[int | None] | None]] = {}
    for value in (*graph.input, *graph.value_info, *graph.output):
        kind = value.type.tensor_type
        dims = [d.dim_value if d.HasField("dim_value") else None for d in kind.shape.dim]
        found[value.name] = (kind.elem_type, dims if kind.HasField("shape") else None)
    return found | {w.name: (w.data_type, list(w.dims)) for w in graph.initializer}


def _attributes(node: Any) -> dict[str, int]:
    return {"axis": 1, "block_size": 0} | {item.name: item.i for item in node.attribute}


def _is_meant(node: Any, known: dict[str, tuple[int, list[int | None] | None]]) -> bool:
    from onnx import TensorProto

    if node.op_type != "DequantizeLinear" or node.domain not in _STANDARD:
        return False
    kind, _ = known.get(node.input[0], (0, None))
    _, scales = known.get(node.input[1], (0, None))
    if kind not in (TensorProto.INT8, TensorProto.UINT8):
        return False
    # Of signed numbers with a scale a channel torch-mlir makes integer matmuls.
    return bool(scales) and (_attributes(node)["block_size"] > 0 or kind == TensorProto.UINT8)


def _written_out(node: Any, known: dict[str, tuple[int, list[int | None] | None]]) -> list[Any]:
    from onnx import TensorProto, helper

    sizes = [size for size in known[node.input[0]][1] or [] if size is not None]
    element, given = known[node.input[1]]
    scales = [size for size in given or [] if size is not None]
    if len(sizes) != len(known[node.input[0]][1] or []) or len(scales) != len(given or []):
        raise InputError(
            f"expected DequantizeLinear (node '{node.name}') of known sizes, where there is a "
            "scale a channel or a block"
        )
    made: list[Any] = []

    def make(kind: str, inputs: list[str], **attributes: Any) -> str:
        name = f"{node.output[0]}/fsa_{len(made)}"
        made.append(helper.make_node(kind, inputs, [name], name=node.name, **attributes))
        return name

    def constant(values: list[int]) -> str:
        tensor = helper.make_tensor("value", TensorProto.INT64, [len(values)], values)
        return make("Constant", [], value=tensor)

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
    make("Mul", [make("Cast", [value], to=element), along(node.input[1])])
    made[-1].output[0] = node.output[0]
    return made
