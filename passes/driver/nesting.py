"""Which ops a nest of a pipeline runs on, and which of its steps run together."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

from fsa.bindings import ir
from fsa.errors import InputError
from fsa.passes.driver.resolve import (
    NestStep,
    PythonStep,
    Step,
    UpstreamStep,
    is_upstream,
    parse_upstream,
)
from fsa.passes.driver.upstream import upstream_passes
from fsa.suggestions import did_you_mean


def check_root(anchor: str, root: Any) -> None:
    """Refuse a pipeline that is for another op than `root`."""
    if anchor not in ("any", root.name):
        raise InputError(
            f"expected a pipeline for '{root.name}', found one for '{anchor}'"
            f"{did_you_mean(anchor, [root.name])}"
        )


def children(op: Any, nest: NestStep) -> list[Any]:
    """Return the ops directly inside `op` that `nest` runs on."""
    found: list[Any] = []
    for region in op.regions:
        for block in region.blocks:
            inside = [child.operation for child in block.operations]
            found.extend(child for child in inside if _matches(child, nest))
    return found


def _matches(op: Any, nest: NestStep) -> bool:
    """Return whether `nest` runs on `op`: by name, or isolated and fit for every pass in it."""
    if nest.anchor != "any":
        return op.name == nest.anchor
    if not op.context.is_registered_operation(op.name):
        return False
    if not op.has_trait(ir.IsIsolatedFromAboveTrait):
        return False
    for step in nest.steps:
        if isinstance(step, PythonStep) and step.instance.anchor not in ("any", op.name):
            return False
        if isinstance(step, UpstreamStep):
            if upstream_passes().get(step.name, {}).get("anchor", "any") not in ("any", op.name):
                return False
            try:
                parse_upstream(f"{op.name}({step})", op.context)
            except ValueError:
                return False
    return True


def groups(steps: Sequence[Step], single: bool) -> Iterator[list[Step]]:
    """Split `steps` into runs that one PassManager can take, and single steps."""
    for together, group in itertools.groupby(steps, lambda s: not single and is_upstream(s)):
        if together:
            yield list(group)
        else:
            yield from ([step] for step in group)


def nested_text(path: tuple[str, ...], text: str) -> str:
    """Return the pipeline text that runs `text` at the nesting `path`."""
    for anchor in reversed(path):
        text = f"{anchor}({text})"
    return text
