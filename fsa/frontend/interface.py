"""What a function's type in linalg does not say of its interface, kept in attributes.

`dialects/fsa/markers.py` lists them; the hand-over writes them into the compiled module.
"""

from __future__ import annotations

import re
from typing import Any

from fsa.dialects.fsa.markers import UNSIGNED_RESULTS

_UNSIGNED = re.compile(r"(?<![a-wyz])ui\d+")


def mark_unsigned_results(module: Any, ir: Any) -> None:
    """Note on each function of `module` which results hold unsigned integers; linalg has no sign.

    `ir` are the bindings that `module` belongs to.
    """
    with module.context:
        for op in module.body.operations:
            if op.operation.name != "func.func":
                continue
            attributes = op.operation.attributes
            found = unsigned_results(ir.FunctionType(attributes["function_type"].value))
            if found:
                attributes[UNSIGNED_RESULTS] = ir.DenseI64ArrayAttr.get(found)


def unsigned_results(type_: Any) -> list[int]:
    """Return which results of a function type hold unsigned integers."""
    return [i for i, result in enumerate(type_.results) if _UNSIGNED.search(str(result))]
