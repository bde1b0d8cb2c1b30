"""Recurrent ONNX nodes that read backwards become ones that read forwards.

torch-mlir lowers RNN and GRU in forward direction only, and LSTM not in reverse direction alone.
"""

from __future__ import annotations

from typing import Any

from fsa.frontend.onnx_writer import STANDARD, NodeWriter, attributes_of

_FORWARD = {"RNN": (b"forward",), "GRU": (b"forward",), "LSTM": (b"forward", b"bidirectional")}
# Inputs that have the directions as their first axis; the second are lengths of sequences.
_BY_DIRECTION = (1, 2, 3, 5, 6, 7)
_LENGTHS = 4
# Attributes with an entry, or as many entries, a direction.
_LISTS = ("activations", "activation_alpha", "activation_beta")


def read_forwards(model: Any) -> None:
    """Replace such nodes of `model`, an `onnx.ModelProto` whose nodes have names, in place."""
    nodes: list[Any] = []
    for node in model.graph.node:
        nodes += _forwards(node) if _is_meant(node) else [node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def _is_meant(node: Any) -> bool:
    if node.op_type not in _FORWARD or node.domain not in STANDARD:
        return False
    attributes = attributes_of(node)
    if attributes.get("direction", b"forward") in _FORWARD[node.op_type]:
        return False
    # Sequences of several lengths are not reversed as a whole, and lists may lack entries.
    has_lengths = len(node.input) > _LENGTHS and node.input[_LENGTHS]
    whole = all(len(attributes[name]) % 2 == 0 for name in _LISTS if name in attributes)
    return not has_lengths and not attributes.get("layout") and whole


def _forwards(node: Any) -> list[Any]:
    writer = NodeWriter(node)
    attributes = attributes_of(node)
    both = attributes.pop("direction") == b"bidirectional"
    backwards = _reversed(writer, node.input[0])
    runs: list[list[str]] = []
    for direction, sequence in enumerate([node.input[0], backwards] if both else [backwards]):
        inputs = [sequence, *node.input[1:]]
        given = dict(attributes)
        if both:
            inputs = [_one(writer, name, n, direction) for n, name in enumerate(inputs)]
            given |= {
                name: _half(attributes[name], direction) for name in _LISTS if name in attributes
            }
        runs.append(writer.make_many(node.op_type, inputs, len(node.output), **given))
    runs[-1][0] = _reversed(writer, runs[-1][0])
    if not both:
        return writer.returns(*runs[0])
    # Directions are the second axis of the whole sequence, and the first of the last states.
    results = [
        writer.make("Concat", [first, second], axis=0 if number else 1)
        for number, (first, second) in enumerate(zip(*runs, strict=True))
    ]
    return writer.returns(*results)


def _reversed(writer: NodeWriter, sequence: str) -> str:
    """Return `sequence` in reverse order of its first axis."""
    before_first = -(2**63) + 1
    ends = [writer.constant([numbers]) for numbers in (-1, before_first, 0, -1)]
    return writer.make("Slice", [sequence, *ends])


def _one(writer: NodeWriter, name: str, number: int, direction: int) -> str:
    """Return what one direction takes of the input `name`."""
    if not name or number not in _BY_DIRECTION:
        return name
    ends = [writer.constant([numbers]) for numbers in (direction, direction + 1, 0)]
    return writer.make("Slice", [name, *ends])


def _half(entries: list[Any], direction: int) -> list[Any]:
    middle = len(entries) // 2
    return entries[middle:] if direction else entries[:middle]
