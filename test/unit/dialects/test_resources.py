"""Resources are read from bytecode, whatever their size, type and name."""

import ml_dtypes
import numpy as np
import pytest

from fsa.bindings import ir
from fsa.dialects.fsa.constants import array_of, is_resource, stored_attribute
from fsa.dialects.fsa.dialect import new_context
from fsa.dialects.fsa.resources import resource_bytes

ELEMENTS = {
    "f32": np.float32,
    "bf16": ml_dtypes.bfloat16,
    "f64": np.float64,
    "i64": np.int64,
    "i8": np.int8,
}


@pytest.mark.parametrize("element", ELEMENTS)
@pytest.mark.parametrize("shape", [(0,), (1,), (3, 5), (40, 50), (1000, 300)])
def test_what_is_stored_is_read(element: str, shape: tuple[int, ...]) -> None:
    given = np.random.default_rng(1).integers(-100, 100, shape).astype(ELEMENTS[element])
    with new_context(), ir.Location.unknown():
        kind = ir.Type.parse(element)
        attribute = stored_attribute(given, kind, "a name/with.signs")
        tensor = ir.RankedTensorType.get(shape, kind)
        assert is_resource(attribute) == (given.size > 1024)
        found = array_of(attribute, tensor)
        assert found is not None
        assert found.dtype == given.dtype
        np.testing.assert_array_equal(found.astype(np.float64), given.astype(np.float64))


@pytest.mark.parametrize("shape", [(0,), (1,), (7,), (127,), (128,), (20_000,)])
def test_sizes_around_those_of_the_format(shape: tuple[int, ...]) -> None:
    given = np.arange(shape[0], dtype=np.uint8)
    with new_context(), ir.Location.unknown():
        tensor = ir.RankedTensorType.get(shape, ir.IntegerType.get_signless(8))
        attribute = ir.DenseResourceElementsAttr.get_from_buffer(given, "w", tensor)
        found = resource_bytes(attribute, tensor)
        assert found is not None
        assert bytes(found) == given.tobytes()
