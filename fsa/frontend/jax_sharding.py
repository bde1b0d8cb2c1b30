"""JAX writes how arrays are split over devices; on one device that says nothing, and goes.

The dialect `sdy` that says it belongs to XLA: no other MLIR reads it.
"""

from __future__ import annotations

from typing import Any

from fsa.errors import InputError
from fsa.locations import place_of

_DIALECT = "sdy."


def without_sharding(module: Any) -> Any:
    """Return a copy of JAX's `ir.Module`, as an operation, without ops and attributes of `sdy`.

    Raises `InputError` for a program that needs several devices.
    """
    root = module.operation.clone()
    found: list[Any] = []
    _collect(root, found)
    for op in found:
        if op.name == "sdy.mesh":
            op.erase()
        elif len(op.operands) == len(op.results) == 1 and not len(op.regions):
            # A constraint on, or a change of, how a value is split.
            op.results[0].replace_all_uses_with(op.operands[0])
            op.erase()
        else:
            raise InputError(
                f"expected a JAX program for one device, found {op.name}{place_of(op)}"
            )
    return root


def _collect(op: Any, found: list[Any]) -> None:
    """Drop the attributes of `sdy` in `op`, and append the ops of `sdy` in it to `found`."""
    for name in [name for name in op.attributes if name.startswith(_DIALECT)]:
        del op.attributes[name]
    for key in ("arg_attrs", "res_attrs"):
        if key in op.attributes:
            op.attributes[key] = _stripped(op.attributes[key])
    for region in op.regions:
        for block in region.blocks:
            for inner in block.operations:
                inner = inner.operation
                if inner.name.startswith(_DIALECT):
                    found.append(inner)
                else:
                    _collect(inner, found)


def _stripped(attributes: Any) -> Any:
    """Return an array of dictionaries without the entries of `sdy`."""
    array, kept = type(attributes), list[Any]()
    for entry in attributes:
        dictionary = type(entry)
        values = {named.name: named.attr for named in entry if not named.name.startswith(_DIALECT)}
        kept.append(dictionary.get(values, context=entry.context))
    return array.get(kept, context=attributes.context)
