"""Option text to dataclasses and back."""

from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsa.passes.driver.options import (
    OptionError,
    option_type,
    parse_options,
    print_options,
    split_options,
)
from fsa.suggestions import near_matches


@dataclass(frozen=True)
class Options:
    tile_sizes: tuple[int, ...] = (4, 4)
    verbose: bool = False
    factor: float = 0.5
    limit: int = 8
    name: str = ""
    kinds: tuple[str, ...] = ()
    scheme: Literal["local", "global"] = "local"
    depth: int | None = None


def parse(text: str) -> Options:
    return parse_options(Options, text, "pass 'fsa-x'")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Options()),
        ("   ", Options()),
        ("tile-sizes=8,16,1", Options(tile_sizes=(8, 16, 1))),
        ("tile-sizes={8,16}", Options(tile_sizes=(8, 16))),
        ("tile-sizes=", Options(tile_sizes=())),
        ("tile-sizes={}", Options(tile_sizes=())),
        ("verbose", Options(verbose=True)),
        ("verbose=1 limit=-3", Options(verbose=True, limit=-3)),
        ("verbose=False\n limit=+3\t", Options(limit=3)),
        ("factor=1e-7", Options(factor=1e-7)),
        ("factor=inf", Options(factor=float("inf"))),
        ("name='two words'", Options(name="two words")),
        ('name="a=b, c"', Options(name="a=b, c")),
        ("name={a{b}c}", Options(name="a{b}c")),
        ("name=func.func(cse,inline{x=1 y=2})", Options(name="func.func(cse,inline{x=1 y=2})")),
        ("kinds=a,{b,c},'d e'", Options(kinds=("a", "b,c", "d e"))),
        ("scheme=global", Options(scheme="global")),
        ("depth=3", Options(depth=3)),
        ("depth=none", Options(depth=None)),
    ],
)
def test_parse(text: str, expected: Options) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tile-size=4", "pass 'fsa-x': unknown option 'tile-size'; did you mean 'tile-sizes'?"),
        ("zzz=4", "pass 'fsa-x': unknown option 'zzz'; it takes tile-sizes, verbose, factor"),
        ("tile-sizes=4,x", "option 'tile-sizes', element 1: expected an integer, found 'x'"),
        ("tile-sizes=4,,4", "option 'tile-sizes', element 1: expected an integer, found ''"),
        ("limit=4.5", "option 'limit': expected an integer, found '4.5'"),
        ("limit", "option 'limit': expected an integer, found 'true'"),
        ("limit=0x10", "option 'limit': expected an integer, found '0x10'"),
        ("factor=half", "option 'factor': expected a number, found 'half'"),
        ("verbose=maybe", "option 'verbose': expected true or false, found 'maybe'"),
        ("scheme=regional", "option 'scheme': expected one of local, global, found 'regional'"),
        ("limit=1 limit=2", "option 'limit' is given twice"),
        ("=3", "expected an option name, found '=3'"),
    ],
)
def test_errors_name_the_option(text: str, message: str) -> None:
    with pytest.raises(OptionError) as caught:
        parse(text)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_and_checked_options() -> None:
    @dataclass(frozen=True)
    class Needs:
        size: int
        unit: int = field(default=1)

        def __post_init__(self) -> None:
            if self.size < 1:
                raise ValueError(f"expected size of at least 1, found {self.size}")

    assert parse_options(Needs, "size=2", "pass 'p'") == Needs(2)
    with pytest.raises(OptionError, match="option 'size' must be given"):
        parse_options(Needs, "unit=2", "pass 'p'")
    with pytest.raises(OptionError, match="pass 'p': expected size of at least 1, found 0"):
        parse_options(Needs, "size=0", "pass 'p'")


def test_print_shows_what_differs() -> None:
    assert print_options(Options()) == ""
    assert print_options(Options(tile_sizes=(1, 2), verbose=True)) == (
        "{tile-sizes=1,2 verbose=true}"
    )
    assert print_options(Options(tile_sizes=())) == "{tile-sizes={}}"
    assert print_options(Options(name="a b")) == "{name={a b}}"


WORDS = st.text(alphabet="abc.*-_ ,=:@(){}[]", max_size=8).filter(
    lambda text: _balanced(text) and text == text.strip() and not _wrapped(text)
)


def _balanced(text: str) -> bool:
    stack: list[str] = []
    pairs = {"(": ")", "{": "}", "[": "]"}
    for char in text:
        if char in pairs:
            stack.append(pairs[char])
        elif char in pairs.values() and (not stack or stack.pop() != char):
            return False
    return not stack


def _wrapped(text: str) -> bool:
    return text.startswith("{") and text.endswith("}")


@given(
    st.builds(
        Options,
        tile_sizes=st.lists(st.integers(-(2**70), 2**70), max_size=4).map(tuple),
        verbose=st.booleans(),
        factor=st.floats(allow_nan=False),
        limit=st.integers(),
        name=WORDS,
        kinds=st.lists(WORDS, max_size=3).map(tuple),
        scheme=st.sampled_from(["local", "global"]),
        depth=st.none() | st.integers(),
    )
)
def test_print_then_parse(options: Options) -> None:
    text = print_options(options)
    assert parse(text[1:-1]) == options


def test_split_keeps_brackets_and_quotes_together() -> None:
    given: dict[str, Any] = split_options("a={x y} b='p q' c=f(g, h) d", "owner")
    assert given == {"a": "x y", "b": "p q", "c": "f(g, h)", "d": "true"}


def test_near_matches() -> None:
    known = ["canonicalize", "cse", "convert-fsa-to-linalg", "fsa-canonicalize"]
    assert near_matches("canonicalise", known)[0] == "canonicalize"
    assert near_matches("to-linalg", known) == ["convert-fsa-to-linalg"]
    assert near_matches("qqqq", known) == []


def test_option_type() -> None:
    assert option_type(Options, "tile_sizes") == "<int>,..."
    assert option_type(Options, "scheme") == "local|global"
    assert option_type(Options, "verbose") == "true|false"
    assert option_type(Options, "depth") == "<int>|none"
