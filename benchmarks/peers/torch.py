"""PyTorch, eager and compiled by TorchInductor."""

from typing import Any

from fsa.benchmarks.case import Case
from fsa.benchmarks.peers.base import Peer, Prepared, Unavailable, form_of, require


def _prepared(case: Case, target: str, compiled: bool) -> Prepared:
    form = form_of(case, "torch")
    torch = require("torch", "torch")
    torch.set_num_threads(1)
    on_cuda = target.startswith("cuda")
    if on_cuda and not torch.cuda.is_available():
        raise Unavailable("this torch finds no CUDA device")
    expressed = form(case.inputs())
    arguments = [a.cuda() if on_cuda else a for a in expressed.arguments]
    function: Any = torch.compile(expressed.function) if compiled else expressed.function

    def call() -> Any:
        with torch.inference_mode():
            result = function(*arguments)
        if on_cuda:
            torch.cuda.synchronize()
        return result

    try:
        return Prepared(call, call().cpu().numpy())
    except Exception as error:
        raise Unavailable(f"it failed: {str(error).strip().splitlines()[0]}") from None


class Eager(Peer):
    """PyTorch without a compiler."""

    name = "torch"
    label = "PyTorch eager"
    kinds = ("cpu", "cuda")

    def prepare(self, case: Case, target: str) -> Prepared:
        """Run the case's torch form."""
        return _prepared(case, target, compiled=False)


class Inductor(Peer):
    """torch.compile with its default back end; needs a C++ compiler."""

    name = "inductor"
    label = "TorchInductor"
    kinds = ("cpu", "cuda")

    def prepare(self, case: Case, target: str) -> Prepared:
        """Compile and run the case's torch form."""
        return _prepared(case, target, compiled=True)
