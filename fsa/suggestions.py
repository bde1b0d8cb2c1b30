"""Names that a user may have meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def near_matches(name: str, known: Iterable[str], limit: int = 3) -> list[str]:
    """Return up to `limit` of the `known` names that look most like `name`, best first."""
    names = list(known)
    found = difflib.get_close_matches(name.lower(), names, n=limit, cutoff=0.6)
    contained = [k for k in names if len(name) >= 4 and name in k and k not in found]
    return [*found, *sorted(contained, key=len)][:limit]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return "; did you mean 'a' or 'b'?", or an empty text when nothing is near."""
    found = [f"'{match}'" for match in near_matches(name, known)]
    if not found:
        return ""
    first = ", ".join(found[:-1])
    return f"; did you mean {first} or {found[-1]}?" if first else f"; did you mean {found[0]}?"
