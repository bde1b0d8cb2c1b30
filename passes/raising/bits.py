"""Bits of a tensor, made where its numbers are made: only they travel from there on."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from fsa.bindings import arith, ir
from fsa.dialects.fsa.constants import Array
from fsa.dialects.fsa.ops.binarized_max_pool2d import binarized_max_pool2d
from fsa.dialects.fsa.ops.binarized_threshold import binarized_threshold
from fsa.dialects.fsa.ops.pack_bits import pack_bits
from fsa.dialects.fsa.packed_arrays import pack
from fsa.dialects.fsa.shapes import type_dims
from fsa.passes.patterns.tensors import Size, collapse, dims, elementwise_of, expand, sizes_of
from fsa.passes.raising.cases import Signs, signs_of
from fsa.passes.raising.fields import POOLS, Frame, unframed
from fsa.passes.raising.known import Known
from fsa.passes.raising.thresholds import Threshold, threshold_of
from fsa.passes.structure.transposes import transpose_of, transposed


@dataclass(frozen=True)
class Packed:
    """Rows of bits: bit k is of place `order[k]` of the row, of place k where there is no order."""

    words: Any
    order: Array | None = None


class Packer:
    """Packs tensors at the insertion point into words of `word_width` bits."""

    def __init__(self, known: Known, word_width: int):
        self.known = known
        self.word_width = word_width
        self._thresholds: dict[Any, Threshold | None] = {}
        self._signs: dict[Any, Signs | None] = {}

    def threshold(self, value: Any) -> Threshold | None:
        """Return the threshold that gives value >= 0, if it is one."""
        if value not in self._thresholds:
            self._thresholds[value] = threshold_of(value, self.known)
        return self._thresholds[value]

    def signs(self, value: Any) -> Signs | None:
        """Return what `value` is where it is known to be +a or -a, or a sign."""
        if value not in self._signs:
            self._signs[value] = signs_of(value, self.known)
        return self._signs[value]

    def magnitude(self, value: Any, *, zero_is_one: bool) -> float | None:
        """Return a where `value` is +a or -a everywhere, else None.

        With `zero_is_one` a sign counts too, as if it were +a at 0.
        """
        found = self.signs(value)
        if found is not None and not found.is_sign:
            return found.magnitude
        threshold = self.threshold(value)
        if threshold is not None and threshold.magnitude is not None:
            return threshold.magnitude
        return found.magnitude if found is not None and zero_is_one else None

    def can_move(self, value: Any) -> bool:
        """Tell whether the bits of `value` can be made in front of its floats."""
        if self.threshold(value) is not None:
            return True
        if isinstance(value.owner, ir.Block):
            return False
        op = value.owner.operation
        if op.name == "linalg.transpose":
            return self.can_move(op.operands[0])
        return op.name == "fsa.unpack_bits" or (op.name in POOLS and self._may_pool(op))

    def packed(
        self, value: Any, rows: Sequence[int], depth: Sequence[int], *, reorder: bool = False
    ) -> Packed:
        """Return the bits value >= 0, the dimensions `depth` of `value` as one row of words.

        The words have the dimensions `rows` in front. With `reorder` the bits of a row may come in
        another order, if no floats are made then.
        """
        made = self._from_root(value, rows, depth, reorder)
        if made is None and len(depth) == 1:
            words = self._nearer(value, [*rows, *depth])
            made = None if words is None else Packed(words)
        return made or Packed(self._floats(value, rows, depth))

    def _from_root(
        self, value: Any, rows: Sequence[int], depth: Sequence[int], reorder: bool
    ) -> Packed | None:
        threshold = self.threshold(value)
        if threshold is None:
            return None
        layout = threshold.layout
        rank, channels = len(layout.extents), len(threshold.tau)
        wide = [axis for axis in range(rank - 1) if layout.extents[axis] != 1]

        def axes(chosen: Sequence[int]) -> list[int]:
            found = [axis for d in chosen for axis in layout.axes[d]]
            return [axis for axis in found if axis in wide or axis == rank - 1]

        outer, inner = axes(rows), axes(depth)
        if outer != [axis for axis in wide if axis in outer] or rank - 1 not in inner:
            return None
        if outer + [axis for axis in wide if axis in inner] != wide:
            return None
        order = None
        if inner != [rank - 1]:
            extents = [layout.extents[axis] for axis in inner]
            # Pixels whose channels fill no whole words would leave gaps between them.
            if not reorder or None in extents or channels % self.word_width:
                return None
            known = cast("list[int]", extents)
            order = np.arange(math.prod(known)).reshape(known)
            order = order.transpose(np.argsort(inner)).reshape(-1)
        words = self._thresholded(threshold)
        return Packed(_reshaped(words, value, rows, len(outer), wide), order)

    def _thresholded(self, found: Threshold) -> Any:
        """Return the words of a threshold in the layout of its root, pooled where it pools."""
        word = ir.IntegerType.get_signless(self.word_width)
        make = self.known.constants.make
        flip = pack(found.flip ^ found.falls, self.word_width)
        words = binarized_threshold(
            found.root,
            make(found.tau, ir.IntegerType.get_signless(32), "tau"),
            make(flip, word, "flip"),
        )
        if found.pool is None:
            return words
        words = self._pooled(found.pool, words)
        if not found.falls.any():
            return words
        turned = make(pack(found.falls, self.word_width), word, "flip")
        loops = dims(words.type.rank)
        return elementwise_of(
            sizes_of(words),
            word,
            [(words, loops), (turned, loops[-1:])],
            lambda bits, falls: arith.xori(bits, falls),
        )

    def _pooled(self, op: Any, words: Any) -> Any:
        """Return the OR of the windows of the max-pooling `op` over words in NHWC."""
        _, frame = unframed(op.operands[0], self.known)
        last = "nhwc" in op.name
        spatial = slice(1, 3) if last else slice(2, 4)
        return binarized_max_pool2d(
            words,
            kernel=tuple(type_dims(op.operands[1].type)),
            strides=numbers(op, "strides"),
            pad=pads(frame, spatial),
            dilations=numbers(op, "dilations"),
        )

    def _nearer(self, value: Any, order: Sequence[int]) -> Any:
        """Return the words of `value` in `order` made of what it views or pools, else None."""
        op = None if isinstance(value.owner, ir.Block) else value.owner.operation
        if op is None:
            return None
        seen = transpose_of(value)
        if seen is not None:
            source, permutation = seen
            at = [permutation[d] for d in order]
            return self.packed(source, at[:-1], at[-1:]).words
        if op.name == "fsa.unpack_bits" and order[-1] == len(order) - 1:
            words = op.operands[0]
            if words.type.element_type.width != self.word_width:
                return None
            return words if list(order) == sorted(order) else transposed(words, tuple(order))
        if op.name in POOLS and self._may_pool(op):
            channels_last = [0, 1, 2, 3] if "nhwc" in op.name else [0, 2, 3, 1]
            if list(order) != channels_last:
                return None
            image, _ = unframed(op.operands[0], self.known)
            return self._pooled(op, self.packed(image, order[:-1], order[-1:]).words)
        return None

    def _may_pool(self, op: Any) -> bool:
        """Tell whether the maximum's bit is the OR of the bits: so for what has two values."""
        found = self.signs(op.results[0])
        kernel = type_dims(op.operands[1].type)
        _, frame = unframed(op.operands[0], self.known)
        pad = pads(frame, slice(1, 3) if "nhwc" in op.name else slice(2, 4))
        fits = all(pad[2 * k] < kernel[k] and pad[2 * k + 1] < kernel[k] for k in range(2))
        return found is not None and fits

    def _floats(self, value: Any, rows: Sequence[int], depth: Sequence[int]) -> Any:
        """Return the packed bits of the numbers themselves, moved into place."""
        found = self.signs(value)
        if found is not None and found.of is not None:
            value = found.of
        order = [*rows, *depth]
        if order != list(range(len(order))):
            value = transposed(value, tuple(order))
        if len(depth) != 1:
            sizes = sizes_of(value)
            joined = int(np.prod(sizes[len(rows) :]))
            groups = [*([d] for d in range(len(rows))), list(range(len(rows), len(order)))]
            value = collapse(value, groups, [*sizes[: len(rows)], joined])
        return pack_bits(value, word_width=self.word_width)


def numbers(op: Any, name: str) -> tuple[int, int]:
    """Return the strides or dilations of a window op over two dimensions, 1 where none are.

    Those of one dimension are the second.
    """
    if name not in op.attributes:
        return (1, 1)
    *first, second = (int(number) for number in np.array(op.attributes[name]).reshape(-1))
    return (first[0] if first else 1, second)


def pads(frame: Frame | None, spatial: slice) -> tuple[int, int, int, int]:
    """Return the padding of the `spatial` dimensions as top, bottom, left, right.

    One dimension is the second of two.
    """
    if frame is None:
        return (0, 0, 0, 0)
    (*top, left), (*bottom, right) = frame.low[spatial], frame.high[spatial]
    return (top[0] if top else 0, bottom[0] if bottom else 0, left, right)


def _reshaped(words: Any, value: Any, rows: Sequence[int], outer: int, wide: list[int]) -> Any:
    """Return words in the layout of a root with one dimension for each of `rows` of `value`.

    The first `outer` of the axes `wide` are rows; the others, and the words, become one.
    """
    sizes: list[Size] = sizes_of(words)
    kept = wide[:outer]
    groups: list[list[int]] = [[]]
    for axis in range(len(sizes)):
        groups[-1].append(axis)
        if axis in kept:
            groups.append([])
    flat = math.prod(cast("int", sizes[axis]) for axis in groups[-1])
    narrow: list[Size] = [*[sizes[axis] for axis in kept], flat]
    if len(groups) < len(sizes):
        words = collapse(words, groups, narrow)
    if len(rows) == len(kept):
        return words
    spots: list[list[int]] = [[]]
    wanted: list[Size] = []
    for d in rows:
        spots[-1].append(len(wanted))
        if type_dims(value.type)[d] == 1:
            wanted.append(1)
        else:
            wanted.append(narrow[len(spots) - 1])
            spots.append([])
    spots[-1].append(len(wanted))
    return expand(words, spots, [*wanted, flat])
