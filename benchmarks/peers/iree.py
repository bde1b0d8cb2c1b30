"""FSA, and plain IREE on the same computation without FSA's kernels.

Both take arguments that already lie on the device and leave results there.
"""

from typing import Any

import numpy as np

import fsa
from fsa.benchmarks import precompiled
from fsa.benchmarks.case import Case
from fsa.benchmarks.peers.base import Peer, Prepared, Unavailable
from fsa.errors import FsaError

KINDS = ("cpu", "vulkan", "cuda")


class _ModulePeer(Peer):
    """A contender that is a module of IREE's: compiled now, or loaded from `compiled`."""

    kinds = KINDS

    def compile(self, case: Case, target: str) -> Any:
        """Compile the case; raise `FsaError`."""
        raise NotImplementedError

    def prepare(self, case: Case, target: str) -> Prepared:
        """Compile or load the case's module and call it once."""
        try:
            if self.compiled is not None:
                module = precompiled.load(self.compiled, case.name, self.name, target)
            else:
                module = self.compile(case, target)
            arguments = [module.to_device(array) for array in case.inputs()]
            result = np.array(module(*arguments).numpy())
        except FsaError as error:
            raise Unavailable(f"it failed: {str(error).splitlines()[0]}") from None
        return Prepared(lambda: module(*arguments), result)


class Fsa(_ModulePeer):
    """FSA with the target's kernel pipeline."""

    name = "fsa"
    label = "FSA"

    def compile(self, case: Case, target: str) -> Any:
        """Compile the case with FSA's kernels."""
        return fsa.compile(case.module(), target=target)


class PlainIree(_ModulePeer):
    """IREE at --iree-opt-level=O3 on the portable lowering: no kernel and no flag of FSA."""

    name = "iree"
    label = "plain IREE O3"

    def compile(self, case: Case, target: str) -> Any:
        """Lower the case to linalg and let IREE compile it as any other program."""
        from fsa.benchmarks import plain_iree

        return plain_iree.compile_module(case.module(), target)
