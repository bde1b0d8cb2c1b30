"""Normalisations one behind the other: values of a row that are needed one after another."""

import numpy as np
from stitched_cases import Case, Text, normal, tensor


def normalizations(
    rows: int, n: int, count: int, element: str = "f32", dynamic: bool = False
) -> Case:
    """`count` times x <- 4 p / (1 + mean p), p = exp(x - max x), along rows, in `element`.

    `dynamic` leaves `rows` open. The exponentials of each time are costly, needed by the mean and
    by the quotient, and then dead.
    """
    t, shape = Text(), ("?" if dynamic else rows, n)
    full, row = tensor(shape, element), tensor(shape[:1], element)
    sizes = {0: t.size("%x0", full, 0)} if dynamic else {}
    whole, of_rows = t.empty(shape, element, sizes), t.empty(shape[:1], element, sizes)
    low = {"f16": "0xFC00", "bf16": "0xFF80"}.get(element, "0xFF800000")
    lows = t.fill(t.const(low, element), element, of_rows, row)
    zeros = t.fill(t.const("0.0", element), element, of_rows, row)
    length, one, four = (t.const(f"{v}.0", element) for v in (n, 1, 4))

    def reduced(name: str, value: str, init: str) -> str:
        return t.generic(
            ["ab", "a"], "pr", [(value, full)], (init, row),
            lambda b, v, o: b.op(f"{name} {o}, {v} : {element}"),
        )  # fmt: skip

    def power(b: Text, v: str, top: str, _: str) -> str:
        return b.op(f"math.exp {b.op(f'arith.subf {v}, {top} : {element}')} : {element}")

    def quotient(b: Text, v: str, total: str, _: str) -> str:
        mean = b.op(f"arith.divf {total}, {length} : {element}")
        scale = b.op(
            f"arith.divf {four}, {b.op(f'arith.addf {one}, {mean} : {element}')} : {element}"
        )
        return b.op(f"arith.mulf {v}, {scale} : {element}")

    value = "%x0"
    for _ in range(count):
        top = reduced("arith.maximumf", value, lows)
        operands = [(value, full), (top, row)]
        powers = t.generic(["ab", "a", "ab"], "pp", operands, (whole, full), power)
        operands = [(powers, full), (reduced("arith.addf", powers, zeros), row)]
        value = t.generic(["ab", "a", "ab"], "pp", operands, (whole, full), quotient)
    x = normal((rows, n), element, 2.0)
    expected = x.astype(np.float64)
    for _ in range(count):
        powers = np.exp(expected - expected.max(1, keepdims=True))
        expected = 4 * powers / (1 + powers.mean(1, keepdims=True))
    return Case(t.function([full], [(value, full)]), (x,), (expected,))


def tables(batch: int, rows: int, columns: int) -> Case:
    """Exponentials of a table over the sums of its rows, then over those of its columns, twice.

    What is kept has three shapes: the table, its rows, its columns.
    """
    t, shape = Text(), (batch, rows, columns)
    full = tensor(shape)
    whole, zero = t.empty(shape, "f32"), t.const("0.0")

    def over_sums(value: str, kept: str) -> str:
        """exp(value) over its sums along the axis that is not `kept`."""
        small = [n for n, axis in zip(shape, "abc", strict=True) if axis in "a" + kept]
        kind = tensor(small)
        zeros = t.fill(zero, "f32", t.empty(small, "f32"), kind)
        powers = t.generic(
            ["abc", "abc"], "ppp", [(value, full)], (whole, full),
            lambda b, v, _: b.op(f"math.exp {v} : f32"),
        )  # fmt: skip
        iterators = "ppr" if kept == "b" else "prp"
        total = t.generic(
            ["abc", f"a{kept}"], iterators, [(powers, full)], (zeros, kind),
            lambda b, v, o: b.op(f"arith.addf {o}, {v} : f32"),
        )  # fmt: skip
        return t.generic(
            ["abc", f"a{kept}", "abc"], "ppp", [(powers, full), (total, kind)], (whole, full),
            lambda b, v, s, _: b.op(f"arith.divf {v}, {s} : f32"),
        )  # fmt: skip

    x = normal(shape)
    value, expected = "%x0", x.astype(np.float64)
    for kept in "bcbc":
        value = over_sums(value, kept)
        powers = np.exp(expected)
        expected = powers / powers.sum(2 if kept == "b" else 1, keepdims=True)
    return Case(t.function([full], [(value, full)]), (x,), (expected,))


def table_and_rows(batch: int, rows: int, columns: int) -> Case:
    """Exponentials of a table over the sums of its rows, and a softmax of these sums.

    The exponentials of the sums are kept when those of the table are dead.
    """
    t, shape, small = Text(), (batch, rows, columns), (batch, rows)
    full, row, one = tensor(shape), tensor(small), tensor((batch,))
    whole, of_rows = t.empty(shape, "f32"), t.empty(small, "f32")
    zero, low = t.const("0.0"), t.const("0xFF800000")
    zeros = t.fill(zero, "f32", of_rows, row)

    def total(b: Text, v: str, o: str) -> str:
        return b.op(f"arith.addf {o}, {v} : f32")

    def quotient(b: Text, v: str, s: str, _: str) -> str:
        return b.op(f"arith.divf {v}, {s} : f32")

    def power(b: Text, v: str, top: str, _: str) -> str:
        return b.op(f"math.exp {b.op(f'arith.subf {v}, {top} : f32')} : f32")

    powers = t.generic(
        ["abc", "abc"], "ppp", [("%x0", full)], (whole, full),
        lambda b, v, _: b.op(f"math.exp {v} : f32"),
    )  # fmt: skip
    sums = t.generic(["abc", "ab"], "ppr", [(powers, full)], (zeros, row), total)
    operands = [(powers, full), (sums, row)]
    first = t.generic(["abc", "ab", "abc"], "ppp", operands, (whole, full), quotient)
    single = t.empty((batch,), "f32")
    lows = t.fill(low, "f32", single, one)
    top = t.generic(
        ["ab", "a"], "pr", [(sums, row)], (lows, one),
        lambda b, v, o: b.op(f"arith.maximumf {o}, {v} : f32"),
    )  # fmt: skip
    of_sums = t.generic(
        ["ab", "a", "ab"], "pp", [(sums, row), (top, one)], (of_rows, row), power
    )  # fmt: skip
    zeros = t.fill(zero, "f32", single, one)
    whole_sum = t.generic(["ab", "a"], "pr", [(of_sums, row)], (zeros, one), total)
    operands = [(of_sums, row), (whole_sum, one)]
    second = t.generic(["ab", "a", "ab"], "pp", operands, (of_rows, row), quotient)
    x = normal(shape)
    e = np.exp(x.astype(np.float64))
    s = e.sum(2)
    p = np.exp(s - s.max(1, keepdims=True))
    expected = (e / s[..., None], p / p.sum(1, keepdims=True))
    return Case(t.function([full], [(first, full), (second, row)]), (x,), expected)


def less_one_place(rows: int, n: int, place: int) -> Case:
    """(p - p[place]) / sum p along rows, p = exp(x): one place of a row is read by all of it."""
    t, shape = Text(), (rows, n)
    full, row = tensor(shape), tensor((rows,))
    whole, of_rows = t.empty(shape, "f32"), t.empty((rows,), "f32")
    powers = t.generic(
        ["ab", "ab"], "pp", [("%x0", full)], (whole, full),
        lambda b, v, _: b.op(f"math.exp {v} : f32"),
    )  # fmt: skip
    zeros = t.fill(t.const("0.0"), "f32", of_rows, row)
    total = t.generic(
        ["ab", "a"], "pr", [(powers, full)], (zeros, row),
        lambda b, v, o: b.op(f"arith.addf {o}, {v} : f32"),
    )  # fmt: skip
    part = f"[0, {place}] [{rows}, 1] [1, 1]"
    one = t.op(f"tensor.extract_slice {powers}{part} : {full} to {row}")

    def quotient(b: Text, v: str, total: str, one: str, _: str) -> str:
        return b.op(f"arith.divf {b.op(f'arith.subf {v}, {one} : f32')}, {total} : f32")

    operands = [(powers, full), (total, row), (one, row)]
    found = t.generic(["ab", "a", "a", "ab"], "pp", operands, (whole, full), quotient)
    x = normal(shape)
    p = np.exp(x.astype(np.float64))
    expected = (p - p[:, place : place + 1]) / p.sum(1, keepdims=True)
    return Case(t.function([full], [(found, full)]), (x,), (expected,))
