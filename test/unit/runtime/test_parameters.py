"""Parameter archives: what goes there, who reads them, and wrong ones."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from deployed import COLUMNS, DEPTH, argument, check, compiled, text, weights

import fsa
from fsa.errors import InputError
from fsa.runtime.parameters import keys_of

KINDS = """
func.func @main(%x: tensor<600xf32>) -> (tensor<600xf16>, tensor<600xbf16>, tensor<600xi8>,
    tensor<600xi64>, tensor<600xf64>, tensor<600xi1>, tensor<600xf32>, tensor<4xf32>) {{
  {constants}
  %splat = arith.constant dense<2.0> : tensor<600xf32>
  %small = arith.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  return %f16, %bf16, %i8, %i64, %f64, %i1, %splat, %small : tensor<600xf16>, tensor<600xbf16>,
    tensor<600xi8>, tensor<600xi64>, tensor<600xf64>, tensor<600xi1>, tensor<600xf32>, tensor<4xf32>
}}
"""


def test_weights_are_beside_the_module(tmp_path):
    archive = tmp_path / "model.irpa"
    module = compiled("cpu", archive)
    check(module)
    module.save(tmp_path / "model.vmfb")
    assert list(keys_of(archive).values()) == [DEPTH * COLUMNS * 4]
    assert weights().tobytes() in archive.read_bytes()
    assert weights().tobytes() not in (tmp_path / "model.vmfb").read_bytes()
    check(fsa.load(tmp_path / "model.vmfb", parameters=archive))


@pytest.mark.vulkan
def test_targets_share_an_archive(tmp_path):
    archive = tmp_path / "model.irpa"
    compiled("cpu,cpu:generic,vulkan", archive).save(tmp_path / "model.fsa")
    assert len(keys_of(archive)) == 1
    for device in ("cpu", "vulkan"):
        check(fsa.load(tmp_path / "model.fsa", device, parameters=archive))


def test_element_types_and_what_stays(tmp_path):
    """Splats, small constants and elements of less than a byte stay in the module."""
    values = np.arange(600) % 100
    constants = []
    for kind in ("f16", "bf16", "f64"):
        items = ", ".join(f"{value}.0" for value in values)
        constants.append(f"%{kind} = arith.constant dense<[{items}]> : tensor<600x{kind}>")
    for kind in ("i8", "i64"):
        items = ", ".join(map(str, values))
        constants.append(f"%{kind} = arith.constant dense<[{items}]> : tensor<600x{kind}>")
    items = ", ".join(str(bool(value % 2)).lower() for value in values)
    constants.append(f"%i1 = arith.constant dense<[{items}]> : tensor<600xi1>")
    archive = tmp_path / "kinds.irpa"
    module = fsa.compile(
        KINDS.format(constants="\n  ".join(constants)),
        pipeline="fsa-to-linalg",
        parameters=archive,
    )
    # i8 is below the least size; its neighbours of 1200 bytes and more are not.
    assert sorted(keys_of(archive).values()) == [1200, 1200, 4800, 4800]
    *results, splat, small = module(np.zeros(600, np.float32))
    for result in results[:5]:
        np.testing.assert_array_equal(np.asarray(result, np.float64), values)
    np.testing.assert_array_equal(results[5], values % 2 == 1)
    assert (splat == 2).all()
    np.testing.assert_array_equal(small, [1, 2, 3, 4])


def test_stock_tools_give_the_same_numbers(tmp_path):
    archive, path = tmp_path / "model.irpa", tmp_path / "model.vmfb"
    module = compiled("cpu", archive)
    module.save(path)
    np.save(tmp_path / "x.npy", argument())
    subprocess.run(
        [
            str(Path(sys.executable).parent / "iree-run-module"),
            f"--module={path}",
            f"--parameters=model={archive}",
            "--device=local-task",
            "--function=main",
            f"--input=@{tmp_path / 'x.npy'}",
            f"--output=@{tmp_path / 'y.npy'}",
        ],
        capture_output=True,
        timeout=60,
        check=True,
    )
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), module(argument()))


def test_wrong_archives(tmp_path):
    archive, path = tmp_path / "model.irpa", tmp_path / "model.vmfb"
    compiled("cpu", archive).save(path)
    compiled("cpu", tmp_path / "other.irpa", seed=1)
    (tmp_path / "text.irpa").write_text("weights")
    (tmp_path / "cut.irpa").write_bytes(archive.read_bytes()[:700])
    (tmp_path / "empty.irpa").write_bytes(b"")
    for given, reason in [
        (None, "keeps its weights in a parameter archive"),
        ("missing.irpa", "cannot read"),
        ("text.irpa", "expected a parameter archive"),
        ("cut.irpa", "expected a parameter archive"),
        ("empty.irpa", "expected a parameter archive"),
        ("other.irpa", "expected the parameter archive that was written with it"),
    ]:
        with pytest.raises(InputError) as caught:
            fsa.load(path, parameters=given if given is None else tmp_path / given)
        assert reason in str(caught.value)
        assert "\n" not in str(caught.value)
    for wrong in (tmp_path / "model.bin", 3):
        with pytest.raises(InputError, match=r"^expected"):
            fsa.compile(text(), parameters=wrong)
    with pytest.raises(InputError, match=r"^cannot write"):
        fsa.compile(text(), pipeline="fsa-to-linalg", parameters=tmp_path / "no" / "model.irpa")


def test_an_archive_is_not_needed_where_no_constant_is_large(tmp_path):
    source = "func.func @main(%a: i32) -> i32 { return %a : i32 }"
    module = fsa.compile(source, pipeline="fsa-to-linalg", parameters=tmp_path / "none.irpa")
    assert module(3) == 3
    assert keys_of(tmp_path / "none.irpa") == {}
