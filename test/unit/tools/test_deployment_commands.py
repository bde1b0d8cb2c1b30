"""`fsa compile`, `inspect` and `cache`: what they write and print, and mistakes in one sentence."""

from __future__ import annotations

import pytest
from deployed import PLAIN, text

from fsa.errors import InputError
from fsa.runtime.module import Module
from fsa.tools.commands.shapes import parse_shapes
from fsa.tools.main import main


@pytest.fixture
def model(tmp_path, monkeypatch):
    """Stand in a folder with a model and a cache of this test's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FSA_CACHE", "1")
    monkeypatch.setenv("FSA_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "model.mlir").write_text(text())
    return tmp_path


def run(capsys, *arguments):
    code = main(list(arguments))
    captured = capsys.readouterr()
    assert code == 0, captured.err
    return captured.out


def refuse(capsys, *arguments):
    assert main(list(arguments)) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("fsa: error: ")
    assert captured.err.count("\n") == 1
    return captured.err


def test_several_targets_with_weights_beside(model, capsys):
    options = ("--target", "cpu,cpu:generic", "--pipeline", PLAIN, "--parameters", "w.irpa")
    out = run(capsys, "compile", "model.mlir", *options)
    assert "model.fsa" in out
    assert "w.irpa" in out
    out = run(capsys, "inspect", "model.fsa")
    assert "cpu:host: " in out
    assert "cpu:generic: " in out
    assert "weights in a parameter archive" in out
    assert "@main(tensor<4x16xf32>) -> (tensor<4x24xf32>)" in out
    assert "1 parameters, 1,536 bytes" in run(capsys, "inspect", "w.irpa")
    call = ("run", "model.fsa", "--input", "4x16xf32=0")
    assert "1., 1., 1." in run(capsys, *call, "--parameters", "w.irpa").replace("1. ", "1.")
    assert "keeps its weights in a parameter archive" in refuse(capsys, *call)
    assert "4 files" in run(capsys, "cache")
    assert "removed 4 files" in run(capsys, "cache", "clear")
    assert run(capsys, "cache", "path").strip() == str(model / "cache")


def test_one_target(model, capsysbinary):
    main(["compile", "model.mlir", "--pipeline", PLAIN, "--no-cache", "-o", "-"])
    assert list(Module(capsysbinary.readouterr().out).signatures) == ["main"]
    assert not list((model / "cache").glob("??"))


def test_listings_have_names_of_their_own(model, capsys):
    run(capsys, "compile", "model.mlir", "--pipeline", PLAIN, "--emit", "mlir")
    assert "linalg.matmul" in (model / "model.lowered.mlir").read_text()
    assert (model / "model.mlir").read_text() == text()
    out = run(capsys, "compile", "model.mlir", "--emit", "ptx", "--target", "cuda", "-o", "-")
    assert ".entry" in out


WRONG = {
    "twice": (("--target", "cpu,cpu"), "expected each target once"),
    "ptx of a cpu": (("--emit", "ptx"), "expected a cuda target with --emit ptx, found cpu:host"),
    "listing of several": (("--emit", "mlir", "--target", "cpu,cuda"), "expected one target"),
    "a form that is none": (("--emit", "assembly"), "expected --emit to be"),
    "a shape of MLIR": (("--shape", "x=1x2"), "expected no shapes with MLIR"),
    "a pass that is none": (("--skip", "fsa-fold"), "expected a clean-up pass to skip"),
    "skip with text": (
        ("--skip", "fsa-fold-layouts", "--pipeline", "builtin.module(cse)"),
        "expected passes to skip with the name of a pipeline",
    ),
    "an archive of another kind": (("--parameters", "w.bin"), "that ends in .irpa"),
    "a listing with an archive": (("--emit", "asm", "--parameters", "w.irpa"), "--emit vmfb"),
    "several to a terminal": (("--target", "cpu,cuda", "-o", "-"), "expected a file to write"),
}


@pytest.mark.parametrize("name", WRONG)
def test_mistakes(name, model, capsys):
    arguments, reason = WRONG[name]
    assert reason in refuse(capsys, "compile", "model.mlir", *arguments)


def test_mistakes_of_other_commands(model, capsys):
    assert "did you mean 'clear'" in refuse(capsys, "cache", "clean")
    for command in ("inspect", "run"):
        assert "found the model model.mlir: compile it" in refuse(capsys, command, "model.mlir")
    (model / "old.vmfb").write_bytes(b"old")
    assert "found the compiled module old.vmfb" in refuse(capsys, "compile", "old.vmfb")
    (model / "model.py").write_text("import torch")
    assert "expected a model in model.py;" in refuse(capsys, "compile", "model.py")
    assert "cannot read" in refuse(capsys, "inspect", "missing.fsa")
    assert "cannot read" in refuse(capsys, "inspect", "missing.irpa")


def test_shapes():
    assert parse_shapes(()) is None
    assert parse_shapes(("x=1x3x48x320", "input.1=2")) == {"x": (1, 3, 48, 320), "input.1": (2,)}
    assert parse_shapes(("x=?x3x?",)) == {"x": ("x_0", 3, "x_2")}
    assert parse_shapes(("x=batch,3", "y=batch,?", "z=n,")) == {
        "x": ("batch", 3),
        "y": ("batch", "y_1"),
        "z": ("n",),
    }
    assert parse_shapes(("a=b=4",)) == {"a=b": (4,)}


@pytest.mark.parametrize(
    "wrong", ["x", "=1", "x=", "x=batchx3", "x=1x", "x=-1", "x=1,,2", "x=a-b,"]
)
def test_shapes_that_are_none(wrong):
    with pytest.raises(InputError, match=r"^expected .*, found '"):
        parse_shapes((wrong,))


def test_one_shape_an_input():
    with pytest.raises(InputError, match="found two"):
        parse_shapes(("x=1", "x=2"))
