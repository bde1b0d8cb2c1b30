"""`fsa.irdl.mlir` is fresh, and stock tools read our files with it."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fsa.dialects.fsa.irdl import PATH, emit_irdl

SPEC = PATH.with_name("SPEC.md").read_text()
EXAMPLES = {
    match.group(1): match.group(2)
    for match in re.finditer(r"^## `fsa\.(\w+)`.*?```mlir\n(.*?)```", SPEC, re.M | re.S)
}
TOOLS = ("torch-mlir-opt", "iree-opt")
WITHOUT_REGIONS = "\n".join(text for text in EXAMPLES.values() if "fsa.stitched_region" not in text)


def _run(tool: str, text: str, tmp_path: Path, *flags: str) -> "subprocess.CompletedProcess[str]":
    found = shutil.which(tool, path=str(Path(sys.executable).parent)) or shutil.which(tool)
    assert found is not None, f"{tool} is part of the pinned wheels"
    source = tmp_path / "input.mlir"
    source.write_text(text)
    command = [found, f"--irdl-file={PATH}", *flags, str(source)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_order_of_imports_does_not_matter() -> None:
    program = (
        "import fsa.dialects.fsa.ops.squash\n"
        "from fsa.dialects.fsa.irdl import PATH, emit_irdl\n"
        "assert PATH.read_text().rstrip() == emit_irdl()\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_shipped_file_is_fresh() -> None:
    assert PATH.read_text().rstrip() == emit_irdl(), (
        "run fsa-opt --emit-irdl -o dialects/fsa/fsa.irdl.mlir"
    )


@pytest.mark.parametrize("tool", TOOLS)
def test_stock_tool_accepts_our_files(tool: str, tmp_path: Path) -> None:
    done = _run(tool, WITHOUT_REGIONS, tmp_path)
    assert done.returncode == 0, done.stderr
    for name in set(EXAMPLES) - {"stitched_region", "yield"}:
        assert f'"fsa.{name}"' in done.stdout


@pytest.mark.parametrize("tool", TOOLS)
def test_stock_tool_rejects_what_irdl_can_see(tool: str, tmp_path: Path) -> None:
    wrong = WITHOUT_REGIONS.replace("{depth = 70 : i64}", '{depth = "70"}', 1)
    done = _run(tool, wrong, tmp_path)
    assert done.returncode != 0
    assert "builtin.integer" in done.stderr


@pytest.mark.parametrize("tool", TOOLS)
def test_stock_tool_reads_regions_without_verifier(tool: str, tmp_path: Path) -> None:
    done = _run(tool, EXAMPLES["yield"], tmp_path)
    assert "block with no terminator" in done.stderr
    flag = "--mlir-very-unsafe-disable-verifier-on-parsing"
    done = _run(tool, EXAMPLES["yield"], tmp_path, flag)
    assert done.returncode == 0, done.stderr
    assert '"fsa.stitched_region"' in done.stdout
