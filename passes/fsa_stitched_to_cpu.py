"""`fsa-stitched-to-cpu`: replace planned stitched regions by CPU kernels and launches."""

from dataclasses import dataclass
from typing import Any

from fsa.diagnostics import Diagnostics
from fsa.passes.base import Pass
from fsa.passes.stitching.host import lower_regions


@dataclass(frozen=True)
class FsaStitchedToCpu(Pass):
    """Emit the kernels that the plan of each `fsa.stitched_region` describes.

    The plan is read from the attributes and checked; a region without one is an error. A region
    whose plan says "portable" stays, for `convert-fsa-to-linalg`.
    """

    name = "fsa-stitched-to-cpu"
    summary = "Lower stitched regions to CPU kernels"

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Lower all regions of the module `op`."""
        lower_regions(op, ("cpu",))
