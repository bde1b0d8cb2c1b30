"""What a compiled function says of itself: texts by name, which a `.vmfb` carries."""

from __future__ import annotations

import json
from typing import Any

from fsa.dialects.fsa.argument_sizes import to_text
from fsa.dialects.fsa.markers import (
    ARGUMENT_NAMES,
    ARGUMENT_SIZES,
    RESULT_NAMES,
    UNSIGNED_RESULTS,
)

_REFLECTION = "iree.reflection"


def reflect(module: Any, entries: dict[str, str]) -> None:
    """Add `entries` to the reflection data of every public function; a `.vmfb` carries them."""
    from iree.compiler import ir

    for op in module.body.operations:
        attributes = op.operation.attributes
        if op.operation.name != "func.func" or not _is_public(attributes):
            continue
        given = attributes[_REFLECTION] if _REFLECTION in attributes else {}
        merged = {named.name: named.attr for named in given} if given else {}
        own = {**_interface(attributes), **entries}
        merged |= {name: ir.StringAttr.get(text) for name, text in own.items()}
        attributes[_REFLECTION] = ir.DictAttr.get(merged)


def _is_public(attributes: Any) -> bool:
    return "sym_visibility" not in attributes or attributes["sym_visibility"].value == "public"


def _interface(attributes: Any) -> dict[str, str]:
    """Return what a front end noted of a function's interface, as JSON lists."""
    found: dict[str, str] = {}
    for name in (ARGUMENT_NAMES, RESULT_NAMES):
        if name in attributes:
            found[name] = json.dumps([item.value for item in attributes[name]])
    if UNSIGNED_RESULTS in attributes:
        found[UNSIGNED_RESULTS] = json.dumps(list(attributes[UNSIGNED_RESULTS]))
    if ARGUMENT_SIZES in attributes:
        found[ARGUMENT_SIZES] = to_text(attributes[ARGUMENT_SIZES])
    return found
