"""The options of `torch.compile(model, backend="fsa", options={...})`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from fsa.errors import InputError


@dataclass(frozen=True)
class Options:
    """What a user may choose.

    `target` and `pipeline` are as in `fsa.compile`; a target of None is the device of the inputs,
    `cpu` or `cuda`. With `freeze`, parameters and buffers become constants of the compiled module,
    which lets their layouts be chosen and binarized weights be packed when it is compiled; it is
    compiled anew when one changes (see `fsa.torch_backend.weights` for what is noticed). Without,
    they are arguments that share PyTorch's memory. With `fallback` False a graph that cannot be
    compiled is an error.
    """

    target: str | None = None
    pipeline: str | None = None
    freeze: bool = False
    fallback: bool = True

    @classmethod
    def of(cls, given: Mapping[str, Any] | None) -> Options:
        """Return the options of a mapping; raise `InputError` for unknown names and wrong types."""
        kinds = {"target": (str, type(None)), "pipeline": (str, type(None))}
        known = [field.name for field in fields(cls)]
        for name, value in (given or {}).items():
            if name not in known:
                raise InputError(
                    f"expected options of the back end fsa out of {', '.join(known)}, "
                    f"found {name!r}"
                )
            if not isinstance(value, kinds.get(name, (bool,))):
                wanted = "text or None" if name in kinds else "True or False"
                raise InputError(f"expected the option {name} as {wanted}, found {value!r}")
        return cls(**dict(given or {}))
