"""What is no model is refused with what is one."""

from typing import Any

import pytest

from fsa.errors import InputError
from fsa.frontend.model import read_model

TEXT = "func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> { return %x : tensor<4xf32> }"
STABLE = """func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = stablehlo.sine %x : tensor<4xf32>
  return %y : tensor<4xf32>
}"""


@pytest.mark.parametrize(
    ("source", "found"),
    [
        (None, "an object of type NoneType"),
        ({"weight": 1}, "an object of type dict"),
        (read_model, "an object of type function"),
        (Exception, "the class Exception: pass an instance"),
    ],
    ids=["none", "dict", "function", "class"],
)
@pytest.mark.parametrize("inputs", [None, (1,)])
def test_other_objects(source: Any, found: str, inputs: Any) -> None:
    with pytest.raises(InputError, match=f"^expected a model: .*, found {found}$"):
        read_model(source, inputs)


@pytest.mark.parametrize(("text", "kind"), [(TEXT, "MLIR"), (STABLE, "StableHLO")])
def test_options_of_other_forms(text: str, kind: str) -> None:
    with pytest.raises(InputError, match=f"expected no shapes with {kind}, found .* dict"):
        read_model(text, shapes={"x": (4,)})
    with pytest.raises(InputError, match=f"expected no example_inputs with {kind}, found"):
        read_model(text, (1,))
