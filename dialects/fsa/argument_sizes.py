"""Sizes that dimensions of a function's arguments have in common, and the bounds of those sizes.

The type of an argument says which of its sizes are open, but not that one of them is a size of
another argument, or that the program was made for sizes up to a bound. Code is compiled in the
belief that it is so, and reads outside of the arguments where it is not. A front end that knows
writes the attribute `fsa.argument_sizes`, and a call checks it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Place:
    """A dimension of an argument: its size is `factor` times the common size plus `offset`."""

    argument: int
    dimension: int
    factor: int = 1
    offset: int = 0

    def size(self, common: int) -> int:
        """Return the size of this dimension for a common size."""
        return self.factor * common + self.offset


@dataclass(frozen=True)
class CommonSize:
    """A size that the dimensions at `places` have in common: at least `least`.

    `greatest` is the greatest that the function takes, None where there is no bound.
    """

    places: tuple[Place, ...]
    least: int = 0
    greatest: int | None = None

    @property
    def is_free(self) -> bool:
        """Whether every tensor of the argument's type has such a size."""
        bounded = self.least > 0 or self.greatest is not None
        alone = len(self.places) == 1 and self.places[0].factor == 1 and self.places[0].offset <= 0
        return alone and not bounded


def to_attribute(sizes: Iterable[CommonSize], ir: Any) -> Any:
    """Return sizes as the attribute of a function; None where each is free.

    It is an array of dictionaries: `places` holds [argument, dimension, factor, offset] for each
    place, `least` and `greatest` are the bounds. `ir` are the bindings of the current context.
    """
    i64 = ir.IntegerType.get_signless(64)
    entries: list[Any] = []
    for size in sizes:
        if size.is_free:
            continue
        places = [
            ir.DenseI64ArrayAttr.get([each.argument, each.dimension, each.factor, each.offset])
            for each in size.places
        ]
        entry = {"places": ir.ArrayAttr.get(places), "least": ir.IntegerAttr.get(i64, size.least)}
        if size.greatest is not None:
            entry["greatest"] = ir.IntegerAttr.get(i64, size.greatest)
        entries.append(ir.DictAttr.get(entry))
    return ir.ArrayAttr.get(entries) if entries else None


def to_text(attribute: Any) -> str:
    """Return what `to_attribute` made as JSON, the form in which a compiled module carries it."""
    entries = [
        {
            "places": [list(place) for place in entry["places"]],
            **{key: entry[key].value for key in ("least", "greatest") if key in entry},
        }
        for entry in attribute
    ]
    return json.dumps(entries)


def from_text(text: str) -> tuple[CommonSize, ...]:
    """Return the sizes in a text of `to_text`."""
    return tuple(
        CommonSize(
            tuple(Place(*place) for place in entry["places"]),
            entry.get("least", 0),
            entry.get("greatest"),
        )
        for entry in json.loads(text)
    )
