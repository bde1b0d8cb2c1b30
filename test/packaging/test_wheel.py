"""The built wheel works on its own: installed in a fresh environment, it compiles and runs."""

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

PROGRAM = """
import numpy as np, fsa
module = fsa.compile('''
  func.func @main(%x: tensor<3x40xf32>) -> tensor<3x2xi32> {
    %0 = "fsa.pack_bits"(%x) : (tensor<3x40xf32>) -> tensor<3x2xi32>
    return %0 : tensor<3x2xi32>
  }''', target="cpu")
x = np.linspace(-1, 1, 120, dtype=np.float32).reshape(3, 40)
assert (module(x) == fsa.reference("pack_bits")(x)).all()
print(fsa.__file__)
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The sdist, and the wheel that is built from it."""
    out = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--outdir", str(out), str(ROOT)],
        check=True,
        capture_output=True,
    )
    return {"wheel": next(out.glob("*.whl")), "sdist": next(out.glob("*.tar.gz"))}


def test_wheel_holds_code_and_data_and_no_tests(built: dict[str, Path]) -> None:
    names = zipfile.ZipFile(built["wheel"]).namelist()
    for wanted in (
        "fsa/dialects/fsa/SPEC.md",
        "fsa/dialects/fsa/fsa.irdl.mlir",
        "fsa/py.typed",
        "fsa/explanation/page/page.html",
        "fsa/passes/convert_fsa_to_linalg.py",
    ):
        assert wanted in names
    assert [name for name in names if name.startswith(("test/", "examples/", "typings/"))] == []


def test_wheel_works_in_a_fresh_environment(built: dict[str, Path], tmp_path: Path) -> None:
    venv.create(tmp_path / "env")
    scripts = tmp_path / "env/bin"

    def run(*command: str) -> str:
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    # The pip of this environment, and no byte code of what is imported once: it is the wheel and
    # its dependencies that are tested.
    pip = (sys.executable, "-m", "pip", "--python", str(scripts / "python"))
    run(*pip, "install", "--quiet", "--no-compile", str(built["wheel"]))
    assert "fsa-opt" in run(str(scripts / "fsa-opt"), "--version")
    assert str(tmp_path / "env") in run(str(scripts / "python"), "-c", PROGRAM)
    (tmp_path / "in.mlir").write_text(
        "func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {\n  return %x : tensor<2xf32>\n}\n"
    )
    run(str(scripts / "fsa"), "compile", "in.mlir", "--target", "cpu", "-o", "out.vmfb")
    assert (tmp_path / "out.vmfb").stat().st_size > 0
