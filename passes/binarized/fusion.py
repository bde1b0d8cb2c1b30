"""What a matmul or convolution makes of its own sums before it stores them.

A threshold, so that only bits are stored; or the element-wise ops behind a convolution, such as a
batch norm and the addition of a residual, whose floats are stored, their bits, or both.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from fsa.bindings import ir
from fsa.dialects.fsa.attributes import read_i64
from fsa.dialects.fsa.shapes import type_dims
from fsa.passes.binarized.tiles import FINISHED
from fsa.passes.matmul.chains import COLUMNS, FULL, SCALAR, Chain, chain_behind
from fsa.passes.plans import ATTRIBUTE

PRODUCERS = ("fsa.binarized_matmul", "fsa.binarized_conv2d")


def threshold_behind(op: Any) -> Any:
    """Return the `fsa.binarized_threshold` that is all that uses the sums of `op`, else None.

    None too where anything but the first dimensions may be empty or is open, since what an empty
    operand gives is no sum of a kernel, and for groups that end within a word.
    """
    uses = list(op.results[0].uses)
    if len(uses) != 1 or not _is_filled(op) or not _ends_with_words(op):
        return None
    user = uses[0].owner.operation
    if user.name != "fsa.binarized_threshold" or user.block != op.block:
        return None
    return user


def _is_filled(op: Any) -> bool:
    image, weights = (type_dims(value.type) for value in op.operands)
    inner = image[-1:] if op.name == "fsa.binarized_matmul" else image[1:]
    return all((*inner, *weights, type_dims(op.results[0].type)[-1]))


def _ends_with_words(op: Any) -> bool:
    groups = read_i64(op.attributes, "groups", 1)
    filters = type_dims(op.operands[1].type)[0] or 0
    return groups == 1 or filters // groups % op.operands[0].type.element_type.width == 0


@dataclass(frozen=True)
class Finish:
    """Element-wise ops behind sums: their chain, what packs its result, whether others use it."""

    chain: Chain
    packs: tuple[Any, ...] = ()
    keeps: bool = True

    @property
    def last(self) -> Any:
        """The op whose result is stored."""
        return self.chain.ops[-1]

    @property
    def epilogue(self) -> str:
        """The epilogue of a plan that stores all that is used."""
        if not self.packs:
            return "reals"
        return "both" if self.keeps else "packed"


def finish_behind(
    op: Any, limit: int | None = None, taken: Collection[Any] = frozenset()
) -> Finish | None:
    """Return the element-wise ops that a convolution can compute on its sums; None without any.

    There are at most `limit`, none of `taken`. Other operands are read at the same element, along
    the channels, or are scalars.
    """
    if op.name != "fsa.binarized_conv2d" or not _is_filled(op) or not _ends_with_words(op):
        return None
    chain = chain_behind(op.results[0], limit, taken)
    plain = 0
    for found in chain.ops:
        if found.name != "linalg.generic":
            break
        plain += 1
    while True:
        if plain < len(chain.stages):
            chain = chain_behind(op.results[0], plain, taken) if plain else Chain()
        if not chain.stages:
            return None
        if set(chain.kinds) <= {FULL, COLUMNS, SCALAR}:
            break
        plain = len(chain.stages) - 1
    result = chain.ops[-1].results[0]
    if type_dims(result.type) != type_dims(op.results[0].type):
        return None
    users = [use.owner.operation for use in result.uses]
    word = op.operands[0].type.element_type
    packs = [
        user
        for user in users
        if user.name == "fsa.pack_bits"
        and user.results[0].type.element_type == word
        and user.block == op.block
    ]
    # One packing is stored; equal ones were merged.
    return Finish(chain, tuple(packs[:1]), len(users) > len(packs[:1]))


def planned_finish(op: Any) -> Finish | None:
    """Return the element-wise ops that the plan of `op` gives to its kernel, else None."""
    if op.name not in PRODUCERS or ATTRIBUTE not in op.attributes:
        return None
    epilogue, stages = _entry(op, "epilogue"), _entry(op, "stages")
    if epilogue not in FINISHED or not isinstance(stages, int):
        return None  # where that is wrong, reading the plan says so
    found = finish_behind(op, stages)
    return Finish(found.chain) if found is not None and epilogue == "reals" else found


def _entry(op: Any, name: str) -> str | int | None:
    """Return an entry of the plan of `op`, None where it is absent or neither text nor a number."""
    plan = op.attributes[ATTRIBUTE]
    if not isinstance(plan, ir.DictAttr) or name not in plan:
        return None
    entry = plan[name]
    return entry.value if isinstance(entry, ir.StringAttr | ir.IntegerAttr) else None


def producer_of(threshold: Any) -> Any:
    """Return the op whose plan says that it stores the bits of `threshold`, else None."""
    owner = getattr(threshold.operands[0].owner, "operation", None)
    if owner is None or owner.name not in PRODUCERS or not stores_bits(owner):
        return None
    return owner


def stores_bits(op: Any) -> bool:
    """Tell whether the plan of a matmul or convolution gives it the epilogue "bits"."""
    if op.name not in PRODUCERS or ATTRIBUTE not in op.attributes:
        return False
    return _entry(op, "epilogue") == "bits"
