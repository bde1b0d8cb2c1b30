"""`fsa`: every wrong input ends in one sentence on standard error, exit code 1, no traceback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fsa
from fsa.errors import CallError, FsaError
from fsa.tools.main import main

GOOD = """func.func @main(%a: tensor<2x3xf32>, %s: i32) -> tensor<2x3xf32> {
  %b = arith.addf %a, %a : tensor<2x3xf32>
  return %b : tensor<2x3xf32>
}
"""
TWO = "func.func @f() { return }\nfunc.func @g() { return }"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Return a folder with good and bad files."""
    folder = tmp_path_factory.mktemp("files")
    fsa.compile(GOOD, target="cpu", pipeline="fsa-to-linalg").save(folder / "good.vmfb")
    fsa.compile(TWO, target="cpu", pipeline="fsa-to-linalg").save(folder / "two.vmfb")
    fsa.compile(GOOD, target="cuda", pipeline="fsa-to-linalg").save(folder / "cuda.vmfb")
    data = (folder / "good.vmfb").read_bytes()
    (folder / "cut.vmfb").write_bytes(data[: len(data) // 2])
    (folder / "cut-end.vmfb").write_bytes(data[:-1])
    (folder / "damaged.vmfb").write_bytes(data[:-100] + b"x" + data[-99:])
    (folder / "empty.vmfb").write_bytes(b"")
    (folder / "text.vmfb").write_text("this is no module")
    (folder / "zeros.vmfb").write_bytes(bytes(4096))
    texts = {
        "good": GOOD,
        "malformed": "func.func @main(%a: tensor<2x3xf32>",
        "empty": "",
        "comment": "// nothing\n",
        "unknown-op": "func.func @main() { fsa.nothing }",
        "unknown-dialect": 'func.func @main() { "nope.op"() : () -> () return }',
        "type-mismatch": "func.func @main(%a: i32) -> f32 { return %a : i32 }",
        "undefined-value": "func.func @main() -> i32 { return %x : i32 }",
        "bad-fsa-op": 'func.func @main(%a: tensor<4xi32>) { "fsa.squash"(%a) {epsilon = 1.0 : f64}'
        " : (tensor<4xi32>) -> tensor<4xi32> return }",
        "memref": "func.func @main(%a: memref<3xf32>) { return }",
        "vector": "func.func @main() -> vector<2xf32> "
        "{ %c = arith.constant dense<1.0> : vector<2xf32> return %c : vector<2xf32> }",
        "unranked": "func.func @main(%a: tensor<*xf32>) { return }",
        "half": "func.func @main(%a: f16) -> f16 { return %a : f16 }",
        "four-bits": "func.func @main(%a: tensor<3xi4>) { return }",
        "indices": "func.func @main(%a: tensor<3xindex>) { return }",
        "private": "func.func private @main(%a: tensor<3xf32>) { return }",
        "declared": "func.func private @f()\nfunc.func @main() { call @f() : () -> () return }",
        "f64": "func.func @main(%a: tensor<3xf64>) -> tensor<3xf64> { return %a : tensor<3xf64> }",
    }
    for name, text in texts.items():
        (folder / f"{name}.mlir").write_text(text)
    (folder / "binary.mlir").write_bytes(b"\xff\xfe\x00\x01")
    (folder / "bytecode.mlirbc").write_bytes(b"ML\xefR\x06garbage")
    np.save(folder / "x.npy", np.ones((2, 3), np.float32))
    np.save(folder / "wrong.npy", np.ones((2, 4), np.float32))
    np.save(folder / "object.npy", np.array([{}], object), allow_pickle=True)
    (folder / "cut.npy").write_bytes((folder / "x.npy").read_bytes()[:40])
    (folder / "text.npz").write_text("no arrays")
    (folder / "folder.vmfb").mkdir()
    return folder


ONES, FIVE = ("--input", "2x3xf32=1"), ("--input", "i32=5")
RUN = {
    "no file": (("missing.vmfb",), "cannot read"),
    "a folder": (("folder.vmfb",), "cannot read"),
    "cut": (("cut.vmfb", *ONES, *FIVE), "expected a compiled module"),
    "empty": (("empty.vmfb",), "expected a compiled module"),
    "text": (("text.vmfb",), "expected a compiled module"),
    "zeros": (("zeros.vmfb",), "expected a compiled module"),
    "source": (("good.mlir",), "expected a compiled module"),
    "no arguments": (("good.vmfb",), "@main expected 2 arguments, found 0"),
    "one argument": (("good.vmfb", *ONES), "expected 2 arguments, found 1"),
    "three arguments": (("good.vmfb", *ONES, *FIVE, *FIVE), "expected 2 arguments, found 3"),
    "shape": (("good.vmfb", "--input", "2x4xf32=1", *FIVE), "expected tensor<2x3xf32>, found"),
    "rank": (("good.vmfb", "--input", "6xf32=1", *FIVE), "expected tensor<2x3xf32>, found"),
    "dtype": (("good.vmfb", "--input", "2x3xi32=1", *FIVE), "expected tensor<2x3xf32>, found"),
    "scalar for tensor": (("good.vmfb", *FIVE, *FIVE), "expected tensor<2x3xf32>"),
    "tensor for scalar": (("good.vmfb", *ONES, *ONES), "expected a scalar i32"),
    "float for integer": (("good.vmfb", *ONES, "--input", "f32=5"), "expected a scalar i32"),
    "too large": (("good.vmfb", *ONES, "--input", "i64=99999999999"), "expected a scalar i32"),
    "shape in file": (("good.vmfb", "--input", "wrong.npy", *FIVE), "expected tensor<2x3xf32>"),
    "no input file": (("good.vmfb", "--input", "no.npy", *FIVE), "cannot read"),
    "objects": (("good.vmfb", "--input", "object.npy", *FIVE), "without objects"),
    "cut input": (("good.vmfb", "--input", "cut.npy", *FIVE), "expected NumPy arrays"),
    "text input": (("good.vmfb", "--input", "text.npz", *FIVE), "expected NumPy arrays"),
    "input syntax": (("good.vmfb", "--input", "2by3", *FIVE), "expected an input such as"),
    "element type": (("good.vmfb", "--input", "2x3xq32=1", *FIVE), "expected an element type"),
    "value count": (("good.vmfb", "--input", "2x3xf32=1,2", *FIVE), "expected 1 or 6 values"),
    "value": (("good.vmfb", "--input", "2x3xf32=one", *FIVE), "expected numbers"),
    "value range": (("good.vmfb", *ONES, "--input", "i8=300"), "expected numbers of type int8"),
    "huge": (("good.vmfb", "--input", "99999x99999x99xf32=1"), "expected an input of at most"),
    "function": (("good.vmfb", "--function", "mian"), "expected a function of the module (main)"),
    "two functions": (("two.vmfb",), "name one"),
    "device": (("good.vmfb", "--device", "gpu"), "expected a device of kind"),
    "no device": (("good.vmfb", "--device", ""), "expected a device of kind"),
    "no function": (("good.vmfb", "--function", ""), "expected a function of the module (main)"),
    "damaged": (("damaged.vmfb", *ONES, *FIVE), "it is damaged"),
    "without its end": (("cut-end.vmfb", *ONES, *FIVE), "its end is missing"),
    "cpu device": (("good.vmfb", "--device", "cpu:fast"), "cpu:sync or cpu:task"),
    "vulkan number": (("good.vmfb", "--device", "vulkan:x"), "vulkan:<number>"),
    "vulkan count": (("good.vmfb", "--device", "vulkan:99"), "; this machine has cpu:sync"),
    "device of another kind": (
        ("cuda.vmfb", "--device", "cpu", *ONES, *FIVE),
        "compiled for cuda:sm_89",
    ),
    "output": (("good.vmfb", *ONES, *FIVE, "--output", "y.txt"), "ends in .npy or .npz"),
    "output folder": (("good.vmfb", *ONES, *FIVE, "--output", "no/y.npy"), "cannot write"),
    "option": (("good.vmfb", "--inptu", "1"), "No such option"),
    "no module": ((), "Missing argument"),
}
COMPILE = {
    "no file": (("missing.mlir",), "cannot read"),
    "malformed": (("malformed.mlir",), "malformed.mlir:1:35: expected"),
    "empty": (("empty.mlir",), "expected an MLIR module"),
    "unknown op": (("unknown-op.mlir",), "fsa.nothing"),
    "unknown dialect": (("unknown-dialect.mlir",), "unregistered dialect"),
    "types": (("type-mismatch.mlir",), "type-mismatch.mlir:1:"),
    "undefined": (("undefined-value.mlir",), "undeclared SSA value"),
    "fsa op": (("bad-fsa-op.mlir",), "squash"),
    "binary": (("binary.mlir",), "expected MLIR as UTF-8"),
    "bytecode": (("bytecode.mlirbc",), "bytecode.mlirbc: "),
    "target": (("good.mlir", "--target", "cup"), "did you mean 'cpu"),
    "cpu": (("good.mlir", "--target", "cpu:zen4"), "expected a known CPU"),
    "cuda": (("good.mlir", "--target", "cuda:sm_1"), "expected a known CUDA architecture"),
    "vulkan": (("good.mlir", "--target", "vulkan:sm_89"), "expected a known Vulkan target"),
    "pipeline": (("good.mlir", "--pipeline", "fsa-to-linlag"), "fsa-to-linalg"),
    "pipeline text": (("good.mlir", "--pipeline", "builtin.module("), "expected"),
    "f64": (("f64.mlir", "--target", "vulkan"), "has no f64"),
    "no pipeline": (("good.mlir", "--pipeline", ""), "expected the name of a pipeline"),
    "memref": (("memref.mlir",), "found memref<3xf32> as argument 0 (memref.mlir:1:1)"),
    "vector": (("vector.mlir",), "found vector<2xf32> as result 0"),
    "unranked": (("unranked.mlir",), "found tensor<*xf32> as argument 0"),
    "half": (("half.mlir",), "found f16 as argument 0; use tensor<f16>"),
    "four bits": (("four-bits.mlir",), "no array has elements of type i4"),
    "indices": (("indices.mlir",), "use i64 for index"),
    "private": (("private.mlir",), "at least one public function"),
    "declared": (("declared.mlir",), "a call of the declaration @f (declared.mlir:2:21)"),
    "output": (("good.mlir", "-o", "no/such/folder.vmfb"), "cannot write"),
}


def check(arguments, reason, files, capsys, monkeypatch):
    monkeypatch.chdir(files)
    assert main(list(arguments)) == 1
    error = capsys.readouterr().err
    assert reason in error
    assert error.startswith("fsa: error: ")
    assert "Traceback" not in error
    assert len(error.strip().splitlines()) == 1


@pytest.mark.parametrize("name", RUN)
def test_run(name, files, capsys, monkeypatch):
    arguments, reason = RUN[name]
    check(("run", *arguments), reason, files, capsys, monkeypatch)


@pytest.mark.parametrize("name", COMPILE)
def test_compile(name, files, capsys, monkeypatch):
    arguments, reason = COMPILE[name]
    check(("compile", *arguments), reason, files, capsys, monkeypatch)


def test_unknown_command(capsys):
    assert main(["compil"]) == 1
    assert "did you mean 'compile'?" in capsys.readouterr().err


@pytest.mark.parametrize("seed", range(4))
def test_damaged_modules_do_not_end_the_process(files, seed):
    """Flip one bit anywhere, or cut the end off; loading says so in one sentence."""
    code = """
import sys, random
from fsa.errors import FsaError
from fsa.runtime.module import Module
data = open(sys.argv[1], "rb").read()
generator = random.Random(int(sys.argv[2]))
for round in range(80):
    place = generator.randrange(len(data))
    damaged = bytearray(data if round % 2 else data[:place])
    if round % 2:
        damaged[place] ^= 1 << generator.randrange(8)
    try:
        Module(bytes(damaged)).open()
    except FsaError as error:
        assert "\\n" not in str(error), error
    else:
        raise AssertionError(f"round {round} loads")
"""
    subprocess.run(
        [sys.executable, "-c", code, str(files / "good.vmfb"), str(seed)], check=True, timeout=120
    )


ARGUMENTS = {
    "object": (object(), "expected tensor<2x3xf32>, found an object of type object"),
    "none": (None, "found an object of type NoneType"),
    "text": ("1", "found an object of type str"),
    "ragged": ([[1, 2], [3]], "found a ragged list"),
    "double": (np.ones((2, 3)), "found float64 of shape [2, 3]"),
    "strings": (np.array([["a"] * 3] * 2), "expected tensor<2x3xf32>"),
    "objects": (np.array([[None] * 3] * 2), "expected tensor<2x3xf32>"),
    "complex": (np.ones((2, 3), complex), "found complex128"),
    "nan list": ([[float("nan")] * 4], "found"),
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_call(name, files):
    argument, reason = ARGUMENTS[name]
    with pytest.raises(CallError) as caught:
        fsa.load(files / "good.vmfb")(argument, 5)
    assert reason in str(caught.value)


WRONG_TYPES = {
    "source": (lambda: fsa.compile(5), "found an object of type int"),
    "source that is no path": (lambda: fsa.compile("model.onnx"), "cannot read model.onnx"),
    "zero byte": (lambda: fsa.compile("a\0b.mlir"), "cannot read"),
    "surrogate": (lambda: fsa.compile("func.func @\udc80() { return }\n"), "<text>:1:12: "),
    "target": (lambda: fsa.compile(GOOD, target=None), "expected a target as text or Target"),
    "pipeline": (lambda: fsa.compile(GOOD, pipeline=3), "expected a pipeline as text or None"),
    "path": (lambda: fsa.load(3.5), "expected the path of a file, found 3.5"),
    "zero byte in a path": (lambda: fsa.load("a\0b"), "cannot read"),
    "reference": (lambda: fsa.reference("fsa.launch"), "expected an op that has a reference"),
    "reference of a number": (lambda: fsa.reference(5), "expected an op that has a reference"),
}


@pytest.mark.parametrize("name", WRONG_TYPES)
def test_wrong_types(name):
    call, reason = WRONG_TYPES[name]
    with pytest.raises(FsaError) as caught:
        call()
    assert reason in str(caught.value)


def test_wrong_uses_of_a_module(files):
    with pytest.raises(FsaError, match="expected the name of a device, such as cpu or vulkan"):
        fsa.load(files / "good.vmfb", 3)
    module = fsa.load(files / "good.vmfb")
    with pytest.raises(FsaError, match="expected the path of a file, found None"):
        module.save(None)
    with pytest.raises(FsaError, match="expected an array, found list"):
        module.to_device([[1], [2, 3]])
    with pytest.raises(FsaError, match="expected an array without a mask"):
        module(np.ma.masked_equal(np.ones((2, 3), np.float32), 1), 5)
    assert (module(np.ones((2, 3), np.float32), np.array(5)) == 2).all()


def test_no_command_shows_the_help(capsys):
    assert main([]) == 1
    assert capsys.readouterr().err.startswith("Usage: fsa")


@pytest.mark.vulkan
def test_tensor_on_another_device(files):
    other = fsa.compile(GOOD, target="vulkan", pipeline="fsa-to-linalg").to_device(
        np.ones((2, 3), np.float32)
    )
    with pytest.raises(CallError, match="expected a tensor on cpu:sync, found one on vulkan"):
        fsa.load(files / "good.vmfb", "cpu:sync")(other, 5)


def test_good_calls(files, capsys, monkeypatch):
    monkeypatch.chdir(files)
    assert main(["run", "good.vmfb", "--input", "x.npy", "--input", "i32=0"]) == 0
    assert "2x3xfloat32" in capsys.readouterr().out
    for output in ("y.npy", "y.npz"):
        assert main(["run", "good.vmfb", *ONES, *FIVE, "--output", output]) == 0
    assert (np.load("y.npy") == 2).all()
    assert (np.load("y.npz")["result_0"] == 2).all()
    assert main(["compile", "good.mlir", "-o", "again.vmfb"]) == 0
    assert "@main(tensor<2x3xf32>, i32) -> (tensor<2x3xf32>)" in capsys.readouterr().out
    assert Path("again.vmfb").stat().st_size > 1000


@pytest.mark.parametrize(
    "arguments", [["--help"], ["compile", "-h"], ["run", "-h"], ["doctor", "-h"]]
)
def test_help_has_examples(arguments, capsys):
    assert main(arguments) == 0
    assert "Examples:" in capsys.readouterr().out
