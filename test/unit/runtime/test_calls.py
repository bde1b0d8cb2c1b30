"""Calls with device tensors: many threads, changing shapes, memory, and what is refused."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import weakref
from pathlib import Path

import numpy as np
import pytest

import fsa
from fsa.errors import CallError
from fsa.runtime.tensors import DeviceTensor

PLAIN = "fsa-to-linalg"
SOURCE = """
func.func @double(%a: tensor<16xf32>) -> tensor<16xf32> {
  %r = arith.addf %a, %a : tensor<16xf32>
  return %r : tensor<16xf32>
}
func.func @combine(%a: tensor<16xf32>, %b: tensor<16xf32>, %c: tensor<16xf32>) -> tensor<16xf32> {
  %p = arith.mulf %a, %b : tensor<16xf32>
  %r = arith.addf %p, %c : tensor<16xf32>
  return %r : tensor<16xf32>
}
func.func @difference(%a: tensor<?xf32>, %b: tensor<?xf32>) -> tensor<?xf32> {
  %r = arith.subf %a, %b : tensor<?xf32>
  return %r : tensor<?xf32>
}
func.func @both(%a: tensor<16xf32>, %b: tensor<16xf32>) -> (tensor<16xf32>, tensor<16xf32>) {
  %s = arith.addf %a, %b : tensor<16xf32>
  %d = arith.subf %a, %b : tensor<16xf32>
  return %s, %d : tensor<16xf32>, tensor<16xf32>
}
func.func @identity(%a: tensor<16xf32>) -> tensor<16xf32> {
  return %a : tensor<16xf32>
}
func.func @scaled(%a: tensor<16xf32>, %k: f32) -> tensor<16xf32> {
  %e = tensor.empty() : tensor<16xf32>
  %s = linalg.fill ins(%k : f32) outs(%e : tensor<16xf32>) -> tensor<16xf32>
  %r = arith.mulf %a, %s : tensor<16xf32>
  return %r : tensor<16xf32>
}
func.func @checked(%a: tensor<16xf32>, %n: tensor<?xf32>) -> tensor<16xf32> {
  %e = tensor.cast %n : tensor<?xf32> to tensor<16xf32>
  %r = arith.addf %a, %e : tensor<16xf32>
  return %r : tensor<16xf32>
}
"""


@pytest.fixture(scope="module", params=["cpu:sync", "cpu:task"])
def module(request):
    compiled = fsa.compile(SOURCE, target="cpu", pipeline=PLAIN)
    compiled.wanted_device = request.param
    compiled.open()
    return compiled


def vectors(seed: int, count: int, size: int = 16) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, size)).astype(np.float32)


def test_results_become_arguments(module):
    a, b, c = vectors(0, 3)
    x = module.to_device(a)
    for _ in range(3):
        x = module.function("double")(x)
        x = module.function("combine")(x, module.to_device(b), module.to_device(c))
        total, x = module.function("both")(x, x)
        x = module.function("identity")(total)
        a = (a + a) * b + c
        a = a + a
    assert isinstance(x, DeviceTensor)
    np.testing.assert_allclose(x.numpy(), a, rtol=1e-5)


def test_one_tensor_for_all_arguments(module):
    (a,) = vectors(1, 1)
    x = module.to_device(a)
    np.testing.assert_allclose(module.function("combine")(x, x, x).numpy(), a * a + a, rtol=1e-6)
    np.testing.assert_array_equal(x.numpy(), a)


def test_shapes_of_a_dynamic_function_change(module):
    difference = module.function("difference")
    for size in (3, 0, 1, 700, 3, 3, 16):
        a, b = vectors(size, 2, size)
        x, y = module.to_device(a), module.to_device(b)
        for _ in range(2):
            result = difference(x, y)
            assert result.shape == (size,)
            np.testing.assert_array_equal(result.numpy(), a - b)
        again = difference(difference(x, y), difference(y, x))
        np.testing.assert_array_equal(again.numpy(), (a - b) - (b - a))


def test_many_threads_with_tensors_of_their_own(module):
    double, combine = module.function("double"), module.function("combine")
    difference = module.function("difference")
    shared = vectors(99, 1)[0]
    shared_tensor = module.to_device(shared)
    failures: list[str] = []

    def call(seed: int) -> None:
        a, b = vectors(seed, 2)
        x, y = module.to_device(a), module.to_device(b)
        size = 1 + seed % 5
        u, v = vectors(seed, 2, size)
        p, q = module.to_device(u), module.to_device(v)
        for _ in range(300):
            good = (
                np.array_equal(double(x).numpy(), a + a)
                and np.array_equal(double(shared_tensor).numpy(), shared + shared)
                and np.allclose(combine(x, y, shared_tensor).numpy(), a * b + shared, rtol=1e-5)
                and np.array_equal(difference(p, q).numpy(), u - v)
                and np.array_equal(double(a), a + a)
            )
            if not good:
                failures.append(f"thread {seed}")
                return

    threads = [threading.Thread(target=call, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_one_tensor_in_two_modules_at_once(module):
    other = fsa.compile(SOURCE, target="cpu", pipeline=PLAIN)
    other.wanted_device = module.wanted_device
    (a,) = vectors(5, 1)
    x = module.to_device(a)
    wrong: list[int] = []

    def call(function) -> None:
        wrong.extend(i for i in range(500) if not np.array_equal(function(x).numpy(), a + a))

    threads = [
        threading.Thread(target=call, args=(each.function("double"),)) for each in (module, other)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_results_outlive_arguments_calls_and_module():
    module = fsa.compile(SOURCE, target="cpu", pipeline=PLAIN)
    a, b = vectors(2, 2)
    tensors = [module.function("double")(module.to_device(a)) for _ in range(4)]
    tensors += module.function("both")(module.to_device(a), module.to_device(a))[:1]
    arrays = [module.function("double")(a) for _ in range(4)]
    views = [tensor.numpy() for tensor in tensors]
    for _ in range(20):  # freed memory would be used again
        module.function("double")(b)
        module.function("double")(module.to_device(b))
    del module, tensors
    gc.collect()
    for array in arrays + views:
        np.testing.assert_array_equal(array, a + a)


def test_results_are_the_callers_own(module):
    (a,) = vectors(3, 1)
    first = module.function("double")(a)
    first[:] = 7
    np.testing.assert_array_equal(module.function("double")(a), a + a)
    x = module.to_device(a)
    assert not module.function("double")(x).numpy().flags.writeable


def test_arrays_and_numbers_beside_tensors(module):
    a, b, c = vectors(4, 3)
    x = module.to_device(a)
    combine = module.function("combine")
    expected = a * b + c
    for arguments in ((x, b, c), (b, x, c), (b, list(map(float, a)), module.to_device(c))):
        result = combine(*arguments)
        assert isinstance(result, DeviceTensor)
        np.testing.assert_allclose(result.numpy(), expected, rtol=1e-6)
    np.testing.assert_array_equal(module.function("scaled")(x, 2.0).numpy(), a * 2)
    np.testing.assert_array_equal(module.function("scaled")(a, 2), a * 2)


def test_arguments_are_checked_before_the_call(module):
    x = module.to_device(vectors(6, 1)[0])
    double, combine = module.function("double"), module.function("combine")
    for call, arguments, message in (
        (double, (), "expected 1 argument, found 0"),
        (double, (x, x), "expected 1 argument, found 2"),
        (combine, (x, x), "expected 3 arguments, found 2"),
        (double, (module.to_device(np.ones(15, np.float32)),), r"found float32 of shape \[15\]"),
        (combine, (x, x, module.to_device(np.ones(16))), "argument 2 .* found float64"),
        (combine, (x, None, x), "argument 1 .* NoneType"),
        (double, (np.ones(16),), "found float64"),
    ):
        with pytest.raises(CallError, match=message):
            call(*arguments)
    np.testing.assert_array_equal(double(x).numpy(), 2 * x.numpy())


def test_tensor_of_another_device_is_refused(module):
    other = fsa.compile(SOURCE, target="cpu", pipeline=PLAIN)
    other.wanted_device = "cpu:task" if module.wanted_device == "cpu:sync" else "cpu:sync"
    x = other.to_device(vectors(7, 1)[0])
    with pytest.raises(CallError, match="expected a tensor on"):
        module.function("double")(x)


def test_failing_call_leaves_the_module_usable(module):
    a = vectors(8, 1)[0]
    x = module.to_device(a)
    checked = module.function("checked")
    short = module.to_device(np.ones(3, np.float32))
    np.testing.assert_array_equal(checked(x, x).numpy(), a + a)
    for _ in range(3):
        with pytest.raises(CallError, match="@checked failed"):
            checked(x, short)
        with pytest.raises(CallError, match="@checked failed"):
            checked(a, short.numpy())
    np.testing.assert_array_equal(checked(x, x).numpy(), a + a)


def test_functions_are_freed_without_the_collector():
    module = fsa.compile(SOURCE, target="cpu", pipeline=PLAIN)
    x = module.to_device(vectors(9, 1)[0])
    module.function("double")(x)
    dead = weakref.ref(module.function("double"))
    gc.disable()
    try:
        del module
        assert dead() is None
    finally:
        gc.enable()


CALLS = """
import sys
import numpy as np
import fsa

module = fsa.load(sys.argv[1], sys.argv[2])
double, both = module.function("double"), module.function("both")
a = np.ones(16, np.float32)
x = module.to_device(a)

def calls(count):
    y = x
    for _ in range(count):
        double(y)
        y = both(x, y)[0]
        double(a)

def resident_bytes():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096

calls(2_000)
before = resident_bytes()
calls(35_000)
print(resident_bytes() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="asks Linux for the memory used")
def test_memory_does_not_grow_with_calls(module, tmp_path):
    # In a process of its own, where no memory that something else freed hides what leaks.
    path = tmp_path / "module.vmfb"
    module.save(path)
    done = subprocess.run(
        [sys.executable, "-c", CALLS, str(path), module.wanted_device],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    # One leaked reference of 32 bytes a call would make three times as much.
    assert int(done.stdout) < 2**20
