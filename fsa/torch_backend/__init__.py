"""`torch.compile(model, backend="fsa")`: the graphs that PyTorch captures run as FSA modules.

PyTorch finds the back end by its entry point, so nothing of FSA has to be imported for it. Graphs
are made functional by AOTAutograd, imported as `fsa.compile` imports models, and compiled for
`options={"target": ...}`. A graph that cannot be compiled runs as PyTorch runs it, with a
`fsa.errors.FallbackWarning` and an entry in `last_fallbacks()` that say why; with
`options={"fallback": False}` it is an error.

PyTorch is an optional dependency (`pip install 'fsa[torch]'`).
"""

from __future__ import annotations

from fsa.torch_backend.backend import compile_graph, register
from fsa.torch_backend.fallbacks import Fallback, clear_fallbacks, last_fallbacks
from fsa.torch_backend.options import Options

__all__ = ["Fallback", "Options", "clear_fallbacks", "compile_graph", "last_fallbacks"]

register()
