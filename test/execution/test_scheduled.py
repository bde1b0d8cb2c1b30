"""Regions scheduled by a transform script compute what they computed before."""

import numpy as np
import pytest

import fsa
from fsa.errors import PassFailure
from fsa.runtime.emit import listing

PIPELINE = "builtin.module(fsa-form-stitched-regions{min-ops=1},transform-interpreter,fsa-to-cpu)"
ANY = "!transform.any_op"


def module(body: str, script: str) -> str:
    return f"""
module attributes {{transform.with_named_sequence}} {{
  {body}
  transform.named_sequence @__transform_main(%module: {ANY} {{transform.readonly}}) {{
    {script}
    transform.yield
  }}
}}
"""


def match(name: str, op: str) -> str:
    return f'%{name} = transform.structured.match ops{{["{op}"]}} in %module : ({ANY}) -> {ANY}'


def tile(op: str, sizes: str, results: str = "%tile, %loop") -> str:
    types = f"({ANY}) -> ({ANY}, {ANY})"
    return f"{results} = transform.structured.tile_using_forall %{op} tile_sizes {sizes} : {types}"


ROWS = """
#image = affine_map<(r, c) -> (r, c)>
#row = affine_map<(r, c) -> (r)>
func.func @main(%x: tensor<7x30xf32>) -> (tensor<7xf32>, tensor<7x30xf32>) {
  %zero = arith.constant 0.0 : f32
  %column = tensor.empty() : tensor<7xf32>
  %image = tensor.empty() : tensor<7x30xf32>
  %start = linalg.fill ins(%zero : f32) outs(%column : tensor<7xf32>) -> tensor<7xf32>
  %sum = linalg.generic {indexing_maps = [#image, #row], iterator_types = ["parallel", "reduction"]}
    ins(%x : tensor<7x30xf32>) outs(%start : tensor<7xf32>) {
  ^bb0(%a: f32, %t: f32):
    %s = arith.addf %a, %t : f32
    linalg.yield %s : f32
  } -> tensor<7xf32>
  %y = linalg.generic {indexing_maps = [#image, #row, #image],
    iterator_types = ["parallel", "parallel"]}
    ins(%x, %sum : tensor<7x30xf32>, tensor<7xf32>) outs(%image : tensor<7x30xf32>) {
  ^bb0(%a: f32, %t: f32, %o: f32):
    %q = arith.divf %a, %t : f32
    linalg.yield %q : f32
  } -> tensor<7x30xf32>
  return %sum, %y : tensor<7xf32>, tensor<7x30xf32>
}
"""


@pytest.fixture
def rows() -> np.ndarray:
    return np.random.default_rng(5).uniform(0.5, 2, (7, 30)).astype(np.float32)


def check(text: str, x: np.ndarray) -> None:
    total, y = fsa.compile(text, pipeline=PIPELINE, cache=False)(x)
    np.testing.assert_allclose(total, x.sum(1), rtol=1e-5)
    np.testing.assert_allclose(y, x / x.sum(1, keepdims=True), rtol=1e-5)


def maps_first(text: str) -> str:
    """Move the aliases of maps to the top, where MLIR wants them."""
    lines = text.splitlines()
    aliases = [line for line in lines if line.lstrip().startswith("#")]
    return "\n".join([*aliases, *(line for line in lines if line not in aliases)])


def test_two_results_as_one_task(rows):
    script = (
        match("all", "linalg.generic")
        + f"""
    %sum, %div = transform.split_handle %all : ({ANY}) -> ({ANY}, {ANY})
    {tile("div", "[2, 16]")}"""
    )
    check(maps_first(module(ROWS, script)), rows)


def test_a_reduction_in_loops_that_do_not_divide(rows):
    script = (
        match("all", "linalg.generic")
        + f"""
    %sum, %div = transform.split_handle %all : ({ANY}) -> ({ANY}, {ANY})
    %t, %l:2 = transform.structured.tile_using_for %sum tile_sizes [4, 8]
      : ({ANY}) -> ({ANY}, {ANY}, {ANY})"""
    )
    check(maps_first(module(ROWS, script)), rows)


CUBE = """
func.func @main(%x: tensor<3x5x40xf16>, %k: f32) -> tensor<3x5x40xf16> {
  %e = tensor.empty() : tensor<3x5x40xf16>
  %y = linalg.generic {indexing_maps = [affine_map<(a, b, c) -> (a, b, c)>,
    affine_map<(a, b, c) -> (a, b, c)>], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%x : tensor<3x5x40xf16>) outs(%e : tensor<3x5x40xf16>) {
  ^bb0(%a: f16, %o: f16):
    %w = arith.extf %a : f16 to f32
    %s = arith.mulf %w, %k : f32
    %n = arith.truncf %s : f32 to f16
    linalg.yield %n : f16
  } -> tensor<3x5x40xf16>
  return %y : tensor<3x5x40xf16>
}
"""


def test_tasks_of_two_dimensions_and_a_scalar_operand():
    script = f"""{match("op", "linalg.generic")}
    {tile("op", "[2, 3, 0]")}"""
    text = module(CUBE, script)
    x = np.random.default_rng(6).standard_normal((3, 5, 40)).astype(np.float16)
    y = fsa.compile(text, pipeline=PIPELINE, cache=False)(x, 2.5)
    np.testing.assert_allclose(y, x * np.float16(2.5), rtol=1e-3)


LONG = """
func.func @main(%x: tensor<20000x64xf32>) -> tensor<20000xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<20000x64xf32>
  %column = tensor.empty() : tensor<20000xf32>
  %start = linalg.fill ins(%zero : f32) outs(%column : tensor<20000xf32>) -> tensor<20000xf32>
  %a = linalg.exp ins(%x : tensor<20000x64xf32>) outs(%e : tensor<20000x64xf32>)
    -> tensor<20000x64xf32>
  %y = linalg.reduce ins(%a : tensor<20000x64xf32>) outs(%start : tensor<20000xf32>)
    dimensions = [1] (%in: f32, %sum: f32) {
      %next = arith.addf %in, %sum : f32
      linalg.yield %next : f32
    }
  return %y : tensor<20000xf32>
}
"""


def test_a_buffer_in_a_loop_takes_its_memory_once():
    script = f"""{match("sum", "linalg.reduce")}
    {match("exp", "linalg.exp")}
    %t, %loop = transform.structured.tile_using_for %sum tile_sizes [1, 0]
      : ({ANY}) -> ({ANY}, {ANY})
    %f, %l = transform.structured.fuse_into_containing_op %exp into %loop
      : ({ANY}, {ANY}) -> ({ANY}, {ANY})"""
    text = module(LONG, script)
    lowered = listing(text, "mlir", target="cpu", pipeline=PIPELINE)
    assert lowered.index("memref.alloca") < lowered.index("scf.for")
    x = np.random.default_rng(7).standard_normal((20000, 64)).astype(np.float32)
    y = fsa.compile(text, pipeline=PIPELINE, cache=False)(x)
    np.testing.assert_allclose(y, np.exp(x).sum(1), rtol=1e-5)


def test_a_script_that_fails_says_so_in_one_sentence():
    split = f"%a, %b = transform.split_handle %op : ({ANY}) -> ({ANY}, {ANY})"
    script = f"{match('op', 'linalg.generic')}\n    {split}"
    with pytest.raises(PassFailure, match=r"pass 'transform-interpreter' failed: "):
        fsa.compile(module(CUBE, script), pipeline=PIPELINE, cache=False)
