"""Tensors of narrow elements on Vulkan targets that read memory in 32-bit words."""

import pytest

from fsa.errors import TargetError
from fsa.frontend.mlir import read_mlir
from fsa.runtime.handover import hand_over
from fsa.runtime.targets import Target


def handed_over(type_: str, target: str) -> str:
    from iree.compiler import ir

    text = f"func.func @main(%x: {type_}) -> {type_} {{\n  return %x : {type_}\n}}"
    return str(hand_over(read_mlir(text).operation, Target.parse(target), ir.Context()))


@pytest.mark.parametrize("type_", ["7xi8", "7x3xbf16", "1xi16", "3xi1", "bf16"])
def test_a_last_word_that_is_not_whole_is_refused(type_: str) -> None:
    with pytest.raises(TargetError, match=rf"words of 4 bytes.*found tensor<{type_}>, which has"):
        handed_over(f"tensor<{type_}>", "vulkan")
    for target in ("vulkan:ampere", "cpu", "cuda"):
        assert "cf.assert" not in handed_over(f"tensor<{type_}>", target)


@pytest.mark.parametrize("type_", ["8xi8", "0xi8", "7x2xbf16", "?x4xi8", "?x3xi32", "?x2xi16"])
def test_whole_words_cross(type_: str) -> None:
    assert "cf.assert" not in handed_over(f"tensor<{type_}>", "vulkan")


@pytest.mark.parametrize("type_", ["?xi8", "?x3xbf16", "?x?xi16"])
def test_open_sizes_are_checked_in_the_call(type_: str) -> None:
    assert "cf.assert" in handed_over(f"tensor<{type_}>", "vulkan")
