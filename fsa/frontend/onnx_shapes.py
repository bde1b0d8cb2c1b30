"""Sizes of the inputs of an ONNX model: those that a user gives, and those that have a name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any

from fsa.dialects.fsa.argument_sizes import CommonSize, Place
from fsa.errors import InputError


def set_shapes(model: Any, shapes: Mapping[str, Sequence[int | str]]) -> None:
    """Write `shapes` into the inputs of `model` (a `ModelProto`), in place.

    An int fixes a dimension, a str keeps it dynamic under that name. Raises `InputError` for an
    unknown input, another number of sizes, or a size that the model fixes otherwise.
    """
    given: Any = shapes
    if not isinstance(given, Mapping):
        raise InputError(
            "expected shapes as a dict by input name, such as {'x': (1, 3, 48, 320)}, "
            f"found {given!r}"
        )
    weights = {initializer.name for initializer in model.graph.initializer}
    inputs = {value.name: value for value in model.graph.input if value.name not in weights}
    for name, shape in shapes.items():
        if name not in inputs:
            raise InputError(f"expected a shape for one of {', '.join(inputs)}, found '{name}'")
        _set_shape(name, _sizes(name, shape), inputs[name].type.tensor_type.shape.dim)
    if not shapes:
        return
    # What was inferred for the old shapes would contradict the new ones.
    del model.graph.value_info[:]
    for output in model.graph.output:
        for dim in output.type.tensor_type.shape.dim:
            if not dim.HasField("dim_value"):
                dim.Clear()


def set_result_sizes(model: Any, index: int, sizes: Sequence[int | None]) -> bool:
    """Write the sizes of result `index` into `model`, in place; None leaves one open.

    Returns whether that changes anything; a result of another number of axes stays as it is.
    """
    dims = model.graph.output[index].type.tensor_type.shape.dim
    before = [dim.dim_value if dim.HasField("dim_value") else None for dim in dims]
    if len(before) != len(sizes) or before == list(sizes):
        return False
    for dim, size in zip(dims, sizes, strict=True):
        dim.Clear()
        if size is not None:
            dim.dim_value = size
    return True


def common_sizes(inputs: Sequence[Any]) -> list[CommonSize]:
    """Return which dimensions of `inputs` (`ValueInfoProto`s) have a name in common.

    In ONNX they have the same size. A name without a letter, such as `?`, says nothing.
    """
    places: dict[str, list[Place]] = {}
    for index, value in enumerate(inputs):
        for dimension, size in enumerate(value.type.tensor_type.shape.dim):
            if any(character.isalpha() for character in size.dim_param):
                places.setdefault(size.dim_param, []).append(Place(index, dimension))
    return [CommonSize(tuple(found)) for found in places.values()]


def _sizes(name: str, shape: Any) -> list[int | str]:
    """Return a shape as ints >= 0 and names."""
    if isinstance(shape, str) or not isinstance(shape, Sequence):
        raise InputError(f"expected a tuple of sizes for input '{name}', found {shape!r}")
    found: list[int | str] = []
    for size in shape:
        if not isinstance(size, bool) and isinstance(size, Integral) and int(size) >= 0:
            found.append(int(size))
        elif isinstance(size, str) and size:
            found.append(size)
        else:
            raise InputError(
                f"expected each size of input '{name}' to be a number, or a name for one that "
                f"stays dynamic, found {size!r}"
            )
    return found


def _set_shape(name: str, shape: list[int | str], dims: Any) -> None:
    if len(dims) != len(shape):
        raise InputError(
            f"expected {len(dims)} sizes for input '{name}', found {len(shape)}: {tuple(shape)}"
        )
    for dim, size in zip(dims, shape, strict=True):
        if isinstance(size, int) and dim.HasField("dim_value") and dim.dim_value != size:
            raise InputError(
                f"expected size {dim.dim_value} in input '{name}', found {size}: "
                "the model fixes this dimension"
            )
        dim.Clear()
        if isinstance(size, int):
            dim.dim_value = size
        else:
            dim.dim_param = size
