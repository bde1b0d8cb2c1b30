"""The pass `fsa-raise-capsule-routing`."""

from dataclasses import dataclass
from typing import Any, ClassVar

from fsa.bindings import ir
from fsa.diagnostics import Diagnostics
from fsa.dialects.fsa.ops.capsule_predict import capsule_predict
from fsa.dialects.fsa.ops.capsule_routing import capsule_routing
from fsa.passes.base import Pass
from fsa.passes.capsule.arranging import arranged_as, arranged_from
from fsa.passes.capsule.coefficients import coefficients_used
from fsa.passes.capsule.finding import Routing, candidates, routing_of
from fsa.passes.capsule.predicting import factors_of
from fsa.passes.capsule.reading import Reader


@dataclass(frozen=True)
class FsaRaiseCapsuleRouting(Pass):
    """Recognise dynamic routing between capsules (Sabour et al. 2017) as `fsa.capsule_routing`.

    Imports write routing as softmax, weighted sum, squash and agreement, over and over. The pass
    reads what each value means, so it does not depend on how a model is written: contractions or
    products that are summed, any order of the dimensions, zeros or equal coefficients at the start,
    logits that start from a tensor which all samples share, any form of the squash that computes
    n / ((1 + n) sqrt(n + epsilon)) to f32's precision. At least two iterations are needed, as one
    alone is only a mean. Coefficients of the last iteration that the program goes on to use become
    the op's second result; what else uses the values of an iteration keeps them. A contraction of
    low-level capsules with constant weights that makes the predictions becomes
    `fsa.capsule_predict`.
    """

    name: ClassVar[str] = "fsa-raise-capsule-routing"
    summary: ClassVar[str] = "Recognise dynamic routing as fsa.capsule_routing"
    anchor: ClassVar[str] = "any"

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Replace the last capsules of each routing inside `op`; what fed them is left unused."""
        done: list[Any] = []
        for u_hat in candidates(op):
            reader = Reader(u_hat)
            if any(reader.base == base for base in done):
                continue
            found = routing_of(reader)
            if found is not None:
                done.append(reader.base)
                _replace(reader, found)


def _replace(reader: Reader, found: Routing) -> None:
    used = coefficients_used(reader, found)
    # Coefficients may be used before v is made.
    op = _first([value.owner.operation for value in (found.v, *(value for value, _ in used))])
    with op.location, ir.InsertionPoint(op):
        made = capsule_routing(
            _predictions(reader, found),
            _logits(reader, found),
            iterations=found.iterations,
            agreement=found.agreement,
            epsilon=found.epsilon,
            coefficients=bool(used),
        )
        v, *coefficients = made if used else (made,)
        order = [found.batch, found.high, found.depth]
        pairs = [(found.v, arranged_from(reader, v, order, found.v.type, found.axes))]
        is_shared = found.agreement == "batch_shared"
        order = [found.low, found.high] if is_shared else [found.batch, found.low, found.high]
        for value, axes in used:
            new = arranged_from(reader, coefficients[0], order, value.type, axes)
            pairs.append((value, new))
    for old, new in pairs:
        old.replace_all_uses_with(new)


def _first(ops: list[Any]) -> Any:
    """Return the op of a block that stands before the others."""
    return next(inner.operation for inner in ops[0].block.operations if inner.operation in ops)


def _logits(reader: Reader, found: Routing) -> Any:
    """Return the logits [L, H] that a routing starts with, None for zeros."""
    reading = None if found.logits is None else reader.read(found.logits)
    if reading is None:
        return None
    axes = tuple(tuple(reader.axis(axis) for axis in group) for group in reading.axes)
    return arranged_as(reader, found.logits, axes, [found.low, found.high])


def _predictions(reader: Reader, found: Routing) -> Any:
    """Return u_hat [B, L, H, D]: that of the program in its order, or `fsa.capsule_predict`."""
    factors = factors_of(reader, found)
    if factors is None:
        order = [found.batch, found.low, found.high, found.depth]
        return arranged_as(reader, reader.base, reader.base_axes, order)
    (u, u_axes), (w, w_axes), inner = factors
    return capsule_predict(
        arranged_as(reader, u, u_axes, [found.batch, found.low, inner]),
        arranged_as(reader, w, w_axes, [found.low, found.high, found.depth, inner]),
    )
