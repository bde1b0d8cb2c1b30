"""Compiles cases for a target through a pipeline, runs them and compares with the reference."""

import functools
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from op_cases import module_of

import fsa
from fsa.dialects.fsa.dialect import new_context
from fsa.errors import DeviceUnavailable
from fsa.pipelines.registry import PIPELINES
from fsa.runtime.targets import Target

PORTABLE = "fsa-to-linalg"


# Targets for Vulkan drivers with 16-bit storage and 64-bit integers, by what the driver calls its
# device. IREE's default target has neither.
CAPABLE_TARGETS = {
    "llvmpipe": "vulkan:llvmpipe",
    "NVIDIA": "vulkan:ampere",
    "AMD": "vulkan:rdna2",
    "Adreno": "vulkan:adreno",
    "Mali": "vulkan:arm5gen",
}


@dataclass(frozen=True)
class Configuration:
    """A pipeline and a kind of device, and the devices that run what comes out."""

    pipeline: str
    kind: str
    devices: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.pipeline}-on-{self.kind}"

    def target_for(self, dtypes: set[str]) -> str | None:
        """Return the target that computes with these element types on the devices, or None."""
        target = Target.parse(self.kind)
        if "f64" in dtypes and not target.has_f64:
            return None
        # Without 16-bit storage f16 is refused, and IREE drops the last of an odd number of bf16;
        # without 64-bit integers it refuses vectors that repeat a word, as a matmul makes them.
        is_narrow = bool({"f16", "bf16"} & dtypes) and not target.has_f16
        is_wide = self.pipeline == PORTABLE and "i64" in dtypes and not target.has_i64
        return capable_target() if is_narrow or is_wide else self.kind

    def sample(self, cases: Sequence[Any]) -> Sequence[Any]:
        """Return the cases to run on the devices: all, or those of open sizes and a third.

        The portable lowering is the same for all devices and is held against the reference in
        full on the CPU; on the others it is IREE's code generation that is new.
        """
        if LONG or self.kind == "cpu" or self.pipeline != PORTABLE:
            return cases
        return [case for index, case in enumerate(cases) if index % 3 == 0 or any(case.dynamic)]


LONG = os.environ.get("FSA_LONG") == "1"
CPU = ("cpu:sync", "cpu:task")
CONFIGURATIONS = [
    Configuration(pipeline, kind, devices)
    for kind, devices in (("cpu", CPU), ("vulkan", ("vulkan",)))
    for pipeline in (PORTABLE, f"fsa-to-{kind}")
]


@functools.cache
def capable_target() -> str | None:
    """Return a target that says more of the Vulkan device than the default, or None."""
    from fsa.runtime.devices import open_device

    description = open_device("vulkan").info.description
    for name, target in CAPABLE_TARGETS.items():
        if name.lower() in description.lower():
            return target
    return None


def configurations() -> Any:
    """Parametrise a test over `configuration`: both lowerings on the CPU and on Vulkan."""
    parameters = [
        pytest.param(
            configuration,
            id=str(configuration),
            marks=[pytest.mark.vulkan] if configuration.kind == "vulkan" else [],
        )
        for configuration in CONFIGURATIONS
        if configuration.pipeline in PIPELINES
    ]
    return pytest.mark.parametrize("configuration", parameters)


@functools.cache
def why_no_device(name: str) -> str | None:
    """Return why the device `name` cannot be opened, or None when it can."""
    from fsa.runtime.devices import open_device

    try:
        open_device(name)
    except DeviceUnavailable as error:
        return str(error)
    return None


def compiled(cases: Sequence[Any], pipeline: str, target: str, folder: Path) -> Path:
    """Compile the cases into one `.vmfb` and return its path."""
    module = module_of(cases, new_context())
    path = folder / "module.vmfb"
    fsa.compile(module, target=target, pipeline=pipeline).save(path)
    return path


def failures(cases: Sequence[Any], configuration: Configuration, folder: Path) -> list[str]:
    """Compile and run the cases that the devices can do; return what went wrong, case by case."""
    by_target: dict[str, list[Any]] = {}
    for case in cases:
        target = configuration.target_for(case.dtypes)
        if target is not None:
            by_target.setdefault(target, []).append(case)
    found: list[str] = []
    for target, some in by_target.items():
        path = compiled(some, configuration.pipeline, target, folder)
        for device in configuration.devices:
            module = fsa.load(path, device=device)
            found += [
                f"{case.name}, run {index} on {device} ({target}): {problem}"
                for case in some
                for index, arrays in enumerate(case.runs)
                if (problem := _run(module.function(case.name), case, arrays)) is not None
            ]
    return found


def _run(function: Any, case: Any, arrays: tuple[Any, ...]) -> str | None:
    try:
        got = function(*arrays)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    results = got if isinstance(got, list | tuple) else [got]
    return case.problem(arrays, [np.asarray(result) for result in results])


def check(cases: Sequence[Any], configuration: Configuration, folder: Path) -> None:
    """Fail with every case that is wrong; skip, with the reason, where there is no device."""
    for device in configuration.devices:
        reason = why_no_device(device)
        if reason is not None:
            pytest.skip(reason)
    found = failures(configuration.sample(cases), configuration, folder)
    assert not found, "\n".join([f"{len(found)} wrong:", *found])


def ptx_of(vmfb: bytes) -> list[str]:
    """Return the PTX programs inside a module for CUDA."""
    pattern = rb"//\r?\n// Generated by LLVM NVPTX Back-End.*?(?=\x00)"
    return [match.decode() for match in re.findall(pattern, vmfb, re.DOTALL)]


def assemble(ptx: str, folder: Path) -> str | None:
    """Assemble PTX with `ptxas` for its own target; return the complaint, or None."""
    source = folder / "kernel.ptx"
    source.write_text(ptx)
    arch = re.search(r"\.target (sm_\w+)", ptx)
    assert arch is not None, "the PTX names no target"
    run = subprocess.run(
        ["ptxas", f"-arch={arch[1]}", "-O0", str(source), "-o", str(folder / "kernel.cubin")],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    return None if run.returncode == 0 else run.stdout + run.stderr


has_ptxas = shutil.which("ptxas") is not None
