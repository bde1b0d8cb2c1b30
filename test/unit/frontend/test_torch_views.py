"""Which views merge neighbours into one dimension of open size."""

import pytest

from fsa.frontend.torch_views import merged_dims


@pytest.mark.parametrize(
    ("given", "wanted", "merged"),
    [
        ("? ? 32", "? 32", (0, 1)),
        ("? ? ?", "?", (0, 2)),
        ("4 ? ? 8", "4 ? 8", (1, 2)),
        ("? 3 5 8", "? 8", (0, 2)),
        ("8 ? 8", "8 ?", (1, 2)),
        ("8 ? 8", "? 8", (0, 1)),
        # Nothing open is left, or what stands beside the merge is not known.
        ("? ? 32", "6 32", None),
        ("? ? 4 8", "? ? 32", None),
        ("? ? 8", "? ?", None),
        ("? ? 0", "? 0", None),
        ("? 32", "? ? 32", None),
        ("? 32", "? 32", None),
    ],
)
def test_merged_dims(given: str, wanted: str, merged: tuple[int, int] | None) -> None:
    assert merged_dims(given.split(), wanted.split()) == merged


def test_unknown_rank_merges_nothing() -> None:
    assert merged_dims(None, ["?"]) is None
