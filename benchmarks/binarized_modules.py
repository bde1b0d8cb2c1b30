"""Binarized matmuls of one shape as modules, for FSA and for plain IREE."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import fsa
from fsa.benchmarks import plain_iree
from fsa.dialects.fsa import reference

Array = np.ndarray[Any, Any]
Sizes = tuple[int, int, int]


@dataclass(frozen=True)
class Contender:
    """A matmul in a module: `once`, and `copies` times, None where calls are long enough."""

    once: Any
    several: Any


def _bits(draw: Any, *shape: int) -> Array:
    """Return random packed rows of `shape[-1]` bits, padding bits 0."""
    signs = draw.integers(0, 2, shape).astype(np.float32) - 0.5
    packed: Any = reference.pack_bits(signs)
    return packed


def left_of(sizes: Sizes) -> Array:
    """Return the packed rows that are multiplied, by chance."""
    return _bits(np.random.default_rng(0), sizes[0], sizes[2])


def weights_of(sizes: Sizes) -> Array:
    """Return the packed weights, by chance."""
    return _bits(np.random.default_rng(1), sizes[1], sizes[2])


def source(sizes: Sizes, weights: Array, copies: int) -> Any:
    """Return a module whose `main` multiplies each of `copies` arguments by the weights."""
    from fsa.bindings import func, ir
    from fsa.dialects.fsa.dialect import new_context
    from fsa.dialects.fsa.ops.binarized_matmul import binarized_matmul
    from fsa.examples import graph

    rows, _, depth = sizes
    with new_context(), ir.Location.unknown():
        module = ir.Module.create()
        kind = ir.RankedTensorType.get([rows, -(-depth // 32)], ir.IntegerType.get_signless(32))

        def main(*arguments: Any) -> Any:
            made = graph.constant(weights)
            return [binarized_matmul(argument, made, depth=depth) for argument in arguments]

        with ir.InsertionPoint(module.body):
            func.FuncOp.from_py_func(*[kind] * copies, name="main")(main)
    return module


def _turned_source(sizes: Sizes, weights: Array, copies: int) -> str:
    """Return the same in linalg for IREE, with weights [words, columns]."""
    rows, columns, depth = sizes
    words = weights.shape[1]
    data = np.ascontiguousarray(weights.T).tobytes().hex().upper()
    lhs, rhs = f"tensor<{rows}x{words}xi32>", f"tensor<{words}x{columns}xi32>"
    out = f"tensor<{rows}x{columns}xi32>"
    lines = [
        f'%b = arith.constant dense<"0x{data}"> : {rhs}',
        "%zero = arith.constant 0 : i32",
        f"%depth = arith.constant {depth} : i32",
        "%one = arith.constant 1 : i32",
        f"%e = tensor.empty() : {out}",
    ]
    lines += [_turned_ops(i, lhs, rhs, out) for i in range(copies)]
    given = ", ".join(f"%a{i}: {lhs}" for i in range(copies))
    names = ", ".join(f"%r{i}" for i in range(copies))
    kinds = ", ".join([out] * copies)
    body = "\n".join(lines)
    return f"func.func @main({given}) -> ({kinds}) {{\n{body}\nreturn {names} : {kinds}\n}}"


def _turned_ops(i: int, lhs: str, rhs: str, out: str) -> str:
    """Return the ops of matmul number `i`, of operands and result of these types."""
    return f"""
        %f{i} = linalg.fill ins(%zero : i32) outs(%e : {out}) -> {out}
        %c{i} = linalg.generic {{
          indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>,
                           affine_map<(m, n, k) -> (m, n)>],
          iterator_types = ["parallel", "parallel", "reduction"]}}
          ins(%a{i}, %b : {lhs}, {rhs}) outs(%f{i} : {out}) {{
        ^bb0(%x: i32, %y: i32, %t: i32):
          %d = arith.xori %x, %y : i32
          %p = math.ctpop %d : i32
          %s = arith.addi %t, %p : i32
          linalg.yield %s : i32
        }} -> {out}
        %r{i} = linalg.generic {{
          indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m, n)>],
          iterator_types = ["parallel", "parallel"]}}
          ins(%c{i} : {out}) outs(%e : {out}) {{
        ^bb0(%x: i32, %y: i32):
          %d = arith.shli %x, %one : i32
          %s = arith.subi %depth, %d : i32
          linalg.yield %s : i32
        }} -> {out}"""


def contenders(sizes: Sizes, target: str, folder: Path, copies: int | None) -> dict[str, Contender]:
    """Return the contenders of a shape, compiled into `folder` unless they lie there.

    `copies` is how often a matmul stands in the longer module; None for no such module.
    """
    counts = [1] if copies is None else [1, copies]
    builds: dict[str, Callable[[int], Any]] = {
        "fsa": lambda n: fsa.compile(source(sizes, weights_of(sizes), n), target=target),
        "iree": lambda n: plain_iree.compile_module(source(sizes, weights_of(sizes), n), target),
        "iree-turned": lambda n: plain_iree.compile_text(
            _turned_source(sizes, weights_of(sizes), n), target
        ),
    }

    def of(name: str) -> Contender:
        made: list[Any] = []
        for count in counts:
            path = folder / f"{'x'.join(map(str, sizes))}-{count}.{name}.vmfb"
            if not path.exists():
                builds[name](count).save(path)
            made.append(fsa.load(path, target.partition(":")[0]))
        return Contender(made[0], made[1] if len(made) > 1 else None)

    return {name: of(name) for name in builds}
