"""`fsa::binarized_conv2d`: a 2-D convolution of packed images with packed filters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from fsa.torch_ops import bits
from fsa.torch_ops.checks import (
    MAX_DEPTH,
    expect,
    expect_depth,
    expect_rank,
    expect_words,
    shown,
)
from fsa.torch_ops.library import define
from fsa.torch_ops.windows import PAD_MODES, check_window, convolve_signs, window_extents

_OP = "binarized_conv2d"


def _check(
    image: torch.Tensor,
    kernel: torch.Tensor,
    channels: int,
    strides: Sequence[int],
    pad: Sequence[int],
    pad_mode: str,
    dilations: Sequence[int],
    groups: int,
) -> tuple[Any, ...]:
    """Check the operands and return the shape of the result."""
    width = expect_words(_OP, "input and filter", image, kernel)
    expect_rank(_OP, "input", image, 4)
    expect_rank(_OP, "filter", kernel, 4)
    filters, *window, _ = kernel.shape
    expect(min(window) >= 1, _OP, "a filter with kernel sizes of at least 1", shown(kernel))
    check_window(_OP, strides, pad, dilations)
    expect(pad_mode in PAD_MODES, _OP, 'pad_mode "zero" or "one"', repr(pad_mode))
    expect(
        channels >= 0
        and groups >= 1
        and channels % groups == filters % groups == 0
        and (groups == 1 or channels // groups % width == 0),
        _OP,
        f"channels >= 0, and groups that divide channels and the {filters} filters, each group a "
        f"multiple of {width} channels when there is more than one",
        f"channels {channels} and groups {groups}",
    )
    expect_depth(_OP, "input", image, channels, width)
    expect_depth(_OP, "filter", kernel, channels // groups, width)
    taps = window[0] * window[1] * (channels // groups)
    expect(taps <= MAX_DEPTH, _OP, "fewer than 2^31 taps times channels", taps)
    extents = window_extents(image.shape[1:3], window, strides, pad, dilations)
    return (image.shape[0], *extents, filters)


def _eager(
    image: torch.Tensor,
    kernel: torch.Tensor,
    channels: int,
    strides: Sequence[int] = (1, 1),
    pad: Sequence[int] = (0, 0, 0, 0),
    pad_mode: str = "zero",
    dilations: Sequence[int] = (1, 1),
    groups: int = 1,
) -> torch.Tensor:
    """Convolve packed NHWC with packed OHWI; the sums are int32 NHWC."""
    _check(image, kernel, channels, strides, pad, pad_mode, dilations, groups)
    depth = channels // groups
    wide = bits.sum_type(kernel.shape[1] * kernel.shape[2] * depth)
    x = bits.signs(bits.unpack(image, channels), wide).permute(0, 3, 1, 2)
    weight = bits.signs(bits.unpack(kernel, depth), wide).permute(0, 3, 1, 2)
    acc = convolve_signs(x, weight, strides, pad, pad_mode, dilations, groups)
    return acc.permute(0, 2, 3, 1).to(torch.int32).contiguous()


def _fake(
    image: Any,
    kernel: Any,
    channels: int,
    strides: Sequence[int] = (1, 1),
    pad: Sequence[int] = (0, 0, 0, 0),
    pad_mode: str = "zero",
    dilations: Sequence[int] = (1, 1),
    groups: int = 1,
) -> Any:
    shape = _check(image, kernel, channels, strides, pad, pad_mode, dilations, groups)
    return image.new_empty(shape, dtype=torch.int32)


binarized_conv2d = define(
    f"{_OP}(Tensor input, Tensor filter, int channels, int[] strides=[1, 1], "
    'int[] pad=[0, 0, 0, 0], str pad_mode="zero", int[] dilations=[1, 1], int groups=1) -> Tensor',
    _eager,
    _fake,
)
