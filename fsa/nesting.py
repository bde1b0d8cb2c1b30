"""How deep MLIR text is nested: the parser recurses, and too much of it overflows the stack."""

import re
from itertools import accumulate

from fsa.errors import InputError

# Twenty thousand nested modules end the process, four thousand pass through parser and printer.
MAX_DEPTH = 4000
_STEPS = {**dict.fromkeys(b"([{", 1), **dict.fromkeys(b")]}", -1)}
_OTHERS = bytes(set(range(256)) - set(_STEPS))
_STRING_OR_COMMENT = re.compile(rb'"(?:[^"\\\n]|\\.)*"|//[^\n]*')


def check_depth(text: bytes, name: str) -> None:
    """Raise `InputError` when the brackets of `text`, which comes from `name`, nest too deep."""
    # Strings and comments are rarely of importance, and looking for them takes time.
    if _depth(text) <= MAX_DEPTH:
        return
    depth = _depth(_STRING_OR_COMMENT.sub(b"", text))
    if depth > MAX_DEPTH:
        raise InputError(f"{name}: expected brackets at most {MAX_DEPTH} deep, found {depth}")


def _depth(text: bytes) -> int:
    """Return the largest number of brackets that are open at once."""
    if sum(text.count(bracket) for bracket in (b"(", b"[", b"{")) <= MAX_DEPTH:
        return 0
    brackets = text.translate(None, _OTHERS)
    return max(accumulate(map(_STEPS.__getitem__, brackets)))
