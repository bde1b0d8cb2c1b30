"""The passes of FSA: pass name -> "module:class". Nothing is imported until a pass is asked for."""

import importlib
from typing import Any

from fsa.passes.base import Pass

PASSES: dict[str, str] = {
    "convert-fsa-to-linalg": "fsa.passes.convert_fsa_to_linalg:ConvertFsaToLinalg",
}


def pass_class(name: str) -> type[Pass]:
    """Return the class of the pass called `name`; raise KeyError when there is none."""
    module, _, attribute = PASSES[name].partition(":")
    found: Any = getattr(importlib.import_module(module), attribute)
    return found
