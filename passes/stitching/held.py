"""The row buffers of a kernel while it is planned, and how much memory they take.

Where all buffers of an element type are as large as one another, they take as many slots as are
live at once; otherwise the allocation says.
"""

from collections import defaultdict
from collections.abc import Callable
from itertools import accumulate

from fsa.passes.stitching.allocation import allocate
from fsa.passes.stitching.graph import Ref
from fsa.passes.stitching.liveness import (
    buffer_element,
    find_buffers,
    held_bytes,
    made_by_reductions,
    rows_at_once,
)
from fsa.passes.stitching.loop_nest import Nest
from fsa.passes.stitching.pressure import Pressure
from fsa.passes.stitching.schedule import Kernel

Numbers = dict[int, int]  # the places of nests in their kernel, by their identities


class Held:
    """The values of a kernel that have row buffers, partial sums not counted."""

    def __init__(self, kernel: Kernel, last_reader: Callable[[Ref, Numbers], int]):
        """Find the values; `last_reader` returns the last nest that reads one, or -1."""
        self.kernel, self._last_reader = kernel, last_reader
        self._values: dict[Ref, tuple[Nest, int, str]] = {}  # made where, bytes, element type
        self._spans: dict[Ref, range] | None = None  # numbers of the nests where each is live
        self._pressure: Pressure | None = None
        for nest in kernel.nests:
            for ref in [*made_by_reductions(kernel, nest), *nest.kept]:
                self._hold(ref, nest)

    def add(self, n: int, nest: Nest) -> None:
        """Add the results of a node, which a nest makes."""
        for ref in self.kernel.results_of(n):
            self._hold(ref, nest)
        self._spans = self._pressure = None

    def remove(self, n: int) -> None:
        """Take the results of a node out."""
        for ref in self.kernel.results_of(n):
            self._values.pop(ref, None)
        self._spans = self._pressure = None

    def _hold(self, ref: Ref, nest: Nest) -> None:
        if self.kernel.buffer_dims(ref):
            element = str(buffer_element(self.kernel, ref))
            self._values[ref] = nest, held_bytes(self.kernel, ref), element

    @property
    def spans(self) -> dict[Ref, range]:
        """The numbers of the nests where each value is live."""
        if self._spans is None:
            numbers = {id(nest): number for number, nest in enumerate(self.kernel.nests)}
            self._spans = {}
            for ref, (nest, _, _) in self._values.items():
                first = numbers[id(nest)]
                self._spans[ref] = range(first, max(first, self._last_reader(ref, numbers)) + 1)
        return self._spans

    @property
    def bytes(self) -> int:
        """The bytes of the row buffers of a workgroup."""
        sizes: dict[str, set[int]] = defaultdict(set)
        for _, size, element in self._values.values():
            sizes[element].add(size)
        if any(len(found) > 1 for found in sizes.values()):
            last = {ref: span[-1] for ref, span in self.spans.items()}
            slots = allocate(find_buffers(self.kernel, last))
            return rows_at_once(self.kernel) * sum(slot.bytes for slot in slots)
        return sum(size * self._live_at_once(element) for element, (size,) in sizes.items())

    def _live_at_once(self, element: str) -> int:
        """Return how many buffers of an element type are live in one nest at most."""
        change = [0] * (len(self.kernel.nests) + 1)
        for ref, span in self.spans.items():
            if self._values[ref][2] == element:
                change[span.start] += 1
                change[span.stop] -= 1
        return max(accumulate(change))

    @property
    def pressure(self) -> Pressure:
        """What is live between levels."""
        if self._pressure is None:
            nests = self.kernel.nests
            live = [
                (ref, range(nests[span[0]].level, nests[span[-1]].level), self._values[ref][1])
                for ref, span in self.spans.items()
            ]
            self._pressure = Pressure(self.kernel, live)
        return self._pressure
