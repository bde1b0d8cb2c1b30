"""The pass `fsa-convolution-to-cpu`."""

from dataclasses import dataclass
from typing import Any, ClassVar

from fsa.diagnostics import Diagnostics
from fsa.passes.base import Pass
from fsa.passes.convolution.lower import Site, lower_window_op, window_ops
from fsa.passes.plans import ATTRIBUTE, target_of


@dataclass(frozen=True)
class ConvolutionToCpu(Pass):
    """Turn each planned convolution or pooling op into a CPU kernel and its `fsa.launch`.

    The padding in front becomes part of the windows, and what follows element by element (bias,
    activation, residual) is computed where results are stored. Weights are packed at compile time.
    Needs the plans of `fsa-plan-convolution`; an op whose plan has the form "portable" stays.
    """

    name: ClassVar[str] = "fsa-convolution-to-cpu"
    summary: ClassVar[str] = "Lower planned convolutions and pooling to CPU kernels"

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Lower the convolutions and pooling ops of a module in place."""
        ops = window_ops(op)
        if not ops:
            return
        site = Site(op, target_of(op, "cpu"))
        for found in ops:
            if not lower_window_op(found, site):
                del found.attributes[ATTRIBUTE]
