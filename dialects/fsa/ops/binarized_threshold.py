"""`fsa.binarized_threshold`: batch norm and sign as one integer comparison."""

from typing import Any

from fsa.bindings import ext, ir
from fsa.dialects.fsa.packed_arrays import words_for
from fsa.dialects.fsa.shapes import Extent, Extents, Inputs, type_dims
from fsa.dialects.fsa.verifier import VerifiedOp, require, require_shape


class BinarizedThreshold(VerifiedOp, name="binarized_threshold", traits=[ext.Pure]):
    """Compare `acc` [b, C] with the threshold of its channel and pack the bits.

    The bit is `(acc >= tau) xor flip`; `tau` is [C] and `flip` [ceil(C / W)] packed bits.
    """

    acc: ext.Operand[ir.RankedTensorType]
    tau: ext.Operand[ir.RankedTensorType]
    flip: ext.Operand[ir.RankedTensorType]
    bits: ext.Result[ir.RankedTensorType]

    ELEMENTS = {"acc": "i32", "tau": "i32", "flip": "word", "bits": "word"}

    @classmethod
    def constraints(cls, op: Any) -> None:
        """Check binarized_threshold_c1 to binarized_threshold_c4."""
        acc, tau, flip = op.operands
        # binarized_threshold_c1: the packed dimension exists and is known.
        require(
            "binarized_threshold_c1",
            acc.type.rank >= 1 and type_dims(acc.type)[-1] is not None,
            f"expected acc to have a static last dimension, found {acc.type}",
        )
        channels = type_dims(acc.type)[-1]
        # binarized_threshold_c2: one threshold a channel.
        require_shape("binarized_threshold_c2", tau, [channels], "tau")
        # binarized_threshold_c3: one bit a channel.
        words = words_for(channels or 0, flip.type.element_type.width)
        require_shape("binarized_threshold_c3", flip, [words], "flip")
        # binarized_threshold_c4: the words hold the last dimension of acc.
        cls.require_result_shape("binarized_threshold_c4", op)

    @classmethod
    def result_dims(cls, inputs: Inputs, extents: Extents) -> list[list[Extent]]:
        """Return [[b, ceil(C / W)]]."""
        *leading, channels = extents.dims(inputs.operands[0])
        return [[*leading, words_for(channels, inputs.elements[0].width)]]


def binarized_threshold(acc: Any, tau: Any, flip: Any, *, loc: Any = None, ip: Any = None) -> Any:
    """Build `fsa.binarized_threshold` and return its result, of the word type of `flip`."""
    element = flip.type.element_type
    return BinarizedThreshold.build([acc, tau, flip], {}, element, loc=loc, ip=ip)
