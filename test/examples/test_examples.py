"""Each numbered example runs as its README says, and the demo on the CPU."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fsa.examples import demo
from fsa.examples.packages import NEEDS, require

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = sorted((ROOT / "examples").glob("[0-9][0-9]-*"))
SMALL = {
    "02-binarized-mlp": ["--count", "20"],
    "03-capsule-network": ["--count", "5"],
    "10-binarized-training": ["--epochs", "1", "--count", "20"],
    "13-binarized-networks": ["--networks", "vgg", "--count", "100"],
}
NEEDS_TORCH = ("08-torch-compile", "10-binarized-training", "13-binarized-networks")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_example_runs(folder: Path) -> None:
    if folder.name in SMALL:
        pytest.importorskip("mlxtend")
    if folder.name in NEEDS_TORCH:
        pytest.importorskip("torch")
    done = subprocess.run(
        [sys.executable, folder / "run.py", *SMALL.get(folder.name, [])],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode and done.stderr.startswith(NEEDS):
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_example_says_how_to_run_it(folder: Path) -> None:
    text = (folder / "README.md").read_text()
    assert text.startswith(f"# {folder.name[:2]}: ")
    assert f"python examples/{folder.name}/run.py" in text


def _network(labels: list[int], expected: list[list[float]], bound: float = 0.5) -> demo.Network:
    inputs = [np.array([[float(i)]], np.float32) for i in range(len(expected))]
    return demo.Network(
        "fake", None, inputs, np.array(expected), 1e-3, labels=np.array(labels), bound=bound
    )


def test_demo_accepts_what_equals_the_reference() -> None:
    scores = [[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]
    row = demo.Row("fake", "cpu")
    demo._check(row, _network([0, 1, 0], scores), lambda x: [scores[int(x[0, 0])]], step=1)
    assert row.failures == []
    assert row.calls == 3
    assert row.accuracy == row.reference_accuracy == pytest.approx(2 / 3)


def test_demo_fails_on_a_difference_an_accuracy_and_a_bound() -> None:
    row = demo.Row("fake", "cpu")
    network = _network([0, 0], [[1.0, 0.0], [1.0, 0.0]], bound=0.9)
    demo._check(row, network, lambda x: [[x[0, 0], 0.5]], step=1)
    assert len(row.failures) == 3
    assert "expected the reference's accuracy 100.0%, found 50.0%" in row.failures[1]


def test_demo_fails_on_nan() -> None:
    row = demo.Row("fake", "cpu")
    demo._check(row, _network([0], [[1.0, 0.0]]), lambda _: [[np.nan, 0.0]], step=1)
    assert any("found nan" in failure for failure in row.failures)


def test_demo_without_any_device_fails() -> None:
    assert demo.main(["--devices", "cuda:99"]) == 1


def test_example_says_what_to_install() -> None:
    require({"numpy": "numpy"})
    with pytest.raises(SystemExit) as ended:
        require({"numpy": "numpy", "no_such_package": "--no-deps no-such-package"})
    assert str(ended.value) == (
        "this example needs no_such_package: run `pip install --no-deps no-such-package`"
    )
