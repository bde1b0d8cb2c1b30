"""Depthwise convolutions with what follows them: memory-bound, as a window reads few values."""

from __future__ import annotations

from functools import partial
from typing import Any

from fsa.benchmarks.cases.problems import Input, Problem


def _depthwise_t(channels_last: bool, x: Any, w: Any, b: Any) -> Any:
    import torch

    if channels_last:
        x = x.permute(0, 3, 1, 2)
    pad = w.shape[-1] // 2
    y = torch.nn.functional.conv2d(x, w, b, padding=pad, groups=x.shape[1])
    y = torch.nn.functional.hardswish(y)
    return y.permute(0, 2, 3, 1) if channels_last else y


def _depthwise_j(channels_last: bool, x: Any, w: Any, b: Any) -> Any:
    import jax

    layout = "NHWC" if channels_last else "NCHW"
    y = jax.lax.conv_general_dilated(
        x, w, (1, 1), "SAME", dimension_numbers=(layout, "OIHW", layout),
        feature_group_count=w.shape[0],
    )  # fmt: skip
    y = y + (b if channels_last else b[:, None, None])
    return jax.nn.hard_swish(y)


def _problem(channels: int, height: int, width: int, window: int, channels_last: bool) -> Problem:
    shape = (1, channels, height, width)
    if channels_last:
        shape = (1, height, width, channels)
    layout = "NHWC" if channels_last else "NCHW"
    return Problem(
        f"depthwise {layout} {channels}x{height}x{width}",
        (
            Input(shape),
            Input((channels, 1, window, window), fixed=True),
            Input((channels,), fixed=True),
        ),
        partial(_depthwise_t, channels_last),
        partial(_depthwise_j, channels_last),
    )


WINDOWED: tuple[Problem, ...] = tuple(
    _problem(channels, height, width, window, channels_last)
    for channels, height, width, window in ((240, 12, 80, 5), (128, 12, 160, 3))
    for channels_last in (False, True)
)
