"""The dialect object and its loading into a context."""

import importlib
from typing import Any

from fsa.bindings import add_dialect_package, ext, ir

OP_MODULES = (
    "pack_bits",
    "unpack_bits",
    "binarized_matmul",
    "binarized_conv2d",
    "binarized_threshold",
    "binarized_max_pool2d",
    "capsule_predict",
    "capsule_routing",
    "squash",
    "stitched_region",
    "launch",
)
# The ops from tensors to tensors: they have a reference, a portable lowering, and may be stitched.
TENSOR_OPS = tuple(name for name in OP_MODULES if name not in ("stitched_region", "launch"))


class Fsa(ext.Dialect, name="fsa"):  # pyright: ignore[reportGeneralTypeIssues, reportCallIssue]
    """The ``fsa`` dialect. Ops attach to it when their module is imported."""

    @classmethod
    def load(cls) -> None:
        """Register the dialect in the current context; a second call in a context does nothing."""
        for name in OP_MODULES:
            importlib.import_module(f"fsa.dialects.fsa.ops.{name}")
        # In the order of OP_MODULES, whichever was imported first.
        cls.operations.sort(key=lambda op: OP_MODULES.index(op.__module__.rpartition(".")[2]))
        if ir.Context.current.is_dialect_loaded(cls.DIALECT_NAMESPACE):
            return
        super().load()
        add_dialect_package("fsa.dialects")
        # The IRDL module would keep the context alive for as long as this class lives.
        cls._mlir_module = None


def load(context: Any) -> None:
    """Register the ``fsa`` dialect in `context` (an `ir.Context`) and turn its multithreading off.

    Python verifiers and traits deadlock on the interpreter lock under MLIR's own threads.
    """
    context.enable_multithreading(False)
    with context:
        Fsa.load()


def new_context() -> Any:
    """Return a new `ir.Context` with the ``fsa`` dialect loaded and multithreading off."""
    context = ir.Context()
    load(context)
    return context
