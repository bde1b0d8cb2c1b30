"""What the builder emits computes what NumPy computes; numbers fold to numbers."""

import math
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from kernel_engine import run_kernel

from fsa.bindings import ir
from fsa.dialects.fsa.dialect import new_context
from fsa.passes.emitter import Builder, Kernel, KernelSpec, kernel
from fsa.runtime.targets import Target

CPU = Target("cpu", "host", vector_bits=512)
TYPES = {
    np.dtype(np.float16): "f16",
    np.dtype(ml_dtypes.bfloat16): "bf16",
    np.dtype(np.float32): "f32",
    np.dtype(np.float64): "f64",
    np.dtype(np.int8): "i8",
    np.dtype(np.int16): "i16",
    np.dtype(np.int32): "i32",
    np.dtype(np.int64): "i64",
}
SPECIAL = np.array([0.0, -0.0, 1.5, -2.25, np.inf, -np.inf, np.nan, 1e-3, 3.0], np.float32)


def type_of(array: np.ndarray) -> Any:
    shape = "".join(f"{size}x" for size in array.shape)
    return ir.Type.parse(f"tensor<{shape}{TYPES[array.dtype]}>")


def run(
    body: Callable[[Kernel], None],
    inputs: list[np.ndarray],
    outputs: list[np.ndarray],
    grid: int = 1,
) -> list[np.ndarray]:
    """Build a CPU kernel around `body`, run it, and return `outputs`."""
    with new_context(), ir.Location.unknown():
        module = ir.Module.create()
        spec = KernelSpec("test", tuple(map(type_of, inputs)), tuple(map(type_of, outputs)))
        with kernel(module.operation, spec, CPU) as k:
            body(k)
        assert module.operation.verify()
        run_kernel(module, "fsa_test_0", [*inputs, *outputs], [grid])
    return outputs


def lanewise(function: Callable[..., Any], *inputs: np.ndarray, result: Any) -> np.ndarray:
    """Apply `function(kernel, *vectors)` to whole vectors of 4 lanes and a masked tail."""

    def body(k: Kernel) -> None:
        size = len(inputs[0])
        for at in range(0, size, 4):
            count = None if size - at >= 4 else size - at
            vectors = [k.vector_load(x, [at], 4, count) for x in k.inputs]
            k.vector_store(function(k, *vectors), k.outputs[0], [at], count)

    (found,) = run(body, list(inputs), [np.zeros(len(inputs[0]), result)])
    return found


def pairs() -> tuple[np.ndarray, np.ndarray]:
    grid = np.array(np.meshgrid(SPECIAL, SPECIAL)).reshape(2, -1)
    return np.ascontiguousarray(grid[0]), np.ascontiguousarray(grid[1])


@pytest.mark.parametrize("predicate", ["eq", "ne", "lt", "le", "gt", "ge"])
def test_float_comparisons_are_those_of_numpy(predicate: str) -> None:
    a, b = pairs()
    found = lanewise(
        lambda k, x, y: k.cast(k.compare(predicate, x, y), ir.IntegerType.get_signless(32)),
        a,
        b,
        result=np.int32,
    )
    names = {"eq": "equal", "ne": "not_equal", "lt": "less", "le": "less_equal"}
    names |= {"gt": "greater", "ge": "greater_equal"}
    np.testing.assert_array_equal(found, getattr(np, names[predicate])(a, b).astype(np.int32))


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("add", np.add),
        ("sub", np.subtract),
        ("mul", np.multiply),
        ("div", np.divide),
        ("min", np.minimum),
        ("max", np.maximum),
        ("min_number", np.fmin),
        ("max_number", np.fmax),
    ],
)
def test_float_arithmetic(name: str, function: Any) -> None:
    a, b = pairs()
    found = lanewise(lambda k, x, y: getattr(k, name)(x, y), a, b, result=np.float32)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(found, function(a, b))


@pytest.mark.parametrize("dtype", [np.int32, np.int64])
def test_integer_arithmetic_wraps_and_keeps_signs(dtype: Any) -> None:
    info = np.iinfo(dtype)
    a = np.array([0, 1, -1, info.max, info.min, 12345, -7], dtype)
    b = np.array([3, -1, info.min, info.max, 1, -2, 5], dtype)
    for name, function in (
        ("add", np.add),
        ("sub", np.subtract),
        ("mul", np.multiply),
        ("min", np.minimum),
        ("max", np.maximum),
        ("bit_and", np.bitwise_and),
        ("bit_or", np.bitwise_or),
        ("bit_xor", np.bitwise_xor),
    ):
        found = lanewise(lambda k, x, y, name=name: getattr(k, name)(x, y), a, b, result=dtype)
        with np.errstate(over="ignore"):
            np.testing.assert_array_equal(found, function(a, b), err_msg=name)
    counted = lanewise(lambda k, x: k.popcount(x), a, result=dtype)
    np.testing.assert_array_equal(counted, np.bitwise_count(a.view(f"u{a.itemsize}")))
    moved = lanewise(lambda k, x: k.shift_right(k.shift_left(x, 3), 3), a, result=dtype)
    unsigned = a.view(f"u{a.itemsize}")
    np.testing.assert_array_equal(moved.view(unsigned.dtype), (unsigned << 3) >> 3)


def rounded(x: np.ndarray, target: Any) -> np.ndarray:
    """Round float64 once: NumPy has no direct conversion to bfloat16, which holds 8 bits."""
    if target is not ml_dtypes.bfloat16:
        return x.astype(target)
    normal = np.isfinite(x) & (np.abs(x) > 1e-37) & (np.abs(x) < 3e38)
    mantissa, exponent = np.frexp(np.where(normal, x, 1.0))
    once = np.ldexp(np.round(mantissa * 256) / 256, exponent)
    return np.where(normal, once, x).astype(target)


FLOATS = [np.float16, ml_dtypes.bfloat16, np.float32, np.float64]


@pytest.mark.parametrize("source", FLOATS)
@pytest.mark.parametrize("target", FLOATS)
def test_float_casts_round_to_nearest_even(source: Any, target: Any) -> None:
    rng = np.random.default_rng(0)
    with np.errstate(all="ignore"):
        # A tie of f16 and of bf16, and what lies just beside one: rounding twice would miss it.
        ties = np.array([1 + 2.0**-11, 1 + 2.0**-8, 1e300, -1e300, 1e-300])
        beside = np.concatenate([ties * (1 + 2.0**-30), ties * (1 - 2.0**-30)])
        wide = np.concatenate([SPECIAL, rng.standard_normal(40) * 100, ties, beside])
        x = wide.astype(source)
        expected = rounded(x.astype(np.float64), target)
    found = lanewise(
        lambda k, v: k.cast(v, ir.Type.parse(TYPES[np.dtype(target)])), x, result=target
    )
    np.testing.assert_array_equal(found.astype(np.float64), expected.astype(np.float64))


def test_integer_casts() -> None:
    x = np.array([0, 1, -1, 127, -128, 2**31 - 1, -(2**31)], np.int32)
    word = ir.IntegerType.get_signless

    def cast(width: int, signed: bool, result: Any) -> np.ndarray:
        return lanewise(lambda k, v: k.cast(v, word(width), signed=signed), x, result=result)

    np.testing.assert_array_equal(cast(64, True, np.int64), x.astype(np.int64))
    np.testing.assert_array_equal(cast(64, False, np.int64), x.view(np.uint32).astype(np.int64))
    np.testing.assert_array_equal(cast(8, True, np.int8), x.astype(np.int8))
    floats = lanewise(lambda k, v: k.cast(v, ir.F64Type.get()), x, result=np.float64)
    np.testing.assert_array_equal(floats, x.astype(np.float64))
    back = lanewise(
        lambda k, v: k.cast(v, word(32)), np.array([1.9, -1.9, 0.5], np.float32), result=np.int32
    )
    np.testing.assert_array_equal(back, [1, -1, 0])


@pytest.mark.parametrize("kind", ["add", "mul", "min", "max", "and", "or", "xor"])
@pytest.mark.parametrize("dtype", [np.int32, np.float32])
def test_reductions_over_lanes_and_from_the_identity(kind: str, dtype: Any) -> None:
    if dtype is np.float32 and kind in ("and", "or", "xor"):
        pytest.skip("bits are integers")
    x = np.array([3, -1, 4, 1, -5, 9, 2, 6], dtype)

    def body(k: Kernel) -> None:
        (source,), (out,) = k.inputs, k.outputs
        element = source.type.element_type
        total = k.loop(0, 8, 4, [k.identity(kind, element)])
        with total as (at, (sum_,)):
            total.yield_(k.reduce(kind, k.vector_load(source, [at], 4), sum_))
        k.store(total.results[0], out, [0])

    functions = {"add": np.add, "mul": np.multiply, "min": np.minimum, "max": np.maximum}
    functions |= {"and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor}
    (found,) = run(body, [x], [np.zeros(1, dtype)])
    assert found[0] == functions[kind].reduce(x)


def test_min_and_max_reductions_keep_nan() -> None:
    x = np.array([1, np.nan, 3, 2], np.float32)

    def body(k: Kernel) -> None:
        vector = k.vector_load(k.inputs[0], [0], 4)
        for i, kind in enumerate(("min", "max")):
            k.store(k.reduce(kind, vector), k.outputs[0], [i])

    (found,) = run(body, [x], [np.zeros(2, np.float32)])
    assert np.isnan(found).all()


def test_vectors_are_taken_apart_and_put_together() -> None:
    x = np.arange(4, dtype=np.int32)

    def body(k: Kernel) -> None:
        word = k.inputs[0].type.element_type
        vector = k.vector_load(k.inputs[0], [0], 4)
        turned = k.shuffle(vector, vector, [3, 2, 1, 4])
        turned = k.insert(k.extract(vector, 3), turned, 3)
        again = k.elements([k.extract(turned, i) for i in range(4)])
        numbered = k.add(k.mul(again, 10), k.lane_numbers(4, word))
        k.vector_store(numbered, k.outputs[0], [0])

    (found,) = run(body, [x], [np.zeros(4, np.int32)])
    np.testing.assert_array_equal(found, [30, 21, 12, 33])


def test_masked_accesses_leave_the_rest_alone() -> None:
    x = np.arange(5, dtype=np.float32)

    def body(k: Kernel) -> None:
        size = k.dim(k.inputs[0], 0)
        with k.loop(0, size, 4) as (at, _):
            rest = k.sub(size, at)
            vector = k.vector_load(k.inputs[0], [at], 4, rest, fill=9)
            k.vector_store(vector, k.outputs[0], [at], 4)
            k.vector_store(vector, k.outputs[1], [at], rest)

    full, masked = run(body, [x], [np.full(8, -1, np.float32), np.full(8, -1, np.float32)])
    np.testing.assert_array_equal(full, [0, 1, 2, 3, 4, 9, 9, 9])
    np.testing.assert_array_equal(masked, [0, 1, 2, 3, 4, -1, -1, -1])


@pytest.mark.parametrize("limit", [1, 3, 7, 100])
def test_tasks_cover_every_number_once_whatever_the_grid(limit: int) -> None:
    def body(k: Kernel) -> None:
        with k.tasks(7, limit=limit) as task:
            old = k.load(k.outputs[0], [task])
            k.store(k.add(old, 1), k.outputs[0], [task])

    (found,) = run(body, [np.zeros(1, np.int32)], [np.zeros(7, np.int32)], grid=min(7, limit))
    np.testing.assert_array_equal(found, 1)


def test_branches_loops_and_buffers() -> None:
    x = np.array([5, -3, 0], np.int32)

    def body(k: Kernel) -> None:
        (source,), (out,) = k.inputs, k.outputs
        word = source.type.element_type
        local = k.alloca([3], word)
        with k.loop(0, 3) as (i, _):
            value = k.load(source, [i])
            choice = k.branch(k.compare("gt", value, 0), [word])
            with choice.then():
                choice.yield_(k.mul(value, 2))
            with choice.otherwise():
                choice.yield_(k.constant(-1, word))
            k.store(choice.results[0], local, [i])
        with k.loop(0, 3) as (i, _), k.when(k.compare("ne", i, 1)):
            k.store(k.load(local, [i]), out, [i])

    (found,) = run(body, [x], [np.full(3, 7, np.int32)])
    np.testing.assert_array_equal(found, [10, 7, -1])


def test_a_loop_that_runs_once_is_built_in_place() -> None:
    with new_context(), ir.Location.unknown():
        module = ir.Module.create()
        kind = ir.Type.parse("tensor<4xi32>")
        with kernel(module.operation, KernelSpec("once", (kind,), (kind,)), CPU) as k:
            once = k.loop(2, 5, 3, [k.constant(1, kind.element_type)])
            with once as (iv, (value,)):
                assert iv == 2
                once.yield_(k.add(value, 1))
            k.store(once.results[0], k.outputs[0], [0])
        assert "scf.for" not in str(module)


def test_elementwise_repeats_an_op_on_vectors() -> None:
    x = np.array([1.0, 4.0, 9.0, np.nan], np.float32)

    def body(k: Kernel) -> None:
        scalar = k.load(k.inputs[0], [0])
        root = k.math("sqrt", scalar).owner
        less = k.compare("lt", scalar, k.constant(2.5, scalar.type)).owner
        vector = k.vector_load(k.inputs[0], [0], 4)
        (roots,) = k.elementwise(root, [vector])
        (small,) = k.elementwise(less, [roots, k.splat(2.5, 4, scalar.type)])
        k.vector_store(k.select(small, roots, k.splat(0.0, 4, scalar.type)), k.outputs[0], [0])

    (found,) = run(body, [x], [np.zeros(4, np.float32)])
    np.testing.assert_array_equal(found, [1, 2, 0, 0])


def test_flatten_and_dynamic_coordinates() -> None:
    x = np.arange(24, dtype=np.int32).reshape(2, 3, 4)

    def body(k: Kernel) -> None:
        flat = k.flatten(k.inputs[0])
        extents = k.dims(k.inputs[0])
        with k.loop(0, k.product(extents)) as (i, _):
            at = k.delinearize(i, extents)
            k.store(k.load(flat, [k.linearize(at, extents)]), k.outputs[0], at)

    (found,) = run(body, [x], [np.zeros_like(x)])
    np.testing.assert_array_equal(found, x)


def test_numbers_fold_and_emit_nothing() -> None:
    with new_context(), ir.Location.unknown():
        module = ir.Module.create()
        b = Builder()
        with ir.InsertionPoint(module.body):
            assert b.add(2, 3) == 5
            assert b.ceildiv(7, 2) == 4
            assert b.min(4, b.max(1, 2)) == 2
            assert b.delinearize(17, [2, 3, 4]) == [1, 1, 1]
            assert b.linearize([1, 1, 1], [2, 3, 4]) == 17
            assert b.product([]) == 1
            assert b.compare("lt", 2, 3) is True
            assert b.compare("ult", -1, 5) is False  # the greatest of all, as unsigned
            assert b.compare("ugt", -1, -2) is True
            assert b.select(False, 1, 2) == 2
            assert math.isclose(b.div(1, 4), 0.25)
            assert b.logical_or(True, None) is True
        assert not list(module.body.operations)


def test_identities_return_the_other_operand() -> None:
    with new_context(), ir.Location.unknown():
        module = ir.Module.create()
        with kernel(
            module.operation,
            KernelSpec(
                "same", (ir.Type.parse("tensor<?xi32>"),), (ir.Type.parse("tensor<1xi32>"),)
            ),
            CPU,
        ) as k:
            size = k.dim(k.inputs[0], 0)
            assert k.add(size, 0) is size
            assert k.mul(1, size) is size
            assert k.mul(size, 0) == 0
            assert k.floordiv(size, 1) is size
            assert k.rem(size, 1) == 0


def test_constants_are_made_once_and_dominate_their_uses() -> None:
    with new_context(), ir.Location.unknown():
        module = ir.Module.create()
        kind = ir.Type.parse("tensor<4xi32>")
        with kernel(module.operation, KernelSpec("constants", (kind,), (kind,)), CPU) as k:
            with k.loop(0, 4) as (i, _):
                k.store(77, k.outputs[0], [i])
            k.store(77, k.outputs[0], [0])
        assert module.operation.verify()
        assert str(module).count("arith.constant 77") == 1
