"""Modules: functions, results, scalars, dtypes, DLPack, threads and what a .vmfb carries."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

import fsa
from fsa.errors import CallError, DeviceUnavailable
from fsa.runtime.tensors import DeviceTensor

PLAIN = "fsa-to-linalg"
SEVERAL = """
func.func @sum_and_difference(%a: tensor<2x?xf32>, %b: tensor<2x?xf32>)
    -> (tensor<2x?xf32>, tensor<2x?xf32>) {
  %s = arith.addf %a, %b : tensor<2x?xf32>
  %d = arith.subf %a, %b : tensor<2x?xf32>
  return %s, %d : tensor<2x?xf32>, tensor<2x?xf32>
}
func.func @scalars(%a: i32, %b: f32, %c: index, %d: i64) -> (i32, f32, index, i64) {
  %e = arith.addi %a, %a : i32
  %f = arith.addf %b, %b : f32
  %g = arith.addi %c, %c : index
  %h = arith.addi %d, %d : i64
  return %e, %f, %g, %h : i32, f32, index, i64
}
func.func @identity(%a: tensor<?xf32>) -> tensor<?xf32> {
  return %a : tensor<?xf32>
}
func.func @constant() -> tensor<4xi32> {
  %c = arith.constant dense<[1, 2, 3, 4]> : tensor<4xi32>
  return %c : tensor<4xi32>
}
func.func @rank_zero(%a: tensor<f32>) -> tensor<f32> {
  %b = arith.addf %a, %a : tensor<f32>
  return %b : tensor<f32>
}
func.func @nothing(%a: tensor<2xf32>) {
  return
}
func.func private @hidden(%a: tensor<2xf32>) -> tensor<2xf32> {
  return %a : tensor<2xf32>
}
"""


@pytest.fixture(scope="module")
def several():
    return fsa.compile(SEVERAL, target="cpu", pipeline=PLAIN)


def elementwise(element: str, op: str) -> str:
    tensor = f"tensor<3x5x{element}>"
    return f"""
func.func @main(%a: {tensor}) -> {tensor} {{
  %b = {op} %a, %a : {tensor}
  return %b : {tensor}
}}"""


def test_private_functions_stay_private(several):
    assert sorted(several.signatures) == [
        "constant",
        "identity",
        "nothing",
        "rank_zero",
        "scalars",
        "sum_and_difference",
    ]


@pytest.mark.parametrize("columns", [1, 7])
def test_several_results(several, columns):
    a, b = np.random.default_rng(0).standard_normal((2, 2, columns)).astype(np.float32)
    total, difference = several.function("sum_and_difference")(a, b)
    np.testing.assert_array_equal(total, a + b)
    np.testing.assert_array_equal(difference, a - b)


def test_scalars(several):
    assert several.function("scalars")(21, 1.5, 2**33, -(2**62)) == (42, 3.0, 2**34, -(2**63))
    assert several.function("scalars")(np.int32(-4), np.float32(2), 0, 2)[0] == -8
    # 2^32 - 1 has the bits of -1.
    assert several.function("scalars")(2**32 - 1, 0.0, 0, 0)[0] == -2


def test_result_of_rank_zero_and_none(several):
    assert several.function("rank_zero")(np.float32(4)) == 8
    assert several.function("rank_zero")(np.array(4, np.float32)).shape == ()
    assert several.function("nothing")(np.zeros(2, np.float32)) is None


def test_returned_argument_is_no_alias(several):
    # Large enough and aligned: the argument is shared, not copied.
    memory = np.zeros(4096 + 64, np.uint8)
    start = -memory.ctypes.data % 64
    x = memory[start : start + 4096].view(np.float32)
    x[:] = 1
    y = several.function("identity")(x)
    x[:] = 2
    assert (y == 1).all()


def test_constant_outlives_its_module():
    module = fsa.compile(SEVERAL, target="cpu", pipeline=PLAIN)
    results = [module.function("constant")() for _ in range(3)]
    del module
    gc.collect()
    for result in results:
        np.testing.assert_array_equal(result, [1, 2, 3, 4])


def test_python_numbers_and_lists_are_arguments(several):
    y = several.function("identity")([1, 2.5, 3])
    np.testing.assert_array_equal(y, np.array([1, 2.5, 3], np.float32))


@pytest.mark.parametrize("length", [0, 1, 255, 256, 257, 5000])
@pytest.mark.parametrize("offset", [0, 1, 16])
def test_alignment_does_not_matter(several, length, offset):
    memory = np.arange(length + 64, dtype=np.float32)
    x = memory[offset : offset + length]
    np.testing.assert_array_equal(several.function("identity")(x), x)


def test_read_only_and_strided_arrays(several):
    x = np.arange(6000, dtype=np.float32)
    x.flags.writeable = False
    np.testing.assert_array_equal(several.function("identity")(x), x)
    np.testing.assert_array_equal(several.function("identity")(x[::-3]), x[::-3])
    big_endian = x.astype(">f4")
    np.testing.assert_array_equal(several.function("identity")(big_endian), x)


DTYPES = {
    "f16": np.float16,
    "bf16": ml_dtypes.bfloat16,
    "f32": np.float32,
    "f64": np.float64,
    "i8": np.int8,
    "i16": np.int16,
    "i32": np.int32,
    "i64": np.int64,
}


@pytest.mark.parametrize("element", DTYPES)
def test_dtypes_on_cpu(element):
    dtype = DTYPES[element]
    op = "arith.addf" if "f" in element else "arith.addi"
    module = fsa.compile(elementwise(element, op), target="cpu", pipeline=PLAIN)
    x = np.arange(15).reshape(3, 5).astype(dtype)
    y = module(x)
    assert y.dtype == dtype
    np.testing.assert_array_equal(y, x + x)
    np.testing.assert_array_equal(module(module.to_device(x)).numpy(), x + x)


def test_booleans():
    module = fsa.compile(elementwise("i1", "arith.xori"), target="cpu", pipeline=PLAIN)
    x = np.random.default_rng(1).random((3, 5)) < 0.5
    y = module(x)
    assert y.dtype == np.bool_
    assert not y.any()


def test_unsigned_words_pass_as_signless():
    module = fsa.compile(elementwise("i32", "arith.addi"), target="cpu", pipeline=PLAIN)
    x = np.full((3, 5), 2**31 + 3, np.uint32)
    np.testing.assert_array_equal(module(x), np.full((3, 5), 6, np.int32))


def test_resident_arguments_give_resident_results(several):
    a = several.to_device(np.ones((2, 3), np.float32))
    total, _ = several.function("sum_and_difference")(a, a)
    assert isinstance(total, DeviceTensor)
    assert total.shape == (2, 3)
    assert total.dtype == np.float32
    np.testing.assert_array_equal(total.numpy(), np.full((2, 3), 2, np.float32))
    again, _ = several.function("sum_and_difference")(total, np.ones((2, 3), np.float32))
    np.testing.assert_array_equal(np.asarray(again), np.full((2, 3), 3, np.float32))
    assert not total.numpy().flags.writeable


def test_resident_result_does_not_share_the_callers_array(several):
    x = np.ones((2, 512), np.float32)
    a = several.to_device(np.zeros((2, 512), np.float32))
    total, _ = several.function("sum_and_difference")(a, x)
    x[:] = 5
    assert (total.numpy() == 1).all()


@pytest.mark.parametrize("element", ["float32", "bfloat16", "float16", "int32", "bool"])
@pytest.mark.parametrize("length", [3, 4096])
def test_torch_tensors_in_and_out(element, length):
    torch = pytest.importorskip("torch")
    names = {"float32": "f32", "bfloat16": "bf16", "float16": "f16", "int32": "i32", "bool": "i1"}
    name = names[element]
    op = "arith.xori" if name.startswith("i") else "arith.addf"
    text = f"""
func.func @main(%a: tensor<{length}x{name}>) -> tensor<{length}x{name}> {{
  %b = {op} %a, %a : tensor<{length}x{name}>
  return %b : tensor<{length}x{name}>
}}"""
    module = fsa.compile(text, target="cpu", pipeline=PLAIN)
    x = torch.ones(length, dtype=getattr(torch, element))
    y = module(x)
    assert isinstance(y, torch.Tensor)
    assert y.dtype == x.dtype
    assert torch.equal(y, x ^ x if name.startswith("i") else x + x)


def test_torch_tensors_that_are_views(several):
    torch = pytest.importorskip("torch")
    x = torch.arange(12000, dtype=torch.float32)
    identity = several.function("identity")
    assert torch.equal(identity(x[1:]), x[1:])
    assert torch.equal(identity(x[::2]), x[::2])
    y = identity(x)
    x[:] = 0
    assert y[1] == 1
    with pytest.raises(CallError, match="DLPack"):
        identity(torch.ones(3, requires_grad=True))


def test_jax_arrays_in_and_out(several):
    jax = pytest.importorskip("jax")
    x = jax.numpy.arange(3000, dtype=jax.numpy.float32)
    y = several.function("identity")(x)
    assert isinstance(y, jax.Array)
    np.testing.assert_array_equal(np.asarray(y), np.asarray(x))


def test_two_threads_on_one_module_and_two_modules_at_once(several):
    other = fsa.compile(elementwise("f32", "arith.mulf"), target="cpu", pipeline=PLAIN)
    failures: list[str] = []

    def call(seed: int) -> None:
        random = np.random.default_rng(seed)
        for _ in range(100):
            a, b = random.standard_normal((2, 2, random.integers(1, 700))).astype(np.float32)
            total, _ = several.function("sum_and_difference")(a, b)
            square = random.standard_normal((3, 5)).astype(np.float32)
            if not (total == a + b).all() or not (other(square) == square * square).all():
                failures.append(f"thread {seed}")

    threads = [threading.Thread(target=call, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


@pytest.mark.vulkan
def test_two_threads_on_vulkan():
    module = fsa.compile(elementwise("f32", "arith.mulf"), target="vulkan", pipeline=PLAIN)
    failures: list[int] = []

    def call(seed: int) -> None:
        random = np.random.default_rng(seed)
        for _ in range(20):
            x = random.standard_normal((3, 5)).astype(np.float32)
            if not (module(x) == x * x).all():
                failures.append(seed)

    threads = [threading.Thread(target=call, args=(seed,)) for seed in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


@pytest.mark.vulkan
def test_vulkan_tensors():
    module = fsa.compile(SEVERAL, target="vulkan", pipeline=PLAIN)
    function = module.function("sum_and_difference")
    for columns in (1, 33):
        x = np.random.default_rng(columns).standard_normal((2, columns)).astype(np.float32)
        np.testing.assert_array_equal(function(x, x)[0], x + x)
        resident = module.to_device(x)
        total, difference = function(resident, resident)
        np.testing.assert_array_equal(total.numpy(), x + x)
        assert not difference.numpy().any()
    torch = pytest.importorskip("torch")
    x = torch.ones(2, 3)
    assert torch.equal(function(x, x)[0], x + x)


def test_module_runs_under_stock_iree_run_module(tmp_path):
    path = tmp_path / "several.vmfb"
    fsa.compile(SEVERAL, target="cpu", pipeline=PLAIN).save(path)
    done = subprocess.run(
        [
            str(Path(sys.executable).parent / "iree-run-module"),
            f"--module={path}",
            "--function=identity",
            "--input=3xf32=1,2,3",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "3xf32=1 2 3" in done.stdout


def test_stock_module_for_another_device(tmp_path):
    source, path = tmp_path / "several.mlir", tmp_path / "several.vmfb"
    source.write_text(SEVERAL)
    subprocess.run(
        [
            str(Path(sys.executable).parent / "iree-compile"),
            "--iree-hal-target-device=vulkan",
            str(source),
            f"-o={path}",
        ],
        timeout=60,
        check=True,
    )
    with pytest.raises(DeviceUnavailable, match=r"device cpu.*, found one for .* target vulkan$"):
        fsa.load(path)


def test_saved_module_says_what_it_is(tmp_path):
    path = tmp_path / "several.vmfb"
    fsa.compile(SEVERAL, target="cpu:generic", pipeline=PLAIN).save(path)
    module = fsa.load(path)
    assert module.target == "cpu:generic"
    assert module.device.kind == "cpu"
    assert str(module.signatures["identity"]) == "@identity(tensor<?xf32>) -> (tensor<?xf32>)"


def test_entry_is_the_only_function():
    module = fsa.compile(
        "func.func @f(%a: i32) -> i32 { return %a : i32 }", target="cpu", pipeline=PLAIN
    )
    assert module(7) == 7


def test_entry_is_main_among_several():
    text = "func.func @f() { return }\nfunc.func @main(%a: i32) -> i32 { return %a : i32 }"
    assert fsa.compile(text, target="cpu", pipeline=PLAIN)(7) == 7


def test_small_work_runs_inline_and_large_work_on_all_cores(monkeypatch):
    from fsa.runtime import host

    monkeypatch.setattr(host, "usable_cores", lambda: 4)
    small = fsa.compile(elementwise("f32", "arith.addf"), target="cpu", pipeline=PLAIN)
    assert small.device.info.name == "cpu:sync"
    large = """
func.func @main(%a: tensor<512x512xf32>, %b: tensor<512x512xf32>) -> tensor<512x512xf32> {
  %z = arith.constant dense<0.0> : tensor<512x512xf32>
  %m = linalg.matmul ins(%a, %b : tensor<512x512xf32>, tensor<512x512xf32>)
                     outs(%z : tensor<512x512xf32>) -> tensor<512x512xf32>
  return %m : tensor<512x512xf32>
}"""
    assert fsa.compile(large, target="cpu", pipeline=PLAIN).device.info.name == "cpu:task"


def test_each_launch_counts_against_threads(monkeypatch):
    from fsa.runtime import host
    from fsa.runtime.devices import choose_cpu

    monkeypatch.setattr(host, "usable_cores", lambda: 2)
    assert choose_cpu(40_000) == "cpu:sync"
    assert choose_cpu(100_000) == "cpu:task"
    assert choose_cpu(100_000, launches=10) == "cpu:sync"
    assert choose_cpu(None) == "cpu:task"
    monkeypatch.setattr(host, "usable_cores", lambda: 1)
    assert choose_cpu(None) == "cpu:sync"


def test_source_module_stays_as_it_was():
    from fsa.bindings import ir
    from fsa.dialects.fsa.dialect import new_context

    with new_context():
        module = ir.Module.parse(elementwise("f32", "arith.addf"))
        before = str(module)
        fsa.compile(module, target="cpu")
        assert str(module) == before


def test_import_is_light():
    code = (
        "import sys, fsa, fsa.tools.main\n"
        "heavy = [m for m in sys.modules if m.split('.')[0] in "
        "('torch_mlir', 'iree', 'numpy', 'torch', 'jax')]\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
