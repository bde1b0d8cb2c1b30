"""Windows over padded rows: which element of the source each tap of each window reads.

Everything here is plain numbers. A transposed convolution is a convolution of stride 1 over a
source whose elements lie `spread` apart, with zeros between them: a tap that falls on such a zero
reads nothing, so the zeros need not exist.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Axis:
    """One spatial dimension: `size` windows of `taps` taps over `extent` elements.

    Tap t of window p reads position p * stride + t * dilation - low of the spread source, in which
    element e of the source is at e * spread. Positions without an element read nothing.
    """

    extent: int
    size: int
    taps: int
    stride: int = 1
    dilation: int = 1
    low: int = 0
    spread: int = 1

    def source(self, window: int, tap: int) -> int | None:
        """Return the element that a tap reads; None where there is none."""
        position = window * self.stride + tap * self.dilation - self.low
        element, between = divmod(position, self.spread)
        return element if not between and 0 <= element < self.extent else None

    @property
    def is_framed(self) -> bool:
        """Whether some tap may read nothing."""
        last = (self.size - 1) * self.stride + (self.taps - 1) * self.dilation - self.low
        return self.low > 0 or last >= self.extent or self.spread > 1


@dataclass(frozen=True)
class Window2d:
    """A window operation on images [batch, groups * channels, rows, columns], rows first.

    `kind` is "dense" (a sum over the `channels` of a group for each of its `filters`), or "max" and
    "sum" (pooling: one filter a channel, no weights). A depthwise convolution is "dense" with one
    channel a group. `batch` is None where it is dynamic. With `channels_last`, images and results
    are [batch, rows, columns, channels].
    """

    kind: str
    batch: int | None
    groups: int
    channels: int
    filters: int
    vertical: Axis
    horizontal: Axis
    channels_last: bool = False

    @property
    def steps(self) -> tuple[int, int, int]:
        """How far apart neighbouring rows, columns and channels of the source lie in memory."""
        width, channels = self.horizontal.extent, self.groups * self.channels
        if self.channels_last:
            return width * channels, channels, 1
        return width, 1, self.vertical.extent * width

    @property
    def out_steps(self) -> tuple[int, int, int]:
        """How far apart neighbouring rows, columns and channels of the results lie in memory."""
        width, channels = self.horizontal.size, self.groups * self.filters
        if self.channels_last:
            return width * channels, channels, 1
        return width, 1, self.pixels

    @property
    def taps(self) -> int:
        """Taps of one window in one channel."""
        return self.vertical.taps * self.horizontal.taps

    @property
    def pixels(self) -> int:
        """Windows of one image."""
        return self.vertical.size * self.horizontal.size

    @property
    def is_pointwise(self) -> bool:
        """Whether each window is the pixel of the same number."""
        axes = (self.vertical, self.horizontal)
        return all(
            a.taps == 1 and a.stride == 1 and not a.is_framed and a.extent == a.size for a in axes
        )

    def flattened(self) -> "Window2d":
        """Return the same operation with all pixels in one row, where it is pointwise."""
        if not self.is_pointwise:
            return self
        return replace(self, vertical=Axis(1, 1, 1), horizontal=Axis(self.pixels, self.pixels, 1))


@dataclass(frozen=True)
class Run:
    """Neighbouring tiles of one row whose taps read alike.

    Tiles `first`, `first + 1`, ... hold `pixels` windows each. `reads[tap][p]` is the element that
    tap `tap` of window p of a tile reads, counted from `step` times the tile's number; None reads
    nothing.
    """

    first: int
    count: int
    pixels: int
    step: int
    reads: tuple[tuple[int | None, ...], ...]


def runs_of(axis: Axis, pixels: int) -> list[Run]:
    """Return the tiles of `pixels` windows along `axis`, those that read alike together.

    `pixels` times the stride must be a multiple of the spread.
    """
    step = pixels * axis.stride // axis.spread
    found: list[Run] = []
    for tile in range(-(-axis.size // pixels)):
        windows = range(tile * pixels, min((tile + 1) * pixels, axis.size))
        reads = tuple(
            tuple(_shifted(axis.source(window, tap), -tile * step) for window in windows)
            for tap in range(axis.taps)
        )
        if found and found[-1].pixels == len(windows) and found[-1].reads == reads:
            found[-1] = replace(found[-1], count=found[-1].count + 1)
        else:
            found.append(Run(tile, 1, len(windows), step, reads))
    return found


def alike_taps(run: Run, step: int) -> list[tuple[int, int]]:
    """Return (first, count) of neighbouring taps that read alike, each `step` after the last."""
    groups: list[tuple[int, int]] = []
    for tap, reads in enumerate(run.reads):
        if groups and _step_between(run.reads[tap - 1], reads) == step:
            first, count = groups[-1]
            groups[-1] = (first, count + 1)
        else:
            groups.append((tap, 1))
    return groups


def _step_between(a: tuple[int | None, ...], b: tuple[int | None, ...]) -> int | None:
    """Return by how much all reads differ; None where they do not all by the same."""
    steps = {
        None if (x is None) != (y is None) else (y - x if x is not None and y is not None else 0)
        for x, y in zip(a, b, strict=True)
        if x is not None or y is not None
    }
    return next(iter(steps)) if len(steps) == 1 else None


def kinds_of_taps(axis: Axis, pixels: int) -> int:
    """Return how many (pixel, tap) pairs a kernel with tiles of `pixels` writes out along `axis`.

    Neighbouring taps that read alike count once.
    """
    return sum(
        sum(read is not None for read in run.reads[first])
        for run in runs_of(axis, pixels)
        for first, _ in alike_taps(run, axis.dilation)
    )


def _shifted(element: int | None, by: int) -> int | None:
    return None if element is None else element + by


@dataclass(frozen=True)
class Phase:
    """The windows of a spread axis that read the same taps: `first`, `first` + spread, ...

    There are `size` of them. They read `taps` taps, from `first_tap` on, a spread apart; the first
    of them reads element `start` (which may lie outside) with its first tap, and neighbouring
    windows as well as neighbouring taps of them read neighbouring elements.
    """

    first: int
    size: int
    first_tap: int
    taps: int
    start: int


def phases_of(axis: Axis) -> list[Phase]:
    """Return the phases of an axis of stride and dilation 1."""
    spread = axis.spread
    found: list[Phase] = []
    for first in range(min(spread, axis.size)):
        first_tap = (axis.low - first) % spread
        found.append(
            Phase(
                first,
                len(range(first, axis.size, spread)),
                first_tap,
                len(range(first_tap, axis.taps, spread)),
                (first + first_tap - axis.low) // spread,
            )
        )
    return found
