"""The package map of pyproject.toml, the guards and the link farm say the same as the folders."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SETUPTOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
MAPPED = {name: folder for name, folder in SETUPTOOLS["package-dir"].items() if name != "fsa"}


def _package_of(folder: Path) -> str:
    top, *rest = folder.relative_to(ROOT).parts
    return ".".join(["fsa", *([] if top == "fsa" else [top]), *rest])


def test_every_package_folder_is_listed() -> None:
    found = {
        _package_of(init.parent)
        for top in ("fsa", *MAPPED.values())
        for init in (ROOT / top).rglob("__init__.py")
    }
    assert found == set(SETUPTOOLS["packages"])


def test_link_farm_covers_everything_importable() -> None:
    links = {path.name: path.resolve() for path in (ROOT / "typings/fsa").iterdir()}
    wanted = {folder: ROOT / folder for folder in MAPPED.values()} | {
        path.name: path for path in (ROOT / "fsa").iterdir() if path.name != "__pycache__"
    }
    assert links == wanted


@pytest.mark.parametrize("folder", sorted(MAPPED.values()))
def test_top_level_folder_refuses_its_bare_name(folder: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"import {folder}"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert f"import fsa.{folder}, not {folder}" in done.stderr


def test_only_the_bindings_module_imports_torch_mlir() -> None:
    offenders = [
        str(path.relative_to(ROOT))
        for top in ("fsa", *MAPPED.values())
        for path in (ROOT / top).rglob("*.py")
        if path != ROOT / "fsa/bindings.py" and "import torch_mlir" in path.read_text()
    ]
    assert offenders == []
