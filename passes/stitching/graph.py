"""The body of a stitched region as a graph of nodes with linear accesses.

Every op that makes a tensor becomes a `Node`: a `linalg.generic` (named and element-wise tensor
ops are turned into generics first), or an element-wise node that copies: a view (expand, collapse,
cast or slice), or pieces put together (concatenation, padding, insertion), of which each element
comes from the first piece whose guards hold. A node reads each operand at an index that is linear
in the node's loops.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from fsa.bindings import ir
from fsa.passes.stitching.combiners import Combiner
from fsa.passes.stitching.linear import Index, Linear

CROSSING_TYPES = ("i1", "i8", "i16", "i32", "i64", "index", "f16", "bf16", "f32", "f64")
SCALAR_DIALECTS = ("arith", "math")
ELEMENT_BYTES = {"i1": 1, "i8": 1, "i16": 2, "f16": 2, "bf16": 2, "i32": 4, "f32": 4}


class Unsupported(Exception):
    """The kernel path cannot take this body; the text says why."""


@dataclass(frozen=True)
class Ref:
    """A value of the body: an argument, a result of a node, or a result of another op.

    `number` counts arguments or nodes; for "constant" (a tensor constant), "scalar" and
    "undefined" (`tensor.empty`) it is the position of the op in the block.
    """

    kind: Literal["argument", "node", "constant", "scalar", "undefined"]
    number: int
    result: int = 0


@dataclass(frozen=True)
class Access:
    """A value read or written at an index that is linear in the loops of a node."""

    ref: Ref
    index: Index


@dataclass(frozen=True)
class Guard:
    """A condition on a point of a node's loops: `low <= index < high`."""

    index: Linear
    low: int
    high: int


@dataclass
class Node:
    """One tensor op: loops, accesses, and a scalar body (None for a view, which copies).

    A node that puts pieces together copies the first input whose `guards` hold (one entry an
    input, the last empty).

    The loops of a node are not always those of the op: loops that run once are left out, and a
    loop over joined dimensions is one loop for each of them. `loops` has each loop of the op in
    terms of the node's.
    """

    position: int
    op: Any
    extents: list[int | None]
    reduction: list[bool]
    inputs: list[Access]
    inits: list[Access]
    results: list[Index]
    loops: list[Linear]
    block: Any = None
    combiners: list[Combiner | None] = field(default_factory=list[Combiner | None])
    guards: list[tuple[Guard, ...]] = field(default_factory=list[tuple[Guard, ...]])

    @cached_property
    def reduces(self) -> bool:
        """Whether any loop is a reduction."""
        return any(self.reduction)

    @property
    def sequential(self) -> bool:
        """Whether a result depends on the order of the reduction (no known combiner)."""
        return self.reduces and any(c is None for c in self.combiners)

    @cached_property
    def body_ops(self) -> frozenset[str]:
        """The names of the ops of the scalar body."""
        body = self.block.operations if self.block is not None else ()
        return frozenset(op.operation.name for op in body)

    @cached_property
    def reads(self) -> list[Access]:
        """Inputs and those initial values that the body uses."""
        if self.block is None:
            return self.inputs
        first = len(self.inputs)
        arguments = list(self.block.arguments)
        used = [
            init
            for k, init in enumerate(self.inits)
            if self.reduces or any(True for _ in arguments[first + k].uses)
        ]
        return [*self.inputs, *used]


@dataclass
class Graph:
    """A region body: its ops, its nodes in order, and what it yields."""

    region: Any
    ops: list[Any]
    argument_types: list[Any]
    nodes: list[Node]
    outputs: list[Ref]
    scalar_reads: dict[int, list[Ref]] = field(default_factory=dict[int, list[Ref]])
    refs: dict[Any, Ref] = field(default_factory=dict[Any, Ref])  # of every value of the block
    elements: dict[Any, Any] = field(default_factory=dict[Any, Any])  # those met (loop_nest)
    expensive: dict[int, bool] = field(default_factory=dict[int, bool])  # nodes asked for (costs)
    _users: dict[int, list[int]] | None = None
    _types: dict[Ref, Any] = field(default_factory=dict[Ref, Any])

    def users(self, node: int) -> list[int]:
        """Return the nodes that read a result of `node`, each once."""
        if self._users is None:
            found: dict[int, dict[int, None]] = {}
            for n, reader in enumerate(self.nodes):
                for access in reader.reads:
                    if access.ref.kind == "node":
                        found.setdefault(access.ref.number, {})[n] = None
            self._users = {n: list(readers) for n, readers in found.items()}
        return self._users.get(node, [])

    def is_splat(self, ref: Ref) -> bool:
        """Whether a tensor constant has one value everywhere."""
        attribute = self.ops[ref.number].attributes["value"]
        return isinstance(attribute, ir.DenseElementsAttr) and attribute.is_splat

    def scalar_inputs(self) -> list[Ref]:
        """Scalars that come from outside: operands, and sizes that enter a computation."""
        operands = [
            Ref("argument", k)
            for k, type_ in enumerate(self.argument_types)
            if not isinstance(type_, ir.RankedTensorType) and self._is_computed_with(k)
        ]
        sizes = [
            Ref("scalar", position)
            for position, op in enumerate(self.ops)
            if op.name == "tensor.dim"
            and any(use.owner.name != "tensor.empty" for use in op.results[0].uses)
        ]
        return operands + sizes

    def _is_computed_with(self, argument: int) -> bool:
        block = self.region.regions[0].blocks[0]
        uses = block.arguments[argument].uses
        return any(use.owner.name != "tensor.empty" for use in uses)

    def type_of(self, ref: Ref) -> Any:
        """Return the MLIR type of a value."""
        if ref not in self._types:
            self._types[ref] = self._read_type(ref)
        return self._types[ref]

    def _read_type(self, ref: Ref) -> Any:
        if ref.kind == "argument":
            return self.argument_types[ref.number]
        if ref.kind == "node":
            return self.nodes[ref.number].op.results[ref.result].type
        return self.ops[ref.number].results[ref.result].type

    def producer(self, ref: Ref) -> Node | None:
        """Return the node that makes a value, None when no node does."""
        return self.nodes[ref.number] if ref.kind == "node" else None


def element_type(type_: Any) -> Any:
    """Return the element type of a tensor, or a scalar's own type."""
    return type_.element_type if isinstance(type_, ir.RankedTensorType) else type_


def element_bytes(type_: object) -> int:
    """Return the bytes of one element as it is stored (i1 as a byte, index as i64)."""
    return ELEMENT_BYTES.get(str(element_type(type_)), 8)


def shape_of(type_: Any) -> list[int | None]:
    """Return the extents of a ranked tensor, None for each dynamic one."""
    return [None if type_.is_dynamic_dim(k) else type_.get_dim_size(k) for k in range(type_.rank)]
