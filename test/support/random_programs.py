"""Hypothesis strategies for random programs: an fsa op, a small graph of them, a stitched region.

A program is drawn as sizes, element types and attributes; its arrays come from a drawn seed, with
special values among them. Dimensions that are drawn as dynamic get another size in every run.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from arrays import any_words, floats, integers, with_specials, words
from graph_programs import Graph, Step
from hypothesis import strategies as st
from op_cases import FLOATS, WORDS
from region_programs import stitched

Draw = Callable[[Any], Any]
Sizes = Mapping[str, int]
SIZES = st.sampled_from([1, 2, 3, 5, 7, 8, 13, 16, 17, 31, 33])
SMALL = st.sampled_from([1, 2, 3, 4, 5, 7])
SIZES_WITH_0 = st.one_of(*[SIZES] * 9, st.just(0))
SMALL_WITH_0 = st.one_of(*[SMALL] * 9, st.just(0))
DEPTHS = st.sampled_from([1, 5, 31, 32, 33, 37, 63, 64, 65, 96, 100, 127, 128, 129])
MAX_RUNS = 3


@dataclass(frozen=True)
class Shape:
    """The arguments of a program: for each the names of its axes, and what fills them.

    `sizes` draws the size of each axis that may be dynamic; other axes have fixed sizes, in `make`,
    which makes the arrays for given sizes and a seed.
    """

    axes: Sequence[Sequence[str]]
    sizes: Mapping[str, Any]
    make: Callable[[Sizes, int], tuple[np.ndarray, ...]]


def program(draw: Draw, name: str, shape: Shape, steps: Sequence[Step]) -> Graph:
    """Draw sizes, dynamic dimensions and runs for `shape`; return the program."""
    sizes = {axis: draw(strategy) for axis, strategy in shape.sizes.items()}
    dynamic = {axis for axis in sizes if draw(st.booleans())}
    runs = []
    for _ in range(draw(st.integers(1, MAX_RUNS))):
        runs.append(shape.make(sizes, draw(st.integers(0, 2**31 - 1))))
        sizes = {a: draw(shape.sizes[a]) if a in dynamic else size for a, size in sizes.items()}
    open_axes = [
        tuple(axis for axis, label in enumerate(labels) if label in dynamic)
        for labels in shape.axes
    ]
    return Graph(name, runs, tuple(open_axes), tuple(steps))


def batch_axes(draw: Draw, most: int) -> list[str]:
    """Draw the names of up to `most` leading dimensions."""
    return ["b0", "b1"][: draw(st.integers(0, most))]


def pack_bits(draw: Draw, name: str) -> Graph:
    """Draw a pack_bits, sometimes followed by its unpack_bits."""
    dtype, depth = draw(st.sampled_from(FLOATS)), draw(DEPTHS)
    width = draw(st.sampled_from([32, 64]))
    batch = batch_axes(draw, 2)
    steps = [Step("pack_bits", (0,), {"word_width": width})]
    if draw(st.booleans()):
        steps.append(Step("unpack_bits", (1,), {"depth": depth, "dtype": dtype}))
    shape = Shape(
        [[*batch, ""]],
        dict.fromkeys(batch, SMALL_WITH_0),
        lambda sizes, seed: (
            with_specials((*(sizes[axis] for axis in batch), depth), dtype, seed),
        ),
    )
    return program(draw, name, shape, steps)


def unpack_bits(draw: Draw, name: str) -> Graph:
    """Draw an unpack_bits of words whose padding bits are random."""
    dtype, word = draw(st.sampled_from(FLOATS)), draw(st.sampled_from(WORDS))
    depth = draw(DEPTHS)
    count = -(-depth // (np.dtype(word).itemsize * 8))
    shape = Shape(
        [["b0", ""]],
        {"b0": SIZES_WITH_0},
        lambda sizes, seed: (any_words((sizes["b0"], count), word, seed),),
    )
    return program(draw, name, shape, [Step("unpack_bits", (0,), {"depth": depth, "dtype": dtype})])


def binarized_matmul(draw: Draw, name: str) -> Graph:
    """Draw a matmul, sometimes with a threshold and a second matmul: a layer and a half."""
    word, depth = draw(st.sampled_from(WORDS)), draw(DEPTHS)
    batch = batch_axes(draw, 2)
    shared, outputs = draw(st.booleans()), draw(SIZES)
    rhs_batch = [] if shared else batch
    layered = draw(st.booleans())
    steps = [Step("binarized_matmul", (0, 1), {"depth": depth})]
    axes = [[*batch, "m", ""], [*rhs_batch, "" if layered else "n", ""]]
    sizes = {**dict.fromkeys(batch, SMALL_WITH_0), "m": SIZES_WITH_0}
    if layered:
        axes += [[""], [""], ["k", ""]]
        sizes["k"] = SIZES_WITH_0
        steps.append(Step("binarized_threshold", (5, 2, 3), {}))
        steps.append(Step("binarized_matmul", (6, 4), {"depth": outputs}))
    else:
        sizes["n"] = SIZES_WITH_0

    def make(sizes: Sizes, seed: int) -> tuple[np.ndarray, ...]:
        columns = outputs if layered else sizes["n"]
        lhs = words((*(sizes[axis] for axis in batch), sizes["m"]), depth, word, seed)
        rhs = words((*(sizes[axis] for axis in rhs_batch), columns), depth, word, seed + 1)
        if not layered:
            return lhs, rhs
        tau = integers((outputs,), 4, seed)
        flip = words((), outputs, word, seed + 2)
        return lhs, rhs, tau, flip, words((sizes["k"],), outputs, word, seed + 3)

    return program(draw, name, Shape(axes, sizes, make), steps)


def window(draw: Draw, kernel: tuple[int, int], limit: int) -> dict[str, Any]:
    """Draw the attributes of a window: strides, dilations and a frame of at most `limit`."""
    pads = [draw(st.integers(0, min(limit, kernel[side // 2] - 1))) for side in range(4)]
    attributes: dict[str, Any] = {
        "strides": tuple(draw(st.integers(1, 3)) for _ in range(2)),
        "pad": tuple(pads),
    }
    if draw(st.booleans()):
        attributes["dilations"] = tuple(draw(st.integers(1, 2)) for _ in range(2))
    return attributes


def binarized_conv2d(draw: Draw, name: str) -> Graph:
    """Draw a convolution, sometimes followed by a threshold and a pooling."""
    word = draw(st.sampled_from(WORDS))
    width = np.dtype(word).itemsize * 8
    groups = draw(st.sampled_from([1, 1, 1, 2]))
    depth = draw(DEPTHS) if groups == 1 else width * draw(st.integers(1, 2))
    outputs = groups * draw(SMALL)
    kernel = tuple(draw(st.integers(1, 3)) for _ in range(2))
    attributes = window(draw, (kernel[0] + 1, kernel[1] + 1), 2)
    attributes["channels"] = depth * groups
    attributes["pad_mode"] = draw(st.sampled_from(["zero", "one"]))
    if groups > 1:
        attributes["groups"] = groups
    layered = draw(st.booleans())
    steps = [Step("binarized_conv2d", (0, 1), attributes)]
    axes = [["n", "h", "w", ""], ["", "", "", ""]]
    if layered:
        axes += [[""], [""]]
        pool_kernel = tuple(draw(st.integers(1, 2)) for _ in range(2))
        pool = {"kernel": pool_kernel, **window(draw, pool_kernel, 1)}
        steps.append(Step("binarized_threshold", (4, 2, 3), {}))
        steps.append(Step("binarized_max_pool2d", (5,), pool))

    def make(sizes: Sizes, seed: int) -> tuple[np.ndarray, ...]:
        shape = (sizes["n"], sizes["h"], sizes["w"])
        image = words(shape, depth * groups, word, seed)
        weights = words((outputs, *kernel), depth, word, seed + 1)
        if not layered:
            return image, weights
        return image, weights, integers((outputs,), 9, seed), words((), outputs, word, seed + 2)

    sizes = {"n": st.sampled_from([1, 1, 2, 0]), "h": SMALL_WITH_0, "w": SMALL_WITH_0}
    return program(draw, name, Shape(axes, sizes, make), steps)


def binarized_threshold(draw: Draw, name: str) -> Graph:
    """Draw a threshold; its flips have random padding bits."""
    word, channels = draw(st.sampled_from(WORDS)), draw(DEPTHS)
    batch = batch_axes(draw, 2)
    count = -(-channels // (np.dtype(word).itemsize * 8))
    limit = draw(st.sampled_from([1, 5, 2**31 - 1]))

    def make(sizes: Sizes, seed: int) -> tuple[np.ndarray, ...]:
        shape = (*(sizes[axis] for axis in batch), channels)
        return (
            integers(shape, limit, seed),
            integers((channels,), limit, seed + 1),
            any_words((count,), word, seed),
        )

    shape = Shape([[*batch, ""], [""], [""]], dict.fromkeys(batch, SMALL_WITH_0), make)
    return program(draw, name, shape, [Step("binarized_threshold", (0, 1, 2), {})])


def binarized_max_pool2d(draw: Draw, name: str) -> Graph:
    """Draw a pooling of an image whose padding bits are 0."""
    word, channels = draw(st.sampled_from(WORDS)), draw(DEPTHS)
    kernel = tuple(draw(st.integers(1, 3)) for _ in range(2))
    attributes = {"kernel": kernel, **window(draw, kernel, 2)}
    shape = Shape(
        [["n", "h", "w", ""]],
        {"n": st.sampled_from([1, 2, 0]), "h": SMALL_WITH_0, "w": SMALL_WITH_0},
        lambda sizes, seed: (words((sizes["n"], sizes["h"], sizes["w"]), channels, word, seed),),
    )
    return program(draw, name, shape, [Step("binarized_max_pool2d", (0,), attributes)])


def capsule_predict(draw: Draw, name: str) -> Graph:
    """Draw a prediction, sometimes followed by routing and another squash: a capsule layer."""
    dtype = draw(st.sampled_from(FLOATS))
    steps = [Step("capsule_predict", (0, 1), {})]
    if draw(st.booleans()):
        steps.append(Step("capsule_routing", (2,), routing_attributes(draw)))
        steps.append(Step("squash", (3,), {"epsilon": epsilon(draw)}))

    def make(sizes: Sizes, seed: int) -> tuple[np.ndarray, ...]:
        b, i, h, d, k = (sizes[axis] for axis in "bihdk")
        return (
            floats((b, i, k), dtype, seed, scale=0.5),
            floats((i, h, d, k), dtype, seed + 1, scale=0.5),
        )

    sizes = {"b": SMALL_WITH_0, "i": SMALL_WITH_0, "h": SMALL_WITH_0, "d": SMALL, "k": SMALL}
    return program(draw, name, Shape([list("bik"), list("ihdk")], sizes, make), steps)


def capsule_routing(draw: Draw, name: str) -> Graph:
    """Draw a routing of moderate predictions."""
    dtype = draw(st.sampled_from(FLOATS))
    scale = draw(st.sampled_from([0.0, 0.05, 0.5, 1.0]))
    shape = Shape(
        [list("bihd")],
        {"b": SMALL_WITH_0, "i": SIZES_WITH_0, "h": SMALL_WITH_0, "d": SIZES},
        lambda sizes, seed: (
            floats(tuple(sizes[axis] for axis in "bihd"), dtype, seed, scale=scale),
        ),
    )
    return program(draw, name, shape, [Step("capsule_routing", (0,), routing_attributes(draw))])


def squash(draw: Draw, name: str) -> Graph:
    """Draw a squash, of random floats of every length and, sometimes, NaN and infinities."""
    dtype, special = draw(st.sampled_from(FLOATS)), draw(st.booleans())
    scale = draw(st.sampled_from([0.0, 1e-6, 0.1, 1.0, 50.0]))
    batch = batch_axes(draw, 2)

    def make(sizes: Sizes, seed: int) -> tuple[np.ndarray, ...]:
        shape = (*(sizes[axis] for axis in batch), sizes["d"])
        values = floats(shape, dtype, seed, scale)
        if special:
            chosen = np.random.default_rng(seed).random(shape) < 0.1
            values[chosen] = np.random.default_rng(seed).choice(
                np.array([np.nan, np.inf, -np.inf, 0.0, -0.0]).astype(dtype), int(chosen.sum())
            )
        return (values,)

    sizes = {**dict.fromkeys(batch, SMALL_WITH_0), "d": SIZES_WITH_0}
    step = Step("squash", (0,), {"epsilon": epsilon(draw)})
    return program(draw, name, Shape([[*batch, "d"]], sizes, make), [step])


def epsilon(draw: Draw) -> float:
    """Draw an epsilon."""
    return draw(st.sampled_from([0.0, 1e-9, 1e-7, 1e-3]))


def routing_attributes(draw: Draw) -> dict[str, Any]:
    """Draw the attributes of a routing."""
    return {
        "iterations": draw(st.integers(1, 5)),
        "agreement": draw(st.sampled_from(["per_sample", "batch_shared"])),
        "epsilon": epsilon(draw),
    }


KINDS = (
    pack_bits,
    unpack_bits,
    binarized_matmul,
    binarized_conv2d,
    binarized_threshold,
    binarized_max_pool2d,
    capsule_predict,
    capsule_routing,
    squash,
    stitched,
    stitched,
)


@st.composite
def programs(draw: Draw, count: int) -> list[Any]:
    """Draw `count` programs."""
    return [draw(st.sampled_from(KINDS))(draw, f"program_{index}") for index in range(count)]
