"""Finds dynamic routing in a program: where it may be, and whether the iterations fit together."""

from dataclasses import dataclass
from typing import Any

from fsa.bindings import ir
from fsa.dialects.fsa.shapes import type_dims
from fsa.passes.capsule.meanings import Agreement, Capsules, Logits, Output
from fsa.passes.capsule.reading import Reader
from fsa.passes.capsule.viewing import Axes
from fsa.passes.structure.loops import linalg_ops

_STEPS = 12  # operations from an exponential to the product with its softmax


@dataclass(frozen=True)
class Routing:
    """A routing whose result is `v`, with `axes`; `batch` is None for a batch of one.

    `logits` is the tensor from elsewhere that logits start with, None where they are zero;
    `last_logits` is what those of the last iteration mean.
    """

    v: Any
    axes: Axes
    batch: int | None
    low: int
    high: int
    depth: int
    iterations: int
    agreement: str
    epsilon: float
    logits: Any
    last_logits: Logits | None


def candidates(root: Any) -> list[Any]:
    """Return tensors inside `root` that are multiplied by what may be a softmax."""
    found: list[Any] = []
    for op in linalg_ops(root):
        if op.name == "linalg.fill" or "math.exp" not in _body_names(op):
            continue
        for partner in _partners(op):
            if all(partner != other for other in found):
                found.append(partner)
    return found


def _body_names(op: Any) -> list[str]:
    return [inner.operation.name for region in op.regions for inner in region.blocks[0].operations]


def _partners(op: Any) -> list[Any]:
    """Return the tensors of 3 dimensions or more that meet the results of `op` in a product."""
    reached = [op.results[0]]
    frontier = list(reached)
    found: list[Any] = []
    for _ in range(_STEPS):
        following: list[Any] = []
        for value in frontier:
            for user in users(value):
                if len(user.results) != 1 or not is_plain(user):
                    continue
                if "arith.mulf" in _body_names(user):
                    others = [o for o in list(user.operands)[:-1] if all(o != r for r in reached)]
                    found += [o for o in others if _is_large(o)]
                if all(user.results[0] != r for r in reached):
                    reached.append(user.results[0])
                    following.append(user.results[0])
        frontier = following
        if found:
            return found
    return found


def is_plain(op: Any) -> bool:
    """Tell whether an op computes tensors of tensors, and nothing else."""
    return op.name.startswith(("linalg.", "tensor."))


def _is_large(value: Any) -> bool:
    kind = value.type
    if not isinstance(kind, ir.RankedTensorType):
        return False
    return isinstance(kind.element_type, ir.FloatType) and sum(s != 1 for s in type_dims(kind)) >= 3


def users(value: Any) -> list[Any]:
    """Return the ops that use a tensor, not those in the bodies of others."""
    return [use.owner.operation for use in value.uses]


def routing_of(reader: Reader) -> Routing | None:
    """Return the routing with the most iterations that starts from the reader's predictions."""
    best: Routing | None = None
    frontier = [reader.base]
    seen: list[Any] = []
    while frontier:
        value = frontier.pop(0)
        for user in users(value):
            if user in seen or not is_plain(user) or len(user.results) != 1:
                continue
            reading = reader.read(user.results[0])
            if reading is None or reading.meaning is None:
                continue
            seen.append(user)
            frontier.append(user.results[0])
            if isinstance(reading.meaning, Capsules) and list(user.results[0].uses):
                found = _routing(reader, user.results[0])
                if found is not None and (best is None or found.iterations > best.iterations):
                    best = found
    return best


def _routing(reader: Reader, value: Any) -> Routing | None:
    """Return the routing that ends with `value`, None where it is no output of one."""
    reading = reader.read(value)
    meaning = None if reading is None else reading.meaning
    if reading is None or not isinstance(meaning, Capsules):
        return None
    number = reader.rules.output(meaning)
    if number is None or value.type.element_type != reader.base.type.element_type:
        return None
    chain = _chain(reader, number)
    if chain is None:
        return None
    outputs, summed, start = chain
    last = outputs[-1]
    high, low, depth = last.sums.high, last.sums.low, last.depth
    if high is None:
        return None
    high, low, depth = (reader.axis(axis) for axis in (high, low, depth))
    mine = [axis for group in reader.base_axes for axis in group]
    rest = [axis for axis in mine if axis not in (high, low, depth)]
    if len({high, low, depth} & set(mine)) < 3 or len(rest) > 1:
        return None
    agreements = {frozenset({depth}): "per_sample", frozenset({depth, *rest}): "batch_shared"}
    shared = {agreements.get(axes) for axes in summed} if rest else {"per_sample"}
    if not rest and any(axes != frozenset({depth}) for axes in summed):
        return None
    (agreement, *others) = shared
    same = all(
        (reader.axis(o.sums.low), reader.axis(o.depth), o.epsilon) == (low, depth, last.epsilon)
        and _starts_right(reader, o, high)
        for o in outputs
    )
    axes = {reader.axis(axis) for group in reading.axes for axis in group}
    if agreement is None or others or not same or axes != {*rest, high, depth}:
        return None
    logits = None if start is None else reader.foreign[start]
    if logits is not None and not _is_start(reader, logits, {low, high}):
        return None
    return Routing(
        value,
        tuple(tuple(reader.axis(axis) for axis in group) for group in reading.axes),
        rest[0] if rest else None,
        low,
        high,
        depth,
        len(outputs),
        agreement,
        last.epsilon,
        logits,
        last.sums.logits,
    )


def _is_start(reader: Reader, logits: Any, axes: set[int]) -> bool:
    """Tell whether a tensor has one logit for each pair of capsules, and one alone."""
    reading = reader.read(logits)
    if reading is None or logits.type.element_type != reader.base.type.element_type:
        return False
    found = [reader.axis(axis) for group in reading.axes for axis in group]
    return len(found) == len(axes) and set(found) == axes


def _starts_right(reader: Reader, output: Output, high: int) -> bool:
    """Tell whether coefficients are along `high`, and those that are equal 1 / H."""
    sums = output.sums
    if sums.logits is None:
        size = reader.sizes[high]
        return size is not None and abs(sums.scale * size - 1) < 1e-5
    return sums.high is not None and reader.axis(sums.high) == high


def _chain(
    reader: Reader, number: int
) -> tuple[list[Output], list[frozenset[int]], int | None] | None:
    """Return the outputs of all iterations, what their agreements were summed over, and the start.

    Each must be routed by the agreements of all before it, and all by the same logits from
    elsewhere, if any, which are returned by their number. One iteration alone is none.
    """
    table = reader.rules.outputs
    terms, start = _terms(table[number])
    if not terms or len(start) > 1:
        return None
    order = sorted(terms, key=lambda term: len(_terms(table[term.v])[0]))
    for position, term in enumerate(order):
        if _terms(table[term.v]) != (set(order[:position]), start):
            return None
    summed = [frozenset(reader.axis(axis) for axis in term.summed) for term in order]
    return [*(table[term.v] for term in order), table[number]], summed, next(iter(start), None)


def _terms(output: Output) -> tuple[set[Agreement], set[int]]:
    """Return the agreements behind an output, and the tensors from elsewhere by their numbers."""
    terms = output.sums.logits.terms if output.sums.logits is not None else frozenset()
    agreements = {term for term in terms if isinstance(term, Agreement)}
    return agreements, {term for term in terms if not isinstance(term, Agreement)}
