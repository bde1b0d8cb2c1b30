"""XLA, through JAX."""

import numpy as np

from fsa.benchmarks.case import Case
from fsa.benchmarks.peers.base import Peer, Prepared, Unavailable, form_of, require


class Xla(Peer):
    """jax.jit on the CPU, or on the GPU with a JAX that has one."""

    name = "xla"
    label = "XLA (JAX)"
    kinds = ("cpu", "cuda")

    def prepare(self, case: Case, target: str) -> Prepared:
        """Compile and run the case's JAX form."""
        form = form_of(case, "jax")
        jax = require("jax", "jax")
        wanted, found = "gpu" if target.startswith("cuda") else "cpu", jax.default_backend()
        if found != wanted:
            raise Unavailable(f"this JAX runs on {found}, not on {wanted}")
        expressed = form(case.inputs())
        function = jax.jit(expressed.function)

        def call() -> object:
            return function(*expressed.arguments).block_until_ready()

        return Prepared(call, np.asarray(call()))
