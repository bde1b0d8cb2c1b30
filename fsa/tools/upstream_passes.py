"""Finds the passes of the bindings and writes `passes/driver/upstream_passes.json`.

    python -m fsa.tools.upstream_passes [--check]

Every word in the bindings' library that looks like a pass name is tried; class names come from IR
dumps of an empty module, summaries from the help text of the tools that the wheels carry.
"""

import contextlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from fsa.bindings import ir, library_path, load_extensions, passmanager

OUTPUT = Path(__file__).parents[2] / "passes" / "driver" / "upstream_passes.json"
_WORD = re.compile(rb"[a-z0-9-]{3,72}(?=\0)")
_ROOTS = {
    "builtin.module": "",
    "func.func": "func.func @f() { return }",
    "gpu.module": "gpu.module @m {}",
    "spirv.module": "spirv.module Logical GLSL450 {}",
    "llvm.func": "llvm.func @f()",
}


def _parse(text: str) -> Any:
    """Return the PassManager, or the text of the error."""
    try:
        return passmanager.PassManager.parse(text)
    except ValueError as error:
        return str(error)


def registered_names() -> list[str]:
    """Return every pass and pipeline name that the bindings take."""
    runs = {match.decode() for match in _WORD.findall(library_path().read_bytes())}
    # Linkers store a string that ends another one only once, so every tail may be a name.
    words = {run[i:] for run in runs for i in range(len(run) - 2) if run[i].isalpha()}
    found: list[str] = []
    for word in sorted(words):
        result = _parse(f"any({word})")
        if not isinstance(result, str) or "does not refer to a registered pass" not in result:
            found.append(word)
    return found


def describe(name: str) -> dict[str, Any]:
    """Return the table's entry for `name`, without class and summary."""
    text = str(_parse(f"any({name})"))[len("any(") : -1]
    single = re.fullmatch(re.escape(name) + r"(\{.*\})?", text) is not None
    options = sorted(set(re.findall(r"([\w-]+)=", text))) if single else []
    return {"anchor": _anchor(name, single), "pipeline": not single, "options": options}


def _anchor(name: str, single: bool) -> str:
    """Return the op that `name` is restricted to, or "any"."""
    if not single:  # a pipeline at the wrong place aborts the process, so another one has to try
        command = [sys.executable, "-m", "fsa.tools.upstream_passes", "--try", f"func.func({name})"]
        run = subprocess.run(command, capture_output=True, timeout=60, check=False)
        return "any" if run.returncode == 0 else "builtin.module"
    for tried in ("builtin.module", "func.func"):
        restricted = re.search(r"restricted to '([^']+)'", str(_parse(f"{tried}({name})")))
        if restricted is not None:
            return restricted[1]
    return "any"


def class_names(entries: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Return pass name -> C++ class name, read from IR dumps made in a subprocess each batch."""
    found: dict[str, str] = {}
    waiting = [name for name, entry in entries.items() if not entry["pipeline"]]
    while waiting:
        command = [sys.executable, "-m", "fsa.tools.upstream_passes", "--dump", *waiting]
        run = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        seen = re.findall(r"IR Dump Before (\S+): ([\w-]+)", run.stderr)
        found |= {argument: cls for cls, argument in seen}
        if run.returncode == 0:
            return found
        done = re.findall(r"^@(.*)$", run.stdout, re.M)  # a pass that crashed ends the batch
        waiting = waiting[len(done) :]
    return found


def dump(names: list[str]) -> None:
    """Run each pass on an empty op with IR printing on; called in the subprocess."""
    with ir.Context() as context, ir.Location.unknown():
        context.enable_multithreading(False)
        load_extensions(context, {"torch", "stablehlo"})
        for name in names:
            print(f"@{name}", flush=True)
            anchor = describe(name)["anchor"]
            anchor = "builtin.module" if anchor == "any" else anchor
            if anchor not in _ROOTS:
                continue
            module = ir.Module.parse(_ROOTS[anchor])
            root = module.operation
            if anchor != "builtin.module":
                root = next(iter(module.body.operations)).operation
            manager = passmanager.PassManager.parse(f"{anchor}({name})")
            manager.enable_ir_printing(print_before_all=True, print_after_all=False)
            with contextlib.suppress(ir.MLIRError):
                manager.run(root)


def summaries() -> dict[str, str]:
    """Return pass name -> summary from the help texts of torch-mlir-opt and iree-opt."""
    found: dict[str, str] = {}
    for tool in ("torch-mlir-opt", "iree-opt"):
        path = shutil.which(tool)
        if path is None:
            raise SystemExit(f"expected {tool} on PATH, found none")
        text = subprocess.run([path, "--help"], capture_output=True, text=True, check=False).stdout
        for name, summary in re.findall(r"^ +--([a-z][\w-]*?)(?:=\S+)? +-   (\S.*)$", text, re.M):
            found.setdefault(name, summary.strip())
    return found


def table() -> dict[str, dict[str, Any]]:
    """Make the whole table."""
    with ir.Context():
        load_extensions(None, {"torch", "stablehlo"})
        entries = {name: describe(name) for name in registered_names()}
    classes, texts = class_names(entries), summaries()
    for name, entry in entries.items():
        entry["class"] = classes.get(name, "")
        entry["summary"] = texts.get(name, "")
    return entries


def main() -> int:
    """Write the table, or with --check say whether it is current."""
    if sys.argv[1:2] == ["--dump"]:
        dump(sys.argv[2:])
        return 0
    if sys.argv[1:2] == ["--try"]:
        with ir.Context():
            load_extensions(None, {"torch", "stablehlo"})
            return 0 if not isinstance(_parse(sys.argv[2]), str) else 1
    text = json.dumps(table(), indent=1, sort_keys=True) + "\n"
    if sys.argv[1:] == ["--check"]:
        return 0 if OUTPUT.read_text(encoding="utf-8") == text else 1
    OUTPUT.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
