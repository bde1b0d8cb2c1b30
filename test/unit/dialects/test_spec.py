"""SPEC.md, the verifiers, the negative tests and the examples say the same."""

import doctest
import importlib
import re
from pathlib import Path

import pytest

from fsa.bindings import ir
from fsa.dialects.fsa import reference
from fsa.dialects.fsa.dialect import OP_MODULES, TENSOR_OPS, Fsa, new_context
from fsa.dialects.fsa.evaluation import fsa_ops

ROOT = Path(__file__).resolve().parents[3]
SPEC = ROOT / "dialects/fsa/SPEC.md"
OPS = ROOT / "dialects/fsa/ops"
LIT = ROOT / "test/lit/dialects"

SECTIONS = dict(
    re.findall(r"^## `fsa\.(\w+)`\n(.*?)(?=^## |\Z)", SPEC.read_text(), re.MULTILINE | re.DOTALL)
)
LABELS = sorted(re.findall(r"^- `(\w+_c\d+)`: ", SPEC.read_text(), re.MULTILINE))


def _labels(pattern: str, paths: list[Path]) -> set[str]:
    return {label for path in paths for label in re.findall(pattern, path.read_text())}


def test_every_op_has_a_section() -> None:
    with new_context():
        assert sorted(SECTIONS) == sorted(op._op_name for op in Fsa.operations)
    assert {path.stem for path in OPS.glob("*.py")} == {*OP_MODULES, "__init__"}


@pytest.mark.parametrize("name", TENSOR_OPS)
def test_every_tensor_op_has_a_reference_and_a_lowering(name: str) -> None:
    assert callable(reference.reference_of(name))
    assert fsa_ops.has_reference(f"fsa.{name}")
    assert callable(importlib.import_module(f"fsa.passes.patterns.{name}").lower)


def test_labels_are_numbered_and_in_their_section() -> None:
    assert len(LABELS) == len(set(LABELS))
    for name, text in SECTIONS.items():
        found = re.findall(r"^- `(\w+_c\d+)`: ", text, re.MULTILINE)
        assert found == [f"{name}_c{index + 1}" for index in range(len(found))]
        assert found


def test_every_label_has_a_verifier_branch_with_a_comment() -> None:
    files = list(OPS.glob("*.py"))
    assert _labels(r'"(\w+_c\d+)"', files) == set(LABELS)
    assert _labels(r"# (\w+_c\d+): \w", files) == set(LABELS)


def test_every_label_has_a_negative_test() -> None:
    files = list(LIT.glob("*-invalid.mlir"))
    functions = _labels(r"func\.func @(\w+_c\d+)\(", files)
    reported = _labels(r"expected-error@\+1 \{\{.*?\[(\w+_c\d+)\]", files)
    assert functions == set(LABELS)
    assert reported == set(LABELS)
    for path in files:
        owner = path.name.removesuffix("-invalid.mlir").replace("-", "_")
        for label in re.findall(r"func\.func @(\w+)_c\d+\(", path.read_text()):
            assert label == owner


@pytest.mark.parametrize("name", sorted(SECTIONS))
def test_example_parses_and_verifies(name: str) -> None:
    examples = re.findall(r"```mlir\n(.*?)```", SECTIONS[name], re.DOTALL)
    assert len(examples) == 1
    with new_context():
        module = ir.Module.parse(examples[0])
        assert module.operation.verify()
        assert f"fsa.{name}" in str(module)


def test_packing_example_is_true() -> None:
    failures, tried = doctest.testfile(str(SPEC), module_relative=False)
    assert (failures, tried) == (0, 6)
