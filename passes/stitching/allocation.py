"""Which row buffers of a kernel share memory, and how much memory that takes.

Buffers of one element type that are never live in the same nest may lie in one slot. They are
placed by size, the largest first, each into the smallest slot that is free while it is live (as in
Pisarchyk and Lee, "Efficient memory management for deep neural net inference", 2020). A slot is an
allocation of its own, so a compiler sees that buffers which are live together do not alias.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fsa.passes.stitching.lanes import describe
from fsa.passes.stitching.liveness import Buffer, find_buffers, rows_at_once
from fsa.passes.stitching.schedule import Kernel

SHARES = "its row buffer is at other times that of "


@dataclass(frozen=True)
class Slot:
    """Memory of one element type, for buffers that are live one after another."""

    buffers: tuple[Buffer, ...]

    @property
    def element(self) -> Any:
        """The element type."""
        return self.buffers[0].element

    @property
    def size(self) -> int:
        """The elements of one row."""
        return max(buffer.size for buffer in self.buffers)

    @property
    def bytes(self) -> int:
        """The bytes of one row."""
        return max(buffer.bytes for buffer in self.buffers)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one row: that of the buffers, or flat where theirs differ."""
        shapes = {buffer.shape for buffer in self.buffers}
        return self.buffers[0].shape if len(shapes) == 1 else (self.size,)

    def starts_at(self, nest: int) -> bool:
        """Whether a buffer of the slot becomes live in a nest."""
        return any(buffer.first == nest for buffer in self.buffers)

    def is_live_at(self, nest: int) -> bool:
        """Whether a buffer of the slot is live in a nest."""
        return any(buffer.first <= nest <= buffer.last for buffer in self.buffers)


def allocate(buffers: Sequence[Buffer]) -> list[Slot]:
    """Return slots for all `buffers`, in the order in which they are first written."""
    slots: list[list[Buffer]] = []
    taken: dict[int, int] = {}  # by slot: the nests where it is, as bits
    for buffer in sorted(buffers, key=lambda b: (-b.size, b.first)):
        live = (2 << buffer.last) - (1 << buffer.first)
        free = [
            number
            for number, slot in enumerate(slots)
            if not taken[number] & live and slot[0].element == buffer.element
        ]
        # The first of a slot is its largest. Of slots as large, one of the same shape.
        best = min(
            free,
            key=lambda k: (slots[k][0].size, slots[k][0].shape != buffer.shape),
            default=len(slots),
        )
        if best == len(slots):
            slots.append([])
        slots[best].append(buffer)
        taken[best] = taken.get(best, 0) | live
    order = {buffer: number for number, buffer in enumerate(buffers)}
    ordered = [tuple(sorted(slot, key=order.__getitem__)) for slot in slots]
    return [Slot(slot) for slot in sorted(ordered, key=lambda slot: order[slot[0]])]


def slots_of(kernel: Kernel) -> list[Slot]:
    """Return the memory of a kernel's row buffers."""
    return allocate(find_buffers(kernel))


def workgroup_bytes(kernel: Kernel) -> int:
    """Return the bytes of row buffers that a workgroup needs for the rows that it runs at once."""
    return rows_at_once(kernel) * sum(slot.bytes for slot in slots_of(kernel))


def sharing(kernel: Kernel) -> dict[int, str]:
    """Return, in words, with which values each node's row buffers share memory."""
    told: dict[int, str] = {}
    for slot in slots_of(kernel):
        names = {buffer: _name(kernel, buffer) for buffer in slot.buffers}
        for buffer in slot.buffers if len(names) > 1 else ():
            others = ", ".join(name for other, name in names.items() if other != buffer)
            told.setdefault(buffer.ref.number, f"{SHARES}{others}")
    return told


def _name(kernel: Kernel, buffer: Buffer) -> str:
    name = describe(kernel.graph, buffer.ref)
    return f"partial sums of {name}" if buffer.partial else name
