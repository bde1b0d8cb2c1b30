"""Tensor types of torch-mlir's dialect, whose Python bindings have no class for them."""

from __future__ import annotations

import re
from typing import Any

_TENSOR = re.compile(r"!torch\.vtensor<\[(?P<sizes>[^\]]*)\](?:,(?P<element>[^,>]*))?.*>")


def tensor_sizes(type: Any) -> list[str] | None:
    """Return the sizes of a `!torch.vtensor` type as texts, "?" for an open one.

    None for other types, and where the rank is not known.
    """
    found = _TENSOR.fullmatch(str(type))
    return None if found is None else [size for size in found["sizes"].split(",") if size]


def tensor_element(type: Any) -> str | None:
    """Return the element type, such as `f32` or `si64`, of a `!torch.vtensor` type of known rank.

    None for other types, and where it is not known.
    """
    found = _TENSOR.fullmatch(str(type))
    element = None if found is None else found["element"]
    return None if element == "unk" else element
