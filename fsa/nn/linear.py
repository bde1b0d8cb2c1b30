"""A linear layer with weights of one bit."""

from __future__ import annotations

from typing import Any

import torch

from fsa.nn.latent import LatentWeights, expect_sizes, expect_word_width
from fsa.torch_ops.sign import sign
from fsa.torch_ops.sign_linear import sign_linear


class BinarizedLinear(LatentWeights):
    """`sign(x) sign(weight)^T + bias`: dot products of +1 / -1 values, each an exact integer.

    `weight` [out_features, in_features] are latent floats. Training updates them through
    straight-through gradients (`fsa.torch_ops.sign_linear`); call `clip_latent_weights_` after
    each step. A batch norm usually follows, which makes a bias needless.

    With `binarize_input` False the input keeps its values, as in the first layer of many binarized
    networks: `x sign(weight)^T + bias`. Compiled, the weights are bits that the module unpacks, in
    advance where they are few.

    `in_features` is any number, also none that fills words; `word_width` (32 or 64) is the width
    of the words that a compiled model packs in. Raises `InputError` for other values.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = False,
        *,
        binarize_input: bool = True,
        word_width: int = 32,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        expect_sizes("BinarizedLinear", in_features=in_features, out_features=out_features)
        expect_word_width("BinarizedLinear", word_width)
        self.in_features = in_features
        self.out_features = out_features
        self.binarize_input = binarize_input
        self.word_width = word_width
        made: dict[str, Any] = {"device": device, "dtype": dtype}
        self.weight = torch.nn.Parameter(torch.empty(out_features, in_features, **made))
        self.bias = torch.nn.Parameter(torch.empty(out_features, **made)) if bias else None
        self.reset_parameters()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the products [..., out_features] of `x` [..., in_features], in its type."""
        if self.binarize_input:
            product = sign_linear(x, self.weight, self.word_width)
        else:
            product = torch.nn.functional.linear(x, sign(self.weight).to(x.dtype))
        return product if self.bias is None else product + self.bias

    def extra_repr(self) -> str:
        """Return the options as the constructor takes them."""
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}, binarize_input={self.binarize_input}, "
            f"word_width={self.word_width}"
        )
