"""CPU kernels of the binarized ops, run by upstream's engine, equal the reference bit for bit."""

from typing import Any

import numpy as np
import pytest
from kernel_engine import run_kernel

from fsa.bindings import ir, passmanager
from fsa.diagnostics import Diagnostics
from fsa.dialects.fsa import reference
from fsa.dialects.fsa.dialect import new_context
from fsa.passes.registry import make_pass
from fsa.runtime.targets import Target

AVX512 = Target("cpu", "znver4", vector_bits=512, has_vector_popcount=True, cores=2)
AVX2 = Target("cpu", "haswell", vector_bits=256, cores=2)
PLAIN = Target("cpu", "x86-64", vector_bits=128, cores=2)
TYPES = {"float16": "f16", "float32": "f32", "float64": "f64", "int32": "i32", "int64": "i64"}


def type_text(array: np.ndarray) -> str:
    return f"tensor<{''.join(f'{size}x' for size in array.shape)}{TYPES[array.dtype.name]}>"


def run(
    op: str, inputs: list[np.ndarray], attributes: str, expected: np.ndarray, target: Target
) -> np.ndarray:
    """Lower one op for `target` and run its kernel over the grid of its launch."""
    names = [f"%arg{number}" for number in range(len(inputs))]
    types = [type_text(array) for array in inputs]
    result = type_text(expected)
    arguments = ", ".join(f"{name}: {kind}" for name, kind in zip(names, types, strict=True))
    with new_context(), ir.Location.unknown():
        module = ir.Module.parse(
            f"func.func @main({arguments}) -> {result} {{\n"
            f'  %0 = "fsa.{op}"({", ".join(names)}) {{{attributes}}} '
            f": ({', '.join(types)}) -> {result}\n  return %0 : {result}\n}}"
        )
        module.operation.attributes["fsa.target"] = target.to_attribute()
        for name in ("fsa-plan-binarized", "fsa-binarized-to-cpu"):
            make_pass(name).run(module.operation, Diagnostics())
        passmanager.PassManager.parse("builtin.module(canonicalize)").run(module.operation)
        assert module.operation.verify()
        (launch,) = (
            found.operation
            for found in module.body.operations[0].entry_block.operations
            if found.operation.name == "fsa.launch"
        )
        operands = list(launch.operands)
        grid = [int(size.owner.attributes["value"].value) for size in operands[:3]]
        shaped = [
            np.ascontiguousarray(array).reshape(value.type.shape)
            for array, value in zip(inputs, operands[-len(inputs) :], strict=True)
        ]
        # What a kernel leaves unwritten shows.
        out = np.full(launch.results[0].type.shape, -77, expected.dtype)
        run_kernel(module, f"fsa_{op}_0", [*shaped, out], grid)
        return out.reshape(expected.shape)


def packed(rng: np.random.Generator, *shape: int, word_width: int = 64) -> np.ndarray:
    return reference.pack_bits(rng.standard_normal(shape), word_width=word_width)


@pytest.mark.parametrize("target", [AVX512, AVX2, PLAIN], ids=str)
@pytest.mark.parametrize("word_width", [32, 64])
@pytest.mark.parametrize(
    ("rows", "columns", "depth"),
    [(1, 1, 1), (3, 17, 64), (13, 70, 577), (1, 33, 1100), (66, 3, 40)],
)
def test_matmul(target: Target, word_width: int, rows: int, columns: int, depth: int) -> None:
    rng = np.random.default_rng(depth)
    a = packed(rng, rows, depth, word_width=word_width)
    b = packed(rng, columns, depth, word_width=word_width)
    expected = reference.binarized_matmul(a, b, depth=depth)
    found = run("binarized_matmul", [a, b], f"depth = {depth} : i64", expected, target)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("form", ["columns", "depth"])
@pytest.mark.parametrize("shared", [True, False])
def test_both_forms_of_a_batched_matmul(form: str, shared: bool) -> None:
    rng = np.random.default_rng(1)
    a = packed(rng, 2, 3, 9, 130)
    b = packed(rng, 11, 130) if shared else packed(rng, 2, 3, 11, 130)
    expected = reference.binarized_matmul(a, b, depth=130)
    attributes = f'depth = 130 : i64, plan = {{form = "{form}"}}'
    np.testing.assert_array_equal(
        run("binarized_matmul", [a, b], attributes, expected, AVX512), expected
    )


@pytest.mark.parametrize("mode", ["zero", "one"])
@pytest.mark.parametrize(
    ("shape", "filters", "kernel", "groups", "word_width", "strides", "pad", "dilations"),
    [
        ((1, 5, 40, 100), 37, (3, 3), 1, 32, (1, 1), (1, 1, 1, 1), (1, 1)),
        ((2, 9, 7, 128), 6, (3, 2), 2, 64, (2, 1), (1, 0, 2, 1), (1, 2)),
        ((1, 1, 1, 3), 1, (1, 1), 1, 64, (1, 1), (2, 2, 2, 2), (1, 1)),
        ((1, 8, 9, 65), 9, (5, 4), 1, 64, (3, 2), (0, 0, 0, 0), (1, 1)),
        ((1, 4, 4, 256), 16, (3, 3), 4, 64, (1, 1), (4, 4, 4, 4), (2, 2)),
    ],
)
def test_conv2d(
    mode: Any,
    shape: tuple[int, ...],
    filters: int,
    kernel: tuple[int, int],
    groups: int,
    word_width: int,
    strides: tuple[int, int],
    pad: tuple[int, int, int, int],
    dilations: tuple[int, int],
) -> None:
    rng = np.random.default_rng(2)
    channels = shape[-1]
    x = packed(rng, *shape, word_width=word_width)
    f = packed(rng, filters, *kernel, channels // groups, word_width=word_width)
    expected = reference.binarized_conv2d(
        x,
        f,
        channels=channels,
        strides=strides,
        pad=pad,
        pad_mode=mode,
        dilations=dilations,
        groups=groups,
    )
    attributes = (
        f"channels = {channels} : i64, strides = array<i64: {strides[0]}, {strides[1]}>, "
        f'pad = array<i64: {", ".join(map(str, pad))}>, pad_mode = "{mode}", '
        f"dilations = array<i64: {dilations[0]}, {dilations[1]}>, groups = {groups} : i64"
    )
    found = run("binarized_conv2d", [x, f], attributes, expected, AVX512)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("word_width", [32, 64])
@pytest.mark.parametrize("shape", [(1,), (77,), (3, 64), (2, 3, 129)])
def test_pack_and_unpack(dtype: Any, word_width: int, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(3)
    x = rng.standard_normal(shape).astype(dtype)
    tiny = np.finfo(dtype).smallest_subnormal
    special = np.array([np.nan, -np.nan, np.inf, -np.inf, 0.0, -0.0, tiny, -tiny], dtype)
    x.flat[: min(8, x.size)] = special[: min(8, x.size)]
    bits = reference.pack_bits(x, word_width=word_width)
    np.testing.assert_array_equal(run("pack_bits", [x], "", bits, AVX512), bits)
    signs = reference.unpack_bits(bits, depth=shape[-1], dtype=dtype)
    attributes = f"depth = {shape[-1]} : i64"
    np.testing.assert_array_equal(run("unpack_bits", [bits], attributes, signs, AVX512), signs)


@pytest.mark.parametrize("word_width", [32, 64])
@pytest.mark.parametrize("shape", [(1,), (5, 100), (2, 3, 64)])
def test_threshold_at_the_ends_of_i32(word_width: int, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(4)
    info = np.iinfo(np.int32)
    ends = np.array([info.min, info.min + 1, -1, 0, 1, info.max - 1, info.max], np.int32)
    acc, tau = rng.choice(ends, shape), rng.choice(ends, shape[-1])
    words = -(-shape[-1] // word_width)
    # Its padding bits are set too: they must not show.
    flip = rng.integers(-(2**31), 2**31, words).astype(f"int{word_width}")
    flip[-1] = -1
    bits = reference.binarized_threshold(acc, tau, flip)
    found = run("binarized_threshold", [acc, tau, flip], "", bits, AVX512)
    np.testing.assert_array_equal(found, bits)


@pytest.mark.parametrize(
    ("shape", "kernel", "strides", "pad", "dilations"),
    [
        ((2, 7, 9, 65), (2, 2), (2, 2), (0, 0, 0, 0), (1, 1)),
        ((1, 7, 9, 700), (3, 2), (2, 1), (1, 1, 1, 0), (1, 1)),
        ((1, 9, 9, 1), (3, 3), (1, 2), (2, 1, 1, 2), (2, 1)),
    ],
)
def test_max_pool2d(
    shape: tuple[int, ...],
    kernel: tuple[int, int],
    strides: tuple[int, int],
    pad: tuple[int, int, int, int],
    dilations: tuple[int, int],
) -> None:
    x = packed(np.random.default_rng(5), *shape)
    expected = reference.binarized_max_pool2d(
        x, kernel=kernel, strides=strides, pad=pad, dilations=dilations
    )
    attributes = ", ".join(
        f"{name} = array<i64: {', '.join(map(str, values))}>"
        for name, values in (
            ("kernel", kernel),
            ("strides", strides),
            ("pad", pad),
            ("dilations", dilations),
        )
    )
    found = run("binarized_max_pool2d", [x], attributes, expected, AVX512)
    np.testing.assert_array_equal(found, expected)
