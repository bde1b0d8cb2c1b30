"""One file for several targets, weights beside it, a cache, listings, and IREE's own tools."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import fsa
from fsa.examples import binarized_mlp
from fsa.runtime.devices import available
from fsa.runtime.emit import listing

SIDE = 28
TARGETS = "cpu:x86-64-v3,cpu:generic,vulkan,cuda"


def several_targets(model: object, x: np.ndarray, folder: Path) -> np.ndarray:
    """Write one file for all targets; load it on each device that is here."""
    archive = folder / "digits.irpa"
    fsa.compile(model, target=TARGETS, parameters=archive).save(folder / "digits.fsa")
    sizes = {path.name: path.stat().st_size for path in sorted(folder.glob("digits.*"))}
    print(f"one file for {TARGETS}, weights beside it: {sizes}")
    results: dict[str, np.ndarray] = {}
    for kind in dict.fromkeys(info.kind for info in available()):
        loaded = fsa.load(folder / "digits.fsa", kind, parameters=archive)
        results[kind] = loaded(x)
        print(f"  {kind}: took the variant for {loaded.target}")
    for kind, found in results.items():
        np.testing.assert_allclose(found, results["cpu"], rtol=1e-4, atol=1e-4, err_msg=kind)
    return results["cpu"]


def stock_tools(model: object, x: np.ndarray, expected: np.ndarray, folder: Path) -> None:
    """Run a module with weights in an archive under `iree-run-module`."""
    module = fsa.compile(model, target="cpu", parameters=folder / "cpu.irpa")
    module.save(folder / "cpu.vmfb")
    np.save(folder / "x.npy", x)
    tool = Path(sys.executable).parent / "iree-run-module"
    command = [
        str(tool),
        "--device=local-task",
        f"--module={folder / 'cpu.vmfb'}",
        f"--parameters=model={folder / 'cpu.irpa'}",
        f"--function={module.entry_name()}",
        f"--input=@{folder / 'x.npy'}",
        f"--output=@{folder / 'y.npy'}",
    ]
    subprocess.run(command, check=True, capture_output=True)
    np.testing.assert_allclose(np.load(folder / "y.npy"), expected, rtol=1e-4, atol=1e-4)
    print("iree-run-module gives the same scores")


def listings(model: object) -> None:
    """Look at what becomes of the model for each target."""
    functions = len(re.findall("func.func", listing(model, "mlir", target="cpu")))
    popcounts = listing(model, "asm", target="cpu:znver4").count("vpopcnt")
    entries = listing(model, "ptx", target="cuda").count(".entry")
    print(
        f"emit: {functions} functions in MLIR, {popcounts} vector popcounts in the assembly for "
        f"znver4, {entries} kernels in PTX"
    )


def main() -> None:
    """Run the example."""
    model = binarized_mlp.build(1, binarized_mlp.load())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ.update(FSA_CACHE="1", FSA_CACHE_DIR=str(folder / "cache"))
        x = np.random.default_rng(0).random((1, SIDE, SIDE)).astype(np.float32)
        expected = several_targets(model, x, folder)
        stock_tools(model, x, expected, folder)
        again = fsa.compile(model, target="cpu")  # from the cache
        np.testing.assert_allclose(again(x), expected, rtol=1e-4, atol=1e-4)
        command = [sys.executable, "-m", "fsa.tools.main", "cache"]
        print(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())
    listings(model)


if __name__ == "__main__":
    main()
