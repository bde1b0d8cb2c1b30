"""Ranges of integers in bodies, against every position of small iteration spaces."""

import itertools
import operator
import random
from collections.abc import Callable
from typing import Any

import pytest

from fsa.bindings import ir
from fsa.dialects.fsa.dialect import new_context
from fsa.passes.structure.loops import linalg_ops
from fsa.passes.structure.ranges import Ranges

EXTENTS = (3, 4)
OPERATIONS: dict[str, Callable[[int, int], int]] = {
    "addi": operator.add,
    "subi": operator.sub,
    "muli": operator.mul,
    "maxsi": max,
    "minsi": min,
}
PREDICATES: dict[str, Callable[[int, int], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "slt": operator.lt,
    "sle": operator.le,
    "sgt": operator.gt,
    "sge": operator.ge,
    "ult": lambda a, b: a % 2**64 < b % 2**64,
    "uge": lambda a, b: a % 2**64 >= b % 2**64,
}
Value = Callable[[tuple[int, ...]], int]


def _body(rng: random.Random, count: int) -> tuple[list[str], list[Value]]:
    """Return lines of MLIR that compute %v0, %v1, ... in i64, and functions that do the same."""
    lines, values = [], []
    for number in range(count):
        kind = rng.choice(["index", "constant", *OPERATIONS, "select"])
        if number < 2 or kind == "index":
            dim = rng.randrange(2)
            lines.append(f"%i{number} = linalg.index {dim} : index")
            lines.append(f"%v{number} = arith.index_cast %i{number} : index to i64")
            values.append(lambda at, dim=dim: at[dim])
        elif kind == "constant":
            number_itself = rng.randrange(-4, 9)
            lines.append(f"%v{number} = arith.constant {number_itself} : i64")
            values.append(lambda at, n=number_itself: n)
        else:
            a, b = rng.randrange(number), rng.randrange(number)
            if kind == "select":
                lines.append(f"%p{number} = arith.cmpi slt, %v{a}, %v{b} : i64")
                lines.append(f"%v{number} = arith.select %p{number}, %v{a}, %v{b} : i64")
                compute: Any = min
            else:
                lines.append(f"%v{number} = arith.{kind} %v{a}, %v{b} : i64")
                compute = OPERATIONS[kind]
            values.append(lambda at, f=compute, x=values[a], y=values[b]: f(x(at), y(at)))
    return lines, values


@pytest.mark.parametrize("seed", range(25))
def test_ranges_hold_at_every_position(seed: int) -> None:
    rng = random.Random(seed)
    lines, values = _body(rng, 12)
    compared: list[tuple[str, int, int]] = []
    for number in range(12):
        predicate = rng.choice(list(PREDICATES))
        a, b = rng.randrange(12), rng.randrange(12)
        compared.append((predicate, a, b))
        lines.append(f"%c{number} = arith.cmpi {predicate}, %v{a}, %v{b} : i64")
    text = f"""
    func.func @f(%e: tensor<3x4xi64>) -> tensor<3x4xi64> {{
      %0 = linalg.generic {{indexing_maps = [affine_map<(i, j) -> (i, j)>],
        iterator_types = ["parallel", "parallel"]}} outs(%e : tensor<3x4xi64>) {{
      ^bb0(%out: i64):
        {chr(10).join(lines)}
        linalg.yield %v11 : i64
      }} -> tensor<3x4xi64>
      return %0 : tensor<3x4xi64>
    }}"""
    with new_context(), ir.Location.unknown():
        module = ir.Module.parse(text)
        (generic,) = linalg_ops(module.operation)
        ranges = Ranges(generic)
        ops = [view.operation for view in generic.regions[0].blocks[0].operations]
        makers = {op.results[0].get_name(): op for op in ops if len(op.results)}
        positions = list(itertools.product(*map(range, EXTENTS)))
        named = [op for op in makers.values() if op.name != "arith.cmpi"]
        computed = [op for op in named if str(op.results[0].type) == "i64"]
        assert len(computed) == 12
        for op, value in zip(computed, values, strict=True):
            low, high = ranges.of(op.results[0]) or (-(10**30), 10**30)
            assert all(low <= value(at) <= high for at in positions)
        tests = [op for op in ops if op.name == "arith.cmpi"][-12:]
        for op, (predicate, a, b) in zip(tests, compared, strict=True):
            decided = ranges.decided(op)
            found = {PREDICATES[predicate](values[a](at), values[b](at)) for at in positions}
            assert decided is None or found == {decided}


def test_what_may_wrap_is_unknown() -> None:
    text = """
    func.func @f(%e: tensor<200xi8>) -> tensor<200xi8> {
      %0 = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
        outs(%e : tensor<200xi8>) {
      ^bb0(%out: i8):
        %i = linalg.index 0 : index
        %v = arith.index_cast %i : index to i8
        linalg.yield %v : i8
      } -> tensor<200xi8>
      return %0 : tensor<200xi8>
    }"""
    with new_context(), ir.Location.unknown():
        module = ir.Module.parse(text)
        (generic,) = linalg_ops(module.operation)
        ops = [view.operation for view in generic.regions[0].blocks[0].operations]
        ranges = Ranges(generic)
        assert ranges.of(ops[0].results[0]) == (0, 199)
        assert ranges.of(ops[1].results[0]) is None
