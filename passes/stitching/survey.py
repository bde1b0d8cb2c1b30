"""What the nests of a kernel compute in place, for all nests at once, while values become kept.

A set of nests is a number whose bit b stands for nest b. The sets in which an element is read
follow from those in which its readers are computed, so one walk from the last node to the first
finds them all. To keep a node changes them only behind it, and from there the walk is done again as
far as anything changes: a value that is no longer read by a nest leaves it once.
"""

import heapq
from collections.abc import Iterable
from functools import cached_property

from fsa.passes.stitching import rules
from fsa.passes.stitching.allocation import workgroup_bytes
from fsa.passes.stitching.graph import Ref
from fsa.passes.stitching.held import Held
from fsa.passes.stitching.loop_nest import Element, Nest, operands_of, result_of
from fsa.passes.stitching.pressure import Pressure
from fsa.passes.stitching.schedule import Kernel

Kept = tuple[Nest, int, dict[Element, int]]  # what `Survey.leave` needs


class Survey:
    """A kernel as planned so far: the bytes of its row buffers, and where its nests read what."""

    def __init__(self, kernel: Kernel):
        """Survey a kernel; raise `PlanError` where it breaks a rule."""
        self.kernel = kernel
        self._nests: list[Nest] = []  # by their bits
        self._bits: dict[int, int] = {}  # of nests, by their identities
        self._early: dict[int, int] = {}  # the nests of a level or before
        self._reading: dict[Element, int] = {}  # the nests that read an element
        self._own: dict[Element, int] = {}  # those where nothing computed in place does
        self._making: dict[int, int] = {}  # nests that compute a node to keep or to store it
        self._readers: dict[Element, list[Element]] = {}  # elements whose computation reads one
        self._linked: set[Element] = set()  # elements that are among those
        self._elements: dict[int, list[Element]] = {}  # by their nodes
        self._moved: dict[Ref, None] = {}  # values of which other nests were found to read some
        self._walk([e for nest in kernel.nests for e in self._begin(nest)])
        self._check()
        self.held = Held(kernel, self._readers_of)

    @property
    def bytes(self) -> int:
        """The bytes of the row buffers of a workgroup."""
        return workgroup_bytes(self.kernel) if self.may_hold_partials else self.held.bytes

    @cached_property
    def may_hold_partials(self) -> bool:
        """Whether vectors may decide on the bytes of row buffers: the kernel must be complete."""
        nests = self.kernel.nests
        return any(self.kernel.may_hold_partials(n) for nest in nests for n in nest.reductions)

    @property
    def pressure(self) -> Pressure:
        """What is live between levels."""
        return self.held.pressure

    def inline_levels(self, n: int) -> set[int]:
        """Return the levels of the nests that compute node n in place."""
        nests = self._making.get(n, 0)
        for element in self._elements.get(n, ()):
            nests |= self._computing(element)
        return {nest.level for nest in self._members(nests)}

    def check_keeping(self, n: int) -> None:
        """Raise `PlanError` where node n cannot be kept, if all levels stay as they are."""
        for ref in self.kernel.results_of(n):
            rules.check_row_buffer(self.kernel, ref)
        early = self._up_to(self.kernel.level(n))
        for element in self._elements.get(n, ()):
            if self._reading[element] & ~early:
                rules.check_place(self.kernel, element)

    def keep(self, n: int) -> Kept:
        """Note that node n is kept, as the plans of the nodes say by now; `leave` takes it back."""
        making, nest = self._making.get(n, 0), self.kernel.keep(n)
        own = {element: self._own.get(element, 0) for element in self._operands(n)}
        self._make(n, self._bit(nest))
        self._walk([*own, *self._behind(n)])
        self.held.add(n, nest, self._moved)
        return nest, making, own

    def leave(self, n: int, kept: Kept) -> None:
        """Take `keep` back, as the plans of the nodes say by now."""
        nest, self._making[n], own = kept
        self.kernel.leave(n, nest)
        self._own.update(own)
        self._walk([*own, *self._behind(n)])
        self.held.remove(n, self._moved)

    def _behind(self, n: int) -> list[Element]:
        """Return what the elements of a node read, wherever they are read."""
        return [e for element in self._elements.get(n, ()) for e in _computed(element.behind())]

    def _operands(self, n: int) -> list[Element]:
        """Return what a nest that makes an element-wise node reads for it."""
        results = [result_of(self.kernel, ref) for ref in self.kernel.results_of(n)]
        return _computed(e for result in results for e in result.behind())

    def _begin(self, nest: Nest) -> list[Element]:
        """Add a nest; return what it reads."""
        bit, read = self._bit(nest), list[Element]()
        for n in nest.reductions:
            operands = _computed(operands_of(self.kernel, n))
            self._read(operands, bit)
            read += operands
        for n in dict.fromkeys(ref.number for ref in [*nest.kept, *nest.stores]):
            read += self._make(n, bit)
        return read

    def _bit(self, nest: Nest) -> int:
        """Return the bit of a nest, a new one for a new nest."""
        if id(nest) not in self._bits:
            self._bits[id(nest)] = 1 << len(self._nests)
            self._nests.append(nest)
            self._early.clear()
        return self._bits[id(nest)]

    def _members(self, nests: int) -> Iterable[Nest]:
        while nests:
            lowest = nests & -nests
            yield self._nests[lowest.bit_length() - 1]
            nests ^= lowest

    def _make(self, n: int, bit: int) -> list[Element]:
        """Note that a nest computes node n; return what it reads for that."""
        self._making[n] = self._making.get(n, 0) | bit
        read = self._operands(n)
        self._read(read, bit)
        return read

    def _read(self, elements: list[Element], bit: int) -> None:
        for element in elements:
            self._own[element] = self._own.get(element, 0) | bit

    def _walk(self, changed: Iterable[Element]) -> None:
        """Find the nests that read `changed`, and what these change, the last nodes first."""
        self._moved.clear()
        pending = {(-element.ref.number, id(element)): element for element in changed}
        order = list(pending)
        heapq.heapify(order)
        while order:
            element = pending.pop(heapq.heappop(order))
            if not self._update(element):
                continue
            for read in self._link(element):
                known = (-read.ref.number, id(read))
                if known not in pending:
                    pending[known] = read
                    heapq.heappush(order, known)

    def _update(self, element: Element) -> bool:
        """Find the nests that read an element; return whether that changes what it reads."""
        nests, before = self._own.get(element, 0), 0
        for reader in self._readers.get(element, ()):
            nests |= self._computing(reader)
        if element in self._reading:
            before = self._computing(element)
        else:
            self._elements.setdefault(element.ref.number, []).append(element)
        if self._reading.get(element) != nests:
            self._reading[element] = nests
            self._moved[element.ref] = None
        return self._computing(element) != before

    def _link(self, element: Element) -> list[Element]:
        """Return what computing an element reads, which knows it as a reader from now on."""
        read = _computed(element.behind())
        if element not in self._linked:
            self._linked.add(element)
            for other in read:
                self._readers.setdefault(other, []).append(element)
        return read

    def _computing(self, element: Element) -> int:
        """Return the nests that compute an element in place of those that read it."""
        place = self.kernel.place(element.ref.number)
        if place == "inline":
            return self._reading[element]
        return 0 if isinstance(place, str) else self._reading[element] & self._up_to(place)

    def _finding(self, element: Element) -> int:
        """Return the nests that find an element kept of those that read it."""
        place = self.kernel.place(element.ref.number)
        if place == "kept":
            return self._reading[element]
        return 0 if isinstance(place, str) else self._reading[element] & ~self._up_to(place)

    def _up_to(self, level: int) -> int:
        """Return the nests of a level or before."""
        if level not in self._early:
            early = (1 << b for b, nest in enumerate(self._nests) if nest.level <= level)
            self._early[level] = sum(early)
        return self._early[level]

    def _readers_of(self, ref: Ref) -> Iterable[Nest]:
        """Return the nests that find a value kept."""
        nests = 0
        for element in self._elements.get(ref.number, ()):
            if element.ref == ref:
                nests |= self._finding(element)
        return self._members(nests)

    def _check(self) -> None:
        rules.check_plan(self.kernel)
        for nest in self.kernel.nests:
            rules.check_made(self.kernel, nest)
        for element in self._reading:
            if self._finding(element):
                rules.check_place(self.kernel, element)


def _computed(elements: Iterable[Element]) -> list[Element]:
    """Return those elements that nodes make."""
    return [element for element in elements if element.ref.kind == "node"]
