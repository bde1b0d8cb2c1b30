"""PyTorch ops that torch-mlir lowers inexactly, not at all, or to what no CPU has, written out."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any


def exact_decompositions() -> dict[Any, Callable[..., Any]]:
    """Return decompositions by op, as `ExportedProgram.run_decompositions` takes them."""
    import torch

    return {
        torch.ops.aten.convolution.default: _convolution,
        torch.ops.aten.gelu.default: _gelu,
        torch.ops.aten.log10.default: _log10,
    }


def _convolution(
    x: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    transposed: bool,
    output_padding: Any,
    groups: int,
) -> Any:
    """Give a transposed depthwise one a second filter of zeros a group, whose results are left out.

    torch-mlir has no lowering for a transposed convolution with a filter a channel.
    """
    import torch

    is_depthwise = groups > 1 and weight.shape[0] == groups and weight.shape[1] == 1
    if not transposed or not is_depthwise:
        return NotImplemented
    both = torch.cat([weight, torch.zeros_like(weight)], 1)
    options = (stride, padding, dilation, transposed, output_padding, groups)
    result = torch.ops.aten.convolution.default(x, both, None, *options)
    result = torch.ops.aten.slice.Tensor(result, -weight.dim() + 1, 0, 2 * groups, 2)
    if bias is None:
        return result
    return result + bias.reshape(-1, *[1] * (weight.dim() - 2))


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


def _log10(x: Any) -> Any:
    """Write out the logarithm to base 10: IREE's run-time library for CPUs has none."""
    import torch

    wide = x if x.dtype == torch.float64 else x.to(torch.float32)
    result = torch.log(wide) * math.log10(math.e)
    return result.to(x.dtype) if x.is_floating_point() else result
