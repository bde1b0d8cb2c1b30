"""FSA, and plain IREE on the same computation without FSA's kernels.

Both take arguments that already lie on the device and leave results there.
"""

from typing import Any

import numpy as np

import fsa
from fsa.benchmarks import plain_iree
from fsa.benchmarks.case import Case
from fsa.benchmarks.peers.base import Peer, Prepared, Unavailable
from fsa.errors import FsaError

KINDS = ("cpu", "vulkan", "cuda")


def _prepared(case: Case, module: Any) -> Prepared:
    arguments = [module.to_device(array) for array in case.inputs()]
    result = np.array(module(*arguments).numpy())
    return Prepared(lambda: module(*arguments), result)


class Fsa(Peer):
    """FSA with the target's kernel pipeline."""

    name = "fsa"
    label = "FSA"
    kinds = KINDS

    def prepare(self, case: Case, target: str) -> Prepared:
        """Compile the case with FSA's kernels."""
        try:
            return _prepared(case, fsa.compile(case.module(), target=target))
        except FsaError as error:
            raise Unavailable(f"it failed: {str(error).splitlines()[0]}") from None


class PlainIree(Peer):
    """IREE at --iree-opt-level=O3 on the portable lowering: no kernel and no flag of FSA."""

    name = "iree"
    label = "plain IREE O3"
    kinds = KINDS

    def prepare(self, case: Case, target: str) -> Prepared:
        """Lower the case to linalg and let IREE compile it as any other program."""
        try:
            return _prepared(case, plain_iree.compile_module(case.module(), target))
        except FsaError as error:
            raise Unavailable(f"it failed: {str(error).splitlines()[0]}") from None
