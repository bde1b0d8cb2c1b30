"""`fsa::binarized_max_pool2d`: the maximum over windows of packed images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from fsa.torch_ops.checks import MAX_DEPTH, expect, expect_rank, expect_words
from fsa.torch_ops.library import define
from fsa.torch_ops.windows import check_window, window_extents

_OP = "binarized_max_pool2d"


def _check(
    image: torch.Tensor,
    kernel: Sequence[int],
    strides: Sequence[int],
    pad: Sequence[int],
    dilations: Sequence[int],
) -> tuple[Any, ...]:
    """Check the operands and return the shape of the result."""
    expect_words(_OP, "input", image)
    expect_rank(_OP, "input", image, 4)
    check_window(_OP, strides, pad, dilations)
    expect(
        len(kernel) == 2 and min(kernel) >= 1 and max(kernel) <= MAX_DEPTH,
        _OP,
        "2 kernel sizes in [1, 2^31)",
        list(kernel),
    )
    expect(
        max(pad[:2]) < kernel[0] and max(pad[2:]) < kernel[1],
        _OP,
        f"each pad below the kernel size {list(kernel)} of its dimension",
        list(pad),
    )
    extents = window_extents(image.shape[1:3], kernel, strides, pad, dilations)
    return (image.shape[0], *extents, image.shape[3])


def _eager(
    image: torch.Tensor,
    kernel: Sequence[int],
    strides: Sequence[int],
    pad: Sequence[int] = (0, 0, 0, 0),
    dilations: Sequence[int] = (1, 1),
) -> torch.Tensor:
    """OR the words of every window of packed NHWC; taps outside the frame add nothing."""
    shape = _check(image, kernel, strides, pad, dilations)
    if 0 in shape:
        return image.new_zeros(shape)
    count, height, width, words = shape
    top, bottom, left, right = pad
    # Zeros around the frame are the neutral element of OR.
    framed = torch.nn.functional.pad(image, (0, 0, left, right, top, bottom))
    result = image.new_zeros((count, height, width, words))
    for y in range(kernel[0]):
        for x in range(kernel[1]):
            row, column = y * dilations[0], x * dilations[1]
            rows = slice(row, row + (height - 1) * strides[0] + 1, strides[0])
            columns = slice(column, column + (width - 1) * strides[1] + 1, strides[1])
            result |= framed[:, rows, columns]
    return result


def _fake(
    image: Any,
    kernel: Sequence[int],
    strides: Sequence[int],
    pad: Sequence[int] = (0, 0, 0, 0),
    dilations: Sequence[int] = (1, 1),
) -> Any:
    return image.new_empty(_check(image, kernel, strides, pad, dilations))


binarized_max_pool2d = define(
    f"{_OP}(Tensor input, int[] kernel, int[] strides, int[] pad=[0, 0, 0, 0], "
    "int[] dilations=[1, 1]) -> Tensor",
    _eager,
    _fake,
)
