"""What follows a window operation element by element, and can run where its results are stored.

A bias, an activation, a residual addition are `linalg.generic` ops over the same pixels. A set of
them that ends in one result becomes the epilogue of the kernel: a short program on vectors.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from fsa.bindings import ir
from fsa.dialects.fsa.shapes import type_dims
from fsa.passes.emitter import Builder, Value

MAX_OPERANDS = 8
MAX_OPS = 48


@dataclass(frozen=True)
class Operand:
    """A tensor that the epilogue reads beside the results: how it lies over them.

    `over` is "pixels" (the same shape as the results), "channels" (one number a channel) or
    "scalar" (one number).
    """

    value: Value
    over: str


@dataclass
class Epilogue:
    """Generic ops `ops` that turn the results of a window operation into `result`."""

    result: Value
    ops: list[Any] = field(default_factory=list[Any])
    operands: list[Operand] = field(default_factory=list[Operand])

    def signature(self) -> str:
        """Return a text that is equal for epilogues that compute the same from their operands."""
        numbers: dict[int, str] = {}
        return " ; ".join(_op_text(op, numbers, self) for op in self.ops)


def find_epilogue(start: Value, channel: int = 1) -> Epilogue:
    """Return the longest epilogue that begins with the tensor `start`, whose axis `channel` counts.

    It grows through the users of what it has in the order of the block, and is cut back to where
    nothing but its last result is used by others.
    """
    found = Epilogue(start)
    best = Epilogue(start)
    inside = [start]
    start_block = _block_of(start)
    candidates = _users(start)
    while candidates:
        op = candidates.pop(0)
        if op in found.ops:
            continue
        if len(found.ops) >= MAX_OPS or op.block != start_block:
            break
        operands = _operands_of(op, inside, start, channel)
        if operands is None:
            break
        for operand in operands:
            if all(operand.value != known.value for known in found.operands):
                found.operands.append(operand)
        if len(found.operands) > MAX_OPERANDS:
            break
        found.ops.append(op)
        inside.append(op.results[0])
        found.result = op.results[0]
        if _is_closed(inside):
            best = Epilogue(found.result, list(found.ops), list(found.operands))
        candidates = _in_order([*candidates, *_users(op.results[0])])
    return best


def _block_of(value: Value) -> Any:
    return value.owner.operation.block


def _users(value: Value) -> list[Any]:
    return _in_order([use.owner.operation for use in value.uses])


def _in_order(ops: Sequence[Any]) -> list[Any]:
    """Return ops of one block in its order, each once; ops of other blocks come last."""
    distinct: list[Any] = []
    for op in ops:
        if op not in distinct:
            distinct.append(op)
    ordered: list[Any] = []
    for op in distinct:
        place = len(ordered)
        for index, other in enumerate(ordered):
            if op.block == other.block and op.is_before_in_block(other):
                place = index
                break
        ordered.insert(place, op)
    return ordered


def _is_closed(inside: Sequence[Value]) -> bool:
    """Return whether only the last of the values is used by ops that make none of them."""
    makers = [value.owner.operation for value in inside]
    return all(
        use.owner.operation in makers for value in inside[:-1] for use in value.uses
    ) and not any(use.owner.operation in makers for use in inside[-1].uses)


def _operands_of(
    op: Any, inside: Sequence[Value], start: Value, channel: int
) -> list[Operand] | None:
    """Return the tensors that `op` reads from outside; None when it cannot join an epilogue."""
    if op.name != "linalg.generic" or len(op.results) != 1:
        return None
    if op.results[0].type != start.type or not _is_elementwise(op):
        return None
    rank = start.type.rank
    maps = [attribute.value for attribute in op.attributes["indexing_maps"]]
    if str(maps[-1]) != str(ir.AffineMap.get_identity(rank)):
        return None
    found: list[Operand] = []
    body = op.regions[0].blocks[0]
    reads_output = bool(list(body.arguments[len(maps) - 1].uses))
    for operand, map_ in zip(op.operands, maps, strict=True):
        if any(operand == value for value in inside):
            if str(map_) != str(maps[-1]):
                return None
            continue
        if operand == op.operands[len(maps) - 1] and not reads_output:
            continue
        over = _over(map_, operand.type, rank, channel)
        if over is None:
            return None
        found.append(Operand(operand, over))
    return found


def _over(map_: Any, kind: Any, rank: int, channel: int) -> str | None:
    """Return how an operand lies over the results; None where a kernel cannot read it so."""
    if not isinstance(kind, ir.RankedTensorType) or not isinstance(kind.element_type, ir.F32Type):
        return None
    if str(map_) == str(ir.AffineMap.get_identity(rank)):
        return "pixels"
    dims = type_dims(kind)
    texts = [str(result) for result in map_.results]
    varying = [text for text, size in zip(texts, dims, strict=True) if text != "0" and size != 1]
    if not varying:
        return "scalar" if all(size == 1 for size in dims) else None
    return "channels" if varying == [f"d{channel}"] else None


def _is_elementwise(op: Any) -> bool:
    iterators = [str(kind) for kind in op.attributes["iterator_types"]]
    if any("parallel" not in kind for kind in iterators):
        return False
    body = op.regions[0].blocks[0]
    *inner, end = (made.operation for made in body.operations)
    if not all(isinstance(argument.type, ir.F32Type) for argument in body.arguments):
        return False
    return all(made.name.partition(".")[0] in ("arith", "math") for made in inner) and all(
        _is_known(value, body) for made in (*inner, end) for value in made.operands
    )


def _is_known(value: Value, body: Any) -> bool:
    """Return whether a value of a body comes from the body or is a constant."""
    owner = value.owner
    if isinstance(owner, ir.Block):
        return owner == body
    return owner.operation.block == body or owner.operation.name == "arith.constant"


def _op_text(op: Any, numbers: dict[int, str], epilogue: Epilogue) -> str:
    """Return one generic op as text with operands by number, so that equal ones are equal text."""
    body = op.regions[0].blocks[0]
    names: dict[Any, str] = {}
    makers = [made.results[0] for made in epilogue.ops]

    def outside(value: Value) -> str:
        for number, maker in enumerate(makers):
            if maker == value:
                return f"op{number}"
        for number, operand in enumerate(epilogue.operands):
            if operand.value == value:
                return f"in{number}:{operand.over}:{value.type}"
        return "start"

    for argument, operand in zip(body.arguments, op.operands, strict=True):
        names[argument] = outside(operand)
    lines: list[str] = []
    for number, inner in enumerate(body.operations):
        made = inner.operation
        read = [names.get(operand) or _outer_constant(operand) for operand in made.operands]
        attributes = sorted(f"{name}={value}" for name, value in made.attributes.items())
        for result in made.results:
            names[result] = f"v{number}"
        lines.append(f"{made.name} {read} {attributes} {[str(r.type) for r in made.results]}")
    return " | ".join(lines)


def _outer_constant(value: Value) -> str:
    return str(value.owner.operation.attributes["value"])


def emit_epilogue(
    k: Builder, epilogue: Epilogue, start: Value, read: Callable[[Operand], Value], lanes: int
) -> Value:
    """Emit the epilogue on the vector `start`; `read` gives an operand as a vector of `lanes`."""
    values: list[tuple[Value, Value]] = []  # tensors of the function, and their vectors

    def vector_of(tensor: Value) -> Value:
        for known, made in values:
            if known == tensor:
                return made
        for operand in epilogue.operands:
            if operand.value == tensor:
                made = read(operand)
                values.append((tensor, made))
                return made
        return start

    for op in epilogue.ops:
        body = op.regions[0].blocks[0]
        inner_values: list[tuple[Value, Value]] = []
        for argument, operand in zip(body.arguments, op.operands, strict=True):
            if list(argument.uses):
                inner_values.append((argument, vector_of(operand)))
        for inner in body.operations:
            made = inner.operation
            if made.name == "arith.constant":
                constant = k.constant_of(made.attributes["value"])
                inner_values.append((made.results[0], k.splat(constant, lanes)))
                continue
            operands = [_lookup(k, value, inner_values, lanes) for value in made.operands]
            if made.name == "linalg.yield":
                values.append((op.results[0], operands[0]))
                continue
            results = k.elementwise(made, operands)
            inner_values.extend(zip(made.results, results, strict=True))
    return values[-1][1] if epilogue.ops else start


def _lookup(k: Builder, value: Value, known: Sequence[tuple[Value, Value]], lanes: int) -> Value:
    for original, made in known:
        if original == value:
            return made
    constant = k.constant_of(value.owner.operation.attributes["value"])
    return k.splat(constant, lanes)
