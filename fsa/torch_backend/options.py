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
        """Return the options of a mapping.

        Raises `InputError` for unknown names, wrong types and what is no pipeline, `TargetError`
        for what is no target.
        """
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
        chosen = cls(**dict(given or {}))
        _check(chosen)
        return chosen


def _check(options: Options) -> None:
    """Raise what compiling would raise for the target and the pipeline of `options`."""
    from fsa.bindings import ir
    from fsa.dialects.fsa.dialect import new_context
    from fsa.passes.driver.pipeline_text import parse_pipeline
    from fsa.passes.driver.resolve import resolve
    from fsa.runtime.compile import parse_targets, pipeline_text
    from fsa.runtime.targets import Target

    targets = [] if options.target is None else parse_targets(options.target)
    if len(targets) > 1:
        raise InputError(
            f"expected the option target as one target, found {len(targets)}: {options.target}"
        )
    if options.pipeline is not None:
        text = pipeline_text(targets[0] if targets else Target.parse("cpu"), options.pipeline)
        with new_context() as context, ir.Location.unknown():
            resolve(parse_pipeline(text), context)
