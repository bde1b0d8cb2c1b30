"""Random memory-bound functions: what regions are made of, in all element types and odd sizes.

There are element-wise ops, casts, comparisons and choices, transposes and broadcasts, sums, maxima
and minima over any of the axes, from constants or from other values, positions of maxima, sliding
windows with and without weights, slices, joins, paddings, insertions, reshapes, gathers, splats and
positions; sizes of 0 and 1, dynamic ones, NaN and infinities. Several values are results, some of
them used inside too. Steps that would leave the range of a type are not taken.
"""

from collections.abc import Callable

import numpy as np
from region_arithmetic import binary, cast, compare, integer, position, select, splat, unary
from region_builder import Program, Region
from region_moves import (
    gathered,
    inserted,
    joined,
    merged,
    padded,
    sliced,
    split,
    transposed,
    widened,
)
from region_reductions import arg_max, reduction, window

ELEMENTS = ("f32", "f32", "f32", "f16", "bf16", "i32", "i8", "i1")
STEPS: tuple[Callable[[Program], None], ...] = (
    *[unary] * 3, *[binary] * 5, *[reduction] * 5, *[window] * 2, splat, integer, compare, select,
    cast, cast, position, arg_max, sliced, joined, merged, split, transposed, widened, padded,
    inserted, gathered,
)  # fmt: skip


def random_region(seed: int, name: str = "main", empty: bool = True) -> Region:
    """Return the program of a seed, a function called `name`; `empty` allows sizes of 0."""
    program = Program(seed, empty)
    with np.errstate(all="ignore"):
        _start(program)
        return _finished(program, name)


def _start(p: Program) -> None:
    """Give the function arguments of several shapes and types, the first over all labels."""
    shapes = ["abc", *(p.shuffled("abc")[: p.random.randint(1, 3)] for _ in range(3))]
    kinds = [p.element, p.element, *(p.random.choice(ELEMENTS) for _ in range(2))]
    p.values += [p.argument(labels, kind) for labels, kind in zip(shapes, kinds, strict=True)]
    for axis, label in enumerate("abc"):
        if label in p.dynamic:
            p.size_values[label] = p.text.size("%x0", p.argument_types[0], axis)


def _finished(p: Program, name: str) -> Region:
    wanted = p.random.randint(2, 9)
    while len(p.made) < wanted:
        p.random.choice(STEPS)(p)
    count = min(len(p.made), p.random.randint(1, 3))
    chosen = [p.made[-1], *p.random.sample(p.made, count)]
    results = list({value.name: value for value in chosen}.values())
    text = p.text.function(
        p.argument_types, [(v.name, p.type_of(v.labels, v.element)) for v in results]
    )
    expected = tuple((v.meaning, v.element) for v in results)
    return Region(text.replace("@main", f"@{name}"), tuple(p.arguments), expected)
