"""`fsa explain` from the command line."""

import json

import pytest

from fsa.tools.main import main

MODEL = """
func.func @main(%x: tensor<4x64xf32>, %b: tensor<4x64xf32>) -> tensor<4x64xf32> {
  %s = arith.addf %x, %b : tensor<4x64xf32>
  %e = math.exp %s : tensor<4x64xf32>
  return %e : tensor<4x64xf32>
}
"""
PIPELINE = "builtin.module(fsa-form-stitched-regions,fsa-to-cpu)"


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.mlir"
    path.write_text(MODEL)
    return path


def test_it_prints_regions_with_schemes_and_reasons(model, capsys):
    assert main(["explain", str(model), "--pipeline", PIPELINE]) == 0
    shown = capsys.readouterr().out
    assert "r0 @main: 2 ops -> 1 kernel" in shown
    assert "kernel 0: flat" in shown
    assert "A kernel reads each distinct tensor" in shown


def test_everything_shows_local_values_too(model, capsys):
    assert main(["explain", str(model), "--pipeline", PIPELINE, "--all"]) == 0
    assert "computed where it is used" in " ".join(capsys.readouterr().out.split())


def test_json_is_data_alone(model, capsys):
    assert main(["explain", str(model), "--pipeline", PIPELINE, "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["cost_after"]["kernels"] == 1
    assert data["model"] == "model.mlir"


def test_html_goes_to_a_file(model, tmp_path, capsys):
    path = tmp_path / "page.html"
    assert main(["explain", str(model), "--html", str(path)]) == 0
    assert str(path) in capsys.readouterr().out
    assert path.read_text().startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--input", "4xf32"], "expected --measure with --input, found --input alone"),
        (["--target", "cpu,vulkan"], "expected one target to explain, found 2"),
        (["--pipeline", "fsa-to-cpx"], "fsa-to-cpu"),
    ],
)
def test_a_wrong_call_gives_one_sentence(model, capsys, arguments, reason):
    assert main(["explain", str(model), *arguments]) == 1
    shown = capsys.readouterr().err
    assert reason in shown
    assert "Traceback" not in shown
