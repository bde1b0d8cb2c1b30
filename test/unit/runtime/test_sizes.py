"""Arguments whose open sizes contradict each other are refused, on every way through a call."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fsa
from fsa.dialects.fsa.argument_sizes import CommonSize, Place
from fsa.errors import CallError, InputError
from fsa.runtime.signature import Signature, TensorSpec
from fsa.runtime.sizes import check_sizes

ATTRIBUTE = (
    "{greatest = 8 : i64, places = [array<i64: 0, 0, 1, 0>, array<i64: 1, 0, 1, 0>, "
    "array<i64: 1, 1, 2, 1>]}"
)
SOURCE = """
func.func @main(%a: tensor<?xf32>, %b: tensor<?x?xf32>) -> tensor<?xf32>
    attributes {fsa.argument_sizes = [SIZES], fsa.argument_names = ["a", "b"]} {
  %r = arith.addf %a, %a : tensor<?xf32>
  return %r : tensor<?xf32>
}
"""


def compile_with(sizes: str) -> Any:
    return fsa.compile(SOURCE.replace("SIZES", sizes), pipeline="fsa-to-linalg")


def pair(n: int, m: int | None = None) -> tuple[Any, Any]:
    return np.ones(n, np.float32), np.ones((n, 2 * n + 1 if m is None else m), np.float32)


def test_arrays_and_device_tensors_are_checked_alike() -> None:
    module = compile_with(ATTRIBUTE)
    (a3, b3), (a5, b5) = pair(3), pair(5)
    resident = {n: [module.to_device(array) for array in pair(n)] for n in (3, 5)}
    wrong = (
        r"argument 1 \(b\) of @main expected size 5 in dimension 0 to go with size 5 in "
        r"dimension 0 of argument 0 \(a\), found 3"
    )
    for n in (3, 3, 5, 5, 3):
        module(*resident[n])
        # One argument of each size has been seen, in either order.
        module(resident[3][0], b3)
        module(a5, resident[5][1])
        for mixed in ((a5, b3), (resident[5][0], resident[3][1]), (resident[5][0], b3)):
            with pytest.raises(CallError, match=wrong):
                module(*mixed)
    with pytest.raises(CallError, match=r"expected size 7 in dimension 1 .*, found 8"):
        module(*pair(3, 8))
    with pytest.raises(CallError, match=r"\(a\) of @main expected a size of at most 8 .*found 9"):
        module(*pair(9))
    assert module(a3, b3).shape == (3,)
    assert module(a5, b5).shape == (5,)


BOUNDS = [
    (CommonSize((Place(0, 0),), 3), 2, "a size of at least 3 in dimension 0, found 2"),
    (CommonSize((Place(0, 0),), 3, 4), 5, "a size from 3 to 4 in dimension 0, found 5"),
    (CommonSize((Place(0, 0, 2, 0),), 0, 4), 10, "a size of at most 8 in dimension 0, found 10"),
    (CommonSize((Place(0, 0, 2, 0),)), 7, "a size of the form 2 n in dimension 0, found 7"),
    (CommonSize((Place(0, 0, 2, 1),)), 4, r"a size of the form 2 n\+1 in dimension 0, found 4"),
    (CommonSize((Place(0, 0, 1, 2),)), 1, "a size of at least 2 in dimension 0, found 1"),
]


@pytest.mark.parametrize(("size", "found", "message"), BOUNDS)
def test_bounds_hold_for_the_dimension(size: CommonSize, found: int, message: str) -> None:
    signature = Signature("f", (TensorSpec((None,), "f32"),), (), argument_sizes=(size,))
    with pytest.raises(CallError, match=f"argument 0 of @f expected {message}$"):
        check_sizes(signature, {0: (found,)})
    place = size.places[0]
    check_sizes(signature, {0: (place.size(max(size.least, 1)),)})


WRONG = [
    "{places = [array<i64: 2, 0, 1, 0>]}",
    "{places = [array<i64: 0, 1, 1, 0>]}",
    "{places = [array<i64: 0, 0, 0, 0>]}",
    "{places = [array<i64: 0>]}",
    "{places = 3 : i64}",
    "3 : i64",
]


@pytest.mark.parametrize("sizes", WRONG)
def test_attribute_of_something_else_is_refused(sizes: str) -> None:
    with pytest.raises(InputError, match=r"@main expected fsa.argument_sizes with places \["):
        compile_with(sizes)
