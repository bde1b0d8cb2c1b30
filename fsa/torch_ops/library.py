"""How an operator is defined in PyTorch, once for all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

NAMESPACE = "fsa"
NAMES: list[str] = []
# What the ops that have no form in the dialect are made of there.
DECOMPOSITIONS: dict[Any, Callable[..., Any]] = {}

# An operator lives as long as the library that defines it.
_LIBRARY = torch.library.Library(NAMESPACE, "FRAGMENT")


def define(
    signature: str,
    eager: Callable[..., Any],
    fake: Callable[..., Any],
    *,
    setup_context: Callable[..., None] | None = None,
    backward: Callable[..., Any] | None = None,
    decomposition: Callable[..., Any] | None = None,
) -> Any:
    """Define `torch.ops.fsa.<name>` and return it.

    `signature` is the operator's schema without the namespace. `eager` computes the result on any
    device, `fake` its shape and type alone; both check their arguments. `backward` gives the
    gradients from what `setup_context` saved. `decomposition` writes the op in others, for
    compilation.

    Under autocast the arguments are float32 and nothing inside is cast: sums of signs are exact.
    """
    name = signature.partition("(")[0]
    qualified = f"{NAMESPACE}::{name}"
    torch.library.define(qualified, signature[len(name) :], tags=torch.Tag.pt2_compliant_tag)
    torch.library.impl(qualified, "CompositeExplicitAutograd", eager)
    torch.library.register_fake(qualified, fake, lib=_LIBRARY)
    if backward is not None:
        torch.library.register_autograd(
            qualified, backward, setup_context=setup_context, lib=_LIBRARY
        )
    for device in ("cpu", "cuda"):
        torch.library.register_autocast(qualified, device, torch.float32, lib=_LIBRARY)
    operator = getattr(getattr(torch.ops, NAMESPACE), name)
    if decomposition is not None:
        DECOMPOSITIONS[operator.default] = decomposition
    NAMES.append(name)
    return operator
