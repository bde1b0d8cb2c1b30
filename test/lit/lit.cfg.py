# ruff: noqa: F821  (lit defines `config` and `lit_config`)
"""lit configuration: `lit test/lit`, or through pytest (`test/test_lit.py`).

These tests touch no device and no IREE runtime. Substitutions:

    %roundtrip           print, parse and print again what fsa-opt makes of the file
    %generic-roundtrip   the same in generic form
    %verify-diag         every `expected-*` comment of the file matches, part by part
"""

import glob
import importlib.util
import os
import shlex
import shutil
import sys
from pathlib import Path

import lit.formats

config.name = "FSA"
config.test_format = lit.formats.ShTest()
config.suffixes = [".mlir", ".test"]
config.excludes = ["Inputs", "lit.cfg.py"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.environ.get("FSA_LIT_OUTPUT") or os.path.join(
    config.test_source_root, "Output"
)
config.maxIndividualTestTime = int(os.environ.get("FSA_LIT_TIMEOUT", "60"))


def find_filecheck():
    """Return the FileCheck command: $FSA_FILECHECK, LLVM's, or the one from pip."""
    given = os.environ.get("FSA_FILECHECK")
    if given:
        return given
    on_path = shutil.which("FileCheck")
    if on_path:
        return shlex.quote(on_path)

    def version(path):
        digits = "".join(c for c in Path(path).parents[1].name if c.isdigit())
        return int(digits or 0)

    installed = sorted(glob.glob("/usr/lib/llvm-*/bin/FileCheck"), key=version)
    if installed:
        return shlex.quote(installed[-1])
    if importlib.util.find_spec("filecheck") is None:
        lit_config.fatal(
            "no FileCheck found: expected $FSA_FILECHECK, FileCheck on PATH, "
            "/usr/lib/llvm-*/bin/FileCheck or `pip install filecheck`"
        )
    return f"{shlex.quote(sys.executable)} -m filecheck"


python = shlex.quote(sys.executable)
fsa_opt = f"{python} -m fsa.tools.fsa_opt"
tools = Path(sys.executable).parent

config.substitutions += [
    ("%roundtrip", f"{fsa_opt} %s --split-input-file | {fsa_opt} --split-input-file"),
    (
        "%generic-roundtrip",
        f"{fsa_opt} %s --split-input-file --mlir-print-op-generic | {fsa_opt} --split-input-file",
    ),
    ("%verify-diag", f"{fsa_opt} %s --split-input-file --verify-diagnostics"),
    ("%python", python),
    (r"(?<![\w/.-])fsa-opt(?![\w.-])", fsa_opt),
    (r"(?<![\w/.-])FileCheck(?![\w.-])", f"{find_filecheck()} --enable-var-scope"),
]

# What the tools read from the environment; everything else stays out, so that runs agree.
for variable in ("FSA_REPRODUCER_DIR", "VIRTUAL_ENV", "HOME", "LD_LIBRARY_PATH"):
    if variable in os.environ:
        config.environment[variable] = os.environ[variable]
config.environment["PATH"] = os.pathsep.join([str(tools), os.environ["PATH"]])
config.environment["PYTHONDONTWRITEBYTECODE"] = "1"
config.environment["FILECHECK_OPTS"] = ""

for tool in ("torch-mlir-opt", "iree-opt", "ptxas"):
    if shutil.which(tool, path=config.environment["PATH"]):
        config.available_features.add(tool)
for module in ("torch", "onnx", "jax"):
    if importlib.util.find_spec(module) is not None:
        config.available_features.add(module)
