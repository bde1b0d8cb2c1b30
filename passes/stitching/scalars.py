"""Scalars of a launch: every scalar crosses as one or two words of i32."""

from typing import Any

from fsa.bindings import ir


def words_of(kind: Any) -> int:
    """Return the number of words of a scalar type."""
    return 2 if str(kind) in ("i64", "f64") else 1


def encode(builder: Any, value: Any) -> list[Any]:
    """Return the words of a scalar, low word first; an index is taken to fit 32 bits, signed."""
    word = ir.IntegerType.get_signless(32)
    if isinstance(value.type, ir.IndexType):
        return [builder.cast(value, word)]
    bits = builder.bitcast(value, ir.IntegerType.get_signless(value.type.width))
    if value.type.width <= 32:
        return [builder.cast(bits, word, signed=False)]
    high = builder.shift_right(bits, 32)
    return [builder.cast(bits, word), builder.cast(high, word)]


def decode(builder: Any, words: list[Any], kinds: list[Any]) -> list[Any]:
    """Return scalars of types `kinds` from the words that `encode` made of them."""
    values: list[Any] = []
    rest = list(words)
    for kind in kinds:
        mine, rest = rest[: words_of(kind)], rest[words_of(kind) :]
        values.append(_decode_one(builder, mine, kind))
    return values


def _decode_one(builder: Any, words: list[Any], kind: Any) -> Any:
    if isinstance(kind, ir.IndexType):
        return builder.cast(words[0], kind)
    bits = ir.IntegerType.get_signless(kind.width)
    if len(words) == 1:
        return builder.bitcast(builder.cast(words[0], bits), kind)
    low, high = (builder.cast(word, bits, signed=False) for word in words)
    return builder.bitcast(builder.bit_or(low, builder.shift_left(high, 32)), kind)
