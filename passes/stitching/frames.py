"""Open loops, and what was computed in each: a value is built as far out as its index allows."""

from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from fsa.passes.emitter import Branch, Loop


class Computed(NamedTuple):
    """A value and the number of the frame (open loop) that it belongs to."""

    value: Any
    depth: int


@dataclass
class Frame:
    """An open loop or side of a branch, or a part of one (`loop` None).

    `memo` holds what was computed in it.
    """

    loop: Loop | Branch | None
    memo: dict[Any, Computed] = field(default_factory=dict[Any, Computed])


class Frames:
    """The open loops, and where each dimension is bound."""

    def __init__(self) -> None:
        self.frames = [Frame(None)]
        self.bound: dict[int, Computed] = {}

    @property
    def depth(self) -> int:
        """The number of the innermost frame."""
        return len(self.frames) - 1

    @contextmanager
    def inside(self, loop: Loop | None, dims: Mapping[int, Any]) -> Generator[None]:
        """Enter the body of `loop`, which gives `dims` their values."""
        self.frames.append(Frame(loop))
        with self.at_positions(dims, self.depth):
            yield
        self.frames.pop()

    @contextmanager
    def on_side(self, branch: Branch, depth: int, dims: Iterable[int]) -> Generator[None]:
        """Enter a side of a branch that stands in the frame `depth`.

        What depends on `dims`, of which the condition speaks, is then computed on this side.
        """
        before = self.frames
        self.frames = [*before[: depth + 1], Frame(branch)]
        with self.at_positions({d: self.bound[d].value for d in dims}, self.depth):
            yield
        self.frames = before

    @contextmanager
    def at_positions(self, dims: Mapping[int, Any], depth: int) -> Generator[None]:
        """Give `dims` values that belong to the frame `depth`."""
        before = {d: self.bound.get(d) for d in dims}
        self.bound.update({d: Computed(value, depth) for d, value in dims.items()})
        try:
            yield
        finally:
            for d, value in before.items():
                if value is None:
                    del self.bound[d]
                else:
                    self.bound[d] = value

    def at(self, depth: int) -> Any:
        """Return a context that builds in the frame `depth`, outside the loops opened since."""
        for frame in self.frames[depth + 1 :]:
            point = None if frame.loop is None else frame.loop.point_before
            if point is not None:
                return point
        return nullcontext()

    def known(self, key: Any) -> Computed | None:
        """Return what was remembered under `key` in a frame that is still open."""
        return next((f.memo[key] for f in self.frames if key in f.memo), None)

    def remember(self, key: Any, found: Computed) -> Computed:
        """Remember a value in the frame that it belongs to, and return it."""
        self.frames[found.depth].memo[key] = found
        return found
