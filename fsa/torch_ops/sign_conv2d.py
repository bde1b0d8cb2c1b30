"""`fsa::sign_conv2d`: a 2-D convolution of signs, trained through straight-through gradients.

The convolution of the signs of an image with the signs of a latent weight; the gradient by either
passes where the value is within [-1, 1] (Courbariaux et al. 2016). Images are NCHW and weights OIHW
as everywhere in PyTorch; compiled, it is `binarized_conv2d` of bits packed along the channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from fsa.torch_ops import bits
from fsa.torch_ops.checks import MAX_DEPTH, expect, expect_float, expect_rank, shown, word_type
from fsa.torch_ops.library import define
from fsa.torch_ops.windows import PAD_MODES, check_window, convolve_signs, frame, window_extents

_OP = "sign_conv2d"


def _check(
    x: torch.Tensor,
    weight: torch.Tensor,
    strides: Sequence[int],
    pad: Sequence[int],
    pad_mode: str,
    dilations: Sequence[int],
    groups: int,
    word_width: int,
) -> tuple[Any, ...]:
    """Check the operands and return the shape of the result."""
    expect_float(_OP, "x", x)
    expect_float(_OP, "weight", weight)
    expect_rank(_OP, "x", x, 4)
    expect_rank(_OP, "weight", weight, 4)
    check_window(_OP, strides, pad, dilations)
    expect(pad_mode in PAD_MODES, _OP, 'pad_mode "zero" or "one"', repr(pad_mode))
    word_type(_OP, word_width)
    filters, depth, *window = weight.shape
    expect(min(window) >= 1, _OP, "a weight with kernel sizes of at least 1", shown(weight))
    expect(
        groups >= 1 and filters % groups == 0 and x.shape[1] == depth * groups,
        _OP,
        "x [N, C, H, W] and weight [O, C / groups, Kh, Kw] with groups that divide C and O",
        f"{shown(x)}, {shown(weight)} and groups {groups}",
    )
    expect(
        groups == 1 or depth % word_width == 0,
        _OP,
        f"groups of a multiple of {word_width} channels, since each starts at a word",
        f"{depth} channels in each of {groups} groups",
    )
    expect(
        window[0] * window[1] * depth <= MAX_DEPTH,
        _OP,
        "fewer than 2^31 taps times channels",
        shown(weight),
    )
    return (x.shape[0], filters, *window_extents(x.shape[2:], window, strides, pad, dilations))


def _eager(
    x: torch.Tensor,
    weight: torch.Tensor,
    strides: Sequence[int] = (1, 1),
    pad: Sequence[int] = (0, 0, 0, 0),
    pad_mode: str = "zero",
    dilations: Sequence[int] = (1, 1),
    groups: int = 1,
    word_width: int = 32,
) -> torch.Tensor:
    """Return the sums NCHW in the type of `x`; `pad` is top, bottom, left, right."""
    _check(x, weight, strides, pad, pad_mode, dilations, groups, word_width)
    wide = bits.sum_type(weight[0].numel() if weight.shape[0] else 0)
    left, right = bits.signs(x >= 0, wide), bits.signs(weight >= 0, wide)
    sums = convolve_signs(left, right, strides, pad, pad_mode, dilations, groups)
    return sums.to(x.dtype).contiguous()  # also of an image whose channels come last


def _fake(
    x: Any,
    weight: Any,
    strides: Sequence[int] = (1, 1),
    pad: Sequence[int] = (0, 0, 0, 0),
    pad_mode: str = "zero",
    dilations: Sequence[int] = (1, 1),
    groups: int = 1,
    word_width: int = 32,
) -> Any:
    shape = _check(x, weight, strides, pad, pad_mode, dilations, groups, word_width)
    return x.new_empty(shape)


def _setup(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
    x, weight, ctx.strides, ctx.pad, ctx.pad_mode, ctx.dilations, ctx.groups, _ = inputs
    ctx.save_for_backward(x, weight)


def _backward(ctx: Any, gradient: torch.Tensor) -> tuple[Any, ...]:
    x, weight = ctx.saved_tensors
    by_framed, by_weight, _ = torch.ops.aten.convolution_backward(
        gradient,
        frame(bits.signs(x >= 0, gradient.dtype), ctx.pad, ctx.pad_mode),
        bits.signs(weight >= 0, gradient.dtype),
        None,
        list(ctx.strides),
        [0, 0],
        list(ctx.dilations),
        False,
        [0, 0],
        ctx.groups,
        [ctx.needs_input_grad[0], ctx.needs_input_grad[1], False],
    )
    by_x = None
    if ctx.needs_input_grad[0]:
        top, _, left, _ = ctx.pad
        inside = by_framed[:, :, top : top + x.shape[2], left : left + x.shape[3]]
        by_x = (inside * bits.within_one(x)).to(x.dtype)
    if ctx.needs_input_grad[1]:
        by_weight = (by_weight * bits.within_one(weight)).to(weight.dtype)
    return by_x, by_weight, None, None, None, None, None, None


def _decomposition(
    x: torch.Tensor,
    weight: torch.Tensor,
    strides: Sequence[int] = (1, 1),
    pad: Sequence[int] = (0, 0, 0, 0),
    pad_mode: str = "zero",
    dilations: Sequence[int] = (1, 1),
    groups: int = 1,
    word_width: int = 32,
) -> torch.Tensor:
    ops = torch.ops.fsa
    acc = ops.binarized_conv2d(
        ops.pack_bits(x.permute(0, 2, 3, 1), word_width),
        ops.pack_bits(weight.permute(0, 2, 3, 1), word_width),
        weight.shape[1] * groups,
        strides,
        pad,
        pad_mode,
        dilations,
        groups,
    )
    return acc.to(x.dtype).permute(0, 3, 1, 2).contiguous()


sign_conv2d = define(
    f"{_OP}(Tensor x, Tensor weight, int[] strides=[1, 1], int[] pad=[0, 0, 0, 0], "
    'str pad_mode="zero", int[] dilations=[1, 1], int groups=1, int word_width=32) -> Tensor',
    _eager,
    _fake,
    setup_context=_setup,
    backward=_backward,
    decomposition=_decomposition,
)
