"""`fsa-canonicalize` changes no result: functions give the same before and after."""

import numpy as np
import pytest

from fsa.bindings import ir
from fsa.diagnostics import Diagnostics
from fsa.dialects.fsa import interpreter, reference
from fsa.dialects.fsa.constants import attribute_of
from fsa.dialects.fsa.dialect import new_context
from fsa.passes.fsa_canonicalize import FsaCanonicalize

WORDS = np.random.default_rng(7)
SIGNS = WORDS.choice([-1.0, 1.0], (4, 70))
IMAGE = reference.pack_bits(WORDS.choice([-1.0, 1.0], (1, 5, 4, 70)))
FILTER = reference.pack_bits(WORDS.choice([-1.0, 1.0], (3, 2, 2, 70)))
CAPSULES = WORDS.standard_normal((2, 3, 4, 5))

# The op, its operands, its attributes, its result type.
OPS = {
    "pack_bits": ([SIGNS.astype(np.float16)], "", "tensor<4x3xi32>"),
    "unpack_bits": ([reference.pack_bits(SIGNS)], "depth = 70 : i64", "tensor<4x70xbf16>"),
    "binarized_matmul": (
        [reference.pack_bits(SIGNS), reference.pack_bits(SIGNS[:2])],
        "depth = 70 : i64",
        "tensor<4x2xi32>",
    ),
    "binarized_conv2d": (
        [IMAGE, FILTER],
        "channels = 70 : i64, strides = array<i64: 2, 1>, pad = array<i64: 0, 1, 1, 0>, "
        'pad_mode = "one", dilations = array<i64: 1, 1>, groups = 1 : i64',
        "tensor<1x3x4x3xi32>",
    ),
    "binarized_threshold": (
        [
            np.arange(-6, 6, dtype=np.int32).reshape(2, 6),
            np.arange(6, dtype=np.int32),
            np.array([5], np.int64),
        ],
        "",
        "tensor<2x1xi64>",
    ),
    "binarized_max_pool2d": (
        [IMAGE],
        "kernel = array<i64: 2, 2>, strides = array<i64: 1, 2>, pad = array<i64: 1, 0, 0, 1>",
        "tensor<1x5x2x3xi32>",
    ),
    "capsule_predict": (
        [CAPSULES[:, :, 0, :].astype(np.float32), CAPSULES[0][:, :, None].astype(np.float32)],
        "",
        "tensor<2x3x4x1xf32>",
    ),
    "capsule_routing": (
        [CAPSULES],
        'iterations = 3 : i64, agreement = "batch_shared", epsilon = 1.0e-7 : f64',
        "tensor<2x4x5xf64>",
    ),
    "squash": ([CAPSULES.astype(np.float32)], "epsilon = 0.0 : f64", "tensor<2x3x4x5xf32>"),
}
ELEMENTS = {"float16": "f16", "float32": "f32", "float64": "f64", "int32": "i32", "int64": "i64"}


def _function(name: str, constant: bool) -> ir.Module:
    """Return a module that calls the op on arguments, or on constants."""
    arrays, attributes, result = OPS[name]
    types = [
        f"tensor<{'x'.join(map(str, array.shape))}x{ELEMENTS[array.dtype.name]}>"
        for array in arrays
    ]
    operands = ", ".join(f"%x{i}" for i in range(len(arrays)))
    arguments = ", ".join(f"%x{i}: {type}" for i, type in enumerate(types))
    constants = "\n".join(
        f"%x{i} = arith.constant {attribute_of(array, ir.Type.parse(type).element_type)}"
        for i, (array, type) in enumerate(zip(arrays, types, strict=True))
    )
    return ir.Module.parse(f"""
    func.func @f({"" if constant else arguments}) -> {result} {{
      {constants if constant else ""}
      %r = "fsa.{name}"({operands}) {{{attributes}}} : ({", ".join(types)}) -> {result}
      return %r : {result}
    }}""")


@pytest.mark.parametrize("name", sorted(OPS))
@pytest.mark.parametrize("constant", [True, False])
def test_result_is_the_same(name, constant):
    with new_context(), ir.Location.unknown():
        module = _function(name, constant)
        inputs = [] if constant else OPS[name][0]
        before = interpreter.run_function(next(iter(module.body.operations)), *inputs)
        FsaCanonicalize().run(module.operation, Diagnostics())
        assert module.operation.verify()
        assert ("fsa." in str(module)) is not constant
        after = interpreter.run_function(next(iter(module.body.operations)), *inputs)
    expected = reference.reference_of(name)
    assert expected is not None
    np.testing.assert_allclose(after[0], before[0], rtol=1e-6)


def test_running_again_changes_nothing():
    with new_context(), ir.Location.unknown():
        module = _function("binarized_conv2d", constant=False)
        FsaCanonicalize().run(module.operation, Diagnostics())
        once = str(module)
        FsaCanonicalize().run(module.operation, Diagnostics())
        assert str(module) == once
        assert "groups" not in once
