"""CPU kernels with constant weights and with thresholds in registers equal the reference."""

from typing import Any, Literal

import numpy as np
import pytest
from kernel_engine import run_kernel

from fsa.bindings import ir, passmanager
from fsa.diagnostics import Diagnostics
from fsa.dialects.fsa import reference
from fsa.dialects.fsa.constants import constant_array
from fsa.dialects.fsa.dialect import new_context
from fsa.passes.registry import make_pass
from fsa.runtime.targets import Target

Array = np.ndarray[Any, Any]
TARGETS = [
    Target("cpu", "znver4", vector_bits=512, has_vector_popcount=True, cores=2),
    Target("cpu", "skylake-avx512", vector_bits=512, cores=1),
    Target("cpu", "haswell", vector_bits=256, cores=2),
    Target("cpu", "x86-64", vector_bits=128, cores=2),
]
TYPES = {"int32": "i32", "int64": "i64"}
NUMPY = {"i32": np.int32, "i64": np.int64}


def type_text(array: Array) -> str:
    return f"tensor<{''.join(f'{size}x' for size in array.shape)}{TYPES[array.dtype.name]}>"


def constant(array: Array) -> str:
    return f'arith.constant dense<"0x{array.tobytes().hex().upper()}"> : {type_text(array)}'


def run(
    op: str, lhs: Array, weights: Array, attributes: str, sums: Array, threshold: bool, target: Any
) -> tuple[Array, Array]:
    """Run one op with constant weights, and a threshold behind it; return found and expected."""
    rng = np.random.default_rng(1)
    channels = sums.shape[-1]
    tau = rng.choice(sums.reshape(-1, channels), 1)[0]
    tau[0], tau[-1] = 2**31 - 1, -(2**31)
    word_width = weights.dtype.itemsize * 8
    flip = reference.pack_bits(rng.standard_normal(channels), word_width=word_width)
    bits = reference.binarized_threshold(sums, tau, flip)
    expected = bits if threshold else sums
    behind = ""
    if threshold:
        kinds = ", ".join(map(type_text, (sums, tau, flip)))
        behind = (
            f"  %tau = {constant(tau)}\n  %flip = {constant(flip)}\n"
            f'  %1 = "fsa.binarized_threshold"(%0, %tau, %flip) : ({kinds}) -> {type_text(bits)}\n'
        )
    with new_context(), ir.Location.unknown():
        module = ir.Module.parse(
            f"func.func @main(%lhs: {type_text(lhs)}) -> {type_text(expected)} {{\n"
            f"  %rhs = {constant(weights)}\n"
            f'  %0 = "fsa.{op}"(%lhs, %rhs) {{{attributes}}} '
            f": ({type_text(lhs)}, {type_text(weights)}) -> {type_text(sums)}\n{behind}"
            f"  return %{int(threshold)} : {type_text(expected)}\n}}"
        )
        module.operation.attributes["fsa.target"] = target.to_attribute()
        for name in ("fsa-plan-binarized", "fsa-binarized-to-cpu"):
            make_pass(name).run(module.operation, Diagnostics())
        passmanager.PassManager.parse("builtin.module(canonicalize)").run(module.operation)
        assert module.operation.verify()
        return executed(module, lhs, expected), expected


def executed(module: Any, lhs: Array, expected: Array) -> Array:
    """Run the launches of a module in their order and return the result of the last."""
    block = module.body.operations[0].entry_block
    known: dict[Any, Array] = {block.arguments[0]: lhs}

    def array(value: Any) -> Array:
        found = known.get(value)
        if found is None:
            found = constant_array(value)
        if found is None:  # a change of shape
            found = array(value.owner.operands[0])
        return np.ascontiguousarray(found).reshape(value.type.shape)

    out = expected
    launches = [op.operation for op in block.operations if op.operation.name == "fsa.launch"]
    for launch in launches:
        operands = list(launch.operands)
        grid = [int(size.owner.attributes["value"].value) for size in operands[:3]]
        result = launch.results[0]
        # What a kernel leaves unwritten shows.
        out = np.full(result.type.shape, -77, NUMPY[str(result.type.element_type)])
        kernel = ir.FlatSymbolRefAttr(launch.attributes["kernel"]).value
        run_kernel(module, kernel, [*map(array, operands[3:]), out], grid)
        known[result] = out
    return out.reshape(expected.shape)


def packed(rng: Any, *shape: int, word_width: int) -> Array:
    return reference.pack_bits(rng.standard_normal(shape), word_width=word_width)


@pytest.mark.parametrize("target", TARGETS, ids=str)
@pytest.mark.parametrize("word_width", [32, 64])
@pytest.mark.parametrize("threshold", [False, True])
@pytest.mark.parametrize(
    ("rows", "columns", "depth"),
    [(1, 1, 1), (1, 130, 2300), (7, 33, 96), (13, 70, 577), (5, 256, 4500)],
)
def test_matmul(
    target: Target, word_width: int, threshold: bool, rows: int, columns: int, depth: int
) -> None:
    rng = np.random.default_rng(depth)
    a = packed(rng, rows, depth, word_width=word_width)
    b = packed(rng, columns, depth, word_width=word_width)
    sums = reference.binarized_matmul(a, b, depth=depth)
    attributes = f"depth = {depth} : i64"
    found, expected = run("binarized_matmul", a, b, attributes, sums, threshold, target)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("target", TARGETS, ids=str)
@pytest.mark.parametrize("threshold", [False, True])
@pytest.mark.parametrize("pad_mode", ["zero", "one"])
@pytest.mark.parametrize(
    ("channels", "filters", "groups", "window", "strides"),
    [
        (3, 5, 1, 3, (1, 1)),
        (64, 96, 2, 3, (2, 1)),
        (64, 64, 2, 3, (1, 1)),
        (290, 70, 1, 5, (1, 2)),
        (32, 33, 1, 1, (1, 1)),
    ],
)
def test_conv2d(
    target: Target,
    threshold: bool,
    pad_mode: Literal["zero", "one"],
    channels: int,
    filters: int,
    groups: int,
    window: int,
    strides: tuple[int, int],
) -> None:
    rng = np.random.default_rng(channels)
    x = packed(rng, 2, 6, 11, channels, word_width=32)
    w = packed(rng, filters, window, window, channels // groups, word_width=32)
    pad = (1, 0, 1, 1) if window > 1 else (0, 0, 0, 0)
    sums = reference.binarized_conv2d(
        x, w, channels=channels, strides=strides, pad=pad, pad_mode=pad_mode, groups=groups
    )
    attributes = (
        f"channels = {channels} : i64, strides = array<i64: {strides[0]}, {strides[1]}>, "
        f"pad = array<i64: {', '.join(map(str, pad))}>, "
        f'pad_mode = "{pad_mode}", groups = {groups} : i64'
    )
    found, expected = run("binarized_conv2d", x, w, attributes, sums, threshold, target)
    np.testing.assert_array_equal(found, expected)
