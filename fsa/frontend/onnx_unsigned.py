"""Arithmetic of ONNX nodes on unsigned integers becomes arithmetic on wider signed ones.

torch-mlir reads the bits of an unsigned integer as a signed number in these ops, so that 200 / 7 of
two uint8 gives -8 modulo 256.
"""

from __future__ import annotations

from typing import Any

from fsa.errors import InputError
from fsa.frontend.onnx_writer import STANDARD, known_values

# Ops whose result depends on the sign, and which ONNX has for int32 and int64 too.
_SIGNED = frozenset("ArgMax ArgMin Clip Div Mod Pow ReduceMax ReduceMin TopK".split())


def widen_unsigned(model: Any) -> None:
    """Cast what such nodes of `model` take of unsigned types, and cast their results back.

    `model` is an `onnx.ModelProto` with inferred types, which changes in place; the types of the
    values in between are missing afterwards. Raises `InputError` for wider unsigned
    types.
    """
    from onnx import TensorProto

    wider: dict[int, int] = {TensorProto.UINT8: TensorProto.INT32}
    # No cast takes these, and uint64 has no wider type.
    refused: dict[int | None, str] = {
        TensorProto.UINT16: "uint16",
        TensorProto.UINT32: "uint32",
        TensorProto.UINT64: "uint64",
    }
    kinds = {name: known.element for name, known in known_values(model.graph).items()}
    nodes: list[Any] = []
    for node in model.graph.node:
        taken = {kinds.get(name) for name in node.input}
        if node.op_type not in _SIGNED or node.domain not in STANDARD:
            nodes.append(node)
            continue
        for kind in taken & refused.keys():
            raise InputError(
                f"expected {node.op_type} (node '{node.name}') of signed integers or uint8, found "
                f"{refused[kind]}"
            )
        nodes += _widened(node, kinds, wider)
    del model.graph.node[:]
    model.graph.node.extend(nodes)


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
            before.append(
                helper.make_node(
                    "Cast", [name], [node.input[index]], name=node.name, to=wider[kind]
                )
            )
    for index, name in enumerate(node.output):
        kind = kinds.get(name)
        if kind in wider:
            node.output[index] = f"{prefix}_out_{index}"
            after.append(
                helper.make_node("Cast", [node.output[index]], [name], name=node.name, to=kind)
            )
    return [*before, node, *after]
