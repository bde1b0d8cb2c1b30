"""Whether the arguments of a call have the sizes that a function was compiled for."""

from __future__ import annotations

from collections.abc import Mapping

from fsa.dialects.fsa.argument_sizes import CommonSize, Place
from fsa.errors import CallError
from fsa.runtime.signature import Signature

Shapes = Mapping[int, tuple[int, ...]]


def check_sizes(signature: Signature, shapes: Shapes) -> None:
    """Raise `CallError` unless arguments of these shapes, by index, agree in their common sizes.

    Each shape fits the type of its argument.
    """
    for common in signature.argument_sizes:
        first = common.places[0]
        expected = _common(signature, common, first, shapes)
        for place in common.places[1:]:
            found = shapes[place.argument][place.dimension]
            if found != place.size(expected):
                raise CallError(
                    f"{signature.argument(place.argument)} expected size {place.size(expected)} in "
                    f"dimension {place.dimension} to go with size "
                    f"{shapes[first.argument][first.dimension]} in dimension {first.dimension} of "
                    f"{signature.short_argument(first.argument)}, found {found}"
                )


def _common(signature: Signature, common: CommonSize, place: Place, shapes: Shapes) -> int:
    """Return the common size that is found at `place`; raise `CallError` where it is none."""
    found = shapes[place.argument][place.dimension]
    size, rest = divmod(found - place.offset, place.factor)
    least, greatest = common.least, common.greatest
    if not rest and size >= least and (greatest is None or size <= greatest):
        return size
    wanted = f"a size of at least {place.size(least)}"
    if greatest is not None:
        wanted = f"a size from {place.size(least)} to {place.size(greatest)}"
        if least <= 0:
            wanted = f"a size of at most {place.size(greatest)}"
    if rest:
        wanted = f"a size of the form {place.factor} n{place.offset:+d}".removesuffix("+0")
    raise CallError(
        f"{signature.argument(place.argument)} expected {wanted} in dimension {place.dimension}, "
        f"found {found}"
    )
