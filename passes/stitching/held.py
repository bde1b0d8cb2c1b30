"""The row buffers of a kernel while it is planned, and how much memory they take.

Where all buffers of an element type are as large as one another, they take as many slots as are
live at once; otherwise the allocation says.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
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


@dataclass
class _Value:
    """A value with a row buffer: where it is made and last read, its bytes and its element type."""

    made: Nest
    last: Nest
    size: int
    element: str


class Held:
    """The values of a kernel that have row buffers, partial sums not counted."""

    def __init__(self, kernel: Kernel, readers: Callable[[Ref], Iterable[Nest]]):
        """Find the values; `readers` returns the nests that read one."""
        self.kernel, self._readers = kernel, readers
        self._values: dict[Ref, _Value] = {}
        self._numbers = self._numbered()
        self._bytes: int | None = None
        self._pressure: Pressure | None = None
        for nest in kernel.nests:
            for ref in [*made_by_reductions(kernel, nest), *nest.kept]:
                self._hold(ref, nest)

    def add(self, n: int, nest: Nest, moved: Iterable[Ref]) -> None:
        """Add the results of a node, which a nest makes; other nests read those of `moved` now."""
        for ref in self.kernel.results_of(n):
            self._hold(ref, nest)
        self._move(moved)

    def remove(self, n: int, moved: Iterable[Ref]) -> None:
        """Take the results of a node out; other nests read those of `moved` now."""
        for ref in self.kernel.results_of(n):
            self._values.pop(ref, None)
        self._move(moved)

    def _hold(self, ref: Ref, nest: Nest) -> None:
        if self.kernel.buffer_dims(ref):
            element = str(buffer_element(self.kernel, ref))
            self._values[ref] = _Value(nest, nest, held_bytes(self.kernel, ref), element)
            self._find_last(ref)

    def _move(self, moved: Iterable[Ref]) -> None:
        before, self._numbers = self._numbers, self._numbered()
        self._bytes = self._pressure = None
        as_before = [nest for nest in before if nest in self._numbers]
        if as_before != [nest for nest in self._numbers if nest in before]:
            moved = list(self._values)  # nests of one level changed places
        for ref in moved:
            if ref in self._values:
                self._find_last(ref)

    def _find_last(self, ref: Ref) -> None:
        value = self._values[ref]
        users = [value.made, *self._readers(ref)]
        value.last = max(users, key=lambda nest: self._numbers.get(id(nest), -1))

    def _numbered(self) -> dict[int, int]:
        """Return the places of the nests in the kernel, by their identities."""
        return {id(nest): number for number, nest in enumerate(self.kernel.nests)}

    @property
    def bytes(self) -> int:
        """The bytes of the row buffers of a workgroup."""
        if self._bytes is None:
            self._bytes = self._find_bytes()
        return self._bytes

    def _find_bytes(self) -> int:
        sizes: dict[str, int] = {}
        live: dict[str, list[int]] = {}
        numbers, count = self._numbers, len(self._numbers) + 1
        for value in self._values.values():
            element = value.element
            if sizes.setdefault(element, value.size) != value.size:
                return self._allocated()
            change = live.get(element) or live.setdefault(element, [0] * count)
            change[numbers[id(value.made)]] += 1
            change[numbers[id(value.last)] + 1] -= 1
        return sum(size * max(accumulate(live[element])) for element, size in sizes.items())

    def _allocated(self) -> int:
        last = {ref: self._numbers[id(value.last)] for ref, value in self._values.items()}
        slots = allocate(find_buffers(self.kernel, last))
        return rows_at_once(self.kernel) * sum(slot.bytes for slot in slots)

    @property
    def pressure(self) -> Pressure:
        """What is live between levels."""
        if self._pressure is None:
            live = [
                (ref, range(value.made.level, value.last.level), value.size)
                for ref, value in self._values.items()
            ]
            self._pressure = Pressure(self.kernel, live)
        return self._pressure
