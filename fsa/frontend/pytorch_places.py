"""Where in the user's code an FX node comes from: the innermost line, and the submodule.

PyTorch keeps the stack of each node that it records. `torch.export` keeps only the frames that are
a `forward`, so a line in a function that `forward` calls is lost; `whole_stacks` keeps them.
"""

from __future__ import annotations

import re
import sysconfig
from collections.abc import Generator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

_HERE = Path(__file__).resolve().parent.as_posix()
_STANDARD = Path(sysconfig.get_paths()["stdlib"]).as_posix()
_SITE = ("/site-packages/", "/dist-packages/")


@lru_cache(maxsize=4096)
def is_own(file: str) -> bool:
    """Return whether `file` is the user's or a model library's, not torch's, Python's or FSA's."""
    path = Path(file).as_posix()
    if path.startswith(("<", _HERE)) or "/torch/" in path or "/torch_mlir/" in path:
        return False
    return not path.startswith(_STANDARD) or any(site in path for site in _SITE)


def place_of_node(node: Any) -> tuple[str, int] | None:
    """Return file and line of the innermost of the user's frames that an FX node comes from."""
    frames = re.findall(r'File "([^"]+)", line (\d+)', node.meta.get("stack_trace") or "")
    own = [(file, int(line)) for file, line in frames if is_own(file)]
    return own[-1] if own else None


def module_of_node(node: Any) -> str:
    """Return the path of the submodule that an FX node stands in, such as `layers.0.norm`.

    Nothing for a node of the model itself.
    """
    stack: dict[str, Any] = node.meta.get("nn_module_stack") or {}
    entry = next(reversed(stack.values()), None)
    return str(entry[0]) if isinstance(entry, tuple) else ""


def describe(node: Any) -> str:
    """Return "at node 'name' (op) in module path, file:line" of an FX node, as far as known."""
    target = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "")
    module = module_of_node(node)
    place = place_of_node(node)
    inside = f" in module {module}" if module else ""
    where = f", {place[0]}:{place[1]}" if place else ""
    return f"at node '{node.name}' ({target or node.target}){inside}{where}"


@contextmanager
def whole_stacks() -> Generator[None]:
    """Let `torch.export` record the user's frames below `forward` too, while this lasts."""
    from torch.fx import Tracer
    from torch.fx.experimental.proxy_tensor import PythonKeyTracer

    base: Any = Tracer

    def filtered(tracer: Any, frames: Any) -> Any:
        kept: Any = base._filter_traceback_frames(tracer, frames)
        if not kept:
            return kept
        first = frames.index(kept[0])
        below = [frame for frame in frames[first:] if frame in kept or is_own(frame.filename)]
        return type(kept).from_list(below)

    tracing: Any = PythonKeyTracer
    tracing._filter_traceback_frames = filtered
    try:
        yield
    finally:
        # What is overridden here is the base's; another thread may have taken it away already.
        with suppress(AttributeError):
            del tracing._filter_traceback_frames
