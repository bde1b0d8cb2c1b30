"""An ONNX graph before it is imported: what its nodes are called, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fsa.errors import InputError
from fsa.frontend.onnx_writer import STANDARD, Known, known_values

_REPEATED = "\N{INFORMATION SEPARATOR ONE}"


def name_nodes(model: Any) -> None:
    """Give each node without a name that of its first result, so that errors can name it."""
    for node in _all_nodes(model.graph):
        node.name = node.name.partition(_REPEATED)[0]
        if not node.name and node.output:
            node.name = next((output for output in node.output if output), "")


def _all_nodes(graph: Any) -> Iterator[Any]:
    """Yield the nodes of a graph, and of the graphs inside of its nodes."""
    for node in graph.node:
        yield node
        for item in node.attribute:
            for inner in (item.g, *item.graphs) if _holds_graph(item) else ():
                yield from _all_nodes(inner)


def tell_apart(model: Any) -> None:
    """Give nodes of one name names of their own; `name_nodes` takes that back.

    ONNX lets names repeat; onnxslim 0.1.98 takes nodes for one another then, and folds wrong
    constants.
    """
    seen: set[str] = set()
    for number, node in enumerate(_all_nodes(model.graph)):
        if node.name in seen:
            node.name = f"{node.name}{_REPEATED}{number}"
        seen.add(node.name)


def give_constants_types(model: Any) -> None:
    """Write the numbers of Constant nodes as tensors; onnxslim 0.1.98 takes float32 for float64."""
    from onnx import TensorProto, helper

    for node in _all_nodes(model.graph):
        if node.op_type != "Constant" or node.domain not in STANDARD:
            continue
        for item in list(node.attribute):
            if item.name not in ("value_float", "value_floats", "value_int", "value_ints"):
                continue
            numbers = helper.get_attribute_value(item)
            element = TensorProto.FLOAT if "float" in item.name else TensorProto.INT64
            many = item.name.endswith("s")
            tensor = helper.make_tensor(
                "value", element, [len(numbers)] if many else [], numbers if many else [numbers]
            )
            node.attribute.remove(item)
            node.attribute.append(helper.make_attribute("value", tensor))


def keep_inputs(model: Any, taken: list[Any]) -> None:
    """Give `model` the inputs `taken` in their order, those too that nothing reads any more.

    Inputs that only name a weight of the file are no inputs.
    """
    weights = {weight.name for weight in model.graph.initializer}
    present = {value.name: value for value in model.graph.input}
    kept = [present.get(value.name, value) for value in taken if value.name not in weights]
    known = {value.name for value in kept}
    kept += [value for name, value in present.items() if name not in known | weights]
    kept = [type(value).FromString(value.SerializeToString()) for value in kept]
    del model.graph.input[:]
    model.graph.input.extend(kept)


def check_nodes(model: Any) -> None:
    """Raise `InputError` with every node that is not what its operator takes.

    Weights are not looked at, which the whole checker of `onnx` would copy. Operators that do not
    exist are left to the lowering, which lists them with those that it does not know.
    """
    import onnx

    context = onnx.checker.C.CheckerContext()
    context.ir_version = model.ir_version
    context.opset_imports = {opset.domain: opset.version for opset in model.opset_import}
    found: list[str] = []
    for node in model.graph.node:
        # What is inside of a graph of its own uses values that the checker cannot see from here.
        if node.domain not in STANDARD or any(_holds_graph(item) for item in node.attribute):
            continue
        try:
            onnx.checker.check_node(node, context)
        except onnx.checker.ValidationError as error:
            text = str(error).split("\n")[0]
            if "No Op registered" not in text:
                found.append(f"{node.op_type} (node '{node.name}'): {text}")
    found += _without_makers(model.graph)
    if found:
        raise InputError(f"the ONNX model is not valid: {'; '.join(found)}")


def _without_makers(graph: Any) -> list[str]:
    """Return a phrase for each node that takes a value which nothing in the graph gives."""
    given = {value.name for value in (*graph.input, *graph.initializer)}
    given |= {weight.values.name for weight in graph.sparse_initializer}
    given |= {name for node in graph.node for name in node.output}
    return [
        f"{node.op_type} (node '{node.name}') takes '{name}', which no input, weight or node gives"
        for node in graph.node
        for name in node.input
        if name and name not in given
    ]


def _holds_graph(attribute: Any) -> bool:
    return attribute.HasField("g") or len(attribute.graphs) > 0


# Element types that no array has, or that are no numbers.
_NO_NUMBERS = ("STRING", "INT4", "UINT4", "INT2", "UINT2", "FLOAT4E2M1")


def check_values(model: Any) -> None:
    """Raise `InputError` unless the graph takes and returns tensors of numbers that arrays have."""
    for what, values in (("input", model.graph.input), ("result", model.graph.output)):
        for value in values:
            found = _kind_of(value.type)
            if found:
                raise InputError(
                    f"expected a tensor of numbers of at least 8 bits as {what} '{value.name}' of "
                    f"the ONNX graph, found {found}"
                )


def _kind_of(type: Any) -> str:
    """Return what a value is that is no tensor of numbers, else nothing."""
    from onnx import TensorProto

    kind = type.WhichOneof("value")
    if kind is None:  # a result without a type, which shape inference finds
        return ""
    if kind != "tensor_type":
        name = kind.removesuffix("_type").replace("_", " ")
        return "an optional value" if name == "optional" else f"a {name}"
    element = TensorProto.DataType.Name(type.tensor_type.elem_type)
    return f"elements of type {element.lower()}" if element in _NO_NUMBERS else ""


# Where nodes take the axes along which they work; without them, no rank of a result is known.
_AXES = {"CumSum": 1, "DFT": 2, "Unsqueeze": 1}


def _axes_of(node: Any) -> int | None:
    """Return the position of the axes among the inputs of `node`; None where it takes none."""
    position = 1 if node.op_type.startswith("Reduce") else _AXES.get(node.op_type)
    if position is None or node.domain not in STANDARD or len(node.input) <= position:
        return None
    return position if node.input[position] else None


def drop_empty_axes(model: Any) -> None:
    """Take inputs that list no axes away from the nodes of `model`, which means the same."""
    known = known_values(model.graph)
    for node in model.graph.node:
        position = _axes_of(node)
        if position is not None and known.get(node.input[position], Known()).sizes == [0]:
            node.input[position] = ""
            while not node.input[-1]:
                del node.input[-1]


def check_axes(model: Any) -> None:
    """Raise `InputError` with every node of `model` whose axes are computed at run time.

    Constants are folded by now.
    """
    constant = {weight.name for weight in model.graph.initializer}
    constant |= {node.output[0] for node in model.graph.node if node.op_type == "Constant"}
    found = [
        f"{node.op_type} (node '{node.name}')"
        for node in model.graph.node
        if (position := _axes_of(node)) is not None and node.input[position] not in constant
    ]
    if found:
        raise InputError(
            "the ONNX graph cannot be lowered: expected constant axes, found axes that are "
            f"computed at run time at {'; '.join(found)}"
        )
