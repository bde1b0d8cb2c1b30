"""Ops on images with the channels first, rebuilt on images with the channels last.

Images are [N, C, ...pixels], with one or two dimensions of pixels.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fsa.bindings import ir, linalg, tensor
from fsa.dialects.fsa.shapes import tensor_type, type_dims
from fsa.passes.patterns.tensors import filled, scalar, size_of
from fsa.passes.structure.elementwise import before_transpose, is_elementwise, is_small_beside
from fsa.passes.structure.transposes import Permutation, transposed
from fsa.passes.weights.constants import filling_constant, scalar_constant

# What each op on windows is called with the channels last, and the permutation of its filter.
_WINDOWS: dict[str, tuple[Any, Permutation | None]] = {
    "linalg.conv_2d_nchw_fchw": (linalg.conv_2d_nhwc_fhwc, (0, 2, 3, 1)),
    "linalg.conv_1d_ncw_fcw": (linalg.conv_1d_nwc_wcf, (2, 1, 0)),
    "linalg.depthwise_conv_2d_nchw_chw": (linalg.depthwise_conv_2d_nhwc_hwc, (1, 2, 0)),
    "linalg.depthwise_conv_1d_ncw_cw": (linalg.depthwise_conv_1d_nwc_wc, (1, 0)),
    "linalg.pooling_nchw_max": (linalg.pooling_nhwc_max, None),
    "linalg.pooling_nchw_sum": (linalg.pooling_nhwc_sum, None),
    "linalg.pooling_ncw_max": (linalg.pooling_nwc_max, None),
    "linalg.pooling_ncw_sum": (linalg.pooling_nwc_sum, None),
}


def to_last(rank: int) -> Permutation:
    """Return the permutation that moves the channels from behind the batch to the end."""
    return (0, *range(2, rank), 1)


def to_first(rank: int) -> Permutation:
    """Return the permutation that moves the channels from the end to behind the batch."""
    return (0, rank - 1, *range(1, rank - 1))


@dataclass(frozen=True)
class Rebuilding:
    """How an op is rebuilt: which operands are images, and what makes the result of their turns.

    `build` takes the turned images by their numbers and runs at the op's place.
    """

    images: tuple[int, ...]
    build: Callable[[Mapping[int, Any]], Any]


def is_window(op: Any) -> bool:
    """Tell whether `op` is an op on windows of images with the channels first."""
    return op.name in _WINDOWS


def rebuilding_of(op: Any) -> Rebuilding | None:
    """Return how `op` is rebuilt with the channels last; None where it cannot be."""
    if len(op.results) != 1 or not _is_image(op.results[0]):
        return None
    if op.name in _WINDOWS:
        return _window(op)
    make = {"tensor.concat": _concat, "tensor.pad": _pad, "linalg.generic": _elementwise}
    return make[op.name](op) if op.name in make else None


def _is_image(value: Any) -> bool:
    kind = value.type
    return isinstance(kind, ir.RankedTensorType) and kind.rank in (3, 4) and kind.encoding is None


def _elementwise(op: Any) -> Rebuilding | None:
    rank = op.results[0].type.rank
    if not is_elementwise(op):
        return None
    identity = ir.AffineMap.get_identity(rank)
    images: list[int] = []
    for number in range(len(op.operands) - 1):
        if ir.AffineMapAttr(op.attributes["indexing_maps"][number]).value == identity:
            images.append(number)
        elif not is_small_beside(op, number):
            return None
    if not images:
        return None
    order = to_first(rank)
    return Rebuilding(tuple(images), lambda turned: before_transpose(op, order, turned))


def _window(op: Any) -> Rebuilding | None:
    make, order = _WINDOWS[op.name]
    start = _start_of(op.operands[2])
    if start is None or None in type_dims(op.results[0].type)[1:]:
        return None

    def build(turned: Mapping[int, Any]) -> Any:
        result = op.results[0].type
        sizes = type_dims(result)
        last = [sizes[axis] for axis in to_last(result.rank)]
        batch = size_of(turned[0], 0)
        filter_ = op.operands[1]
        if order is not None:
            filter_ = transposed(filter_, order)
        named = {
            name: op.attributes[name] for name in ("strides", "dilations") if name in op.attributes
        }
        return make(turned[0], filter_, outs=[start([batch, *last[1:]])], **named)

    return Rebuilding((0,), build)


def _start_of(value: Any) -> Callable[[Any], Any] | None:
    """Return what builds, for given sizes, an initial value that is one number or one a channel."""
    number = filling_constant(value)
    element = value.type.element_type
    if number is not None:
        return lambda sizes: filled(sizes, element, number)
    owner = None if isinstance(value.owner, ir.Block) else value.owner.operation
    rank = value.type.rank
    if owner is None or owner.name != "linalg.broadcast":
        return None
    if list(owner.attributes["dimensions"]) != [0, *range(2, rank)]:
        return None
    channels = owner.operands[0]

    def broadcast(sizes: Any) -> Any:
        empty = tensor.empty(sizes, element)
        return linalg.broadcast(channels, outs=[empty], dimensions=list(range(rank - 1)))

    return broadcast


def _concat(op: Any) -> Rebuilding:
    rank = op.results[0].type.rank
    axis = to_last(rank).index(ir.IntegerAttr(op.attributes["dim"]).value)

    def build(turned: Mapping[int, Any]) -> Any:
        sizes = type_dims(op.results[0].type)
        kind = tensor_type([sizes[d] for d in to_last(rank)], op.results[0].type.element_type)
        return tensor.concat(kind, axis, [turned[n] for n in range(len(op.operands))])

    return Rebuilding(tuple(range(len(op.operands))), build)


def _pad(op: Any) -> Rebuilding | None:
    terminator = op.regions[0].blocks[0].operations[-1].operation
    number = scalar_constant(terminator.operands[0])
    if len(op.operands) != 1 or number is None:
        return None
    rank = op.results[0].type.rank

    def build(turned: Mapping[int, Any]) -> Any:
        kind = op.results[0].type
        sizes = type_dims(kind)
        low, high = (list(op.attributes[name]) for name in ("static_low", "static_high"))
        order = to_last(rank)
        new = tensor.PadOp(
            tensor_type([sizes[d] for d in order], kind.element_type),
            turned[0],
            [],
            [],
            [low[d] for d in order],
            [high[d] for d in order],
        )
        block = new.regions[0].blocks.append(*[ir.IndexType.get()] * rank)
        with ir.InsertionPoint(block):
            tensor.YieldOp(scalar(kind.element_type, number))
        return new.result

    return Rebuilding((0,), build)
