"""Chains of element-wise ops behind a matmul, which can be computed on its sums.

A matmul's result of [batch, rows, columns] is seen as [batch * rows, columns]; reshapes that keep
the columns apart do not change that view. Each element-wise `linalg.generic` that alone uses the
value before it can join, when its other operands are read at the same element, along the columns,
along the rows, or are scalars.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from fsa.bindings import ir
from fsa.dialects.fsa.shapes import type_dims
from fsa.passes.emitter import Value

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
