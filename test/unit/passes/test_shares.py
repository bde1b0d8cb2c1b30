"""What is claimed of the share of an array that tasks touch is right, and nothing more is."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest

from fsa.bindings import ir
from fsa.dialects.fsa.dialect import new_context
from fsa.passes.structure.shares import Range, Shares

TASKS, IMAGES = 12, 4  # three tasks an image; arrays have 2 entries an image
KERNEL = """
func.func private @k(%a: memref<8x5xf32>, %i: index, %j: index, %k: index) {{
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %c6 = arith.constant 6 : index
  %c7 = arith.constant 7 : index
  {body}
  %v = memref.load %a[%s, %c0] : memref<8x5xf32>
  return
}}
"""
IMAGE = "%b = arith.divui %i, %c3 : index\n%e = arith.muli %b, %c2 : index\n"
PART = IMAGE + "%t = arith.remui %i, %c3 : index\n"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (IMAGE + "%s = arith.addi %e, %c1 : index", True),
        (IMAGE + "%s = arith.addi %e, %c2 : index", False),  # the next image's
        (IMAGE + "%s = arith.subi %e, %c1 : index", False),
        (IMAGE + "%s = arith.addi %b, %c0 : index", False),  # one entry an image
        (PART + "%u = arith.minsi %t, %c1 : index\n%s = arith.addi %e, %u : index", True),
        (PART + "%s = arith.addi %e, %t : index", False),  # three entries
        (PART + "%u = arith.divui %t, %c2 : index\n%s = arith.addi %u, %e : index", True),
        (PART + "%u = arith.addi %e, %t : index\n%s = arith.minsi %u, %c7 : index", False),
        (IMAGE + "%s = arith.minsi %e, %c7 : index", True),  # never less
        (IMAGE + "%s = arith.minsi %e, %c6 : index", True),
        (IMAGE + "%s = arith.minsi %e, %c3 : index", False),
        (IMAGE + "%s = arith.maxsi %e, %c0 : index", True),
        (IMAGE + "%s = arith.maxsi %e, %c1 : index", False),
        ("%s = arith.addi %c0, %c0 : index", False),
        ("%s = arith.shrui %i, %c1 : index", False),  # not followed
    ],
)
def test_subscripts(body: str, expected: bool) -> None:
    with _shares(body) as shares:
        assert shares.holds(0) is expected


def test_counters_and_operations() -> None:
    body = IMAGE + "%m = arith.addi %e, %c2 : index\n%s = arith.addi %e, %c0 : index\n"
    body += "scf.for %n = %e to %m step %c1 {\n%x = memref.load %a[%n, %c1] : memref<8x5xf32>\n"
    body += "%y = vector.broadcast %x : f32 to vector<4xf32>\n}"
    with _shares(body) as shares:
        assert shares.holds(0)
        assert shares.operations() == 2


def test_ranges() -> None:
    assert Range(0, 7, 7).at_least(Range(2, 1, 1), 4)
    assert not Range(0, 6, 6).at_least(Range(2, 1, 1), 4)


@contextmanager
def _shares(body: str) -> Generator[Shares]:
    with new_context(), ir.Location.unknown():
        module = ir.Module.parse(KERNEL.format(body=body))
        kernel: Any = module.body.operations[0].operation
        yield Shares(kernel, TASKS, IMAGES)
