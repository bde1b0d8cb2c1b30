"""Builders infer the types that verifiers accept, and result shapes are those of real arrays."""

import ml_dtypes
import numpy as np
import pytest

from fsa.bindings import arith, func, ir, tensor
from fsa.bindings import math as math_dialect
from fsa.diagnostics import Diagnostics
from fsa.dialects.fsa import interpreter, reference
from fsa.dialects.fsa.dialect import new_context
from fsa.dialects.fsa.ops.binarized_conv2d import binarized_conv2d
from fsa.dialects.fsa.ops.binarized_matmul import binarized_matmul
from fsa.dialects.fsa.ops.binarized_max_pool2d import binarized_max_pool2d
from fsa.dialects.fsa.ops.binarized_threshold import binarized_threshold
from fsa.dialects.fsa.ops.capsule_predict import capsule_predict
from fsa.dialects.fsa.ops.capsule_routing import capsule_routing
from fsa.dialects.fsa.ops.launch import LaunchOperands, launch
from fsa.dialects.fsa.ops.pack_bits import pack_bits
from fsa.dialects.fsa.ops.squash import squash
from fsa.dialects.fsa.ops.stitched_region import stitched_region
from fsa.dialects.fsa.ops.unpack_bits import unpack_bits
from fsa.passes.fsa_resolve_shapes import FsaResolveShapes

DTYPES = {"f16": np.float16, "bf16": ml_dtypes.bfloat16, "f32": np.float32, "f64": np.float64}
WINDOW = {"strides": (2, 1), "pad": (1, 0, 1, 2)}

# name, operand types, builder, result type
CASES = [
    ("pack", ["tensor<?x70xf16>"], pack_bits, "tensor<?x3xi32>"),
    ("pack_64", ["tensor<70xbf16>"], lambda x: pack_bits(x, word_width=64), "tensor<2xi64>"),
    ("pack_none", ["tensor<?x0xf64>"], pack_bits, "tensor<?x0xi32>"),
    ("unpack", ["tensor<?x?x3xi32>"], lambda b: unpack_bits(b, depth=70), "tensor<?x?x70xf32>"),
    (
        "unpack_f16",
        ["tensor<2xi64>"],
        lambda b: unpack_bits(b, depth=100, element=ir.F16Type.get()),
        "tensor<100xf16>",
    ),
    (
        "matmul",
        ["tensor<?x3xi32>", "tensor<5x3xi32>"],
        lambda a, b: binarized_matmul(a, b, depth=70),
        "tensor<?x5xi32>",
    ),
    (
        "matmul_batch",
        ["tensor<?x2x?x2xi64>", "tensor<3x?x?x2xi64>"],
        lambda a, b: binarized_matmul(a, b, depth=128),
        "tensor<3x2x?x?xi32>",
    ),
    (
        "conv",
        ["tensor<?x?x9x3xi32>", "tensor<5x3x2x3xi32>"],
        lambda x, w: binarized_conv2d(x, w, channels=70, pad_mode="one", **WINDOW),
        "tensor<?x?x11x5xi32>",
    ),
    (
        "conv_groups",
        ["tensor<1x8x?x2xi64>", "tensor<4x3x3x1xi64>"],
        lambda x, w: binarized_conv2d(x, w, channels=128, groups=2, dilations=(1, 3)),
        "tensor<1x6x?x4xi32>",
    ),
    (
        "threshold",
        ["tensor<?x4x70xi32>", "tensor<70xi32>", "tensor<2xi64>"],
        binarized_threshold,
        "tensor<?x4x2xi64>",
    ),
    (
        "pool",
        ["tensor<?x?x?x3xi64>"],
        lambda x: binarized_max_pool2d(x, kernel=(3, 3), dilations=(2, 1), **WINDOW),
        "tensor<?x?x?x3xi64>",
    ),
    (
        "predict",
        ["tensor<?x?x8xf32>", "tensor<6x?x4x8xf32>"],
        capsule_predict,
        "tensor<?x6x?x4xf32>",
    ),
    (
        "routing",
        ["tensor<?x6x3x?xf64>"],
        lambda u: capsule_routing(u, iterations=2, agreement="batch_shared"),
        "tensor<?x3x?xf64>",
    ),
    (
        "routing_from_logits",
        ["tensor<?x6x3x?xf64>", "tensor<6x3xf64>"],
        lambda u, logits: capsule_routing(u, logits, iterations=2),
        "tensor<?x3x?xf64>",
    ),
    ("squash", ["tensor<?x?xbf16>"], lambda s: squash(s, epsilon=0.0), "tensor<?x?xbf16>"),
]


def _module(types, build):
    """Return a module whose function returns the op's result and each of its sizes."""
    module = ir.Module.create()
    with ir.InsertionPoint(module.body):

        @func.func(*[ir.Type.parse(text) for text in types])
        def f(*arguments):
            result = build(*arguments)
            index = ir.IndexType.get()
            sizes = [tensor.dim(result, arith.constant(index, i)) for i in range(result.type.rank)]
            return [result, *sizes]

    assert module.operation.verify()
    return module


def _array(rng, text, sizes):
    """Return random data of a tensor type; `sizes` gives its `?`."""
    type = ir.Type.parse(text)
    given = iter(sizes)
    shape = [next(given) if type.is_dynamic_dim(i) else type.shape[i] for i in range(type.rank)]
    element = str(type.element_type)
    if element in DTYPES:
        return rng.standard_normal(shape).astype(DTYPES[element])
    return rng.integers(-9, 9, shape).astype(f"int{element[1:]}")


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_builder_infers_the_type(case):
    _, types, build, expected = case
    with new_context(), ir.Location.unknown():
        function = next(iter(_module(types, build).body.operations))
        assert str(function.type.results[0]) == expected


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
@pytest.mark.parametrize("size", [0, 1, 3, 8])
def test_result_shape_is_that_of_the_reference(rng, case, size):
    _, types, build, _ = case
    with new_context(), ir.Location.unknown():
        module = _module(types, build)
        FsaResolveShapes().run(module.operation, Diagnostics())
        assert module.operation.verify()
        function = next(iter(module.body.operations))
        for op in function.regions[0].blocks[0].operations:
            if op.operation.name == "tensor.dim":
                assert isinstance(op.operands[0], ir.BlockArgument)
        # The sizes that operands share are those that one of them has fixed.
        sizes = {"matmul_batch": [[3, size], [2, size]], "predict": [[size, 6], [size]]}
        dynamic = sizes.get(case[0], [[size] * 4 for _ in types])
        arrays = [_array(rng, text, given) for text, given in zip(types, dynamic, strict=True)]
        result, *extents = interpreter.run_function(function, *arrays)
    assert result.shape == tuple(int(extent) for extent in extents)


def test_stitched_region_and_launch():
    with new_context(), ir.Location.unknown():
        module = ir.Module.create()
        type = ir.Type.parse("tensor<?x8xf32>")
        with ir.InsertionPoint(module.body):

            @func.func(type, ir.IndexType.get())
            def f(x, n):
                region = stitched_region([x], [type], lambda a: [math_dialect.exp(a)])
                word = arith.constant(ir.IntegerType.get_signless(32), 1)
                run = launch(
                    ["kernels", "k"],
                    grid=(n, 2, 1),
                    inputs=[region.results[0]],
                    result_types=[type, type],
                    result_dims=[n, n],
                    scalars=[word],
                    workgroup_size=(64, 1, 1),
                )
                roles = LaunchOperands.of(run.operation)
                assert [len(part) for part in (roles.grid, roles.result_dims)] == [3, 2]
                assert [len(part) for part in (roles.scalars, roles.inputs)] == [1, 1]
                assert roles.inputs[0] == region.results[0]
                assert [dims[0] == n for dims in run.result_shape(run.operation, None)] == [
                    True
                ] * 2
                return run.results[1]

        assert module.operation.verify()
        assert "kernel = @kernels::@k" in str(module)


def test_too_many_values_are_refused():
    with new_context(), ir.Location.unknown():
        module = ir.Module.create()
        with ir.InsertionPoint(module.body):
            x = tensor.empty([1], ir.F32Type.get())
            with pytest.raises(ValueError, match="expected at most 32 inputs, found 33"):
                stitched_region([x] * 33, [], lambda *_: [])
            with pytest.raises(ValueError, match="expected at most 16 outputs, found 17"):
                stitched_region([x], [x.type] * 17, lambda *_: [])


@pytest.mark.parametrize(("width", "depth"), [(32, 70), (64, 70), (32, 0)])
def test_built_ops_compute_what_they_say(rng, width, depth):
    with new_context(), ir.Location.unknown():
        module = _module(
            [f"tensor<?x{depth}xf32>"],
            lambda x: unpack_bits(pack_bits(x, word_width=width), depth=depth),
        )
        x = rng.standard_normal((3, depth)).astype(np.float32)
        result, *_ = interpreter.run_function(next(iter(module.body.operations)), x)
    np.testing.assert_array_equal(result, np.where(x >= 0, 1, -1))
    assert reference.pack_bits(x, word_width=width).dtype == f"int{width}"
