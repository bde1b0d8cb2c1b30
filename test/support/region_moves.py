"""Steps of random regions that only move elements."""

import math

import numpy as np
from region_builder import MOST_LABELS, Program, Value, aligned
from stitched_cases import Text
from tracked_values import FLOATS, Tracked


def sliced(p: Program) -> None:
    """Take elements at even distances along one axis."""
    x = p.static()
    if x is None or 0 in x.shape:
        return
    axis = p.random.randrange(len(x.labels))
    size, stride = p.sizes[x.labels[axis]], p.random.choice([1, 1, 2])
    first = p.random.randrange(size)
    count = p.random.randint(1, (size - 1 - first) // stride + 1)
    label = p.new_label(count)
    labels = x.labels.replace(x.labels[axis], label)
    shape = x.shape
    offsets = [first if k == axis else 0 for k in range(len(shape))]
    strides = [stride if k == axis else 1 for k in range(len(shape))]
    made = p.text.op(
        f"tensor.extract_slice {x.name}{offsets} {[p.sizes[d] for d in labels]} {strides} : "
        f"{p.type_of(x.labels, x.element)} to {p.type_of(labels, x.element)}"
    )
    taken = tuple(
        slice(first, first + stride * (count - 1) + 1, stride) if k == axis else slice(None)
        for k in range(len(shape))
    )
    value = Tracked(x.meaning.value[taken], x.meaning.error[taken])
    p.add(made, labels, x.element, value)


def joined(p: Program) -> None:
    """Put two values that differ along one axis after one another."""
    x = p.static()
    y = x and p.pick(x.element)
    if not (x and y) or len(x.labels) != len(y.labels) or set(y.labels) & p.dynamic:
        return
    differing = [k for k, (d, e) in enumerate(zip(x.labels, y.labels, strict=True)) if d != e]
    axis = differing[0] if differing else p.random.randrange(len(x.labels))
    if len(differing) > 1:
        return
    label = p.new_label(x.shape[axis] + y.shape[axis])
    labels = x.labels[:axis] + label + x.labels[axis + 1 :]
    kinds = [p.type_of(ls, x.element) for ls in (x.labels, y.labels, labels)]
    made = p.text.op(
        f"tensor.concat dim({axis}) {x.name}, {y.name} : ({kinds[0]}, {kinds[1]}) -> {kinds[2]}"
    )
    value = np.concatenate([x.meaning.value, y.meaning.value], axis)
    error = np.concatenate([x.meaning.error, y.meaning.error], axis)
    p.add(made, labels, x.element, Tracked(value, error))


def merged(p: Program) -> None:
    """Merge two neighbouring axes into one, dynamic ones as well."""
    x = p.pick()
    if x is None or len(x.labels) < 2:
        return
    axis = p.random.randrange(len(x.labels) - 1)
    label = p.new_label(math.prod(x.shape[axis : axis + 2]))
    is_dynamic = bool(set(x.labels[axis : axis + 2]) & p.dynamic)
    if is_dynamic:
        p.dynamic.add(label)
    labels = x.labels[:axis] + label + x.labels[axis + 2 :]
    to = p.type_of(labels, x.element)
    made = p.text.op(
        f"tensor.collapse_shape {x.name} {_groups(axis, len(labels))} : "
        f"{p.type_of(x.labels, x.element)} into {to}"
    )
    if is_dynamic:
        p.size_values[label] = p.text.size(made, to, axis)
    p.add(made, labels, x.element, _reshaped(x, p.shape_of(labels)))


def split(p: Program) -> None:
    """Split an axis into two."""
    x = p.static()
    if x is None or len(x.labels) >= MOST_LABELS:
        return
    axis = p.random.randrange(len(x.labels))
    size = x.shape[axis]
    inner = p.random.choice([n for n in range(1, max(size, 1) + 1) if size % n == 0])
    outer = p.new_label(size // inner)
    labels = x.labels[:axis] + outer + p.new_label(inner) + x.labels[axis + 1 :]
    made = p.text.op(
        f"tensor.expand_shape {x.name} {_groups(axis, len(x.labels))} "
        f"output_shape {p.shape_of(labels)} : {p.type_of(x.labels, x.element)} into "
        f"{p.type_of(labels, x.element)}"
    )
    p.add(made, labels, x.element, _reshaped(x, p.shape_of(labels)))


def _groups(axis: int, rank: int) -> list[list[int]]:
    """Which of `rank` + 1 axes are each of `rank`, where the one at `axis` is two of them."""
    groups = [[k] if k < axis else [k + 1] for k in range(rank)]
    groups[axis] = [axis, axis + 1]
    return groups


def _reshaped(x: Value, shape: list[int]) -> Tracked:
    return Tracked(x.meaning.value.reshape(shape), x.meaning.error.reshape(shape))


def transposed(p: Program) -> None:
    """Order the axes anew, by an op that does nothing else."""
    x = p.pick()
    if x is None or len(x.labels) < 2:
        return
    labels = p.shuffled(x.labels)
    order = [x.labels.index(d) for d in labels]
    made = p.text.op(
        f"linalg.transpose ins({x.name} : {p.type_of(x.labels, x.element)}) "
        f"outs({p.empty(labels, x.element)} : {p.type_of(labels, x.element)}) "
        f"permutation = {order}"
    )
    p.add(made, labels, x.element, aligned(x.meaning, x.labels, labels, p.shape_of(labels)))


def widened(p: Program) -> None:
    """Repeat a value along an axis that it has not, by an op that does nothing else."""
    x = p.pick()
    missing = [d for d in "abc" if x and d not in x.labels]
    if x is None or not missing:
        return
    at = p.random.randint(0, len(x.labels))
    labels = x.labels[:at] + p.random.choice(missing) + x.labels[at:]
    if not p.fits(labels):
        return
    made = p.text.op(
        f"linalg.broadcast ins({x.name} : {p.type_of(x.labels, x.element)}) "
        f"outs({p.empty(labels, x.element)} : {p.type_of(labels, x.element)}) dimensions = [{at}]"
    )
    p.add(made, labels, x.element, aligned(x.meaning, x.labels, labels, p.shape_of(labels)))


def padded(p: Program) -> None:
    """Put a constant around a value, along one axis or two."""
    x = p.static()
    if x is None:
        return
    around = [(0, 0)] * len(x.labels)
    for axis in p.random.sample(range(len(x.labels)), min(len(x.labels), p.random.randint(1, 2))):
        around[axis] = (p.random.randint(0, 3), p.random.randint(0, 3))
    labels = "".join(
        p.new_label(size + sum(pad)) if sum(pad) else d
        for d, size, pad in zip(x.labels, x.shape, around, strict=True)
    )
    if not p.fits(labels):
        return
    number = p.random.choice([0, 1] if x.element == "i1" else [0, 0, 1, -2])
    written = str(float(number)) if x.element in FLOATS else str(number)
    kind = "" if x.element == "i1" else f" : {x.element}"
    value = p.text.op(f"arith.constant {written if kind else str(bool(number)).lower()}{kind}")
    low, high = ([pad[side] for pad in around] for side in (0, 1))
    indices = ", ".join(f"%p{k}: index" for k in range(len(labels)))
    made = p.text.op(
        f"tensor.pad {x.name} low{low} high{high} {{\n  ^bb0({indices}):\n"
        f"    tensor.yield {value} : {x.element}\n  }} : "
        f"{p.type_of(x.labels, x.element)} to {p.type_of(labels, x.element)}"
    )
    meaning = Tracked(
        np.pad(x.meaning.value, around, constant_values=number), np.pad(x.meaning.error, around)
    )
    p.add(made, labels, x.element, meaning)


def inserted(p: Program) -> None:
    """Put a smaller value into one of the same rank, elements apart where there is room."""
    x = p.static()
    if x is None or 0 in x.shape:
        return
    smaller = [
        v for v in p.values
        if v.element == x.element and v.labels != x.labels and len(v.shape) == len(x.shape)
        and not set(v.labels) & p.dynamic and 0 not in v.shape
        and all(n <= m for n, m in zip(v.shape, x.shape, strict=True))
    ]  # fmt: skip
    if not smaller:
        return
    y = p.random.choice(smaller)
    rooms = zip(y.shape, x.shape, strict=True)
    steps = [p.random.choice([1, 1, 2 if 2 * n <= m else 1]) for n, m in rooms]
    ends = [(n - 1) * step + 1 for n, step in zip(y.shape, steps, strict=True)]
    firsts = [p.random.randint(0, m - end) for m, end in zip(x.shape, ends, strict=True)]
    made = p.text.op(
        f"tensor.insert_slice {y.name} into {x.name}{firsts} {list(y.shape)} {steps} : "
        f"{p.type_of(y.labels, y.element)} into {p.type_of(x.labels, x.element)}"
    )
    taken = tuple(
        slice(first, first + end, step)
        for first, end, step in zip(firsts, ends, steps, strict=True)
    )
    value, error = x.meaning.value.copy(), x.meaning.error.copy()
    value[taken], error[taken] = y.meaning.value, y.meaning.error
    p.add(made, x.labels, x.element, Tracked(value, error))


def gathered(p: Program) -> None:
    """Rows of a table by numbers of another value, as an embedding takes them."""
    table, index = p.static(), p.pick("i32", "i8")
    if table is None or index is None or 0 in table.shape:
        return
    rest = table.labels[1:]
    if set(rest) & set(index.labels) or len(index.labels + rest) > 4:
        return
    labels = index.labels + rest
    if not p.fits(labels):
        return
    rows, kind = table.shape[0], table.element
    source = p.type_of(table.labels, kind)

    def body(t: Text, v: str, _: str) -> str:
        at = t.op(f"arith.index_cast {v} : {index.element} to index")
        zero, last = (
            t.op("arith.constant 0 : index"),
            t.op(f"arith.constant {rows - 1} : index"),
        )
        at = t.op(f"arith.minsi {t.op(f'arith.maxsi {at}, {zero} : index')}, {last} : index")
        others = [t.op(f"linalg.index {len(index.labels) + k} : index") for k in range(len(rest))]
        return t.op(f"tensor.extract {table.name}[{', '.join([at, *others])}] : {source}")

    made = p.generic(labels, labels, [index], kind, p.empty(labels, kind), body)
    taken = np.clip(index.meaning.value.astype(np.int64), 0, rows - 1)
    value = Tracked(table.meaning.value[taken], table.meaning.error[taken])
    p.add(made, labels, kind, value)
