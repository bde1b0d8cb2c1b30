"""Tiles: accesses of a pack that lie along its rows in memory, transposed in registers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fsa.passes.stitching.frames import Computed
from fsa.passes.stitching.lanes import turns
from fsa.passes.stitching.linear import Index, Linear
from fsa.passes.stitching.positions import Positions
from fsa.passes.stitching.transposition import transposed


@dataclass(frozen=True)
class _Tile:
    """Rows of a pack that are to be stored where memory lies along the rows."""

    memory: Any
    index: Index
    rows: list[Any]


class Tiles:
    """Loads and stores of one kernel as tiles of the rows of a pack by lanes."""

    def __init__(self, positions: Positions):
        self._at, self._k = positions, positions.k
        self._open: dict[Any, _Tile] = {}  # of stores, by memory and index

    def takes(self, index: Sequence[Linear]) -> bool:
        """Whether an access is one row of a tile that lies along the rows in memory."""
        at = self._at
        return at.row is not None and at.varies(index) and turns(at.kernel, tuple(index))

    def load(self, memory: Any, index: Index, element: Any, depth: int) -> Any:
        """Load the tile of all rows and lanes once; return the vector of this row."""
        key = ("tile", memory, index)
        tile = self._at.known(key)
        if tile is None:
            with self._at.at(depth):
                columns = [
                    self._k.cast(self._k.vector_load(memory, at, self._at.lanes), element)
                    for at in self._columns(index)
                ]
                tile = self._at.remember(key, Computed(transposed(self._k, columns), depth))
        return tile.value[self._at.row]

    def put(self, memory: Any, index: Index, row: Any) -> None:
        """Add the vector of this row to the tile that is to be stored."""
        key = memory, index
        self._open.setdefault(key, _Tile(memory, index, [])).rows.append(row)

    def store(self) -> None:
        """Store the tiles whose rows have all been computed."""
        count = self._at.count
        for tile in self._open.values():
            columns = transposed(self._k, tile.rows)
            places = self._columns(tile.index)
            for lane, (column, at) in enumerate(zip(columns, places, strict=True)):
                item = self._k.cast(column, tile.memory.type.element_type)
                if count is None or lane == 0:
                    self._k.vector_store(item, tile.memory, at)
                else:
                    with self._k.when(self._k.compare("lt", lane, count)):
                        self._k.vector_store(item, tile.memory, at)
        self._open.clear()

    def _columns(self, index: Sequence[Linear]) -> list[list[Any]]:
        """Return where the first row's elements are, lane by lane; those past the end at the last.

        Along the rows all of them are neighbours of these.
        """
        here, packed = self._at, self._at.kernel.packed
        assert packed is not None
        base = here.bound[here.lane].value
        found: list[list[Any]] = []
        for lane in range(here.lanes):
            at = self._k.add(base, lane)
            if here.count is not None:
                last = self._k.sub(self._k.add(base, here.count), 1)
                at = self._k.min(at, last)
            places, depth = here.rows
            with here.at_positions({packed: places[0]}, depth):
                with here.at_positions({here.lane: at}, here.bound[here.lane].depth):
                    found.append([here.position(e) for e in index])
        return found
