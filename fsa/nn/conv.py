"""A 2-D convolution with weights of one bit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from fsa.errors import InputError
from fsa.nn.latent import LatentWeights, expect_sizes, expect_word_width
from fsa.torch_ops.sign import sign
from fsa.torch_ops.sign_conv2d import sign_conv2d
from fsa.torch_ops.windows import convolve

_NAME = "BinarizedConv2d"
_PAD_MODES = {"zeros": "zero", "ones": "one"}


class BinarizedConv2d(LatentWeights):
    """The convolution of sign(x) [N, C, H, W] with sign(weight) [O, C / groups, Kh, Kw], plus bias.

    `weight` are latent floats. Training updates them through straight-through gradients
    (`fsa.torch_ops.sign_conv2d`); call `clip_latent_weights_` after each step.

    `kernel_size`, `stride` and `dilation` are an int or (height, width). `padding` is an int,
    (height, width), (top, bottom, left, right), "valid" for none, or "same" for an output as large
    as the input, with stride 1. Taps outside the frame count as 0 with `padding_mode` "zeros" and
    as +1 with "ones", which is faster and what some binarized networks train with.
    `groups` divides the channels into groups that are convolved apart; each must hold a multiple
    of `word_width` channels. Depthwise convolutions are therefore none of these layers.

    With `binarize_input` False the input keeps its values, as in the first layer of many binarized
    networks; compiled, the weights are bits that the module unpacks, in advance where they are few.
    `padding_mode` is then "zeros".

    Raises `InputError` for options outside of these.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] = 1,
        padding: int | Sequence[int] | str = 0,
        dilation: int | Sequence[int] = 1,
        groups: int = 1,
        bias: bool = False,
        padding_mode: str = "zeros",
        *,
        binarize_input: bool = True,
        word_width: int = 32,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        expect_sizes(_NAME, in_channels=in_channels, out_channels=out_channels, groups=groups)
        expect_word_width(_NAME, word_width)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = _pair("kernel_size", kernel_size, 1)
        self.stride = _pair("stride", stride, 1)
        self.dilation = _pair("dilation", dilation, 1)
        self.padding = _padding(padding, self.kernel_size, self.stride, self.dilation)
        self.groups = groups
        self.padding_mode = padding_mode
        self.binarize_input = binarize_input
        self.word_width = word_width
        self._check_options()
        made: dict[str, Any] = {"device": device, "dtype": dtype}
        shape = (out_channels, in_channels // groups, *self.kernel_size)
        self.weight = torch.nn.Parameter(torch.empty(shape, **made))
        self.bias = torch.nn.Parameter(torch.empty(out_channels, **made)) if bias else None
        self.reset_parameters()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the sums [N, O, Ho, Wo] in the type of `x` [N, C, H, W]."""
        if self.binarize_input:
            mode = _PAD_MODES[self.padding_mode]
            sums = sign_conv2d(
                x,
                self.weight,
                self.stride,
                self.padding,
                mode,
                self.dilation,
                self.groups,
                self.word_width,
            )
        else:
            weight = sign(self.weight).to(x.dtype)
            sums = convolve(
                x, weight, self.stride, self.padding, "zero", self.dilation, self.groups
            )
        return sums if self.bias is None else sums + self.bias[:, None, None]

    def extra_repr(self) -> str:
        """Return the options as the constructor takes them."""
        return (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}, padding={self.padding}, dilation={self.dilation}, "
            f"groups={self.groups}, bias={self.bias is not None}, "
            f"padding_mode={self.padding_mode!r}, binarize_input={self.binarize_input}, "
            f"word_width={self.word_width}"
        )

    def _check_options(self) -> None:
        if self.in_channels % self.groups or self.out_channels % self.groups:
            raise InputError(
                f"{_NAME} expected groups that divide in_channels and out_channels, found "
                f"groups={self.groups}, in_channels={self.in_channels} and "
                f"out_channels={self.out_channels}"
            )
        each = self.in_channels // self.groups
        if self.binarize_input and self.groups > 1 and each % self.word_width:
            raise InputError(
                f"{_NAME} expected groups of a multiple of {self.word_width} channels, since each "
                f"starts at a word, found {each} channels in each of {self.groups} groups"
            )
        if self.padding_mode not in _PAD_MODES:
            raise InputError(
                f'{_NAME} expected padding_mode "zeros" or "ones", found {self.padding_mode!r}'
            )
        if self.padding_mode == "ones" and not self.binarize_input:
            raise InputError(
                f'{_NAME} expected padding_mode "zeros" with binarize_input=False, found "ones"'
            )


def _pair(name: str, given: int | Sequence[int], least: int) -> tuple[int, int]:
    """Return one size for height and width; raise `InputError` unless both are at least `least`."""
    sizes = (given, given) if isinstance(given, int) else tuple(given)
    if len(sizes) != 2 or any(type(size) is not int or size < least for size in sizes):
        raise InputError(
            f"{_NAME} expected {name} as an int or (height, width) of at least {least}, "
            f"found {given!r}"
        )
    return sizes[0], sizes[1]


def _padding(
    given: int | Sequence[int] | str,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
) -> tuple[int, int, int, int]:
    """Return the padding as top, bottom, left, right."""
    if given == "valid":
        return (0, 0, 0, 0)
    if given == "same":
        if stride != (1, 1):
            raise InputError(f'{_NAME} expected stride 1 with padding "same", found {stride}')
        height, width = (d * (k - 1) for d, k in zip(dilation, kernel, strict=True))
        return (height // 2, height - height // 2, width // 2, width - width // 2)
    if isinstance(given, str):
        raise InputError(f'{_NAME} expected padding "valid" or "same" as text, found {given!r}')
    if not isinstance(given, int) and len(given) == 4:
        sides = tuple(given)
        if any(type(side) is not int or side < 0 for side in sides):
            raise InputError(f"{_NAME} expected paddings of at least 0, found {given!r}")
        return (sides[0], sides[1], sides[2], sides[3])
    height, width = _pair("padding", given, 0)
    return (height, height, width, width)
