"""Devices: which ones this machine has, and opening them.

IREE lists drivers that are compiled in, not devices that exist, so probing opens each device.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from fsa.errors import DeviceUnavailable, TargetError
from fsa.runtime import host
from fsa.runtime.kept_memory import keep_freed_memory
from fsa.runtime.spinning import spinning_threads_give_way
from fsa.runtime.targets import KINDS
from fsa.suggestions import did_you_mean

_SOFTWARE_VULKAN = re.compile("llvmpipe|lavapipe|swiftshader|softpipe", re.IGNORECASE)
_DRIVERS = {"cpu:sync": "local-sync", "cpu:task": "local-task", "vulkan": "vulkan", "cuda": "cuda"}
# What a call on threads takes beyond its kernels, and each further launch, in nanoseconds: waking
# workers, and waiting for the last one. Measured on two cores.
THREADED_CALL = 25_000
THREADED_LAUNCH = 12_000


@dataclass(frozen=True)
class DeviceInfo:
    """A device that opens: `name` is what `device=` takes, `description` the driver's name."""

    name: str
    kind: str
    description: str
    is_software: bool = False

    def __str__(self) -> str:
        software = ", software" if self.is_software else ""
        return f"{self.name} ({self.description}{software})"


@dataclass(frozen=True)
class ProbeFailure:
    """A driver without a usable device, and its reason in one line."""

    name: str
    reason: str


class Device:
    """An open device. `hal` is IREE's `HalDevice`; its allocator keeps freed memory for reuse."""

    def __init__(self, info: DeviceInfo, hal: Any):
        self.info = info
        self.hal = hal
        # Buffers do not retain their device, and at exit Python drops objects in any order.
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(hal))
        self.allocator: Any = hal.allocator

    @property
    def kind(self) -> str:
        """`cpu`, `vulkan` or `cuda`."""
        return self.info.kind

    def __repr__(self) -> str:
        return f"<fsa device {self.info}>"


_open_devices: dict[str, Device] = {}
_lock = threading.Lock()


@cache
def vm_instance() -> Any:
    """Return the one IREE VM instance of this process."""
    from iree import runtime

    # Open devices are kept to the end of the process, see `Device`: that is no leak to report.
    importlib.import_module("iree.runtime._binding").disable_leak_checker()
    return runtime.VmInstance()


def open_device(name: str) -> Device:
    """Open the device called `name`; the same name gives the same device again.

    Names are `cpu:sync` (inline on the calling thread), `cpu:task` (a pool of threads), `vulkan`,
    `vulkan:N`, `cuda` and `cuda:N`; `cpu` means `cpu:sync`. Raises `DeviceUnavailable` with the
    devices that do exist, and `TargetError` when the name names no kind of device.
    """
    if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TargetError(f"expected the name of a device, such as cpu or vulkan, found {name!r}")
    name = "cpu:sync" if name == "cpu" else name
    with _lock:
        if name not in _open_devices:
            _open_devices[name] = _create(name)
        return _open_devices[name]


def choose_cpu(nanoseconds: int | None, launches: int = 1) -> str:
    """Return `cpu:sync` or `cpu:task` for a module that one core runs in `nanoseconds`.

    It launches `launches` kernels one after the other. An unknown time counts as long. With one
    core there is nothing to hand work to.
    """
    cores = host.usable_cores()
    if cores == 1:
        return "cpu:sync"
    threaded = THREADED_CALL + THREADED_LAUNCH * (launches - 1)
    if nanoseconds is not None and nanoseconds < threaded + nanoseconds / cores:
        return "cpu:sync"
    return "cpu:task"


def probe(kinds: Iterable[str] = tuple(_DRIVERS)) -> list[DeviceInfo | ProbeFailure]:
    """Open every device of `kinds`; return what opened, and why the others did not."""
    found: list[DeviceInfo | ProbeFailure] = []
    for name in kinds:
        try:
            count = len(_driver(name).query_available_devices()) if ":" not in name else 1
            names = [name] if ":" in name else [f"{name}:{i}" for i in range(count)]
            found.extend([open_device(name).info for name in names])
            if count == 0:
                found.append(ProbeFailure(name, "the driver works but finds no device"))
        except DeviceUnavailable as error:
            found.append(ProbeFailure(name, str(error)))
        except Exception as error:
            found.append(ProbeFailure(name, first_line(error)))
    return found


def available() -> list[DeviceInfo]:
    """Return the devices that open."""
    return [item for item in probe() if isinstance(item, DeviceInfo)]


def _create(name: str) -> Device:
    kind, _, ordinal = name.partition(":")
    if kind not in KINDS:
        raise TargetError(
            f"expected a device of kind {', '.join(KINDS)}, found {name!r}"
            f"{did_you_mean(kind, KINDS)}"
        )
    if kind == "cpu" and name not in _DRIVERS:
        raise TargetError(f"expected the device cpu, cpu:sync or cpu:task, found {name!r}")
    if kind != "cpu" and ordinal and not ordinal.isdecimal():
        raise TargetError(f"expected {kind} or {kind}:<number> as device, found {name!r}")
    index = int(ordinal) if kind != "cpu" and ordinal else 0
    try:
        driver = _driver(name if kind == "cpu" else kind)
        listed = driver.query_available_devices()
        if index >= len(listed):
            raise DeviceUnavailable(f"no device is called {name}")
        # The caching allocator keeps freed pages, which saves page faults on the host; it does not
        # pass on what Vulkan's allocator needs.
        allocators = ["caching"] if kind == "cpu" else None
        if name == "cpu:task":
            keep_freed_memory()
        description = host.processor() if kind == "cpu" else str(listed[index].get("name", kind))
        software = kind == "vulkan" and bool(_SOFTWARE_VULKAN.search(description))
        with spinning_threads_give_way() if software else contextlib.nullcontext():
            hal = driver.create_device(listed[index], {}, allocators=allocators)
    except DeviceUnavailable as error:
        raise DeviceUnavailable(f"{error}; {_existing()}") from None
    except Exception as error:
        raise DeviceUnavailable(
            f"no {kind} device can be opened ({first_line(error)}); {_existing(kind)}"
        ) from None
    return Device(DeviceInfo(name, kind, description, software), hal)


def _driver(name: str) -> Any:
    from iree import runtime

    vm_instance()
    return runtime.get_driver(_DRIVERS[name])


def _existing(broken: str = "") -> str:
    """Return a clause that lists the devices, but for those of a kind that does not work."""
    names: list[str] = ["cpu:sync", "cpu:task"]
    for kind in ("vulkan", "cuda"):
        if kind == broken:
            continue
        try:
            listed = _driver(kind).query_available_devices()
            names += [f"{kind}:{i} ({d.get('name', kind)})" for i, d in enumerate(listed)]
        except Exception:
            continue
    return "this machine has " + ", ".join(names)


def first_line(error: Exception) -> str:
    """Return what an error of IREE says, in one line without file names and stack."""
    text = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    text = re.sub(r"\S+\.(?:c|cc|h|m|cpp):\d+: ", "", text)
    text = re.sub(r"^Error [a-z ]+: ", "", text)
    return text.rstrip(";: ")
