"""What a call can pass, checked before IREE sees a module: its words for it are hard to read."""

from __future__ import annotations

from typing import Any

from fsa.dialects.fsa.argument_sizes import from_text, to_text
from fsa.dialects.fsa.markers import ARGUMENT_SIZES, FOREIGN_BODY, KERNEL_MARKER
from fsa.errors import InputError
from fsa.locations import place_of
from fsa.runtime.signature import has_dtype, is_scalar

_TAKEN = "tensors of known rank, or scalars of type index, f32, f64 or an integer of up to 64 bits"


def check_interface(root: Any) -> None:
    """Raise `InputError` unless `root` (an `ir.Operation`, a module) can be called from outside.

    It has at least one public function; their arguments and results are tensors and scalars that
    cross a call; and no function that it calls is only declared.
    """
    functions = [
        op.operation
        for op in root.regions[0].blocks[0].operations
        if op.operation.name == "func.func" and KERNEL_MARKER not in op.operation.attributes
    ]
    public = [function for function in functions if _is_public(function)]
    if not public:
        raise InputError(
            "expected a module with at least one public function (func.func), found none"
        )
    for function in public:
        _check_types(function)
        if ARGUMENT_SIZES in function.attributes:
            _check_sizes(function)
    declared = {
        _name(function)
        for function in functions
        if not list(function.regions[0].blocks) and FOREIGN_BODY not in function.attributes
    }
    if declared:
        _check_calls(root, declared)


def _is_public(function: Any) -> bool:
    attributes = function.attributes
    return "sym_visibility" not in attributes or attributes["sym_visibility"].value == "public"


def _name(function: Any) -> str:
    return function.attributes["sym_name"].value


def _check_types(function: Any) -> None:
    """Refuse an argument or result that does not cross a call."""
    from fsa.bindings import ir

    type_ = ir.FunctionType(function.attributes["function_type"].value)
    for what, types in (("argument", type_.inputs), ("result", type_.results)):
        for index, found in enumerate(types):
            if not _crosses(found):
                raise InputError(
                    f"@{_name(function)} expected {_TAKEN}, found {found} as {what} {index}"
                    f"{_advice(found)}{place_of(function)}"
                )


def _check_sizes(function: Any) -> None:
    """Refuse common sizes of what is no open dimension of an argument."""
    from fsa.bindings import ir

    given = function.attributes[ARGUMENT_SIZES]
    types = ir.FunctionType(function.attributes["function_type"].value).inputs
    try:
        places = [place for size in from_text(to_text(given)) for place in size.places]
        right = all(
            min(place.argument, place.dimension, place.factor - 1) >= 0
            and ir.RankedTensorType(types[place.argument]).is_dynamic_dim(place.dimension)
            for place in places
        )
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        right = False
    if not right:
        raise InputError(
            f"@{_name(function)} expected {ARGUMENT_SIZES} with places [argument, dimension, "
            f"factor, offset] of open dimensions, found {given}{place_of(function)}"
        )


def _crosses(type_: Any) -> bool:
    """Whether `type_` crosses a call; types of other dialects are left to IREE."""
    from fsa.bindings import ir

    if isinstance(type_, ir.RankedTensorType):
        element = str(ir.RankedTensorType(type_).element_type)
        return element.startswith("!") or (element != "index" and has_dtype(element))
    text = str(type_)
    return text.startswith("!") or is_scalar(text)


def _advice(type_: Any) -> str:
    """Return what to use in place of `type_`, or nothing."""
    from fsa.bindings import ir

    text = str(type_)
    if text in ("f16", "bf16"):
        return f"; use tensor<{text}>"
    if isinstance(type_, ir.RankedTensorType):
        element = str(ir.RankedTensorType(type_).element_type)
        if element == "index":
            return "; use i64 for index"
        return f"; no array has elements of type {element}"
    return ""


def _check_calls(root: Any, declared: set[str]) -> None:
    """Refuse a call of a function without a body."""
    from fsa.bindings import ir

    found: list[str] = []

    def visit(op: Any) -> Any:
        op = op.operation
        if op.name == "func.call" and op.attributes["callee"].value in declared:
            found.append(
                f"a call of the declaration @{op.attributes['callee'].value}{place_of(op)}"
            )
            return ir.WalkResult.INTERRUPT
        return ir.WalkResult.ADVANCE

    root.walk(visit)
    if found:
        raise InputError(f"expected every called function to have a body, found {found[0]}")
