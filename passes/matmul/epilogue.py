"""Epilogues: a chain behind a matmul, computed on its sums before they are stored."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from fsa.bindings import ir, tensor
from fsa.dialects.fsa.shapes import tensor_type, type_dims
from fsa.passes.emitter import Builder, Index, Kernel, Value, tensor_dims
from fsa.passes.matmul.chains import COLUMNS, FULL, ROWS, SCALAR, Chain


def flattened(builder: Builder, value: Value, kind: str) -> Value:
    """Return an operand as the kernel reads it: [rows, columns], [columns], [rows] or [1].

    An f32 scalar becomes a tensor of one element.
    """
    if not isinstance(value.type, ir.RankedTensorType):
        return tensor.from_elements(ir.RankedTensorType.get([1], value.type), [value])
    rank = value.type.rank
    keep = 1 if kind == FULL else 0
    wanted = 2 if kind == FULL else 1
    if rank == wanted:
        return value
    element = value.type.element_type
    if rank == 0 or rank < wanted:
        return _expanded(builder, value, wanted)
    sizes = type_dims(value.type)
    lead = sizes[: rank - keep]
    joined = None if None in lead else math.prod(size or 0 for size in lead)
    groups = [list(range(rank - keep)), *([[rank - 1]] if keep else [])]
    made = tensor_type([joined, *sizes[rank - keep :]], element)
    return tensor.collapse_shape(made, value, groups)


def _expanded(builder: Builder, value: Value, rank: int) -> Value:
    """Return a tensor with dimensions of size 1 before it, up to `rank`."""
    sizes = tensor_dims(builder, value)
    missing = rank - len(sizes)
    kind = tensor_type([*[1] * missing, *type_dims(value.type)], value.type.element_type)
    groups = [[*range(missing + 1)], *([i] for i in range(missing + 1, rank))] if sizes else []
    dynamic = [size for size in sizes if not isinstance(size, int)]
    return tensor.expand_shape(kind, value, groups, dynamic, list(kind.shape))


@dataclass
class Columns:
    """The operands of a tile that do not change down its rows, loaded once."""

    vectors: dict[tuple[int, int], Value] = field(default_factory=dict[tuple[int, int], Value])


@dataclass(frozen=True)
class Epilogue:
    """A chain with the memrefs of its operands, ready to be emitted."""

    chain: Chain
    memrefs: tuple[Value, ...]

    def is_long(self) -> bool:
        """Whether the chain takes so many instructions that they are not repeated for each row."""
        return any(
            inner.operation.name.startswith("math.")
            for stage in self.chain.stages
            for inner in stage.op.regions[0].blocks[0].operations
        )

    def at_columns(
        self, k: Kernel, column: Index, left: Index | None, lanes: int, width: int
    ) -> Columns:
        """Load what the rows of a tile share: `width` vectors from `column` on."""
        loaded = Columns()
        for number, kind in enumerate(self.chain.kinds):
            memory = self.memrefs[number]
            for j in range(width):
                if kind == COLUMNS:
                    count = None if left is None else k.sub(left, j * lanes)
                    at = [k.add(column, j * lanes)]
                    loaded.vectors[number, j] = k.vector_load(memory, at, lanes, count)
                elif kind == SCALAR and j == 0:
                    loaded.vectors[number, 0] = k.splat(k.load(memory, [0]), lanes)
        return loaded

    def apply(
        self, k: Kernel, value: Value, shared: Columns, at: Sequence[Index], j: int,
        count: Index | None,
    ) -> Value:  # fmt: skip
        """Return what the chain makes of vector `j` of a row of sums, stored at `at`."""
        lanes = value.type.shape[0]
        for stage in self.chain.stages:
            inputs: list[Value] = []
            for source in stage.sources:
                if source is None:
                    inputs.append(value)
                    continue
                kind, memory = self.chain.kinds[source], self.memrefs[source]
                if kind == FULL:
                    inputs.append(k.vector_load(memory, list(at), lanes, count))
                elif kind == ROWS:
                    inputs.append(k.splat(k.load(memory, [at[0]]), lanes))
                else:
                    inputs.append(shared.vectors[source, j if kind == COLUMNS else 0])
            value = _evaluated(k, stage.op, inputs, lanes)
        return value


def _evaluated(k: Kernel, op: Any, inputs: Sequence[Value], lanes: int) -> Value:
    """Return the result of the body of an element-wise op on vectors."""
    block = op.regions[0].blocks[0]
    known: dict[Any, Value] = dict(zip(block.arguments, inputs, strict=False))

    def lookup(value: Value) -> Value:
        if value not in known:  # a constant from outside of the body
            known[value] = _splat(k, value.owner.operation, lanes)
        return known[value]

    *body, result = (inner.operation for inner in block.operations)
    for inner in body:
        if inner.name == "arith.constant":
            known[inner.results[0]] = _splat(k, inner, lanes)
            continue
        made = k.elementwise(inner, [lookup(operand) for operand in inner.operands])
        known.update(zip(inner.results, made, strict=True))
    return lookup(result.operands[0])


def _splat(k: Kernel, constant: Any, lanes: int) -> Value:
    attribute = constant.attributes["value"]
    kind = ir.VectorType.get([lanes], attribute.type)
    return k.constant_of(ir.DenseElementsAttr.get_splat(kind, attribute))
