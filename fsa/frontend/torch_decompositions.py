"""PyTorch ops that torch-mlir lowers inexactly, written out as others."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any


def exact_decompositions() -> dict[Any, Callable[..., Any]]:
    """Return decompositions by op, as `ExportedProgram.run_decompositions` takes them."""
    import torch

    return {torch.ops.aten.gelu.default: _gelu}


def _gelu(x: Any, *, approximate: str = "none") -> Any:
    """Write out the GELU by tanh: torch-mlir's sqrt(2 / pi) is wrong in the fourth digit.

    D. Hendrycks and K. Gimpel, "Gaussian Error Linear Units", 2016. As in PyTorch the arithmetic
    on f16 and bf16 is in f32.
    """
    import torch

    if approximate != "tanh":
        return NotImplemented
    wide = x.to(torch.float32) if x.dtype in (torch.float16, torch.bfloat16) else x
    inner = math.sqrt(2 / math.pi) * (wide + 0.044715 * (wide * wide * wide))
    return (0.5 * wide * (1 + torch.tanh(inner))).to(x.dtype)
