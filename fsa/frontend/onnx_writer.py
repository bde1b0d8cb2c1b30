"""Nodes that take the place of an ONNX node, and what is known of the values of a graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

STANDARD = ("", "ai.onnx")


@dataclass(frozen=True)
class Known:
    """Element type of a value, as ONNX numbers them, and its sizes; None for what is not known."""

    element: int = 0
    sizes: list[int | None] | None = None


def known_values(graph: Any) -> dict[str, Known]:
    """Return what is known of each value of a graph, by its name."""
    found: dict[str, Known] = {}
    for value in (*graph.input, *graph.value_info, *graph.output):
        kind = value.type.tensor_type
        dims = [d.dim_value if d.HasField("dim_value") else None for d in kind.shape.dim]
        found[value.name] = Known(kind.elem_type, dims if kind.HasField("shape") else None)
    return found | {w.name: Known(w.data_type, list(w.dims)) for w in graph.initializer}


def attributes_of(node: Any) -> dict[str, Any]:
    """Return the attributes of a node by name, as Python values; texts are bytes."""
    from onnx import helper

    return {item.name: helper.get_attribute_value(item) for item in node.attribute}


class NodeWriter:
    """Makes nodes in place of `node`, which carry its name; `nodes` lists them."""

    def __init__(self, node: Any) -> None:
        self.node = node
        self.nodes: list[Any] = []
        self._first = next(output for output in node.output if output)

    def make(self, kind: str, inputs: list[str], **attributes: Any) -> str:
        """Add a node of one result; return the name of that."""
        return self.make_many(kind, inputs, 1, **attributes)[0]

    def make_many(self, kind: str, inputs: list[str], count: int, **attributes: Any) -> list[str]:
        """Add a node of `count` results; return their names."""
        from onnx import helper

        names = [f"{self._first}/fsa_{len(self.nodes)}_{number}" for number in range(count)]
        self.nodes.append(helper.make_node(kind, inputs, names, name=self.node.name, **attributes))
        return names

    def constant(self, numbers: list[int] | float, element: int | None = None) -> str:
        """Add a constant: a vector of int64, or a scalar of the type `element`."""
        from onnx import TensorProto, helper

        if isinstance(numbers, list):
            value = helper.make_tensor("value", TensorProto.INT64, [len(numbers)], numbers)
        else:
            assert element is not None
            value = helper.make_tensor("value", element, [], [numbers])
        return self.make("Constant", [], value=value)

    def returns(self, *values: str) -> list[Any]:
        """Give `values` the names of the node's results, in their order; return the nodes."""
        wanted = dict(zip(values, self.node.output, strict=False))
        for made in self.nodes:
            for names in (made.input, made.output):
                names[:] = [wanted.get(name) or name for name in names]
        return self.nodes
