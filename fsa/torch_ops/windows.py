"""Sliding windows over images: extents and padding, for the 2-D operators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from fsa.dialects.fsa.packed_arrays import output_extent
from fsa.torch_ops.checks import MAX_DEPTH, expect

PAD_MODES = ("zero", "one")


def check_window(
    op: str, strides: Sequence[int], pad: Sequence[int], dilations: Sequence[int]
) -> None:
    """Require strides and dilations of height and width in [1, 2^31) and four pads in [0, 2^31)."""
    for name, sizes, count, least in (
        ("strides", strides, 2, 1),
        ("dilations", dilations, 2, 1),
        ("pad", pad, 4, 0),
    ):
        expect(
            len(sizes) == count and least <= min(sizes) and max(sizes) <= MAX_DEPTH,
            op,
            f"{count} {name} in [{least}, 2^31)",
            list(sizes),
        )


def window_extents(
    frame: Sequence[Any],
    kernel: Sequence[int],
    strides: Sequence[int],
    pad: Sequence[int],
    dilations: Sequence[int],
) -> list[Any]:
    """Return how often a window fits along height and width: 0 where it does not fit.

    Sizes of the `frame` may be symbolic.
    """
    extents: list[Any] = []
    for axis, pads in enumerate(((pad[0], pad[1]), (pad[2], pad[3]))):
        size = frame[axis]
        if isinstance(size, int):
            extents.append(output_extent(size, kernel[axis], strides[axis], pads, dilations[axis]))
            continue
        room = size + sum(pads) - (dilations[axis] * (kernel[axis] - 1) + 1)
        extents.append(torch.sym_max(0, room // strides[axis] + 1))
    return extents


def convolve_signs(
    x: torch.Tensor,
    weight: torch.Tensor,
    strides: Sequence[int],
    pad: Sequence[int],
    pad_mode: str,
    dilations: Sequence[int],
    groups: int,
) -> torch.Tensor:
    """Convolve +1 / -1 floats NCHW with OIHW; taps outside count 0 ("zero") or +1 ("one")."""
    height, width = window_extents(x.shape[2:], weight.shape[2:], strides, pad, dilations)
    shape = (x.shape[0], weight.shape[0], height, width)
    if 0 in shape or weight.shape[1] == 0:
        return x.new_zeros(shape)
    return convolve(x, weight, strides, pad, pad_mode, dilations, groups)


def convolve(
    x: torch.Tensor,
    weight: torch.Tensor,
    strides: Sequence[int],
    pad: Sequence[int],
    pad_mode: str,
    dilations: Sequence[int],
    groups: int,
) -> torch.Tensor:
    """Convolve floats NCHW with OIHW; `pad` is top, bottom, left, right, and the window fits."""
    options: dict[str, Any] = {
        "stride": list(strides),
        "dilation": list(dilations),
        "groups": groups,
    }
    if pad_mode == "zero" and pad[0] == pad[1] and pad[2] == pad[3]:
        options["padding"] = [pad[0], pad[2]]
        return torch.nn.functional.conv2d(x, weight, **options)
    return torch.nn.functional.conv2d(frame(x, pad, pad_mode), weight, **options)


def frame(x: torch.Tensor, pad: Sequence[int], pad_mode: str) -> torch.Tensor:
    """Add `pad` (top, bottom, left, right) to signs NCHW: zeros, or +1 with mode "one"."""
    top, bottom, left, right = pad
    value = 1.0 if pad_mode == "one" else 0.0
    return torch.nn.functional.pad(x, (left, right, top, bottom), value=value)
