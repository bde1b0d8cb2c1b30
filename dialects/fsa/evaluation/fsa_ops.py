"""fsa ops, evaluated by their references."""

from collections.abc import Callable, Sequence
from typing import Any

from fsa.dialects.fsa import reference
from fsa.dialects.fsa.attributes import (
    Attributes,
    read_f64,
    read_i64,
    read_i64_array,
    read_string,
)
from fsa.dialects.fsa.constants import dtype_of


def evaluate(op: Any, operands: Sequence[Any], *, dtype: Any = None) -> list[Any]:
    """Return the results of the fsa op `op` on arrays; raise KeyError for ops of another kind.

    `dtype` is the NumPy type of a float result, by default that of the op's result.
    """
    keywords = _KEYWORDS[op.name](op.attributes, [result.type for result in op.results])
    if "dtype" in keywords and dtype is not None:
        keywords["dtype"] = dtype
    found = reference.reference_of(op.name)(*operands, **keywords)
    return list(found) if isinstance(found, tuple) else [found]


def has_reference(name: str) -> bool:
    """Tell whether the op `name` ("fsa.squash") can be evaluated on arrays."""
    return name in _KEYWORDS


def _window(attributes: Attributes) -> dict[str, Any]:
    return {
        "strides": read_i64_array(attributes, "strides"),
        "pad": read_i64_array(attributes, "pad"),
        "dilations": read_i64_array(attributes, "dilations", (1, 1)),
    }


def _convolution(attributes: Attributes, _: Sequence[Any]) -> dict[str, Any]:
    return {
        "channels": read_i64(attributes, "channels"),
        "pad_mode": read_string(attributes, "pad_mode"),
        "groups": read_i64(attributes, "groups", 1),
        **_window(attributes),
    }


def _pooling(attributes: Attributes, _: Sequence[Any]) -> dict[str, Any]:
    return {"kernel": read_i64_array(attributes, "kernel"), **_window(attributes)}


def _routing(attributes: Attributes, results: Sequence[Any]) -> dict[str, Any]:
    return {
        "coefficients": len(results) > 1,
        "iterations": read_i64(attributes, "iterations"),
        "agreement": read_string(attributes, "agreement"),
        "epsilon": read_f64(attributes, "epsilon"),
    }


def _unpacking(attributes: Attributes, results: Sequence[Any]) -> dict[str, Any]:
    return {"depth": read_i64(attributes, "depth"), "dtype": dtype_of(results[0].element_type)}


# The keyword arguments of an op's reference, from its attributes and the types of its results.
_KEYWORDS: dict[str, Callable[[Attributes, Sequence[Any]], dict[str, Any]]] = {
    "fsa.pack_bits": lambda _, results: {"word_width": results[0].element_type.width},
    "fsa.unpack_bits": _unpacking,
    "fsa.binarized_matmul": lambda attributes, _: {"depth": read_i64(attributes, "depth")},
    "fsa.binarized_conv2d": _convolution,
    "fsa.binarized_threshold": lambda _, __: {},
    "fsa.binarized_max_pool2d": _pooling,
    "fsa.capsule_predict": lambda _, __: {},
    "fsa.capsule_routing": _routing,
    "fsa.squash": lambda attributes, _: {"epsilon": read_f64(attributes, "epsilon")},
}
