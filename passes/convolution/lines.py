"""Vectors of neighbouring pixels out of one line of the images."""

from fsa.passes.emitter import Index, Kernel, Value


class LineLoader:
    """Loads vectors of elements of one line of the source, each memory access once.

    `all_elements` are the vectors that will be asked for: nothing outside of their range is read.
    Neighbouring lanes lie `apart` elements apart, 1 or 2.
    """

    def __init__(
        self,
        k: Kernel,
        source: Value,
        line: Index,
        fill: float,
        all_elements: list[tuple[int | None, ...]],
        apart: int,
    ):
        self.k, self.source, self.line, self.fill = k, source, line, fill
        self.apart = apart
        known = [e for elements in all_elements for e in elements if e is not None]
        self.range = range(min(known), max(known) + 1) if known else range(0)
        self.lanes = len(all_elements[0]) if all_elements else 0
        self.loaded: dict[int, Value] = {}

    def load(self, elements: tuple[int | None, ...]) -> Value:
        """Return the vector of `elements` of the line; None is fill."""
        lane, element = next((lane, e) for lane, e in enumerate(elements) if e is not None)
        if self.apart == 1:
            return self._run(element - lane)
        # Pairs begin at even elements, so that taps one apart share their loads.
        first = element - 2 * lane
        odd = first % 2
        halves = [self._run(first - odd + half * self.lanes) for half in range(2)]
        chosen = [2 * lane + odd for lane in range(self.lanes)]
        return self.k.shuffle(halves[0], halves[1], chosen)

    def _run(self, start: int) -> Value:
        """Return elements start, start + 1, ...; those out of range hold the fill."""
        if start not in self.loaded:
            self.loaded[start] = self._loaded(start)
        return self.loaded[start]

    def _loaded(self, start: int) -> Value:
        k, lanes = self.k, self.lanes
        chosen = [start + lane in self.range for lane in range(lanes)]
        if not any(chosen):
            return k.splat(self.fill, lanes, self.source.type.element_type)
        skipped = chosen.index(True)
        if skipped == 0 or all(chosen):
            return k.load_lanes(self.source, [k.add(self.line, start)], chosen, self.fill)
        # Nothing before the first element may be touched, not even by an address.
        moved = [*chosen[skipped:], *([False] * skipped)]
        found = k.load_lanes(self.source, [k.add(self.line, start + skipped)], moved, self.fill)
        filled = k.splat(self.fill, lanes, self.source.type.element_type)
        order = [lane if lane < skipped else lanes + lane - skipped for lane in range(lanes)]
        return k.shuffle(filled, found, order)
