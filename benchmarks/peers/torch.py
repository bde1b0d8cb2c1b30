"""PyTorch, eager and compiled by TorchInductor."""

from typing import Any

from fsa.benchmarks.case import Case
from fsa.benchmarks.peers.base import Peer, Prepared, Unavailable, form_of, require


def _prepared(case: Case, compiled: bool) -> Prepared:
    form = form_of(case, "torch")
    torch = require("torch", "torch")
    torch.set_num_threads(1)
    expressed = form(case.inputs())
    function: Any = torch.compile(expressed.function) if compiled else expressed.function

    def call() -> Any:
        with torch.inference_mode():
            return function(*expressed.arguments)

    try:
        return Prepared(call, call().numpy())
    except Exception as error:
        raise Unavailable(f"it failed: {str(error).strip().splitlines()[0]}") from None


class Eager(Peer):
    """PyTorch without a compiler."""

    name = "torch"
    label = "PyTorch eager"

    def prepare(self, case: Case, target: str) -> Prepared:
        """Run the case's torch form."""
        return _prepared(case, compiled=False)


class Inductor(Peer):
    """torch.compile with its default back end; needs a C++ compiler."""

    name = "inductor"
    label = "TorchInductor"

    def prepare(self, case: Case, target: str) -> Prepared:
        """Compile and run the case's torch form."""
        return _prepared(case, compiled=True)
