"""Runs the lit suite; each lit file is one pytest result."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent / "lit"
LIT = [sys.executable, "-c", "import lit.main; lit.main.main()"]
FILES = sorted(
    str(path.relative_to(ROOT))
    for suffix in ("*.mlir", "*.test")
    for path in ROOT.rglob(suffix)
    if not {"Output", "Inputs"} & set(path.parts)
)


def run_lit(files: list[str], folder: Path) -> dict[str, Any]:
    """Run lit over `files`; return file -> lit's record."""
    output = folder / "results.json"
    run = subprocess.run(
        [*LIT, "-q", "--output", str(output), *(str(ROOT / file) for file in files)],
        env={**os.environ, "FSA_LIT_OUTPUT": str(folder / "out")},
        capture_output=True,
        text=True,
        check=False,
        timeout=3600,
    )
    if not output.exists():
        pytest.fail(f"lit did not run: {run.stdout}{run.stderr}")
    tests = json.loads(output.read_text(encoding="utf-8"))["tests"]
    return {test["name"].partition(" :: ")[2]: test for test in tests}


@pytest.fixture(scope="session")
def lit_results(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> dict[str, Any]:
    """The records of all lit files that this pytest run selected, from one run of lit."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        return {}  # the files are spread over workers: each test runs its own
    selected = [
        item.callspec.params["file"]
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.originalname == "test_lit"
    ]
    return run_lit(selected, tmp_path_factory.mktemp("lit"))


@pytest.mark.parametrize("file", FILES)
def test_lit(file: str, lit_results: dict[str, Any], tmp_path: Path) -> None:
    record = (lit_results or run_lit([file], tmp_path)).get(file)
    assert record is not None, f"lit did not discover {file}"
    if record["code"] == "UNSUPPORTED":
        pytest.skip((record["output"] or "unsupported").strip().splitlines()[-1])
    if record["code"] == "XFAIL":
        pytest.xfail("marked XFAIL in the file")
    assert record["code"] in ("PASS", "FLAKYPASS"), record["output"]
