"""fsa-fold-batch-norm: folded and unfolded programs agree, for every kind of weights."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import fsa

WINDOW = "{dilations = dense<1> : vector<2xi64>, strides = dense<1> : vector<2xi64>}"


@dataclass(frozen=True)
class Case:
    """An op with constant weights, followed by a normalization along one axis of its result."""

    op: str
    operands: tuple[str, ...]  # the weights are called w, the input x
    x: tuple[int | None, ...]
    w: tuple[int, ...]
    y: tuple[int | None, ...]
    axis: int
    joined: tuple[tuple[int, ...], ...] = ()  # axes of the result that become one, if any


CASES = {
    "nchw": Case(
        f"conv_2d_nchw_fchw {WINDOW}", ("x", "w"), (None, 3, 6, 6), (4, 3, 3, 3), (None, 4, 4, 4), 1
    ),
    "nhwc": Case(
        f"conv_2d_nhwc_hwcf {WINDOW}", ("x", "w"), (2, 6, 6, 3), (3, 3, 3, 4), (2, 4, 4, 4), 3
    ),
    "depthwise": Case(
        f"depthwise_conv_2d_nchw_chw {WINDOW}",
        ("x", "w"),
        (2, 5, 6, 6),
        (5, 3, 3),
        (2, 5, 4, 4),
        1,
    ),
    "grouped": Case(
        f"conv_2d_ngchw_gfchw {WINDOW}",
        ("x", "w"),
        (2, 2, 3, 6, 6),
        (2, 4, 3, 3, 3),
        (2, 2, 4, 4, 4),
        1,
        ((0,), (1, 2), (3,), (4,)),
    ),
    "columns": Case("matmul", ("x", "w"), (None, 7), (7, 5), (None, 5), 1),
    "rows": Case("matmul", ("w", "x"), (7, 3), (5, 7), (5, 3), 0),
    "batches": Case("batch_matmul", ("x", "w"), (3, 4, 5), (3, 5, 6), (3, 4, 6), 0),
}


def dense(array: Any) -> str:
    """Return an f32 array as a constant of the IR."""
    shape = "x".join(map(str, array.shape))
    return (
        f'dense<"0x{np.asarray(array, np.float32).tobytes().hex().upper()}"> : tensor<{shape}xf32>'
    )


def typed(shape: tuple[int | None, ...]) -> str:
    """Return a tensor type of f32."""
    return f"tensor<{'x'.join('?' if n is None else str(n) for n in shape)}xf32>"


def program(name: str, case: Case) -> str:
    """Return a function that normalizes what the op of `case` gives: ((y - m) * f) / d + b."""
    random = np.random.default_rng(5)
    y, shape = typed(case.y), case.y
    join = ""
    if case.joined:
        shape = tuple(int(np.prod([case.y[axis] or 1 for axis in group])) for group in case.joined)
        groups = [list(group) for group in case.joined]
        join = f"%j = tensor.collapse_shape %r {groups} : {y} into {typed(shape)}"
    value, result = ("j" if join else "r"), typed(shape)
    channels, rank = shape[case.axis], len(shape)
    loops = ", ".join(f"d{k}" for k in range(rank))
    same, along = f"affine_map<({loops}) -> ({loops})>", f"affine_map<({loops}) -> (d{case.axis})>"
    vectors = [random.uniform(0.5, 2.0, channels) for _ in range(4)]
    names = ("m", "f", "d", "b")
    size = "%n = tensor.dim %x, %c0 : " + typed(case.x) if None in case.x else ""
    dynamic = "%n" if None in case.x else ""
    types = {"x": typed(case.x), "w": typed(case.w)}
    parallel = ", ".join(['"parallel"'] * rank)
    constants = "\n  ".join(
        f"%{n} = arith.constant {dense(v)}" for n, v in zip(names, vectors, strict=True)
    )
    return f"""
func.func @{name}(%x: {typed(case.x)}) -> {result} {{
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %w = arith.constant {dense(random.standard_normal(case.w))}
  {constants}
  {size}
  %e = tensor.empty({dynamic}) : {y}
  %z = linalg.fill ins(%zero : f32) outs(%e : {y}) -> {y}
  %r = linalg.{case.op} ins({", ".join(f"%{o}" for o in case.operands)} :
    {", ".join(types[o] for o in case.operands)}) outs(%z : {y}) -> {y}
  {join}
  %g = tensor.empty({dynamic}) : {result}
  %s = linalg.generic {{indexing_maps = [{same}, {along}, {along}, {along}, {along}, {same}],
    iterator_types = [{parallel}]}} ins(%{value}, %m, %f, %d, %b : {result},
    {", ".join([f"tensor<{channels}xf32>"] * 4)}) outs(%g : {result}) {{
  ^bb0(%in: f32, %mean: f32, %factor: f32, %divisor: f32, %shift: f32, %out: f32):
    %0 = arith.subf %in, %mean : f32
    %1 = arith.mulf %factor, %0 : f32
    %2 = arith.divf %1, %divisor : f32
    %3 = arith.addf %2, %shift : f32
    linalg.yield %3 : f32
  }} -> {result}
  return %s : {result}
}}"""


@pytest.fixture(scope="module")
def modules() -> tuple[Any, Any]:
    text = "".join(program(name, case) for name, case in CASES.items())
    names = ("fsa-to-linalg", "fsa-to-linalg{skip=fsa-fold-batch-norm}")
    folded, plain = (fsa.compile(text, pipeline=name) for name in names)
    return folded, plain


@pytest.mark.parametrize("name", CASES)
def test_folding_changes_nothing(name: str, modules: tuple[Any, Any]) -> None:
    shape = [3 if extent is None else extent for extent in CASES[name].x]
    x = np.random.default_rng(6).standard_normal(shape).astype(np.float32)
    folded, plain = (np.asarray(module.function(name)(x)) for module in modules)
    np.testing.assert_allclose(folded, plain, rtol=0, atol=3e-5)
    assert np.abs(plain).max() > 1
