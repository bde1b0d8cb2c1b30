"""NumPy: the case as array operations, matmuls through its BLAS."""

import numpy as np

from fsa.benchmarks.case import Case
from fsa.benchmarks.peers.base import Peer, Prepared, form_of


class NumPy(Peer):
    """NumPy on one core."""

    name = "numpy"
    label = "NumPy"

    def prepare(self, case: Case, target: str) -> Prepared:
        """Run the case's NumPy form."""
        form = form_of(case, "numpy")(case.inputs())

        def call() -> object:
            return form.function(*form.arguments)

        return Prepared(call, np.asarray(call()))
