"""Steps of random regions that reduce: sums, extremes, positions of maxima, sliding windows."""

from collections.abc import Callable, Sequence

import numpy as np
import tracked_values as tracked
from region_builder import Program, Value, aligned
from stitched_cases import NUMPY, Text
from tracked_values import FLOATS, Tracked, exact

NEGATIVE_INFINITY = {"f32": "0xFF800000", "f16": "0xFC00", "bf16": "0xFF80"}
POSITIVE_INFINITY = {"f32": "0x7F800000", "f16": "0x7C00", "bf16": "0x7F80"}


def reduction(p: Program) -> None:
    """Reduce over any axes, from the neutral element or from another value."""
    x = p.pick()
    if x is None or not x.labels:
        return
    gone = p.random.sample(x.labels, p.random.randint(1, len(x.labels)))
    rest = "".join(d for d in x.labels if d not in gone)
    op, neutral = _reduction_of(p, x.element)
    axes = [x.labels.index(d) for d in gone]
    result = tracked.apply_reduction(op, x.meaning, axes, x.element)
    starts = [v for v in p.values if v.element == x.element and sorted(v.labels) == sorted(rest)]
    start = p.random.choice(starts) if starts and p.random.random() < 0.2 else None
    kept = start.labels if start else p.shuffled(rest)
    if result is not None:
        result = aligned(result, rest, kept, p.shape_of(kept))
    if start is not None and result is not None:
        result = tracked.combined(op, start.meaning, result, x.element)
    if result is None:
        return
    init = start.name if start else p.filled(kept, x.element, neutral)
    made = p.generic(
        p.shuffled(x.labels), kept, [x], x.element, init,
        lambda t, v, o: t.op(f"arith.{op} {o}, {v} : {x.element}"),
    )  # fmt: skip
    p.add(made, kept, x.element, result)


def _reduction_of(p: Program, kind: str) -> tuple[str, str]:
    """A reduction of elements of a type, and its neutral element."""
    if kind in FLOATS:
        op = p.random.choice(list(tracked.FLOAT_REDUCTIONS))
        infinity = {"maximumf": NEGATIVE_INFINITY, "minimumf": POSITIVE_INFINITY}.get(op)
        return op, infinity[kind] if infinity else "0.0"
    if kind == "i1":
        op = p.random.choice(tracked.BOOLEAN_REDUCTIONS)
        return op, "true" if op == "andi" else "false"
    op = p.random.choice(tracked.INTEGER_REDUCTIONS)
    info = np.iinfo(NUMPY[kind])
    return op, str({"maxsi": info.min, "minsi": info.max}.get(op, 0))


def arg_max(p: Program) -> None:
    """The largest number along an axis, NaN left out, and the first position that has it."""
    x = p.pick("f32")
    if x is None or not x.labels or not x.meaning.is_exact:
        return
    axis = p.random.randrange(len(x.labels))
    kept = x.labels.replace(x.labels[axis], "")
    order = kept + x.labels[axis]
    source, most = p.type_of(x.labels, "f32"), p.type_of(kept, "f32")
    where = p.type_of(kept, "i32")
    low = p.filled(kept, "f32", NEGATIVE_INFINITY["f32"])
    zero = p.filled(kept, "i32", "0")
    loops = dict(zip(order, "abcdefg", strict=False))
    maps = ", ".join(
        f"affine_map<({', '.join(loops.values())})->({', '.join(loops[d] for d in ls)})>"
        for ls in (x.labels, kept, kept)
    )
    kinds = ", ".join(['"parallel"'] * len(kept) + ['"reduction"'])
    name = p.text.op(
        f"linalg.generic {{indexing_maps=[{maps}], iterator_types=[{kinds}]}} "
        f"ins({x.name} : {source}) outs({low}, {zero} : {most}, {where}) {{\n"
        f"  ^bb0(%v: f32, %m: f32, %p: i32):\n"
        f"    %at = linalg.index {len(kept)} : index\n"
        f"    %at32 = arith.index_cast %at : index to i32\n"
        f"    %more = arith.cmpf ogt, %v, %m : f32\n"
        f"    %newm = arith.select %more, %v, %m : f32\n"
        f"    %newp = arith.select %more, %at32, %p : i32\n"
        f"    linalg.yield %newm, %newp : f32, i32\n  }} -> ({most}, {where})"
    )
    p.text.lines[-1] = p.text.lines[-1].replace(f"{name} =", f"{name}:2 =", 1)
    numbers = np.where(np.isnan(x.meaning.value), -np.inf, x.meaning.value)
    found = np.max(numbers, axis=axis, initial=-np.inf)
    first = np.zeros(found.shape, np.int32)
    if numbers.size:
        first = np.where(found == -np.inf, 0, np.argmax(numbers, axis=axis)).astype(np.int32)
    p.add(f"{name}#0", kept, "f32", exact(np.asarray(found)))
    p.add(f"{name}#1", kept, "i32", exact(np.asarray(first)))


def window(p: Program) -> None:
    """Reduce over a window that slides along one or two axes: pooling, or with weights."""
    x = p.static(*FLOATS, "i32")
    if x is None or 0 in x.shape:
        return
    labels, loops, wide = x.labels, {d: d for d in x.labels}, x.meaning
    taps = ""
    for d in p.random.sample(x.labels, min(len(x.labels), p.random.randint(1, 2))):
        axis, size = labels.index(d), p.sizes[d]
        taken, step, apart = p.random.randint(1, 3), p.random.randint(1, 2), p.random.randint(1, 2)
        reach = (taken - 1) * apart + 1
        if reach > size:
            continue
        moved, tap = p.new_label((size - reach) // step + 1), p.new_label(taken)
        places = np.arange(p.sizes[moved])[:, None] * step + np.arange(taken) * apart
        wide = Tracked(wide.value.take(places, axis), wide.error.take(places, axis))
        labels, taps = labels[:axis] + moved + tap + labels[axis + 1 :], taps + tap
        loops[d] = f"{moved} * {step} + {tap} * {apart}"
    kept = "".join(d for d in labels if d not in taps)
    if not taps or not p.fits(labels):
        return
    if x.element in FLOATS and p.random.random() < 0.5:
        _weighted(p, x, loops, labels, taps, wide)
        return
    op, neutral = _reduction_of(p, x.element)
    axes = [labels.index(d) for d in taps]
    result = tracked.apply_reduction(op, wide, axes, x.element)
    if result is not None:
        shape = Value(p.empty(taps, x.element), taps, x.element, wide)
        init = p.filled(kept, x.element, neutral)
        made = _windowed(
            p, [x, shape], loops, kept, taps, init,
            lambda t, v, _, o: t.op(f"arith.{op} {o}, {v} : {x.element}"),
        )  # fmt: skip
        p.add(made, kept, x.element, result)


def _weighted(
    p: Program, x: Value, loops: dict[str, str], labels: str, taps: str, wide: Tracked
) -> None:
    """Sum the window with weights, which may differ along an axis, as a depthwise convolution."""
    kept, kind = "".join(d for d in labels if d not in taps), x.element
    channels = [d for d in kept if d in x.labels]
    along = p.random.choice(channels) if channels and p.random.random() < 0.7 else ""
    weights = p.argument(p.shuffled(along + taps), kind)
    factors = aligned(weights.meaning, weights.labels, labels, p.shape_of(labels))
    products = tracked.apply_binary("mulf", wide, factors, kind)
    axes = [labels.index(d) for d in taps]
    result = products and tracked.apply_reduction("addf", products, axes, kind)
    if result is None:
        return

    def body(t: Text, v: str, w: str, o: str) -> str:
        product = t.op(f"arith.mulf {v}, {w} : {kind}")
        return t.op(f"arith.addf {o}, {product} : {kind}")

    init = p.filled(kept, kind, "0.0")
    p.add(_windowed(p, [x, weights], loops, kept, taps, init, body), kept, kind, result)


def _windowed(
    p: Program, inputs: Sequence[Value], loops: dict[str, str], kept: str, taps: str, init: str,
    body: Callable[..., str],
) -> str:  # fmt: skip
    """Write a generic that reads its first operand at `loops` of the axes that it has."""
    kind, order = inputs[0].element, kept + taps
    names = dict(zip(order, "abcdefg", strict=False))

    def renamed(expression: str) -> str:
        return "".join(names.get(c, c) for c in expression)

    maps = [[renamed(loops.get(d, d)) for d in v.labels] for v in inputs]
    maps[1] = [names[d] for d in inputs[1].labels]
    operands = [(v.name, p.type_of(v.labels, kind)) for v in inputs]
    return p.text.generic(
        [*maps, [names[d] for d in kept]], "p" * len(kept) + "r" * len(taps), operands,
        (init, p.type_of(kept, kind)), body,
    )  # fmt: skip
