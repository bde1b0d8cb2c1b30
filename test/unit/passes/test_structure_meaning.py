"""Passes that reshape linear algebra keep the meaning of every function of their lit tests.

Each function is evaluated in NumPy before and after the pass, on small integers: sums of their
products are exact in any order.
"""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fsa.bindings import ir
from fsa.diagnostics import Diagnostics
from fsa.dialects.fsa.constants import dtype_of
from fsa.dialects.fsa.dialect import new_context
from fsa.dialects.fsa.interpreter import run_function
from fsa.passes.registry import make_pass

LIT = Path(__file__).parents[2] / "lit" / "passes"
PASSES = [
    "fsa-convolutions-to-matmul",
    "fsa-gather-reversed",
    "fsa-propagate-transposes",
    "fsa-raise-binarized",
    "fsa-simplify-broadcasts",
    "fsa-simplify-matmuls",
    "fsa-simplify-reductions",
    "fsa-simplify-sizes",
    "fsa-trim-convolutions",
]
# The size of every dynamic dimension.
DYNAMIC = 5


def arguments(function: Any) -> list[np.ndarray[Any, Any]]:
    generator = np.random.default_rng(7)
    arrays: list[Any] = []
    for type in function.attributes["function_type"].value.inputs:
        if isinstance(type, ir.IndexType):
            arrays.append(np.array(DYNAMIC))
            continue
        low, high = (0, 2) if isinstance(type.element_type, ir.IndexType) else (-4, 5)
        shape = [DYNAMIC if type.is_dynamic_dim(i) else type.shape[i] for i in range(type.rank)]
        arrays.append(generator.integers(low, high, shape).astype(dtype_of(type.element_type)))
    return arrays


def erase_checks(module: Any) -> None:
    """Erase the asserts: they do not change what a function returns."""
    for function in module.body.operations:
        for op in list(function.regions[0].blocks[0].operations):
            if op.operation.name == "cf.assert":
                op.operation.erase()


@pytest.mark.parametrize("name", PASSES)
def test_meaning(name: str) -> None:
    text = (LIT / f"{name}.mlir").read_text(encoding="utf-8")
    with new_context():
        before, after = ir.Module.parse(text), ir.Module.parse(text)
        make_pass(name).run(after.operation, Diagnostics())
        after.operation.verify()
        erase_checks(before)
        erase_checks(after)
        functions = [
            [op.operation for op in module.body.operations if op.operation.name == "func.func"]
            for module in (before, after)
        ]
        for old, new in zip(*functions, strict=True):
            inputs = arguments(old)
            wanted, found = run_function(old, *inputs), run_function(new, *inputs)
            for one, other in itertools.zip_longest(wanted, found):
                np.testing.assert_array_equal(other, one, err_msg=str(old.attributes["sym_name"]))
