"""The contenders: name -> "module:class". Nothing is imported until a contender is asked for."""

import importlib
from pathlib import Path
from typing import Any

from fsa.benchmarks.peers.base import Peer
from fsa.errors import InputError

PEERS: dict[str, str] = {
    "fsa": "fsa.benchmarks.peers.iree:Fsa",
    "iree": "fsa.benchmarks.peers.iree:PlainIree",
    "torch": "fsa.benchmarks.peers.torch:Eager",
    "inductor": "fsa.benchmarks.peers.torch:Inductor",
    "xla": "fsa.benchmarks.peers.jax:Xla",
    "onnxruntime": "fsa.benchmarks.peers.onnxruntime:OnnxRuntime",
    "numpy": "fsa.benchmarks.peers.numpy:NumPy",
}


def peer_of(name: str, compiled: Path | None = None) -> Peer:
    """Return the contender called `name`; raise `InputError` when there is none.

    `compiled` is a folder with modules from `precompiled.compile_to`; None compiles them now.
    """
    if name not in PEERS:
        raise InputError(f"expected a contender ({', '.join(PEERS)}), found {name!r}")
    module, _, attribute = PEERS[name].partition(":")
    found: Any = getattr(importlib.import_module(module), attribute)
    peer: Peer = found()
    peer.compiled = compiled
    return peer
