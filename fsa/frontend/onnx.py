"""ONNX in: a file or an in-memory model becomes linalg on tensors.

The `onnx` package converts old operator sets and infers shapes, `onnxslim` folds constants (and
with them the `If` nodes whose condition the shapes decide), torch-mlir's importer and passes do the
rest.
"""

import importlib.util
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fsa.dialects.fsa.argument_sizes import to_attribute
from fsa.dialects.fsa.markers import ARGUMENT_NAMES, ARGUMENT_SIZES, RESULT_NAMES
from fsa.errors import InputError
from fsa.frontend.lowering import ResultTypeError, lower_imported
from fsa.frontend.onnx_functions import expand_functions
from fsa.frontend.onnx_nodes import (
    check_axes,
    check_nodes,
    check_values,
    drop_empty_axes,
    give_constants_types,
    keep_inputs,
    name_nodes,
    tell_apart,
)
from fsa.frontend.onnx_quantized import write_out_dequantization
from fsa.frontend.onnx_recurrent import read_forwards
from fsa.frontend.onnx_rewrites import rewrite_nodes
from fsa.frontend.onnx_shapes import common_sizes, set_result_sizes, set_shapes
from fsa.frontend.onnx_unsigned import widen_unsigned

OLDEST_OPSET, NEWEST_OPSET = 13, 21
# Below this operator set torch-mlir lacks forms that the converter of `onnx` can supply.
CONVERT_BELOW = 17
LOWERING = (
    "builtin.module("
    "torch-onnx-to-torch-backend-pipeline{backend-legal-ops=aten.flatten.using_ints},"
    "torch-backend-to-linalg-on-tensors-backend-pipeline)"
)


def is_onnx(source: Any) -> bool:
    """Return whether `source` is a path to an .onnx file or a `ModelProto`; imports nothing."""
    if isinstance(source, str | os.PathLike):
        return os.fspath(source).endswith(".onnx")
    return type(source).__name__ == "ModelProto"


def read_onnx(source: Any, shapes: Mapping[str, Sequence[int | str]] | None = None) -> Any:
    """Return an ONNX model as a verified `ir.Module` with one public function, `main`.

    `source` is a path (weights in external files beside it are found) or an `onnx.ModelProto`,
    which is not changed. `shapes` gives sizes by input name: an int fixes a dimension, a str keeps
    it dynamic under that name. Raises `InputError` for an unreadable model, an unknown input, an
    operator set outside 13 ... 21, or with the list of nodes that cannot be lowered.
    """
    for package in ("onnx", "onnxslim"):
        if importlib.util.find_spec(package) is None:
            raise InputError(f"ONNX models need {package}: run `pip install 'fsa[onnx]'`")
    import onnx

    if isinstance(source, str | os.PathLike):
        model = _load(Path(os.fspath(source)))
    else:
        model = onnx.ModelProto()
        model.CopyFrom(source)
    model = _prepared(model, {} if shapes is None else shapes)
    while True:
        try:
            return _import(model)
        except ResultTypeError as error:
            # The file promises sizes of results that only the values of the inputs decide.
            if not set_result_sizes(model, error.index, error.sizes):
                name = model.graph.output[error.index].name
                raise InputError(
                    f"the ONNX graph cannot be lowered: the sizes of its result '{name}' depend "
                    "on the values of its inputs"
                ) from None


def _load(path: Path) -> Any:
    import onnx
    from google.protobuf.message import DecodeError

    try:
        if path.is_file() and not path.stat().st_size:
            raise InputError(f"expected an ONNX model in {path}, found an empty file")
        return onnx.load(str(path))
    except OSError as error:
        raise InputError(f"cannot read {error.filename or path}: {error.strerror}") from None
    # A ValueError says that a file of weights is too short.
    except (DecodeError, onnx.checker.ValidationError, ValueError) as error:
        raise InputError(f"expected an ONNX model in {path}, found: {error}") from None


def _prepared(model: Any, shapes: Mapping[str, Sequence[int | str]]) -> Any:
    """Fix shapes, convert the operator set, fold constants and infer all shapes."""
    import onnx
    import onnxslim

    if not model.graph.output:
        raise InputError("expected an ONNX model, found one without results")
    opset = next((s.version for s in model.opset_import if s.domain in ("", "ai.onnx")), None)
    if opset is None or not OLDEST_OPSET <= opset <= NEWEST_OPSET:
        raise InputError(
            f"expected an ONNX model of operator set {OLDEST_OPSET} to {NEWEST_OPSET}, "
            f"found {opset}"
        )
    check_values(model)
    set_shapes(model, shapes)
    name_nodes(model)
    check_nodes(model)
    try:
        if opset < CONVERT_BELOW:
            model = onnx.version_converter.convert_version(model, CONVERT_BELOW)
            name_nodes(model)
        drop_empty_axes(model)
        expand_functions(model)
        read_forwards(model)
        taken = [onnx.ValueInfoProto.FromString(v.SerializeToString()) for v in model.graph.input]
        tell_apart(model)
        give_constants_types(model)
        model = onnxslim.slim(model)
        keep_inputs(model, taken)
        name_nodes(model)
        model = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
        check_axes(model)
        rewrite_nodes(model, max(opset, CONVERT_BELOW))
        widen_unsigned(model)
        write_out_dequantization(model)
        return onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
    except InputError:
        raise
    except Exception as error:
        text = " ".join(str(error).split())
        raise InputError(f"the ONNX model cannot be prepared: {text}") from None


def _import(model: Any) -> Any:
    from fsa.bindings import ir, load_extensions, onnx_importer
    from fsa.dialects.fsa.dialect import new_context

    context = new_context()
    load_extensions(context, {"torch", "torch_c", "tm_tensor"})
    info = onnx_importer.ModelInfo(model)
    module = info.create_module(context=context)
    try:
        importer = onnx_importer.NodeImporter.define_function(info.main_graph, module.operation)
        importer.import_all()
    except onnx_importer.OnnxImportError as error:
        raise InputError(f"the ONNX graph cannot be imported: {error}") from None
    entry = module.body.operations[0]
    entry.attributes["sym_name"] = ir.StringAttr.get("main", context)
    _note_interface(entry, info.main_graph)
    lower_imported(module, LOWERING, "the ONNX graph")
    return module


def _note_interface(entry: Any, graph: Any) -> None:
    """Note on the function `entry` what the graph calls its inputs, their sizes and its outputs."""
    from fsa.bindings import ir

    results = [value.name for value in graph.graph_proto.output]
    with entry.context:
        for key, names in ((ARGUMENT_NAMES, list(graph.input_map)), (RESULT_NAMES, results)):
            entry.attributes[key] = ir.ArrayAttr.get([ir.StringAttr.get(name) for name in names])
        noted = to_attribute(common_sizes(list(graph.input_map.values())), ir)
        if noted is not None:
            entry.attributes[ARGUMENT_SIZES] = noted
