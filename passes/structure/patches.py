"""Convolutions as a gather of what the windows read (im2col) and a matmul of that.

The gather writes one matrix an image and group, with a row or column for each pixel of the result
and what its window reads along the other axis: Chellapilla, Puri and Simard, "High Performance
Convolutional Neural Networks for Document Processing" (2006). It is one op that computes where it
reads from its flat position, so its inner loop is long whatever the window, paddings of the image
and of the matrix cost no copy of their own, and the matrix has the sizes that the matmul likes.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fsa.bindings import arith, ir, linalg, tensor
from fsa.dialects.fsa.shapes import type_dims
from fsa.passes.patterns.tensors import (
    cast_to,
    collapse,
    dims,
    expand,
    generic,
    index_constant,
    leading_part,
    scalar,
    size_of,
    sizes_of,
)
from fsa.passes.structure.contractions import contract, plain_matmul
from fsa.passes.structure.frames import Frame, frame_of
from fsa.passes.structure.transposes import transposed
from fsa.passes.structure.windows import Windows

# Columns that are a multiple of these make whole tiles; four is the least that IREE's Vulkan
# back end makes vectors of, without which some matmuls take 64 times as long.
_TILES = (64, 32, 16, 8, 4)
_DEPTH_STEP = 4


@dataclass(frozen=True)
class PatchMatrix:
    """How the patches of a convolution lie: whether pixels are columns, and the padded sizes.

    With pixels as columns the product is weights [filters, depth] times patches [depth, pixels];
    else patches [pixels, depth] times weights [depth, filters]. `rows` and `columns` are those of
    the product. The loops of `outer` have a dimension of their own, in front of these; where
    `merged`, the rows are the pixels of all images.
    """

    pixels_are_columns: bool
    outer: tuple[int, ...]
    merged: bool
    rows: int
    columns: int
    depth: int

    @property
    def pixels(self) -> int:
        """Pixels, with those that only fill the last tile."""
        return self.columns if self.pixels_are_columns else self.rows


def patch_matrix(windows: Windows) -> PatchMatrix:
    """Return the layout of the patches: the product has rows and columns as the result has them.

    Then it need not be turned, which costs a copy, or wrong results where IREE 3.13 turns it in
    the kernel of the matmul. One pixel an image turns for free, and filters are the longer rows.
    """
    pixels, filters = windows.count(*windows.pixels), windows.count(windows.filters)
    depth = _rounded(windows.count(*windows.depth), _DEPTH_STEP)
    images = windows.images
    can_merge = windows.batch is not None and images is not None and windows.groups == 1
    first = windows.out.index(windows.filters) < windows.out.index(windows.pixels[0])
    columns = first and not (can_merge and pixels == 1)
    merged = can_merge and not columns
    outer = [] if windows.batch is None or images == 1 or merged else [windows.batch]
    outer += [] if windows.group is None or windows.groups == 1 else [windows.group]
    if columns:
        return PatchMatrix(True, tuple(outer), False, filters, _whole_tiles(pixels), depth)
    rows = pixels * (images or 1) if merged else pixels
    return PatchMatrix(False, tuple(outer), merged, rows, _whole_tiles(filters), depth)


def patch_elements(windows: Windows) -> int:
    """Return the elements of all patches of a batch, of one sample where the batch is dynamic."""
    matrix = patch_matrix(windows)
    stack = [windows.extents[loop] or 1 for loop in matrix.outer]
    return math.prod(stack) * matrix.pixels * matrix.depth


def _rounded(number: int, step: int) -> int:
    return -(-number // step) * step


def _whole_tiles(columns: int) -> int:
    """Return `columns`, or the next size in whole tiles, of which an eighth at most is waste."""
    for tile in _TILES:
        if _rounded(columns, tile) * 8 <= columns * 9:
            return _rounded(columns, tile)
    return _rounded(columns, _TILES[-1])


def product_of_patches(op: Any, windows: Windows) -> Any:
    """Build the sums of a convolution without its initial value; return them in its result's type.

    All sizes but the batch are static.
    """
    matrix = patch_matrix(windows)
    weights = _weights(op.operands[1], windows, matrix)
    patches = _patches(op, windows, matrix)
    outer = sizes_of(patches)[:-2]
    empty = tensor.empty([*outer, matrix.rows, matrix.columns], op.results[0].type.element_type)
    init = linalg.fill(_zero(op.results[0].type.element_type), outs=[empty])
    first, second = (weights, patches) if matrix.pixels_are_columns else (patches, weights)
    product = (
        contract_stacks(op, first, second, init) if outer else plain_matmul(first, second, init)
    )
    return _result(op, product, windows, matrix)


def contract_stacks(op: Any, first: Any, second: Any, init: Any) -> Any:
    """Multiply stacks of matrices as `op` multiplies; the weights' stack may lack the batch."""
    stack = init.type.rank - 2
    row, column, depth = stack, stack + 1, stack + 2

    def outer(value: Any) -> tuple[int, ...]:
        own = value.type.rank - 2
        return tuple(range(stack - own, stack))

    subscripts = (
        (*outer(first), row, depth),
        (*outer(second), depth, column),
        (*range(stack), row, column),
    )
    return contract(op, (first, second, init), subscripts)


def _weights(weights: Any, windows: Windows, matrix: PatchMatrix) -> Any:
    """Return the weights as [groups, filters, depth] or [groups, depth, filters], padded.

    One group has no dimension of its own.
    """
    inner = [windows.filters, *windows.depth]
    if not matrix.pixels_are_columns:
        inner = [*windows.depth, windows.filters]
    order = inner if windows.group is None else [windows.group, *inner]
    permutation = tuple(windows.weights.index(loop) for loop in order)
    if permutation != tuple(range(len(order))):
        weights = transposed(weights, permutation)
    cut = order.index(windows.depth[0])
    depth = list(range(cut, cut + len(windows.depth)))
    groups = [[axis] for axis in range(cut)] + [depth]
    groups += [[axis] for axis in range(depth[-1] + 1, len(order))]
    if windows.group is not None and windows.groups == 1:
        groups = [[0, *groups[1]], *groups[2:]]
    sizes = [windows.count(*(order[axis] for axis in group)) for group in groups]
    flat = weights if len(groups) == weights.type.rank else collapse(weights, groups, sizes)
    wanted = [matrix.rows, matrix.depth]
    if not matrix.pixels_are_columns:
        wanted = [matrix.depth, matrix.columns]
    return _padded(flat, [*sizes[:-2], *wanted])


def _padded(value: Any, sizes: list[int]) -> Any:
    """Extend a tensor at the end of its dimensions with zeros."""
    given = type_dims(value.type)
    if given == sizes:
        return value
    element, rank = value.type.element_type, len(sizes)
    high = [new - (old or 0) for new, old in zip(sizes, given, strict=True)]
    type = ir.RankedTensorType.get(sizes, element)
    op = tensor.PadOp(type, value, [], [], [0] * rank, high)
    block = op.regions[0].blocks.append(*[ir.IndexType.get()] * rank)
    with ir.InsertionPoint(block):
        tensor.YieldOp(_zero(element))
    return op.result


def _zero(element: Any) -> Any:
    return scalar(element, 0.0 if isinstance(element, ir.FloatType) else 0)


def _patches(op: Any, windows: Windows, matrix: PatchMatrix) -> Any:
    """Gather what each window reads: [..., depth, pixels] or [..., pixels, depth]."""
    image, outer = op.operands[0], matrix.outer
    frame = frame_of(image)
    own = [size_of(image, _axis(windows, loop)) for loop in outer]
    inner = [matrix.depth, matrix.pixels]
    if not matrix.pixels_are_columns:
        inner.reverse()
    flat = windows.pixels
    if matrix.merged and windows.batch is not None:
        flat = (windows.batch, *flat)

    def read(_: Any) -> Any:
        position: dict[int, Any] = {loop: linalg.IndexOp(n).result for n, loop in enumerate(outer)}
        first, second = (linalg.IndexOp(len(outer) + n).result for n in range(2))
        depth, pixel = (first, second) if matrix.pixels_are_columns else (second, first)
        position |= _split(pixel, flat, windows, matrix.pixels)
        position |= _split(depth, windows.depth, windows, matrix.depth)
        taken = _within(depth, windows.count(*windows.depth), matrix.depth)
        return _element(frame, windows, position, taken)

    init = tensor.empty([*own, *inner], image.type.element_type)
    loops = dims(init.type.rank)
    return generic([], (init, loops), "p" * len(loops), read)


def _axis(windows: Windows, loop: int) -> int:
    """Return the dimension of the image that a loop of its own runs along."""
    return [entry.loop for entry in windows.image].index(loop)


def _split(flat: Any, loops: Sequence[int], windows: Windows, extent: int) -> dict[int, Any]:
    """Return the loops that a flat position, the last loop the fastest, stands for.

    Positions behind the last, which `extent` has to fill a tile, stand for the last.
    """
    count = windows.count(*loops)
    if extent > count:
        flat = arith.minui(flat, index_constant(count - 1))
    found: dict[int, Any] = {}
    for loop in reversed(loops):
        size = windows.count(loop)
        count //= size
        if size == 1:
            found[loop] = index_constant(0)
        elif count == 1:
            found[loop] = flat
        else:
            found[loop] = arith.remui(flat, index_constant(size))
            flat = arith.divui(flat, index_constant(size))
    return found


def _within(flat: Any, count: int, extent: int) -> list[Any]:
    """Return the test that a position is one of the first `count`, none where all are."""
    if extent == count:
        return []
    return [arith.cmpi(arith.CmpIPredicate.ult, flat, index_constant(count))]


def _element(frame: Frame, windows: Windows, position: dict[int, Any], tests: list[Any]) -> Any:
    """Read the image at a position, zero outside of it or where one of `tests` fails."""
    places: list[Any] = []
    extents = type_dims(frame.image.type)
    for axis, entry in enumerate(windows.image):
        place = None
        for loop, step in entry.terms:
            if windows.extents[loop] == 1:
                continue
            term = position[loop]
            term = term if step == 1 else arith.muli(term, index_constant(step))
            place = term if place is None else arith.addi(place, term)
        place = index_constant(0) if place is None else place
        last = sum(step * (windows.count(loop) - 1) for loop, step in entry.terms)
        if frame.is_padded and (frame.low[axis] or (extents[axis] or last + 1) <= last):
            place = arith.subi(place, index_constant(frame.low[axis]))
            end = index_constant(extents[axis] or 0)
            inside = arith.cmpi(arith.CmpIPredicate.ult, place, end)  # a negative one is large
            place = arith.select(inside, place, index_constant(0))
            tests = [*tests, inside]
        places.append(place)
    value = tensor.extract(frame.image, places)
    if not tests:
        return value
    taken = tests[0]
    for test in tests[1:]:
        taken = arith.andi(taken, test)
    return arith.select(taken, value, _zero(frame.image.type.element_type))


def _result(op: Any, product: Any, windows: Windows, matrix: PatchMatrix) -> Any:
    """Cut off what fills tiles, and view the product as the result of the convolution."""
    sizes = sizes_of(product)
    cut = windows.pixels if matrix.pixels_are_columns else (windows.filters,)
    needed = [*sizes[:-1], windows.count(*cut)]
    part = product if needed == sizes else leading_part(product, needed)
    lead = [loop for loop in (windows.batch, windows.group) if loop is not None]
    pixels = list(windows.pixels)
    inner = [[windows.filters], pixels]  # the loops of the rows, and of the columns
    if not matrix.pixels_are_columns:
        inner.reverse()
    # What has no dimension of its own is one, or is merged with the rows.
    inner[0] = [loop for loop in lead if loop not in matrix.outer] + inner[0]
    if matrix.merged and windows.count(*pixels) == 1:
        lead = inner[0][: -len(pixels)]
        inner = [lead, [loop for loop in windows.out if loop not in lead]]
    loops = [*matrix.outer, *inner[0], *inner[1]]
    ends = [len(matrix.outer), len(matrix.outer) + len(inner[0]), len(loops)]
    groups = [[axis] for axis in range(ends[0])]
    groups += [list(range(ends[0], ends[1])), list(range(ends[1], ends[2]))]
    full = [size_of(op.operands[2], windows.out.index(loop)) for loop in loops]
    whole = part if len(groups) == len(loops) else expand(part, groups, full)
    permutation = tuple(loops.index(loop) for loop in windows.out)
    if permutation != tuple(range(len(loops))):
        whole = transposed(whole, permutation)
    return cast_to(whole, op.results[0].type)
