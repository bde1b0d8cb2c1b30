"""Finds the coefficients of a routing's last iteration that a program goes on to use."""

from typing import Any

from fsa.bindings import ir
from fsa.dialects.fsa.shapes import type_dims
from fsa.passes.capsule.finding import Routing, is_plain, users
from fsa.passes.capsule.meanings import Softmax
from fsa.passes.capsule.reading import Reader
from fsa.passes.capsule.viewing import Axes


def coefficients_used(reader: Reader, found: Routing) -> list[tuple[Any, Axes]]:
    """Return the tensors of last coefficients, with their axes, that something else uses than v.

    Reshapes and copies of coefficients are coefficients: of those that feed each other, the last
    are returned. Left out are those which the op's second result cannot stand for: of another
    element type, or repeated along a dimension.
    """
    live: dict[Any, bool] = {found.v: False}
    result: list[tuple[Any, Axes]] = []
    for value in reader.values():
        axes = _axes(reader, found, value)
        if axes is None:
            continue
        others = [
            user
            for user in users(value)
            if len(user.results) != 1 or _axes(reader, found, user.results[0]) is None
        ]
        if any(_is_used(user, live) for user in others):
            result.append((value, axes))
    return result


def _axes(reader: Reader, found: Routing, value: Any) -> Axes | None:
    """Return the axes of `value` if it is the coefficients of the last iteration, else None."""
    reading = reader.known(value)
    if reading is None or not isinstance(reading.meaning, Softmax):
        return None
    meaning = reading.meaning
    if meaning.step != "coefficient" or meaning.logits != found.last_logits or meaning.axis is None:
        return None
    kind = value.type
    axes = tuple(tuple(reader.axis(axis) for axis in group) for group in reading.axes)
    flat = [axis for group in axes for axis in group]
    wanted = {found.low, found.high}
    if found.agreement == "per_sample" and found.batch is not None:
        wanted.add(found.batch)
    repeated = any(
        not group and size != 1 for group, size in zip(axes, type_dims(kind), strict=True)
    )
    fits = len(flat) == len(wanted) and set(flat) == wanted and not repeated
    same = kind.element_type == found.v.type.element_type
    block = None if isinstance(value.owner, ir.Block) else value.owner.operation.block
    here = block == found.v.owner.operation.block
    return axes if reader.axis(meaning.axis) == found.high and fits and same and here else None


def _is_used(op: Any, live: dict[Any, bool]) -> bool:
    """Tell whether what `op` computes is used; `live` is what is known of values already."""
    if not is_plain(op):
        return True
    for result in op.results:
        if result not in live:
            live[result] = any(_is_used(user, live) for user in users(result))
        if live[result]:
            return True
    return False
