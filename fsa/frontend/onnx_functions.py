"""Nodes whose operator ONNX defines by others are written out as these.

torch-mlir lacks some of these operators, and computes others in another way than ONNX says: a GELU
with approximate = "tanh" has an inexact constant there, and CastLike does not saturate.
"""

from __future__ import annotations

from typing import Any

from fsa.frontend.onnx_writer import STANDARD

_EXPANDED = frozenset(
    "BlackmanWindow CastLike CenterCropPad HammingWindow HannWindow MeanVarianceNormalization "
    "NegativeLogLikelihoodLoss SoftmaxCrossEntropyLoss".split()
)


def expand_functions(model: Any) -> None:
    """Replace such nodes of `model`, an `onnx.ModelProto` whose nodes have names, in place.

    The nodes that take their place have their name, and their results keep theirs.
    """
    import onnx

    if not any(_is_expanded(node) for node in model.graph.node):
        return
    # Some definitions depend on the types of what the node takes.
    inferred = onnx.shape_inference.infer_shapes(model).graph
    known = {value.name: value.type for value in (*inferred.input, *inferred.value_info)} | {
        weight.name: _type_of(weight) for weight in model.graph.initializer
    }
    nodes: list[Any] = []
    for node in model.graph.node:
        nodes += _body(node, known, model) if _is_expanded(node) else [node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def _is_expanded(node: Any) -> bool:
    if node.domain not in STANDARD:
        return False
    if node.op_type == "Gelu":
        return any(item.name == "approximate" and item.s == b"tanh" for item in node.attribute)
    return node.op_type in _EXPANDED


def _type_of(weight: Any) -> Any:
    from onnx import helper

    return helper.make_tensor_type_proto(weight.data_type, list(weight.dims))


def _body(node: Any, known: dict[str, Any], model: Any) -> list[Any]:
    """Return the nodes that `node` stands for, or `node` where its types are not known.

    The node is expanded in a model of its own, so that no weights are copied.
    """
    import onnx
    from onnx import helper, inliner

    taken = list(dict.fromkeys(name for name in node.input if name))
    if any(name not in known for name in taken):
        return [node]
    copy = onnx.NodeProto()
    copy.CopyFrom(node)
    _add_defaults(copy, model)
    graph = helper.make_graph(
        [copy],
        "node",
        [onnx.ValueInfoProto(name=name, type=known[name]) for name in taken],
        [onnx.ValueInfoProto(name=name) for name in node.output if name],
    )
    alone = onnx.ModelProto(
        graph=graph, ir_version=model.ir_version, opset_import=model.opset_import
    )
    kinds = [("", kind) for kind in (*_EXPANDED, "Gelu")]
    expanded = inliner.inline_selected_functions(alone, kinds, inline_schema_functions=True)
    outer = {*taken, *node.output, ""}
    for inner in expanded.graph.node:
        inner.name = node.name
        for values in (inner.input, inner.output):
            values[:] = [v if v in outer else f"{node.name}/{v}" for v in values]
    return list(expanded.graph.node)


def _add_defaults(node: Any, model: Any) -> None:
    """Write the default values of attributes that `node` leaves out: definitions refer to them."""
    import onnx

    version = next(o.version for o in model.opset_import if o.domain in STANDARD)
    schema = onnx.defs.get_schema(node.op_type, version, "")
    given = {item.name for item in node.attribute}
    for name, attribute in schema.attributes.items():
        if name not in given and attribute.default_value.name:
            node.attribute.append(attribute.default_value)
