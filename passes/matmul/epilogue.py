"""Epilogues: the element-wise ops behind a matmul, computed on its sums before they are stored.

A matmul's result of [batch, rows, columns] is seen as [batch * rows, columns]; reshapes that keep
the columns apart do not change that view. Each element-wise `linalg.generic` that alone uses the
value before it can join, when its other operands are read at the same element, along the columns,
along the rows, or are scalars.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from fsa.bindings import ir, tensor
from fsa.dialects.fsa.shapes import tensor_type, type_dims
from fsa.passes.emitter import Builder, Index, Kernel, Value, tensor_dims

FULL, COLUMNS, ROWS, SCALAR = "full", "columns", "rows", "scalar"
_RESHAPES = ("tensor.expand_shape", "tensor.collapse_shape")
_DIALECTS = ("arith.", "math.")


@dataclass(frozen=True)
class Stage:
    """One element-wise op: `sources` says for each input None (the value before) or an operand."""

    op: Any
    sources: tuple[int | None, ...]


@dataclass(frozen=True)
class Chain:
    """What follows a matmul: ops to erase, first to last, and what they read."""

    ops: tuple[Any, ...] = ()
    stages: tuple[Stage, ...] = ()
    operands: tuple[Value, ...] = ()
    kinds: tuple[str, ...] = ()

    def key(self) -> str:
        """Return a text that is equal for chains of equal code."""
        return repr(self.kinds) + "".join(_body_key(stage) for stage in self.stages)


def chain_behind(
    result: Value, limit: int | None = None, taken: Collection[Any] = frozenset()
) -> Chain:
    """Return the chain of element-wise ops behind `result`: at most `limit`, none of `taken`."""
    chain, best = Chain(), Chain()
    value = result
    columns = type_dims(result.type)[-1]
    while limit is None or len(chain.stages) < limit:
        user = _only_user(value)
        if user is None or user in taken:
            break
        if user.name in _RESHAPES:
            if not _keeps_columns(user, columns):
                break
            chain = Chain((*chain.ops, user), chain.stages, chain.operands, chain.kinds)
        else:
            joined = _joined(chain, user, value)
            if joined is None:
                break
            best = chain = joined
        value = user.results[0]
    return best


def _only_user(value: Value) -> Any | None:
    users = {use.owner.operation for use in value.uses}
    if len(users) != 1:
        return None
    user = next(iter(users))
    return user if user.block == value.owner.operation.block else None


def _keeps_columns(op: Any, columns: int | None) -> bool:
    """Whether a reshape leaves the last dimension alone."""
    groups = [list(group) for group in op.attributes["reassociation"]]
    before, after = type_dims(op.operands[0].type), type_dims(op.results[0].type)
    return (
        bool(groups)
        and len(groups[-1]) == 1
        and columns is not None
        and before[-1:] == after[-1:] == [columns]
    )


def _joined(chain: Chain, op: Any, value: Value) -> Chain | None:
    """Return `chain` with the element-wise op `op` behind it; None where it cannot join."""
    if op.name != "linalg.generic" or len(op.results) != 1 or not _is_elementwise(op):
        return None
    maps = [attribute.value for attribute in op.attributes["indexing_maps"]]
    rank = maps[-1].n_dims
    identity = ir.AffineMap.get_identity(rank)
    if rank == 0 or maps[-1] != identity or not _is_f32(op.results[0].type):
        return None
    sources: list[int | None] = []
    operands, kinds = list(chain.operands), list(chain.kinds)
    for operand, access in zip(list(op.operands)[:-1], maps, strict=False):
        if operand == value:
            if access != identity:
                return None
            sources.append(None)
            continue
        kind = _kind(operand, access, rank)
        if kind is None:
            return None
        sources.append(len(operands))
        operands.append(operand)
        kinds.append(kind)
    stage = Stage(op, tuple(sources))
    return Chain((*chain.ops, op), (*chain.stages, stage), tuple(operands), tuple(kinds))


def _is_elementwise(op: Any) -> bool:
    if any("parallel" not in str(kind) for kind in op.attributes["iterator_types"]):
        return False
    block = op.regions[0].blocks[0]
    *_, out = block.arguments
    if any(True for _ in out.uses):
        return False
    *body, _ = (inner.operation for inner in block.operations)
    for inner in body:
        if not inner.name.startswith(_DIALECTS) or list(inner.regions):
            return False
        values = [*inner.operands, *inner.results]
        if not all(_is_narrow(value.type) for value in values):
            return False
    return all(_is_inner(value, block) for inner in block.operations for value in inner.operands)


def _is_narrow(kind: Any) -> bool:
    """Whether lanes of the type are no wider than those of the matmul."""
    if isinstance(kind, ir.IntegerType):
        return kind.width in (1, 32)
    return isinstance(kind, ir.F32Type)


def _is_inner(value: Value, block: Any) -> bool:
    """Whether a value of a body is its own, or a constant."""
    if isinstance(value.owner, ir.Block):
        return value.owner == block
    op = value.owner.operation
    return op.block == block or op.name == "arith.constant"


def _is_f32(kind: Any) -> bool:
    return isinstance(kind, ir.RankedTensorType) and isinstance(kind.element_type, ir.F32Type)


def _kind(operand: Value, access: Any, rank: int) -> str | None:
    """Return how an operand is read over [rows, columns]; None for any other way."""
    if not isinstance(operand.type, ir.RankedTensorType):
        return SCALAR if isinstance(operand.type, ir.F32Type) else None
    if not _is_f32(operand.type):
        return None
    found: list[int] = []
    sizes = type_dims(operand.type)
    for expression, size in zip(access.results, sizes, strict=True):
        if isinstance(expression, ir.AffineDimExpr):
            found.append(ir.AffineDimExpr(expression).position)
        elif size != 1:
            return None
        else:
            found.append(-1)
    dims = [d for d in found if d >= 0]
    if dims == list(range(rank)):
        return FULL if -1 not in found else None
    if not dims:
        return SCALAR
    if dims == [rank - 1]:
        return COLUMNS
    return ROWS if dims == list(range(rank - 1)) else None


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
    joined = None if None in lead else _product(lead)
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


def _product(sizes: Sequence[int | None]) -> int:
    result = 1
    for size in sizes:
        result *= size or 0
    return result


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


def _body_key(stage: Stage) -> str:
    """Return the text of a body in which values are numbers."""
    block = stage.op.regions[0].blocks[0]
    names: dict[Any, str] = {value: f"a{i}" for i, value in enumerate(block.arguments)}

    def name(value: Value) -> str:
        if value not in names:
            names[value] = str(value.owner.operation.attributes["value"])
        return names[value]

    lines = [repr(stage.sources)]
    for number, inner in enumerate(block.operations):
        op = inner.operation
        operands = ",".join(name(value) for value in op.operands)
        attributes = ",".join(f"{n}={a}" for n, a in sorted(op.attributes.items()))
        lines.append(f"{op.name}({operands}){{{attributes}}}")
        names.update({value: f"v{number}.{i}" for i, value in enumerate(op.results)})
    return ";".join(lines)
