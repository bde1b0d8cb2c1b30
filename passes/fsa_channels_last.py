"""The pass `fsa-channels-last`."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from fsa.bindings import ir
from fsa.diagnostics import Diagnostics
from fsa.dialects.fsa.shapes import type_dims
from fsa.passes.base import Pass
from fsa.passes.binarized.ops import binarized_ops
from fsa.passes.convolution.lower import fills_lanes_with_channels
from fsa.passes.structure.channels_last import (
    Rebuilding,
    is_window,
    rebuilding_of,
    to_first,
    to_last,
)
from fsa.passes.structure.transposes import transpose_of, transposed
from fsa.passes.weights.constants import constant_op
from fsa.runtime.targets import ATTRIBUTE, Target


@dataclass(frozen=True)
class FsaChannelsLast(Pass):
    """Move neighbourhoods of images between kernels with the channels last into that layout.

    Frameworks that keep the channels first leave a transpose on each side of an op whose kernel
    wants them last, as the bits of binarized convolutions are. Ops that can be written either way
    (element-wise ops, convolutions, pooling, padding, concatenations) and that share images form a
    neighbourhood. It is rewritten where the transposes at its edges would then move fewer bytes
    than those that are there now; what is open counts as 1. Modules without binarized ops stay as
    they are, but for depthwise convolutions and pooling on a CPU whose kernels then have lanes
    along the channels, and what stands around them.
    """

    name: ClassVar[str] = "fsa-channels-last"
    summary: ClassVar[str] = "Keep images with the channels last where that saves transposes"

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Rewrite the neighbourhoods of the module `op`."""
        wanted = _any_op if binarized_ops(op) else _windows_along_channels(op)
        if wanted is None:
            return
        for block in _blocks(op):
            # Each rewrite erases ops that its neighbours hold, so they are found anew behind it.
            for _ in _neighbourhoods(block, wanted):
                found = _neighbourhoods(block, wanted)
                chosen = next((n for n in found if n.gain() > 0), None)
                if chosen is None:
                    break
                _rewrite(chosen)


def _any_op(_: Any) -> bool:
    return True


def _windows_along_channels(module: Any) -> Callable[[Any], bool] | None:
    """Return what tells that an op is no window op, or one whose kernel takes channels as lanes.

    None where the module's target has no such kernels, no op for them, or no transpose to save.
    """
    target = Target.of_module(module) if ATTRIBUTE in module.attributes else None
    if target is None or target.kind != "cpu":
        return None

    def wanted(op: Any) -> bool:
        return not is_window(op) or fills_lanes_with_channels(op, target)

    every = [view.operation for block in _blocks(module) for view in block.operations]
    if not any(op.name == "linalg.transpose" for op in every):
        return None
    return wanted if any(is_window(op) and wanted(op) for op in every) else None


@dataclass
class _Neighbourhood:
    """Ops, in their order, with how each is rebuilt; `images` are what they read and write."""

    ops: dict[Any, Rebuilding] = field(default_factory=dict[Any, Rebuilding])
    images: dict[Any, None] = field(default_factory=dict[Any, None])

    def gain(self) -> int:
        """Return the bytes of the transposes that go, less of those that come."""
        total = 0
        for image in self.images:
            size = _bytes(image)
            if _source(image) is not None:
                total += size * self._takes_all(image)
            elif not self._makes(image) and constant_op(image) is None:
                total -= size  # the transposes of constants are folded
            others, turned = self.outer_uses(image)
            total += size * (len(turned) > 0) - size * (len(others) > 0)
        return total

    def _makes(self, image: Any) -> bool:
        return not isinstance(image.owner, ir.Block) and image.owner.operation in self.ops

    def _takes_all(self, image: Any) -> bool:
        return all(use.owner.operation in self.ops for use in image.uses)

    def outer_uses(self, image: Any) -> tuple[list[Any], list[Any]]:
        """Return the uses of an image by other ops, and the transposes of it to channels last."""
        others: list[Any] = []
        turned: list[Any] = []
        if _source(image) is not None:
            return others, turned  # they use the transpose that is there
        for use in image.uses:
            user = use.owner.operation
            if user in self.ops:
                continue
            (turned if _is_turn(user, image) else others).append(user)
        return others, turned


def _blocks(module: Any) -> list[Any]:
    """Return the blocks of the functions of a module."""
    found: list[Any] = []
    for view in module.regions[0].blocks[0].operations:
        op = view.operation
        if op.name == "func.func":
            found.extend(op.regions[0].blocks)
    return found


def _neighbourhoods(block: Any, wanted: Callable[[Any], bool]) -> list[_Neighbourhood]:
    """Return the neighbourhoods of a block: ops that share images, directly or over others.

    Only ops that are `wanted` are members.
    """
    leader: dict[Any, Any] = {}

    def root(value: Any) -> Any:
        while leader.setdefault(value, value) != value:
            leader[value] = leader[leader[value]]
            value = leader[value]
        return value

    candidates: list[tuple[Any, Rebuilding]] = []
    for view in block.operations:
        op = view.operation
        found = rebuilding_of(op)
        if found is None or not wanted(op):
            continue
        candidates.append((op, found))
        for number in found.images:
            leader[root(op.operands[number])] = root(op.results[0])
    made: dict[Any, _Neighbourhood] = {}
    for op, found in candidates:
        place = made.setdefault(root(op.results[0]), _Neighbourhood())
        place.ops[op] = found
        for value in (*[op.operands[number] for number in found.images], op.results[0]):
            place.images[value] = None
    return list(made.values())


def _source(image: Any) -> Any:
    """Return the image with the channels last that `image` is the transpose of, else None."""
    found = transpose_of(image)
    return found[0] if found is not None and found[1] == to_first(image.type.rank) else None


def _is_turn(op: Any, image: Any) -> bool:
    found = transpose_of(op.results[0]) if op.name == "linalg.transpose" else None
    return found is not None and found[0] == image and found[1] == to_last(image.type.rank)


def _bytes(image: Any) -> int:
    kind = image.type
    width = getattr(kind.element_type, "width", 64)
    return math.prod(size or 1 for size in type_dims(kind)) * max(1, width // 8)


def _rewrite(found: _Neighbourhood) -> None:
    """Rebuild the ops of a neighbourhood with the channels last."""
    outer = {image: found.outer_uses(image) for image in found.images}
    last: dict[Any, Any] = {}
    for image in found.images:
        if not isinstance(image.owner, ir.Block) and image.owner.operation in found.ops:
            continue
        source = _source(image)
        if source is None:
            with _behind(image), ir.Location.unknown(image.context):
                source = transposed(image, to_last(image.type.rank))
        last[image] = source
    turns: list[Any] = []
    for op, rebuilding in found.ops.items():
        result = op.results[0]
        with op.location, ir.InsertionPoint(op):
            turned = {number: last[op.operands[number]] for number in rebuilding.images}
            last[result] = rebuilding.build(turned)
            if outer[result][0]:
                first = transposed(last[result], to_first(result.type.rank))
                for user in outer[result][0]:
                    _replace_operand(user, result, first)
    for image, (_, users) in outer.items():
        for user in users:
            user.results[0].replace_all_uses_with(last[image])
            turns.append(user)
    for op in (*turns, *reversed(found.ops)):
        op.erase()


def _replace_operand(user: Any, old: Any, new: Any) -> None:
    for number, operand in enumerate(user.operands):
        if operand == old:
            user.operands[number] = new


def _behind(value: Any) -> Any:
    if isinstance(value.owner, ir.Block):
        return ir.InsertionPoint.at_block_begin(value.owner)
    return ir.InsertionPoint.after(value.owner.operation)
