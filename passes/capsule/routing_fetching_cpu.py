"""What the CPU kernels of `fsa.capsule_routing` fetch ahead, and at what pace.

A sample's first pass would wait for memory while the passes after it find everything in a cache. So
the passes over one sample fetch the next, each a part of it as large as its share of the work, and
memory is read all the time. Samples beyond the second cache come back from the third in each pass:
there a tile also fetches the next tile of its own sample.
"""

from typing import Any

from fsa.passes.capsule.schedules import RoutingCpu
from fsa.passes.emitter import Index, Kernel, Value

LINE_BYTES = 64
# A pass that routes takes as long as this many passes that add up.
ROUTING_WORK = 2
FIRST_CACHE, SECOND_CACHE = 3, 2  # localities of a prefetch


class Fetching:
    """Fetches u_hat, whose sizes are `sizes` [B, L, H, D], for a workgroup of one sample.

    `passes` of those over the sample route, after one that adds up: row by row if `by_rows`, else
    by tiles of `plan.lanes` rows. H and D are static.
    """

    def __init__(
        self,
        kernel: Kernel,
        plan: RoutingCpu,
        u_hat: Value,
        sizes: list[Index],
        passes: int,
        by_rows: bool,
    ) -> None:
        self.k = kernel
        self.u_hat = u_hat
        self.rows = plan.lanes
        _, self.low, high, depth = sizes
        if not (isinstance(high, int) and isinstance(depth, int)):
            raise TypeError("expected static H and D where u_hat is fetched ahead")
        self.high, self.depth = high, depth
        element: Any = u_hat.type.element_type
        size = element.width // 8
        self.line = LINE_BYTES // size
        self.tiles = plan.prefetch in ("tile", "both")
        self.samples = plan.prefetch in ("sample", "both")
        near = (plan.tiles + 1) * self.rows * high * depth * size <= kernel.target.l1_bytes
        self.tile_cache = FIRST_CACHE if near else SECOND_CACHE
        # Lines of the next sample that fall to a step of the mean, and to a capsule of a route.
        step = high * depth if by_rows else self.rows * depth
        self.in_mean = -(-self._lines(step) // (1 + ROUTING_WORK * passes))
        self.tile_of_mean = self.in_mean * (self.rows if by_rows else high)
        left = max(self._lines(self.rows * high * depth) - self.tile_of_mean, 0)
        self.in_route = -(-left // (passes * high)) if passes else 0

    def row_of_mean(self, sample: Index, low: Index) -> None:
        """Fetch what falls to a row of a mean that goes by rows."""
        if self.samples:
            self._next_sample(sample, self.k.mul(low, self.in_mean), self.in_mean)

    def tile(self, sample: Index, low: Index, capsule: Index, number: Index | None) -> None:
        """Fetch what falls to a high-level capsule of the tile from `low` on.

        `number` is that of the pass among those that route, None in a mean by tiles.
        """
        k = self.k
        if self.tiles:
            row = k.add(k.mul(sample, self.low), k.add(low, self.rows))
            share = self.rows * self.depth
            start = k.add(k.mul(row, self.high * self.depth), k.mul(capsule, share))
            self._fetch(start, self._lines(share), self.tile_cache)
        if not self.samples:
            return
        place = k.add(k.mul(k.floordiv(low, self.rows), self.high), capsule)
        if number is None:
            self._next_sample(sample, k.mul(place, self.in_mean), self.in_mean)
            return
        before = k.add(k.mul(number, self.high * self.in_route), self.tile_of_mean)
        before = k.mul(k.floordiv(self.low, self.rows), before)
        start = k.add(before, k.mul(place, self.in_route))
        self._next_sample(sample, start, self.in_route)

    def _lines(self, elements: int) -> int:
        return -(-elements // self.line)

    def _next_sample(self, sample: Index, first_line: Index, lines: int) -> None:
        k = self.k
        row = k.mul(k.add(sample, 1), self.low)
        start = k.add(k.mul(row, self.high * self.depth), k.mul(first_line, self.line))
        self._fetch(start, lines, SECOND_CACHE)

    def _fetch(self, start: Index, lines: int, cache: int) -> None:
        for number in range(lines):
            place = self.k.add(start, number * self.line)
            self.k.prefetch(self.u_hat, [place], cache)
