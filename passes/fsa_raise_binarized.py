"""The pass `fsa-raise-binarized`."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from fsa.bindings import ir, tensor
from fsa.diagnostics import Diagnostics
from fsa.dialects.fsa.attributes import read_i64
from fsa.dialects.fsa.ops.binarized_matmul import binarized_matmul
from fsa.dialects.fsa.packed_arrays import WORD_TYPES, unpack
from fsa.passes.base import Pass, PassError
from fsa.passes.raising.bits import Packer
from fsa.passes.raising.convolutions import raise_conv2d
from fsa.passes.raising.known import Known
from fsa.passes.raising.levels import has_two_values
from fsa.passes.raising.products import raise_matmul
from fsa.passes.raising.scales import constant_words, ordered
from fsa.passes.structure.loops import linalg_ops

_SECOND_LOOK = ("fsa.binarized_matmul", "fsa.pack_bits")


@dataclass(frozen=True)
class FsaRaiseBinarized(Pass):
    """Raise products of +a / -a to binarized ops, and what stands in front of a sign to thresholds.

    Matmuls and convolutions become `fsa.binarized_matmul` and `fsa.binarized_conv2d` where one side
    is a step function with the values +a and -a, written as where(x >= 0, 1, -1) or in any other
    way, and the other one too, or constant weights whose absolute value is one number a filter, as
    in XNOR-Net (M. Rastegari et al., ECCV 2016). Scales follow the exact integer sums. Padding of
    zeros leaves taps out, padding of +a counts, and padding of -a is a frame of zero bits. Other
    step functions, such as 0 and 1, are two such values around their middle: with constant weights
    what the middle adds is one integer a filter. Convolutions may have one or two dimensions.

    A chain of element-wise ops between such sums and a sign, a batch norm or an activation of any
    form, becomes one integer threshold a channel (BSTC, SC'19). It is found by evaluating the chain
    for every sum that can occur, and used where it gives the same bit for each of them. A max
    pooling in the chain becomes an OR of bits; below the threshold of a falling channel, an AND.
    What is packed is made as bits where its numbers are made, also behind transposes and where a
    convolution's result is flattened: the weights are reordered instead.

    sign(x) is 0 where x is 0 and stays as it is where that can happen. With `zero-sign` it is taken
    for where(x >= 0, 1, -1), which differs from it at 0 and NaN; each place is reported.
    """

    name: ClassVar[str] = "fsa-raise-binarized"
    summary: ClassVar[str] = "Raise products of two-valued tensors to binarized ops"

    zero_sign: bool = field(default=False, metadata={"help": "take the sign of 0 and NaN for +1"})
    word_width: int = field(default=32, metadata={"help": "bits of a word of packed bits"})

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Rewrite the ops inside the module `op`."""
        known = Known()
        packers = {width: Packer(known, width) for width in WORD_TYPES}
        if self.word_width not in packers:
            raise PassError(
                op.location, f"expected words of 32 or 64 bits, found {self.word_width}"
            )
        for candidate in _candidates(op):
            if candidate.name == "fsa.pack_bits":
                made = _repacked(candidate, packers)
            elif candidate.name == "fsa.binarized_matmul":
                made = _reordered(candidate, packers)
            else:
                made = self._raised(candidate, packers[self.word_width], diagnostics)
            if made is None:
                continue
            result = candidate.results[0]
            with candidate.location, ir.InsertionPoint(candidate):
                value = made if made.type == result.type else tensor.cast(result.type, made)
            result.replace_all_uses_with(value)
        _erase_unused(op, known)

    def _raised(self, op: Any, packer: Packer, diagnostics: Diagnostics) -> Any:
        for build in (raise_conv2d, raise_matmul):
            made = build(op, packer, zero_is_one=False)
            if made is not None:
                return made
            if self.zero_sign:
                made = build(op, packer, zero_is_one=True)
                if made is not None:
                    diagnostics.remark(
                        op.location,
                        f"'{op.name}' multiplies signs: +1 was taken for the sign of 0 and NaN",
                    )
                    return made
        if has_two_values(op, packer):
            diagnostics.remark(
                op.location,
                f"'{op.name}' stays in floats: one side has two values, the other has not, or no "
                "binarized op has its form",
            )
        return None


def _candidates(root: Any) -> list[Any]:
    """Return the products and packings of a module in their order, not those inside of bodies."""
    found: list[Any] = []

    def visit(op: Any) -> Any:
        op = op.operation
        linear = op.name.startswith("linalg.")
        if (linear and len(op.operands) == 3 and len(op.results) == 1) or op.name in _SECOND_LOOK:
            found.append(op)
        skips = linear or op.name == "fsa.stitched_region"
        return ir.WalkResult.SKIP if skips else ir.WalkResult.ADVANCE

    root.walk(visit, ir.WalkOrder.PRE_ORDER)
    return found


def _erase_unused(root: Any, known: Known) -> None:
    """Erase what computes on constants alone and has no use any more.

    What checks its elements as well is no pure op, so no other pass takes it away. Reading its
    result evaluated the checks.
    """
    for op in reversed([found for found in linalg_ops(root) if found.name == "linalg.generic"]):
        used = any(list(result.uses) for result in op.results)
        if not used and len(op.results) == 1 and known.read(op.results[0]) is not None:
            op.erase()


def _repacked(op: Any, packers: dict[int, Packer]) -> Any:
    """Return the words of an `fsa.pack_bits` made in front of its floats; None for no change."""
    packer = packers[op.results[0].type.element_type.width]
    value = op.operands[0]
    rank = value.type.rank
    if not packer.can_move(value):
        return None
    with op.location, ir.InsertionPoint(op):
        return packer.packed(value, range(rank - 1), [rank - 1]).words


def _reordered(op: Any, packers: dict[int, Packer]) -> Any:
    """Return an `fsa.binarized_matmul` of bits in the order in which they are made, or None."""
    lhs, rhs = op.operands
    if isinstance(lhs.owner, ir.Block) or lhs.owner.operation.name != "fsa.pack_bits":
        return None
    packer = packers[lhs.type.element_type.width]
    weights = packer.known.read(rhs)
    value = lhs.owner.operation.operands[0]
    rank = value.type.rank
    if weights is None or weights.ndim != 2 or not packer.can_move(value):
        return None
    depth = read_i64(op.attributes, "depth")
    with op.location, ir.InsertionPoint(op):
        found = packer.packed(value, range(rank - 1), [rank - 1], reorder=True)
        if found.order is None:
            return None
        words = ordered(unpack(weights, depth), found.order, packer.word_width)
        return binarized_matmul(found.words, constant_words(packer, words), depth=depth)
