"""Arithmetic of ONNX nodes on unsigned integers becomes arithmetic on wider signed ones.

torch-mlir reads the bits of an unsigned integer as a signed number in these ops, so that 200 / 7 of
two uint8 gives -8 modulo 256.
"""

from __future__ import annotations

from typing import Any

from fsa.errors import InputError

# Ops whose result depends on the sign, and which ONNX has for int32 and int64 too.
_SIGNED = frozenset("ArgMax ArgMin Clip Div Mod Pow ReduceMax ReduceMin TopK".split())


def widen_unsigned(model: Any) -> None:
    """Cast what such nodes of `model` take of unsigned types, and cast their results back.

    `model` is an `onnx.ModelProto` with inferred types, which changes in place; the types of the
    values in between are missing afterwards. Raises `InputError` for uint64, which has no wider
    type.
    """
    from onnx import TensorProto

    wider: dict[int, int] = {
        TensorProto.UINT8: TensorProto.INT32,
        TensorProto.UINT16: TensorProto.INT32,
        TensorProto.UINT32: TensorProto.INT64,
    }
    kinds = _kinds(model.graph)
    nodes: list[Any] = []
    for node in model.graph.node:
        taken = {kinds.get(name) for name in node.input}
        if node.op_type not in _SIGNED or node.domain not in ("", "ai.onnx"):
            nodes.append(node)
            continue
        if TensorProto.UINT64 in taken:
            raise InputError(
                f"expected {node.op_type} (node '{node.name}') of integers that int64 holds, "
                "found uint64"
            )
        nodes += _widened(node, kinds, wider)
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def _kinds(graph: Any) -> dict[str, int]:
    """Return the element types of the values of a graph, as ONNX numbers them."""
    values = [*graph.input, *graph.value_info, *graph.output]
    found = {value.name: value.type.tensor_type.elem_type for value in values}
    return {**found, **{weight.name: weight.data_type for weight in graph.initializer}}


def _widened(node: Any, kinds: dict[str, int], wider: dict[int, int]) -> list[Any]:
    """Return `node` between the casts that it needs."""
    from onnx import helper

    before, after = list[Any](), list[Any]()
    # An op without a name still gives its outputs theirs, and those are unique.
    prefix = f"{node.output[0]}_fsa_wide"
    for index, name in enumerate(node.input):
        kind = kinds.get(name)
        if kind in wider:
            node.input[index] = f"{prefix}_in_{index}"
            before.append(helper.make_node("Cast", [name], [node.input[index]], to=wider[kind]))
    for index, name in enumerate(node.output):
        kind = kinds.get(name)
        if kind in wider:
            node.output[index] = f"{prefix}_out_{index}"
            after.append(helper.make_node("Cast", [node.output[index]], [name], to=kind))
    return [*before, node, *after]
