"""Launches and kernels that break the contract are refused in one sentence, before IREE."""

from __future__ import annotations

import numpy as np
import pytest
from launch_programs import reverse_rows, vector_exp

import fsa
from fsa.bindings import ir
from fsa.dialects.fsa.dialect import new_context
from fsa.errors import CallError, CompileError, FsaError, TargetError
from fsa.runtime.compile import compile_to_vmfb
from fsa.runtime.module import Module
from fsa.runtime.targets import Target


def hand_over(text: str, target: str = "cpu") -> Module:
    """Compile without a pipeline, whose own checks would come first."""
    with new_context():
        module = ir.Module.parse(text)
        return Module(compile_to_vmfb(module, Target.parse(target)))


CASES = {
    "kernel-missing": (
        vector_exp().replace("kernel = @vector_exp", "kernel = @other"),
        "cpu",
        "expected its kernel @other in the module, found none",
    ),
    "kernel-for-gpu-on-cpu": (reverse_rows(), "cpu", "expected kernels for the cpu"),
    "kernel-for-cpu-on-gpu": (vector_exp(), "vulkan", "expected kernels for the gpu"),
    "too-few-arguments": (
        vector_exp().replace(", %y: index, %z: index)", ")"),
        "cpu",
        "expected 5 arguments (0 scalars, 1 inputs, 1 outputs, 3 workgroup ids), found 3",
    ),
    "type-of-workgroup-id": (
        vector_exp().replace("%z: index", "%z: i32"),
        "cpu",
        "expected a workgroup id of type index as argument 4, found i32",
    ),
    "scalar-of-i64": (
        reverse_rows().replace("%add: i32", "%add: i64").replace("%u, %add : i32", "%u, %u : i32"),
        "vulkan",
        "expected an i32 scalar as argument 0, found i64",
    ),
    "static-kernel-for-dynamic-tensor": (
        vector_exp().replace("memref<?x16xf32>", "memref<4x16xf32>"),
        "cpu",
        "expected memref<4x16xf32> as argument 0, found a launch with tensor<?x16xf32>",
    ),
    "two-workgroup-sizes": (
        reverse_rows("7").replace(
            "return %r",
            reverse_rows("7")
            .split("%n = tensor.dim")[1]
            .split("\n")[1]
            .replace("%r =", "%again =")
            .replace("64, 1, 1", "32, 1, 1")
            + "\n  return %again",
        ),
        "vulkan",
        "expected one workgroup size in all its launches, found [64, 1, 1] and [32, 1, 1]",
    ),
    "op-left": (
        """func.func @main(%s: tensor<3x4xf32>) -> tensor<3x4xf32> {
  %r = "fsa.squash"(%s) {epsilon = 1.0e-7 : f64} : (tensor<3x4xf32>) -> tensor<3x4xf32>
  return %r : tensor<3x4xf32>
}""",
        "cpu",
        "expected only fsa.launch of the fsa dialect at the hand-over, found fsa.squash",
    ),
    "f64-on-vulkan": (
        "func.func @main(%a: tensor<3xf64>) -> tensor<3xf64> { return %a : tensor<3xf64> }",
        "vulkan",
        "the target vulkan has no f64",
    ),
    "f64-function-on-cpu": (
        """func.func @main(%a: f64) -> f64 {
  %r = math.tan %a : f64
  return %r : f64
}""",
        "cpu",
        "cpu:host has no code for math.tan of f64: expected floats of at most 32 bits (",
    ),
    "f16-on-default-vulkan": (
        "func.func @main(%a: tensor<f16>) -> tensor<f16> { return %a : tensor<f16> }",
        "vulkan",
        "the target vulkan has no f16",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_refused(name):
    text, target, reason = CASES[name]
    with pytest.raises(FsaError) as caught:
        hand_over(text, target)
    assert isinstance(caught.value, CompileError | TargetError)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_grid_is_checked_at_run_time():
    text = vector_exp().replace("arith.ceildivui %n, %c64", "arith.muli %n, %c64")
    module = hand_over(text)
    x = np.ones((2, 16), np.float32)
    np.testing.assert_allclose(module(x), 2 * np.exp(x), rtol=1e-6)
    with pytest.raises(CallError, match="at most 65535 workgroups along x"):
        module(np.ones((1024, 16), np.float32))


def test_size_checks_do_not_split_command_buffers():
    """Two launches in a row stay in one submission: checks stand at the start of the function."""
    from fsa.runtime.handover import hand_over as translate

    text = vector_exp().replace(
        "%twice = arith.addf %r, %r",
        vector_exp()
        .split("%g = arith")[1]
        .split("\n")[1]
        .replace("%r =", "%s =")
        .replace("%x) {", "%r) {")
        + "\n  %twice = arith.addf %s, %s",
    )
    from iree.compiler import api

    session = api.Session()
    with new_context():
        module = ir.Module.parse(text)
        translated = str(translate(module, Target.parse("cpu"), session.context))
    main = translated[translated.index("func.func @main") :]
    assert main.rindex("cf.assert") < main.index("flow.dispatch")
    assert main.count("flow.dispatch") == 2


def test_symbols_of_the_host_do_not_clash():
    text = vector_exp("4") + "func.func private @fsa_kernels_0() { return }"
    x = np.ones((4, 16), np.float32)
    np.testing.assert_allclose(hand_over(text)(x), 2 * np.exp(x), rtol=1e-6)


def test_unlaunched_kernels_are_dropped():
    text = vector_exp("4") + (
        'func.func private @unused(%a: memref<3xf32>) attributes {fsa.kernel = "cpu"} { return }'
    )
    assert fsa.compile(text, target="cpu")(np.zeros((4, 16), np.float32))[0, 0] == 2
