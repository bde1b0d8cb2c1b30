"""The nodes of an ONNX graph before it is imported: what they are called, and what is wrong."""

from __future__ import annotations

from typing import Any

from fsa.errors import InputError

_STANDARD = ("", "ai.onnx")


def name_nodes(model: Any) -> None:
    """Give each node without a name that of its first result, so that errors can name it."""
    for node in model.graph.node:
        if not node.name and node.output:
            node.name = next((output for output in node.output if output), "")


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
        if node.domain not in _STANDARD or any(_holds_graph(item) for item in node.attribute):
            continue
        try:
            onnx.checker.check_node(node, context)
        except onnx.checker.ValidationError as error:
            text = str(error).split("\n")[0]
            if "No Op registered" not in text:
                found.append(f"{node.op_type} (node '{node.name}'): {text}")
    if found:
        raise InputError(f"the ONNX model is not valid: {'; '.join(found)}")


def _holds_graph(attribute: Any) -> bool:
    return attribute.HasField("g") or len(attribute.graphs) > 0
