"""Fold ops whose operands are all constants, by the reference of the op."""

from collections.abc import Callable
from typing import Any

import numpy as np

from fsa.bindings import ir
from fsa.dialects.fsa import reference
from fsa.dialects.fsa.attributes import (
    Attributes,
    read_f64,
    read_i64,
    read_i64_array,
    read_string,
)
from fsa.dialects.fsa.constants import attribute_of, constant_array, dtype_of
from fsa.dialects.fsa.shapes import type_dims

# Their results are smaller than their operands, so folding them never grows the module.
SHRINKING = ("fsa.pack_bits", "fsa.binarized_threshold")


def fold_constants(op: Any, max_elements: int) -> Any:
    """Return a constant with the result of `op`, built in front of it, or None.

    Ops whose result has more than `max_elements` elements stay, except those of `SHRINKING`.
    """
    keywords = _KEYWORDS.get(op.name)
    if keywords is None:
        return None
    type = op.results[0].type
    if None in type_dims(type):
        return None
    if op.name not in SHRINKING and int(np.prod(type.shape)) > max_elements:
        return None
    arrays = [constant_array(operand) for operand in op.operands]
    if any(array is None for array in arrays):
        return None
    value = reference.reference_of(op.name)(*arrays, **keywords(op.attributes, type))
    return ir.Operation.create(
        "arith.constant",
        results=[type],
        attributes={"value": attribute_of(value, type.element_type)},
        loc=op.location,
        ip=ir.InsertionPoint(op),
    ).results[0]


def _window(attributes: Attributes) -> dict[str, Any]:
    return {
        "strides": read_i64_array(attributes, "strides"),
        "pad": read_i64_array(attributes, "pad"),
        "dilations": read_i64_array(attributes, "dilations", (1, 1)),
    }


def _convolution(attributes: Attributes, _: Any) -> dict[str, Any]:
    return {
        "channels": read_i64(attributes, "channels"),
        "pad_mode": read_string(attributes, "pad_mode"),
        "groups": read_i64(attributes, "groups", 1),
        **_window(attributes),
    }


def _routing(attributes: Attributes, _: Any) -> dict[str, Any]:
    return {
        "iterations": read_i64(attributes, "iterations"),
        "agreement": read_string(attributes, "agreement"),
        "epsilon": read_f64(attributes, "epsilon"),
    }


def _unpacking(attributes: Attributes, type: Any) -> dict[str, Any]:
    return {"depth": read_i64(attributes, "depth"), "dtype": dtype_of(type.element_type)}


# The keyword arguments of an op's reference, from its attributes and result type.
_KEYWORDS: dict[str, Callable[[Attributes, Any], dict[str, Any]]] = {
    "fsa.pack_bits": lambda _, type: {"word_width": type.element_type.width},
    "fsa.unpack_bits": _unpacking,
    "fsa.binarized_matmul": lambda attributes, _: {"depth": read_i64(attributes, "depth")},
    "fsa.binarized_conv2d": _convolution,
    "fsa.binarized_threshold": lambda _, __: {},
    "fsa.binarized_max_pool2d": lambda attributes, _: {
        "kernel": read_i64_array(attributes, "kernel"),
        **_window(attributes),
    },
    "fsa.capsule_predict": lambda _, __: {},
    "fsa.capsule_routing": _routing,
    "fsa.squash": lambda attributes, _: {"epsilon": read_f64(attributes, "epsilon")},
}
