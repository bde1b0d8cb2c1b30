"""StableHLO text through the compiler, without JAX."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from arrays import floats

import fsa
from fsa.errors import CallError, InputError
from fsa.frontend.model import read_model
from fsa.runtime.devices import available

TARGETS = [
    "cpu",
    *(["vulkan"] if any(device.kind == "vulkan" for device in available()) else []),
]
ERF = """
func.func public @main(%x: tensor<4x5xf32>) -> tensor<4x5xf32> {
  %0 = chlo.erf %x : tensor<4x5xf32> -> tensor<4x5xf32>
  return %0 : tensor<4x5xf32>
}
"""
SORT = """
func.func @main(%x: tensor<3x7xf32>) -> tensor<3x7xf32> {
  %0 = "stablehlo.sort"(%x) <{dimension = 1 : i64, is_stable = true}> ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    %1 = stablehlo.compare LT, %a, %b : (tensor<f32>, tensor<f32>) -> tensor<i1>
    stablehlo.return %1 : tensor<i1>
  }) : (tensor<3x7xf32>) -> tensor<3x7xf32>
  return %0 : tensor<3x7xf32>
}
"""
TWO = """
func.func @double(%x: tensor<?xf32>) -> tensor<?xf32> {
  %0 = stablehlo.add %x, %x : tensor<?xf32>
  return %0 : tensor<?xf32>
}
func.func @unsigned(%x: tensor<3xui8>) -> (tensor<3xui8>, tensor<3xi8>) {
  %0 = stablehlo.convert %x : (tensor<3xui8>) -> tensor<3xi8>
  return %x, %0 : tensor<3xui8>, tensor<3xi8>
}
"""
WRONG = """
func.func @main(%x: tensor<3xf32>) -> tensor<3xf32> {
  %0 = stablehlo.custom_call @somewhere(%x) : (tensor<3xf32>) -> tensor<3xf32>
  return %0 : tensor<3xf32>
}
"""


def erf(x: Any) -> Any:
    from math import erf

    return np.vectorize(erf)(x.astype(np.float64))


@pytest.mark.parametrize("target", TARGETS)
def test_erf_is_one_op(target: str) -> None:
    assert "math.erf" in str(read_model(ERF))
    x = floats((4, 5), np.float32, scale=2.0)
    np.testing.assert_allclose(fsa.compile(ERF, target=target)(x), erf(x), atol=1e-6)


@pytest.mark.parametrize("target", TARGETS)
def test_op_that_only_iree_has_crosses_as_a_function(target: str) -> None:
    module = read_model(SORT)
    assert "fsa.foreign_body" in str(module)
    x = floats((3, 7), np.float32)
    np.testing.assert_array_equal(fsa.compile(module, target=target)(x), np.sort(x, 1))


def test_functions_keep_names_signs_and_open_sizes(tmp_path: Path) -> None:
    (tmp_path / "two.mlir").write_text(TWO)
    module = fsa.compile(tmp_path / "two.mlir")
    x = np.arange(5, dtype=np.float32)
    np.testing.assert_array_equal(module.functions["double"](x), 2 * x)
    same, signed = module.functions["unsigned"](np.array([1, 128, 255], np.uint8))
    assert (same.dtype, signed.dtype) == (np.uint8, np.int8)
    np.testing.assert_array_equal(same, [1, 128, 255])
    with pytest.raises(CallError, match=r"argument 0 \(x\) of @double|argument 0 of @double"):
        module.functions["double"](np.zeros(3))


def test_portable_artifact_and_bytecode_are_read(tmp_path: Path) -> None:
    from fsa.bindings import ir, load_extensions, stablehlo_extension

    with ir.Context() as context:
        load_extensions(context, {"stablehlo"})
        version = stablehlo_extension.get_minimum_version()
        text = TWO.split("func.func @unsigned", maxsplit=1)[0]
        artifact = stablehlo_extension.serialize_portable_artifact_str(text, version)
        ir.Module.parse(text).operation.write_bytecode(str(tmp_path / "two.mlirbc"))
    for source in (artifact, tmp_path / "two.mlirbc"):
        assert "linalg.generic" in str(read_model(source))


def test_op_without_lowering_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "wrong.mlir"
    path.write_text(WRONG)
    with pytest.raises(InputError, match=rf"custom_call of somewhere is not supported.*{path}:3:8"):
        read_model(path)
    with pytest.raises(InputError, match="<text>:3:"):
        read_model(WRONG.replace("custom_call @somewhere(%x)", "nothing %x"))


def test_comment_does_not_make_stablehlo() -> None:
    text = "// no stablehlo.add here\nfunc.func @f(%x: tensor<3xf32>) { return }"
    assert "fsa" not in str(read_model(text).operation.attributes)


def test_program_for_several_devices_is_refused() -> None:
    split = f"module attributes {{mhlo.num_partitions = 2 : i32}} {{ {ERF} }}"
    with pytest.raises(InputError, match="expected a program for one device, found 2 partitions"):
        read_model(split)
