"""Constants of the IR as arrays and back."""

import ml_dtypes
import numpy as np
import pytest

from fsa.bindings import ir
from fsa.dialects.fsa.constants import array_of, attribute_of, constant_array, dtype_of
from fsa.dialects.fsa.dialect import new_context

SPECIAL = [0.0, -0.0, 1.5, -2.25, np.inf, -np.inf, np.nan]


@pytest.mark.parametrize("element", ["f16", "bf16", "f32", "f64"])
@pytest.mark.parametrize("shape", [(7,), (1, 7), (0,), (0, 3), ()])
def test_floats_survive(element, shape):
    count = int(np.prod(shape))
    with new_context(), ir.Location.unknown():
        type = ir.Type.parse(element)
        given = np.array(SPECIAL[:count]).reshape(shape).astype(dtype_of(type))
        attribute = attribute_of(given, type)
        found = array_of(attribute, attribute.type)
    assert found is not None
    assert (found.dtype, found.shape) == (given.dtype, given.shape)
    assert found.tobytes() == given.tobytes()


@pytest.mark.parametrize("element", ["i1", "i8", "i16", "i32", "i64", "index"])
def test_integers_survive(element):
    with new_context(), ir.Location.unknown():
        type = ir.Type.parse(element)
        given = np.array([[0, 1, -1], [2, 3, 120]]).astype(dtype_of(type))
        attribute = attribute_of(given, type)
        assert str(attribute.type) == f"tensor<2x3x{element}>"
        found = array_of(attribute, attribute.type)
    np.testing.assert_array_equal(found, given)


def _constant(text, resources=""):
    module = ir.Module.parse(f"%0 = arith.constant {text}\n{resources}")
    value = next(iter(module.body.operations)).results[0]
    return module, value


@pytest.mark.parametrize("element", ["f32", "bf16"])
def test_splats(element):
    with new_context():
        _module, value = _constant(f"dense<0.5> : tensor<2x3x{element}>")
        found = constant_array(value)
    assert found is not None
    np.testing.assert_array_equal(found.astype(float), np.full((2, 3), 0.5))


def test_resources():
    given = np.array([1.0, 2.0], ml_dtypes.bfloat16)
    blob = f'"0x04000000{given.tobytes().hex().upper()}"'
    with new_context():
        resources = "{-# dialect_resources: { builtin: { w: " + blob + " } } #-}"
        _module, value = _constant("dense_resource<w> : tensor<2xbf16>", resources)
        found = constant_array(value)
        assert found is not None
        np.testing.assert_array_equal(found.astype(float), [1, 2])
        _absent, value = _constant("dense_resource<absent> : tensor<2xbf16>")
        assert constant_array(value) is None


def test_what_is_no_readable_constant():
    with new_context():
        module = ir.Module.parse(
            """
            %0 = tensor.empty() : tensor<2xf32>
            %1 = arith.constant 1.0 : f32
            %2 = arith.constant dense<(1.0, 2.0)> : tensor<2xcomplex<f32>>
            %3 = arith.constant dense<1> : tensor<2xi4>
            """
        )
        for op in module.body.operations:
            assert constant_array(op.operation.results[0]) is None
        with pytest.raises(ValueError, match="found i4"):
            dtype_of(ir.Type.parse("i4"))
