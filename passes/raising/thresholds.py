"""The integer threshold of each channel that a chain of float ops in front of a sign amounts to.

For every sum that a binarized op can give, the chain is evaluated in its own arithmetic. Where the
sign changes at most once, in each channel, an integer compare gives the same bit for every sum: no
rule on batch norms, negative scales or activations is needed, and no rounding is left to chance.
The rewriting is that of BSTC (SC'19, equations 3 to 5), which computes thresholds in closed form.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fsa.dialects.fsa.attributes import read_i64, read_i64_array, read_string
from fsa.dialects.fsa.constants import Array
from fsa.dialects.fsa.shapes import type_dims
from fsa.passes.raising.fields import Fields, Layout, root_of
from fsa.passes.raising.known import Known
from fsa.passes.weights.bodies import NotKnown

LOWEST = -(2**31)  # below every sum
CHUNK = 1 << 20  # pairs of channel and sum that are evaluated at a time


@dataclass(frozen=True)
class Threshold:
    """bit = (sum >= tau) xor flip in each channel of `root`: where the chain is at least 0.

    With a `pool`, channels whose sign falls as the pooled value grows (`falls`) take the minimum of
    their bits instead of the maximum. `layout` is that of the chain's last tensor. `magnitude` is
    its absolute value where that is one number above 0 for all sums, else None.
    """

    root: Any
    tau: Array
    flip: Array
    falls: Array
    pool: Any
    layout: Layout
    magnitude: float | None


def threshold_of(value: Any, known: Known) -> Threshold | None:
    """Return the threshold that gives value >= 0; None where it is not one of a single root."""
    root = root_of(value)
    if root is None or root == value:
        return None
    try:
        return _threshold(value, root, known)
    except NotKnown:
        return None


def sums_of(op: Any) -> range:
    """Return every integer that the sums of a binarized op can be, and possibly more."""
    if op.name == "fsa.binarized_matmul":
        depth, partial = read_i64(op.attributes, "depth"), False
    else:
        _, height, width, _ = type_dims(op.operands[1].type)
        channels = read_i64(op.attributes, "channels") // read_i64(op.attributes, "groups", 1)
        depth = height * width * channels
        # Taps left out take their channels away, an odd number of them in some positions.
        framed = any(read_i64_array(op.attributes, "pad"))
        partial = framed and read_string(op.attributes, "pad_mode") == "zero" and channels % 2 == 1
    return range(-depth, depth + 1, 1 if partial else 2)


@dataclass
class _Scan:
    """What is known of the signs of each channel after the sums so far, in rising order."""

    first: Array
    last: Array
    changes: Array
    tau: Array
    # The pooled values whose bit is 0 (row 0) or 1 (row 1): the least and the greatest.
    least: Array
    greatest: Array
    magnitudes: set[float] = field(default_factory=set[float])


def _threshold(value: Any, root: Any, known: Known) -> Threshold:
    sums = sums_of(root.owner.operation)
    channels = type_dims(root.type)[-1]
    if not channels or not len(sums):
        raise NotKnown
    step = max(1, CHUNK // channels)
    scan: _Scan | None = None
    layout: Layout | None = None
    pools: list[Any] = []
    for start in range(0, len(sums), step):
        integers = np.array(sums[start : start + step], np.int32)
        fields = Fields(known, root, integers)
        found = fields.field(value)
        values = found.values.reshape(channels, -1)
        bits = values >= 0
        layout, scan = found.layout, scan or _started(bits, channels)
        _count(scan, bits, integers)
        _measure(scan, values)
        pools = [op for op, _ in fields.pooled]
        for _, pooled in fields.pooled:
            _rank(scan, pooled.values.reshape(channels, -1), bits)
    if scan is None or layout is None or (scan.changes > 1).any():
        raise NotKnown
    falls = scan.least[0] > scan.greatest[1]
    if pools and not (falls | (scan.greatest[0] < scan.least[1])).all():
        raise NotKnown
    never = scan.changes == 0
    tau = np.where(never, LOWEST, scan.tau).astype(np.int32)
    flip = np.where(never, ~scan.first, scan.first)
    one = len(scan.magnitudes) == 1 and min(scan.magnitudes) > 0
    pool = pools[0] if pools else None
    return Threshold(
        root,
        tau,
        flip,
        falls & ~never if pool is not None else np.zeros(channels, bool),
        pool,
        layout,
        scan.magnitudes.pop() if one else None,
    )


def _started(bits: Array, channels: int) -> _Scan:
    infinity = np.full((2, channels), np.inf)
    none = np.zeros(channels, np.int64)
    return _Scan(bits[:, 0], bits[:, 0], none, none.copy(), infinity, -infinity)


def _count(scan: _Scan, bits: Array, integers: Array) -> None:
    """Count the changes along the sums of a chunk, and keep the first sum after a change."""
    before = np.concatenate([scan.last[:, None], bits[:, :-1]], axis=1)
    changed = before != bits
    scan.changes = scan.changes + changed.sum(1)
    scan.tau = np.where(changed.any(1), integers[changed.argmax(1)], scan.tau)
    scan.last = bits[:, -1]


def _measure(scan: _Scan, values: Array) -> None:
    """Note the absolute values; more than two are as good as many."""
    if len(scan.magnitudes) > 1 or np.isnan(values).any():
        scan.magnitudes |= {-1.0, -2.0}
        return
    sizes = np.abs(values)
    scan.magnitudes |= {float(sizes.min()), float(sizes.max())}


def _rank(scan: _Scan, pooled: Array, bits: Array) -> None:
    """Note the least and the greatest pooled value of either bit."""
    if np.isnan(pooled).any():
        raise NotKnown
    for row, chosen in enumerate((~bits, bits)):
        least = np.where(chosen, pooled, np.inf).min(1)
        greatest = np.where(chosen, pooled, -np.inf).max(1)
        scan.least[row] = np.minimum(scan.least[row], least)
        scan.greatest[row] = np.maximum(scan.greatest[row], greatest)
