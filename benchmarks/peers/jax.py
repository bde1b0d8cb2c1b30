"""XLA, through JAX."""

import numpy as np

from fsa.benchmarks.case import Case
from fsa.benchmarks.peers.base import Peer, Prepared, form_of, require


class Xla(Peer):
    """jax.jit on the CPU."""

    name = "xla"
    label = "XLA (JAX)"

    def prepare(self, case: Case, target: str) -> Prepared:
        """Compile and run the case's JAX form."""
        form = form_of(case, "jax")
        jax = require("jax", "jax")
        expressed = form(case.inputs())
        function = jax.jit(expressed.function)

        def call() -> object:
            return function(*expressed.arguments).block_until_ready()

        return Prepared(call, np.asarray(call()))
