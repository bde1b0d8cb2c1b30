"""How much of a kernel's row buffers is live between its levels: what one more value would need.

Planning tries many values. What cannot fit is refused here, before a kernel is built for it.
"""

from collections.abc import Iterable

from fsa.passes.stitching.graph import Ref
from fsa.passes.stitching.liveness import find_buffers, held_bytes, rows_at_once
from fsa.passes.stitching.loop_nest import inline_touches
from fsa.passes.stitching.schedule import Kernel

Live = tuple[Ref, range, int]  # a value, the levels after which it is live, and its bytes


class Pressure:
    """The bytes that are live between one level of a kernel and the next."""

    def __init__(self, kernel: Kernel, live: Iterable[Live] | None = None):
        self.kernel = kernel
        self._values: dict[Ref, tuple[range, int]] = {}
        self._after: dict[int, int] = {}
        for ref, levels, size in live_between_levels(kernel) if live is None else live:
            if levels:
                self._values[ref] = levels, size
                self._add(self._after, levels, size)

    def with_value(self, n: int, levels: Iterable[int]) -> int:
        """Return the bytes that row buffers take at least if node n, which is now computed in
        nests of `levels`, is kept too."""
        kernel = self.kernel
        own = sum(held_bytes(kernel, ref) for ref in kernel.results_of(n))
        if kernel.is_repeated(n):  # its readers move to later levels
            return own
        live = range(kernel.level(n), max(levels, default=0))
        beside = {level: self._after.get(level, 0) for level in live}
        # What is read on the way to n may not be needed any more once n is there.
        behind = inline_touches(kernel, Ref("node", n), kernel.level(n) + 1)
        for ref in {touch.ref for touch in behind if touch.kind == "kept"}:
            others, size = self._values.get(ref, (range(0), 0))
            self._add(beside, (level for level in others if level in live), -size)
        return own + max(beside.values(), default=0)

    def _add(self, sums: dict[int, int], levels: Iterable[int], size: int) -> None:
        for level in levels:
            sums[level] = sums.get(level, 0) + size


def live_between_levels(kernel: Kernel) -> Iterable[Live]:
    """Yield the values of a kernel with the levels after which they are live."""
    for buffer in find_buffers(kernel):
        if not buffer.partial:
            levels = range(kernel.nests[buffer.first].level, kernel.nests[buffer.last].level)
            yield buffer.ref, levels, buffer.bytes * rows_at_once(kernel)
