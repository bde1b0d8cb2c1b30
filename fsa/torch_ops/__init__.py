"""PyTorch operators of the dialect: importing this package defines `torch.ops.fsa.*`.

One module an op. Ops named as those of the dialect (`pack_bits`, `binarized_matmul`, ...) take and
give what `dialects/fsa/SPEC.md` says. `sign`, `sign_linear` and `sign_conv2d` are what a network is
trained with: they take floats, give floats and have a straight-through gradient, and become ops on
packed bits when a model is compiled. Every op has an eager implementation for all devices, a shape
function for tracing that allows symbolic sizes, and a gradient where one exists.

PyTorch is an optional dependency (`pip install 'fsa[torch]'`).
"""

from __future__ import annotations

from fsa.torch_ops import (
    binarized_conv2d,
    binarized_matmul,
    binarized_max_pool2d,
    binarized_threshold,
    capsule_predict,
    capsule_routing,
    pack_bits,
    sign,
    sign_conv2d,
    sign_linear,
    squash,
    unpack_bits,
)
from fsa.torch_ops.library import DECOMPOSITIONS, NAMES, NAMESPACE

__all__ = [
    "DECOMPOSITIONS",
    "NAMES",
    "NAMESPACE",
    "binarized_conv2d",
    "binarized_matmul",
    "binarized_max_pool2d",
    "binarized_threshold",
    "capsule_predict",
    "capsule_routing",
    "pack_bits",
    "sign",
    "sign_conv2d",
    "sign_linear",
    "squash",
    "unpack_bits",
]
