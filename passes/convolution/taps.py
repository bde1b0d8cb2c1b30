"""The taps of a window that read something, as values of a kernel."""

from dataclasses import dataclass

from fsa.passes.convolution.geometry import Axis
from fsa.passes.emitter import Builder, Index


@dataclass(frozen=True)
class Taps:
    """Taps low, low + step, ... below high of one window read the source; the others nothing."""

    builder: Builder
    axis: Axis
    start: Index  # position of tap 0 in the spread source, plus `axis.low`
    low: Index
    high: Index
    step: int

    def element(self, tap: Index) -> Index:
        """Return the element of the source that a valid tap reads."""
        k, axis = self.builder, self.axis
        position = k.sub(k.add(self.start, k.mul(tap, axis.dilation)), axis.low)
        return k.floordiv(position, axis.spread)


def valid_taps(k: Builder, axis: Axis, window: Index) -> Taps:
    """Return the taps of window number `window` that read something.

    A spread source takes a dilation of 1.
    """
    start = k.mul(window, axis.stride)
    if not axis.is_framed:
        return Taps(k, axis, start, 0, axis.taps, 1)
    # low <= start + tap * dilation < end, in non-negative numbers only.
    end = axis.low + (axis.extent - 1) * axis.spread + 1
    low = k.ceildiv(k.max(k.sub(axis.low, start), 0), axis.dilation)
    high = k.ceildiv(k.max(k.sub(end, start), 0), axis.dilation)
    high = k.min(high, axis.taps)
    if axis.spread > 1:
        # The first tap at or after `low` on an element: (start + tap - axis.low) % spread == 0.
        past = k.rem(k.sub(k.add(k.add(start, low), axis.spread * axis.low), axis.low), axis.spread)
        low = k.add(low, k.rem(k.sub(axis.spread, past), axis.spread))
    return Taps(k, axis, start, low, high, axis.spread)
