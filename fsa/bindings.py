"""The MLIR Python bindings, imported in this one place.

PyPI's ``mlir-python-bindings`` is an empty placeholder; the ``torch-mlir`` wheel carries the
complete upstream bindings. Every other module of FSA writes ``from fsa.bindings import ir, arith``.
Dialect modules are imported when first asked for, which keeps start-up short.
"""

import functools
import importlib
import importlib.metadata
from pathlib import Path
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
    "torch_extension": "torch_mlir._mlir_libs._torchMlir",
    "stablehlo_extension": "torch_mlir._mlir_libs._stablehlo",
    "fx_importer": "torch_mlir.extras.fx_importer",
    "fx_decompositions": "torch_mlir.extras.fx_decomp_util",
    "onnx_importer": "torch_mlir.extras.onnx_importer",
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
    torch_extension: Any
    stablehlo_extension: Any
    fx_importer: Any
    fx_decompositions: Any
    onnx_importer: Any
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


@functools.cache
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


# Dialects that the bindings leave out of a new context, and how each gets in: an extension module
# registers it, a pass that depends on it loads it when it runs on an empty op, or, for vhlo,
# reading a portable artifact does.
_EXTENSION_OF = {
    "torch": "torch_extension",
    "torch_c": "torch_extension",
    "tm_tensor": "torch_extension",
    "stablehlo": "stablehlo_extension",
    "chlo": "torch_extension",
    "vhlo": "stablehlo_extension",
}
_LOADED_BY_PASS = {
    "torch_c": "builtin.module(torch-func-backend-type-conversion)",
    "tm_tensor": "builtin.module(func.func(convert-torch-to-tmtensor))",
    "chlo": "builtin.module(func.func(convert-torch-to-stablehlo))",
}
LAZY_DIALECTS = tuple(_EXTENSION_OF)


def load_extensions(context: Any, names: set[str]) -> None:
    """Import the extensions of the dialects `names`, and load these into a given `context`.

    Importing alone registers the extension's passes. Names that need no extension are ignored.
    """
    for name in (known for known in LAZY_DIALECTS if known in names):
        extension = _import(_EXTENSION_OF[name])
        if context is None or context.is_dialect_loaded(name):
            continue
        if name in _LOADED_BY_PASS:
            _load_by_pass(context, _LOADED_BY_PASS[name])
        elif name == "vhlo":
            version = extension.get_current_version()
            artifact = extension.serialize_portable_artifact_str("module {}", version)
            extension.deserialize_portable_artifact(context, artifact)
        else:
            extension.register_dialect(context)


def _load_by_pass(context: Any, pipeline: str) -> None:
    """Run `pipeline` on an empty function: the dialects that it depends on are loaded."""
    module = _import("ir")
    with context, module.Location.unknown():
        empty = module.Module.parse("func.func private @empty()")
        _import("passmanager").PassManager.parse(pipeline).run(empty.operation)


@functools.cache
def add_dialect_package(package: str) -> None:
    """Let the bindings look for the module of a dialect in `package` (of that name) as well.

    They look it up again and again, through all of Python's search path, until they find one.
    """
    _import("ir")
    library = importlib.import_module("torch_mlir._mlir_libs._mlir")
    library.globals.append_dialect_search_prefix(package)


def operation_names(dialect: str) -> list[str]:
    """Return the names of an upstream dialect's operations, as its Python module lists them."""
    if dialect not in _MODULES:
        return []
    module = _import(dialect)
    names = (getattr(value, "OPERATION_NAME", None) for value in vars(module).values())
    return sorted({name for name in names if isinstance(name, str)})


def library_path() -> Path:
    """Return the path of the shared library that holds MLIR itself."""
    (path,) = Path(_import("ir").__file__).parent.glob("_mlir_libs/libTorchMLIRAggregateCAPI.*")
    return path


def __getattr__(name: str) -> Any:
    """Import a module of the bindings on first use."""
    if name not in _MODULES:
        raise AttributeError(f"module fsa.bindings has no attribute {name!r}")
    module = _import(name)
    globals()[name] = module
    return module
