"""Loading what was compiled: a module for one target, or a file for several."""

from __future__ import annotations

import os

from fsa.errors import InputError
from fsa.runtime.files import path_text, read_file
from fsa.runtime.module import Module
from fsa.runtime.package import Package, is_package

_MODELS = (".onnx", ".pt2", ".pt", ".pth", ".mlir", ".mlirbc")


def refuse_model(name: str) -> None:
    """Raise `InputError` when the file `name` is a model, which is to be compiled first."""
    if name.endswith(_MODELS) and os.path.exists(name):
        raise InputError(
            f"expected a compiled module (.vmfb), found the model {name}: compile it first, with "
            "`fsa compile` or fsa.compile"
        )


def load(
    path: str | os.PathLike[str],
    device: str | None = None,
    parameters: str | os.PathLike[str] | None = None,
) -> Module:
    """Load a `.vmfb`, or the variant of a file for several targets that fits this machine.

    `device` is a name that `fsa.runtime.devices.open_device` takes. None, or `cpu`, lets the module
    choose: the kind of device it was compiled for, and on a CPU `cpu:sync` (inline) for small work,
    `cpu:task` (all cores) for large. `parameters` is the archive with the module's weights, if it
    has one. Raises `InputError` and `DeviceUnavailable`.
    """
    name = path_text(path)
    refuse_model(name)
    data = read_file(name)
    try:
        if is_package(data):
            module: Module = Package.read(data, device, parameters)
        else:
            module = Module(data, device, parameters)
    except InputError as error:
        raise InputError(f"{name}: {error}") from None
    module.open()
    return module
