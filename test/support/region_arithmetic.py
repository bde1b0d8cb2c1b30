"""Steps of random regions that compute element by element."""

import numpy as np
import tracked_values as tracked
from region_builder import Program, Value
from stitched_cases import NUMPY, Text
from tracked_values import FLOATS, Tracked, exact

INTEGERS = ("i8", "i32")


def unary(p: Program) -> None:
    """A float op of one operand."""
    x = p.pick(*FLOATS)
    if x is not None:
        op, kind = p.random.choice(list(tracked.UNARY)), x.element
        p.elementwise(
            [x], kind, lambda t, v: tracked.UNARY[op].build(t, v, kind),
            lambda v: tracked.apply_unary(op, v, kind),
        )  # fmt: skip


def binary(p: Program) -> None:
    """A float op of two operands, over the axes of both."""
    x = p.pick(*FLOATS)
    y = x and p.pick(x.element)
    if x and y:
        op, kind = p.random.choice(list(tracked.BINARY)), x.element
        p.elementwise(
            [x, y], kind, lambda t, v, w: tracked.BINARY[op](t, v, w, kind),
            lambda v, w: tracked.apply_binary(op, v, w, kind),
        )  # fmt: skip


def splat(p: Program) -> None:
    """Multiply by a constant."""
    x = p.pick(*FLOATS)
    if x is not None:
        number, kind = p.random.choice([0.5, -2.0, 0.0, 1.0]), x.element
        splat = p.text.const(str(number), kind)
        p.elementwise(
            [x], kind, lambda t, v: t.op(f"arith.mulf {v}, {splat} : {kind}"),
            lambda v: tracked.apply_binary(
                "mulf", v, exact(np.full(v.value.shape, number)), kind
            ),
        )  # fmt: skip


def integer(p: Program) -> None:
    """An op of two integers or truth values."""
    x = p.pick(*INTEGERS, "i1")
    y = x and p.pick(x.element)
    if x and y:
        kind = x.element
        op = p.random.choice(tracked.BOOLEAN if kind == "i1" else list(tracked.INTEGER))
        p.elementwise(
            [x, y], kind, lambda t, v, w: t.op(f"arith.{op} {v}, {w} : {kind}"),
            lambda v, w: exact(
                tracked.INTEGER[op](v.value, w.value).astype(NUMPY[kind])
            ),
        )  # fmt: skip


def compare(p: Program) -> None:
    """Compare two values; only what is exact, since near a tie any answer is right."""
    x = p.pick()
    y = x and p.pick(x.element)
    if not (x and y and x.meaning.is_exact and y.meaning.is_exact) or x.element == "i1":
        return
    op, kind = p.random.choice(list(tracked.COMPARE)), x.element
    names = {"ogt": "sgt", "ole": "sle", "oeq": "eq", "une": "ne"}
    name = f"cmpf {op}" if kind in FLOATS else f"cmpi {names[op]}"
    p.elementwise(
        [x, y], "i1", lambda t, v, w: t.op(f"arith.{name}, {v}, {w} : {kind}"),
        lambda v, w: exact(tracked.COMPARE[op](v.value, w.value)),
    )  # fmt: skip


def select(p: Program) -> None:
    """Choose between two values."""
    condition, x = p.pick("i1"), p.pick()
    y = x and p.pick(x.element)
    if condition and x and y:
        kind = x.element
        p.elementwise(
            [condition, x, y], kind,
            lambda t, c, v, w: t.op(f"arith.select {c}, {v}, {w} : {kind}"),
            lambda c, v, w: Tracked(
                np.where(c.value, v.value, w.value), np.where(c.value, v.error, w.error)
            ),
        )  # fmt: skip


def cast(p: Program) -> None:
    """Cast to another element type."""
    x = p.pick()
    if x is None:
        return
    source = x.element
    to = p.random.choice([k for k in ("f32", p.element, "i32", "i8") if k != source])
    cast = _cast_of(x, to)
    if cast is not None:
        p.elementwise(
            [x], to, lambda t, v: t.op(f"arith.{cast} {v} : {source} to {to}"),
            lambda v: _cast_meaning(v, source, to),
        )  # fmt: skip


def position(p: Program) -> None:
    """Add where an element stands along one of its axes."""
    x = p.pick("i32", "f32")
    if x is None or not x.labels:
        return
    axis, kind = p.random.randrange(len(x.labels)), x.element
    where = np.arange(p.sizes[x.labels[axis]]).reshape(
        [-1 if k == axis else 1 for k in range(len(x.labels))]
    )
    labels = x.labels

    def body(t: Text, v: str, _: str) -> str:
        index = t.op(f"arith.index_cast {t.op(f'linalg.index {axis} : index')} : index to i32")
        if kind == "i32":
            return t.op(f"arith.addi {v}, {index} : i32")
        return t.op(f"arith.addf {v}, {t.op(f'arith.sitofp {index} : i32 to f32')} : f32")

    if kind == "i32":
        meaning = exact((x.meaning.value + where).astype(np.int32))
    else:
        meaning = tracked.settled(x.meaning.value + where, x.meaning.error, "f32")
    if meaning is not None:
        init = p.empty(labels, kind)
        p.add(p.generic(labels, labels, [x], kind, init, body), labels, kind, meaning)


def _cast_of(x: Value, to: str) -> str | None:
    """The op that casts a value to an element type; None where there is none or it is undefined."""
    wide = {"f32": 32, "f16": 16, "bf16": 16, "i32": 32, "i8": 8, "i1": 1}
    if x.element in FLOATS and to in FLOATS:
        if wide[x.element] == wide[to]:
            return None
        return "extf" if wide[to] > wide[x.element] else "truncf"
    if to in FLOATS:
        return "uitofp" if x.element == "i1" else "sitofp"
    if x.element in FLOATS:
        is_defined = x.meaning.is_exact and np.isfinite(x.meaning.value).all()
        return "fptosi" if is_defined and (np.abs(x.meaning.value) < 100).all() else None
    if x.element == "i1":
        return "extui"
    return "extsi" if wide[to] > wide[x.element] else "trunci"


def _cast_meaning(v: Tracked, source: str, to: str) -> Tracked | None:
    if to not in FLOATS:
        return exact(
            np.trunc(v.value).astype(NUMPY[to]) if source in FLOATS else v.value.astype(NUMPY[to])
        )
    value = v.value.astype(np.float64)
    rounded = value.astype(NUMPY[to]).astype(np.float64)
    if v.is_exact and (np.isnan(value) | (rounded == value)).all():
        return Tracked(value, v.error)
    return tracked.settled(value, v.error, to)
