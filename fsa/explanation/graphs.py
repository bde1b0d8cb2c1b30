"""Functions of a module as a graph of ops, read into plain data.

Regions, branches and loops are read through: what they hold stands in the graph beside the rest.
Of a branch the side with more kernels counts; the other is what runs where a tensor is empty.
Constants, fills and scalars are no nodes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from fsa.bindings import ir
from fsa.dialects.fsa.markers import KERNEL_MARKER
from fsa.explanation import traffic
from fsa.explanation.data import COUNTED, Graph, Kind, Op
from fsa.explanation.labels import contraction_label, fills, label_of, symbol_of
from fsa.passes.stitching.scope import is_compute, used_values

REGION = "fsa.stitched_region"
LEAVES = ("arith.constant", "linalg.fill", "tensor.empty")
VIEWS = (
    "tensor.expand_shape",
    "tensor.collapse_shape",
    "tensor.cast",
    "tensor.extract_slice",
    "tensor.reshape",
)
RETURNS = ("func.return", "fsa.yield", "scf.yield")
_MARK = "fsa.explain:"
_MARKS = re.compile(rf'"{re.escape(_MARK)}(\d+)"')
# Which side of a branch was read where the ops were marked, so that the same is read afterwards.
_SIDE = "fsa.explain.side:"
_SIDES = re.compile(rf'"{re.escape(_SIDE)}(\d+)"')
_LONGEST_LOCATION = 300


@dataclass
class Reading:
    """A graph while it is read; `reads` says for each op what it reads, by type of tensor."""

    mark: bool
    ops: list[Op] = field(default_factory=list[Op])
    edges: list[tuple[int, int, str]] = field(default_factory=list[tuple[int, int, str]])
    reads: list[dict[str, int]] = field(default_factory=list[dict[str, int]])

    @property
    def graph(self) -> Graph:
        """Return what was read."""
        return Graph(tuple(self.ops), tuple(self.edges))


def read_graph(module: Any, mark: bool = False) -> Reading:
    """Read the functions of `module` (an `ir.Operation`), kernels left out.

    With `mark` the location of every op says its id from now on: what passes make of the op can be
    traced back, see `origins`.
    """
    reading = Reading(mark)
    for function in module.regions[0].blocks[0].operations:
        op = function.operation
        if (
            op.name != "func.func"
            or KERNEL_MARKER in op.attributes
            or not len(op.regions[0].blocks)
        ):
            continue
        _Function(reading, ir.StringAttr(op.attributes["sym_name"]).value).read(op)
    return reading


def origins(location: Any) -> tuple[int, ...]:
    """Return the ids of marked ops in an `ir.Location` or its text."""
    return tuple(dict.fromkeys(int(number) for number in _MARKS.findall(str(location))))


class _Function:
    def __init__(self, reading: Reading, name: str):
        self.reading, self.name = reading, name
        self.makers: dict[Any, tuple[int, ...]] = {}  # value -> ids of the ops that make it

    def read(self, op: Any) -> None:
        """Read one function."""
        block = op.regions[0].blocks[0]
        for number, argument in enumerate(block.arguments):
            type_ = _short(argument.type)
            self.makers[argument] = (self._add(f"argument {number}", "input", type_),)
        self._block(block)

    def _block(self, block: Any) -> Any:
        """Read the ops of a block; return its terminator."""
        terminator = None
        for view in block.operations:
            op = view.operation
            if op.name in RETURNS:
                terminator = op
                if op.name == "func.return":
                    self._returned(op)
            elif op.name == REGION:
                self._region(op)
            elif op.name == "scf.if":
                self._branch(op)
            elif op.name.startswith("scf.") and len(op.regions):
                self._loop(op)
            elif op.name not in LEAVES and not fills(op) and _makes_tensors(op):
                self._node(op)
        return terminator

    def _returned(self, op: Any) -> None:
        for number, value in enumerate(op.operands):
            node = self._add(f"result {number}", "output", _short(value.type))
            self._connect(node, [value])

    def _region(self, op: Any) -> None:
        block = op.regions[0].blocks[0]
        for argument, operand in zip(block.arguments, op.operands, strict=True):
            self.makers[argument] = self._of(operand)
        terminator = self._block(block)
        for result, value in zip(op.results, terminator.operands, strict=True):
            self.makers[result] = self._of(value)
        if self.reading.mark and self.reading.ops:
            op.location = _marked(op.location, self.reading.ops[-1].id)

    def _branch(self, op: Any) -> None:
        sides = [region.blocks[0] for region in op.regions if len(region.blocks)]
        known = _SIDES.search(str(op.location))
        if known is not None and int(known[1]) < len(sides):
            side = int(known[1])
        else:
            side = max(range(len(sides)), key=lambda k: _kernels_in(sides[k]))
        terminator = self._block(sides[side])
        if self.reading.mark:
            op.location = ir.Location.name(f"{_SIDE}{side}", op.location)
        for result, value in zip(op.results, terminator.operands, strict=True):
            self.makers[result] = self._of(value)

    def _loop(self, op: Any) -> None:
        inits = [v for v in op.operands if isinstance(v.type, ir.RankedTensorType)]
        for region in op.regions:
            for block in region.blocks:
                carried = [a for a in block.arguments if isinstance(a.type, ir.RankedTensorType)]
                for argument, init in zip(carried, inits, strict=False):
                    self.makers[argument] = self._of(init)
                terminator = self._block(block)
                if terminator is not None:
                    for result, value in zip(op.results, terminator.operands, strict=False):
                        self.makers[result] = self._of(value)

    def _node(self, op: Any) -> None:
        kind = _kind(op)
        label = contraction_label(op) if kind == "compute" else label_of(op)
        types = ", ".join(_short(result.type) for result in op.results)
        read: dict[str, int] = {}
        written = 0
        if kind in COUNTED:
            read, written = traffic.reads(op), traffic.written(op)
        node = self._add(
            label,
            kind,
            types,
            name=op.name,
            takes=tuple(_operand(value) for value in op.operands if _is_tensor(value)),
            read=sum(read.values()),
            written=written,
            origin=origins(op.location),
            location="" if self._marked_before(op) else _location(op),
            kernel=symbol_of(op) if kind == "kernel" else None,
        )
        self.reading.reads[node] = read
        self._connect(node, used_values(op))
        for result in op.results:
            self.makers[result] = (node,)
        if self.reading.mark:
            op.location = _marked(op.location, node)

    def _marked_before(self, op: Any) -> bool:
        return not self.reading.mark and bool(origins(op.location))

    def _add(self, label: str, kind: Kind, type_: str, **rest: Any) -> int:
        number = len(self.reading.ops)
        given: dict[str, Any] = {"name": kind, **rest}
        self.reading.ops.append(
            Op(number, label=label, kind=kind, type=type_, function=self.name, **given)
        )
        self.reading.reads.append({})
        return number

    def _of(self, value: Any) -> tuple[int, ...]:
        return self.makers.get(value, ())

    def _connect(self, node: int, values: list[Any]) -> None:
        seen: set[int] = set()
        for value in values:
            for source in self._of(value):
                if source not in seen:
                    seen.add(source)
                    self.reading.edges.append((source, node, _short(value.type)))


def _kind(op: Any) -> Kind:
    if op.name == "fsa.launch":
        return "kernel"
    if op.name in VIEWS:
        return "view"
    if op.name.startswith("fsa.") or is_compute(op):
        return "compute"
    if op.name.partition(".")[0] in ("linalg", "arith", "math", "tensor"):
        return "memory"
    return "host"


def _makes_tensors(op: Any) -> bool:
    return any(_is_tensor(result) for result in op.results)


def _is_tensor(value: Any) -> bool:
    return isinstance(value.type, ir.RankedTensorType)


def _kernels_in(block: Any) -> int:
    """Count the ops of a block, nested ones too, that make tensors; launches count most."""
    total = 0
    for view in block.operations:
        op = view.operation
        if op.name == "fsa.launch":
            total += 1000
        elif op.name.startswith("scf."):
            inner = [b for region in op.regions for b in region.blocks]
            total += sum(_kernels_in(b) for b in inner)
        elif op.name not in LEAVES and _makes_tensors(op):
            total += 1
    return total


def _operand(value: Any) -> str:
    owner = value.owner
    made_by = "" if isinstance(owner, ir.Block) else owner.operation.name
    if made_by == "arith.constant":
        return f"constant {_short(value.type)}"
    if made_by in LEAVES:
        return f"{made_by.partition('.')[2]} {_short(value.type)}"
    return _short(value.type)


def _short(type_: Any) -> str:
    """Return `12x?xf32` for a tensor, the type's text for anything else."""
    text = str(type_)
    return text[7:-1] if text.startswith("tensor<") else text


def _location(op: Any) -> str:
    text = str(op.location).removeprefix("loc(").removesuffix(")")
    return text if len(text) <= _LONGEST_LOCATION else f"{text[:_LONGEST_LOCATION]}…"


def _marked(location: Any, number: int) -> Any:
    return ir.Location.name(f"{_MARK}{number}", location)
