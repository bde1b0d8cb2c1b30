"""The MLIR Python bindings, imported in this one place.

PyPI's ``mlir-python-bindings`` is an empty placeholder; the ``torch-mlir`` wheel carries the
complete upstream bindings. Every other module of FSA writes ``from fsa.bindings import ir, arith``.
Dialect modules are imported when first asked for, which keeps start-up short.
"""

import importlib
import importlib.metadata
from typing import TYPE_CHECKING, Any

from fsa.errors import FsaError

BINDINGS_DISTRIBUTION = "torch-mlir"
BINDINGS_VERSION = "20261001"

_MODULES = {
    "ir": "torch_mlir.ir",
    "passmanager": "torch_mlir.passmanager",
    "rewrite": "torch_mlir.rewrite",
    "execution_engine": "torch_mlir.execution_engine",
    "ext": "torch_mlir.dialects.ext",
    "irdl": "torch_mlir.dialects.irdl",
    **{
        name: f"torch_mlir.dialects.{name}"
        for name in (
            "affine arith bufferization builtin cf complex func gpu index linalg llvm math memref "
            "ml_program nvvm scf shape sparse_tensor tensor torch transform ub vector"
        ).split()
    },
}

if TYPE_CHECKING:
    ir: Any
    passmanager: Any
    rewrite: Any
    execution_engine: Any
    ext: Any
    irdl: Any
    affine: Any
    arith: Any
    bufferization: Any
    builtin: Any
    cf: Any
    complex: Any
    func: Any
    gpu: Any
    index: Any
    linalg: Any
    llvm: Any
    math: Any
    memref: Any
    ml_program: Any
    nvvm: Any
    scf: Any
    shape: Any
    sparse_tensor: Any
    tensor: Any
    torch: Any
    transform: Any
    ub: Any
    vector: Any


def bindings_version() -> str:
    """Return the version of the installed bindings; raise `FsaError` when they are missing."""
    try:
        return importlib.metadata.version(BINDINGS_DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        raise FsaError(
            f"the MLIR Python bindings are not installed: expected {BINDINGS_DISTRIBUTION}"
            f"=={BINDINGS_VERSION}, found none; run `pip install "
            f"{BINDINGS_DISTRIBUTION}=={BINDINGS_VERSION}`"
        ) from None


def _import(name: str) -> Any:
    found = bindings_version()
    if found != BINDINGS_VERSION:
        raise FsaError(
            f"the MLIR Python bindings have the wrong version: expected {BINDINGS_DISTRIBUTION}"
            f"=={BINDINGS_VERSION}, found {found}; run `pip install "
            f"{BINDINGS_DISTRIBUTION}=={BINDINGS_VERSION}`"
        )
    return importlib.import_module(_MODULES[name])


def __getattr__(name: str) -> Any:
    """Import a module of the bindings on first use."""
    if name not in _MODULES:
        raise AttributeError(f"module fsa.bindings has no attribute {name!r}")
    module = _import(name)
    globals()[name] = module
    return module
