"""Layers of binarized and capsule networks for PyTorch: written once, trained, then compiled.

They are built on `torch.ops.fsa.*` (`fsa.torch_ops`). In training they compute in floats, and their
gradients are straight-through where a sign stands; compiled by `fsa.compile` or
`torch.compile(backend="fsa")` they become the ops of the dialect, with weights of one bit each.

PyTorch is an optional dependency (`pip install 'fsa[torch]'`).
"""

from __future__ import annotations

from fsa.nn.activation import BinarizedActivation, Squash
from fsa.nn.capsule import CapsuleLayer
from fsa.nn.conv import BinarizedConv2d
from fsa.nn.latent import clip_latent_weights_
from fsa.nn.linear import BinarizedLinear

__all__ = [
    "BinarizedActivation",
    "BinarizedConv2d",
    "BinarizedLinear",
    "CapsuleLayer",
    "Squash",
    "clip_latent_weights_",
]
