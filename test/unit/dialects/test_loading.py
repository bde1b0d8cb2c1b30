"""Loading the dialect: once per context, in any number of contexts, holding none of them alive."""

import gc
import subprocess
import sys

import pytest

from fsa.bindings import ir
from fsa.dialects.fsa.dialect import load, new_context

TEXT = """
func.func @f(%x: tensor<4x70xf32>) -> tensor<4x3xi32> {
  %0 = "fsa.pack_bits"(%x) : (tensor<4x70xf32>) -> tensor<4x3xi32>
  return %0 : tensor<4x3xi32>
}
"""


def _live() -> int:
    gc.collect()
    return int(ir.Context._get_live_count())


def _check(context: ir.Context) -> None:
    with context:
        module = ir.Module.parse(TEXT)
        assert module.operation.verify()
        pack = module.body.operations[0].regions[0].blocks[0].operations[0]
        assert type(pack).__name__ == "PackBits"
        with pytest.raises(ir.MLIRError, match="pack_bits_c2"):
            ir.Module.parse(TEXT.replace("4x3xi32", "4x2xi32"))


def test_fresh_context() -> None:
    _check(new_context())


def test_repeated_load_does_nothing() -> None:
    context = new_context()
    for _ in range(3):
        load(context)
    _check(context)


def test_interleaved_contexts() -> None:
    first, second = ir.Context(), ir.Context()
    load(first)
    _check(first)
    load(second)
    _check(second)
    load(first)
    _check(first)
    _check(second)


def test_current_context_is_left_as_it_was() -> None:
    outer = ir.Context()
    with outer:
        new_context()
        assert ir.Context.current is outer
    assert not outer.is_dialect_loaded("fsa")


def test_multithreading_is_off() -> None:
    # Python verifiers deadlock on the interpreter lock under MLIR's threads.
    context = ir.Context()
    context.enable_multithreading(True)
    load(context)
    assert context.get_num_threads() == 1


def test_contexts_are_not_kept_alive() -> None:
    _check(new_context())
    before = _live()
    for _ in range(5):
        _check(new_context())
    assert _live() == before


def test_dialect_is_loaded_by_importing_nothing_else() -> None:
    program = (
        "from fsa.dialects.fsa.dialect import new_context\n"
        "assert new_context().is_dialect_loaded('fsa')\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
