"""Compiled modules: loading, saving and calling."""

from __future__ import annotations

import os
import re
import threading
from typing import Any

from fsa.errors import CallError, DeviceUnavailable, InputError
from fsa.runtime import parameters
from fsa.runtime.checksum import check_intact, has_checksum
from fsa.runtime.cpu_features import Needs
from fsa.runtime.devices import Device, choose_cpu, first_line, open_device, vm_instance
from fsa.runtime.files import path_text, write_file
from fsa.runtime.function import Function, unnamed
from fsa.runtime.resident_call import PositionalCall
from fsa.runtime.signature import DECLARATION, Signature, signature_of
from fsa.runtime.tensors import ALIGNMENT, DeviceTensor, to_device

ENTRY = "main"
# What a compiled function says of itself, beside IREE's declaration of its types.
TARGET_REFLECTION = "fsa.target"
TIME_REFLECTION = "fsa.nanoseconds"
LAUNCHES_REFLECTION = "fsa.launches"
ARCHITECTURE_REFLECTION = "fsa.cpu_architecture"
FEATURES_REFLECTION = "fsa.cpu_features"
PARAMETERS_REFLECTION = "fsa.parameters"
# How IREE's error names the kind of device that a module wants and has not been given.
_DEVICE_TARGET = re.compile(r'INCOMPATIBLE; HAL device .*?#hal\.device\.target<"(\w+)"')


class Module:
    """A compiled module on a device. Call it, or one of its functions.

    Calls from several threads are safe: those to one module run one after the other.
    """

    _is_checked = False  # whether the data is known to be what its checksum says

    def __init__(
        self,
        data: Any,
        device: str | None = None,
        parameters: str | os.PathLike[str] | None = None,
    ):
        """Take the bytes of a `.vmfb`, a buffer; the device opens when it is first needed.

        `device` None or `cpu` lets the module choose, see `load`. `parameters` is the archive with
        the module's weights, if it was compiled with one. Raises `InputError` when the data is no
        compiled module.
        """
        self.wanted_device = device
        self.parameters = None if parameters is None else path_text(parameters)
        self._lock = threading.Lock()
        self._functions: dict[str, Function] | None = None
        self._device: Device | None = None
        self._entry: PositionalCall | None = None  # what a call of the entry function runs
        self._take(data)

    def _take(self, data: Any) -> None:
        """Read the module in `data`: its functions and what they say of themselves."""
        from iree import runtime

        is_whole = has_checksum(data) if self._is_checked else check_intact(data)
        self._data = _aligned(data)
        try:
            self.vm_module = runtime.VmModule.from_buffer(
                vm_instance(), self._data, warn_if_copy=False
            )
        except Exception as error:
            raise InputError(
                "expected a compiled module (.vmfb), found data that IREE refuses: "
                f"{first_line(error)}"
            ) from None
        self._vm_functions: dict[str, Any] = {}
        self._reflections: dict[str, dict[str, str]] = {}
        for name in self.vm_module.function_names:
            vm_function: Any = self.vm_module.lookup_function(name)
            reflection = dict(vm_function.reflection)
            if DECLARATION in reflection:
                self._vm_functions[name] = vm_function
                self._reflections[name] = reflection
        self.signatures: dict[str, Signature] = {
            name: signature_of(name, reflection) for name, reflection in self._reflections.items()
        }
        if self.target is not None and not is_whole:
            raise InputError(
                "expected a compiled module (.vmfb) with its checksum, found none: "
                "its end is missing"
            )

    @property
    def target(self) -> str | None:
        """The target that the module was compiled for; None when FSA did not compile it."""
        return self._reflected(TARGET_REFLECTION)

    @property
    def data(self) -> Any:
        """The bytes of the `.vmfb`, as a buffer."""
        return self._data

    @property
    def needs(self) -> Needs:
        """What the module needs of the machine that it runs on."""
        features = self._reflected(FEATURES_REFLECTION) or ""
        return Needs(
            self.target or "",
            self._reflected(ARCHITECTURE_REFLECTION) or "",
            tuple(features.split(",")) if features else (),
        )

    @property
    def needs_parameters(self) -> bool:
        """Whether the module's weights are in an archive of their own."""
        return self._reflected(PARAMETERS_REFLECTION) is not None

    @property
    def device(self) -> Device:
        """The device that the module runs on."""
        if self._device is None:
            self.open()
        assert self._device is not None
        return self._device

    @property
    def functions(self) -> dict[str, Function]:
        """The public functions by name."""
        if self._functions is None:
            self.open()
        assert self._functions is not None
        return self._functions

    def open(self) -> None:
        """Open the device and load the module on it; a second call does nothing.

        Raises `DeviceUnavailable` when the device does not open or cannot run the module.
        """
        from iree import runtime

        with self._lock:
            if self._functions is not None:
                return
            device = open_device(self._device_name())
            if self.target is not None and self.target.partition(":")[0] != device.kind:
                raise DeviceUnavailable(
                    f"expected a module compiled for {device.kind} on the device "
                    f"{device.info.name}, found one compiled for {self.target}"
                )
            lacking = self.needs.lacking()
            if device.kind == "cpu" and lacking:
                raise DeviceUnavailable(
                    f"a module compiled for {self.target} needs {lacking}, "
                    f"found {device.info.description}"
                )
            modules = [runtime.create_hal_module(vm_instance(), device.hal)]
            if self.needs_parameters and self.parameters is None:
                raise parameters.missing(self.target)
            if self.parameters is not None:
                provider = parameters.provider(self.parameters)
                modules.append(runtime.create_io_parameters_module(vm_instance(), provider))
            try:
                context = runtime.VmContext(vm_instance(), [*modules, self.vm_module])
            except Exception as error:
                if self.parameters is not None and parameters.is_missing(error):
                    raise parameters.mismatch(self.target, self.parameters) from None
                wanted = _DEVICE_TARGET.search(str(error))
                if wanted is not None:
                    raise DeviceUnavailable(
                        f"expected a module for the device {device.info}, found one for IREE's "
                        f"device target {wanted[1]}"
                    ) from None
                compiled = f" compiled for {self.target}" if self.target else ""
                raise DeviceUnavailable(
                    f"a module{compiled} does not load on the device {device.info}: "
                    f"{first_line(error)}"
                ) from None
            self._device = device
            # A VM context runs one invocation at a time.
            calls = threading.Lock()
            self._functions = {
                name: Function(self.signatures[name], vm_function, context, device, calls)
                for name, vm_function in self._vm_functions.items()
            }

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Call the entry function: `main`, else the only one there is.

        Arguments are positional: `named` ones raise `CallError`.
        """
        entry = self._entry
        if named:
            raise unnamed(self.signatures[self.entry_name()], named)
        if entry is None:
            entry = self._entry = self.functions[self.entry_name()].positional
        return entry(arguments)

    def entry_name(self) -> str:
        """Return the name of the function that a call of the module runs."""
        names = list(self.signatures)
        if ENTRY in names:
            return ENTRY
        if len(names) == 1:
            return names[0]
        raise CallError(
            f"expected a function called {ENTRY} or only one function, found "
            f"{', '.join(names) or 'none'}; name one, with function() or --function"
        )

    def function(self, name: str) -> Function:
        """Return the public function called `name`; raise `CallError` with those that exist."""
        if name not in self.signatures:
            raise CallError(
                f"expected a function of the module ({', '.join(self.signatures) or 'none'}), "
                f"found {name!r}"
            )
        return self.functions[name]

    def to_device(self, value: Any) -> DeviceTensor:
        """Copy an array to this module's device, so that calls need not."""
        return to_device(value, self.device)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the module as a `.vmfb`, which stock `iree-run-module` runs too.

        A module with a parameter archive names its weights; the archive stays where it is.
        """
        write_file(path_text(path), self._data)

    def _device_name(self) -> str:
        device = self.wanted_device
        if device is None:
            device = (self.target or "cpu").partition(":")[0]
        if device != "cpu":
            return device
        time, launches = map(self._number, (TIME_REFLECTION, LAUNCHES_REFLECTION))
        return choose_cpu(time, launches or 1)

    def _number(self, name: str) -> int | None:
        """Return the reflection entry `name` where it is a number."""
        text = self._reflected(name)
        return int(text) if text is not None and text.isdecimal() else None

    def _reflected(self, name: str) -> str | None:
        """Return the reflection entry `name`, which all functions share."""
        given = (reflection.get(name) for reflection in self._reflections.values())
        return next((text for text in given if text is not None), None)

    def __repr__(self) -> str:
        return f"<fsa module for {self.target or 'any target'}: {', '.join(self.signatures)}>"


def _aligned(data: Any) -> Any:
    """Return `data` as an array of bytes whose memory is aligned as IREE wants it."""
    import numpy as np

    given = np.frombuffer(data, np.uint8)
    if given.size == 0 or given.__array_interface__["data"][0] % ALIGNMENT == 0:
        return given
    memory = np.empty(given.size + ALIGNMENT, np.uint8)
    start = -memory.__array_interface__["data"][0] % ALIGNMENT
    aligned = memory[start : start + given.size]
    aligned[:] = given
    return aligned
