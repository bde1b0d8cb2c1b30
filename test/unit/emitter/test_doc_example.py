"""The example of docs/kernel-emitter.md is run as it stands."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kernel_engine import run_kernel

from fsa.bindings import ir
from fsa.dialects.fsa.dialect import new_context
from fsa.runtime.targets import Target

PAGE = Path(__file__).resolve().parents[3] / "docs" / "kernel-emitter.md"
TARGETS = [
    Target("cpu", "host", vector_bits=512),
    Target("vulkan", "", has_i64=False),
    Target("cuda", "sm_89", has_shuffle=True),
]


def example() -> dict[str, Any]:
    found = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(found) == 1
    names: dict[str, Any] = {}
    exec(compile(found[0], str(PAGE), "exec"), names)
    return names


def build(target: Target, source: str) -> Any:
    module = ir.Module.parse(
        f"func.func @main(%x: tensor<{source}xf32>) -> tensor<?xf32> {{\n"
        "  %none = ub.poison : tensor<?xf32>\n  return %none : tensor<?xf32>\n}"
    )
    entry = module.body.operations[0].entry_block
    back = list(entry.operations)[-1]
    with ir.InsertionPoint(back):
        back.operands[0] = example()["launch_row_sums"](
            module.operation, entry.arguments[0], target, 64
        )
    assert module.operation.verify()
    return module


@pytest.mark.parametrize("target", TARGETS, ids=str)
@pytest.mark.parametrize("shape", ["5x1", "?x200", "?x?"])
def test_it_verifies_and_round_trips(target: Target, shape: str) -> None:
    with new_context(), ir.Location.unknown():
        text = str(build(target, shape))
        assert str(ir.Module.parse(text)) == text
        assert ("gpu.shuffle" in text) == target.has_shuffle


def test_no_kernel_is_made_for_an_empty_input() -> None:
    with new_context(), ir.Location.unknown():
        assert "fsa" not in str(build(TARGETS[0], "?x0"))


@pytest.mark.parametrize("columns", [1, 63, 64, 200])
def test_it_runs(columns: int) -> None:
    with new_context(), ir.Location.unknown():
        module = build(TARGETS[0], "?x?")
        x = np.arange(5 * columns, dtype=np.float32).reshape(5, columns)
        sums = np.full(5, np.nan, np.float32)
        run_kernel(module, "fsa_row_sums_0", [x, sums], [5])
        np.testing.assert_array_equal(sums, x.sum(axis=1))
