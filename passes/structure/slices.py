"""How many images of a batch consecutive layers take at a time: a model of work and traffic.

Layer by layer, what a layer of a large batch leaves is read again from beyond the second cache.
Slice by slice it stays in that cache, and no core waits for the others between layers; but weights
are read again for each slice, and slices that are no multiple of the cores leave some idle.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from fsa.passes.stitching.device_costs import CPU
from fsa.runtime.targets import Target

OPERATION = 0.125  # nanoseconds of a vector operation: two a cycle at 4 GHz
WORTHWHILE = 0.95  # slices must be expected to take at most this share of the time of layers
TURNS = 4  # workgroups a core, so that a core that is late leaves work to the others


@dataclass(frozen=True)
class Layer:
    """A launch: bytes that an image reads and writes, its vector operations, bytes of weights."""

    moved: int
    operations: int
    weights: int


@dataclass(frozen=True)
class Chain:
    """Layers that follow each other on `images` images.

    `outer` are the bytes an image that come from or go to other launches, `held` those that lie
    between the layers at most at once.
    """

    layers: Sequence[Layer]
    images: int
    outer: int
    held: int


@dataclass(frozen=True)
class Choice:
    """A slice of `images` images, and the nanoseconds expected by slices and by layers."""

    images: int
    sliced: float
    layered: float

    @property
    def is_worthwhile(self) -> bool:
        """Whether slices are expected to be faster."""
        return self.sliced <= WORTHWHILE * self.layered


def choose(chain: Chain, target: Target) -> Choice:
    """Return the slice that is expected to take the least time; of equals the largest."""
    sizes = [size for size in range(1, chain.images + 1) if chain.images % size == 0]
    costs = {size: _sliced(chain, size, target) for size in sizes}
    best = min(sizes, key=lambda size: (costs[size], -size))
    return Choice(best, costs[best], _layered(chain, target))


def workgroups_of(slices: int, target: Target) -> int:
    """Return how many workgroups share `slices` slices."""
    cores = max(target.cores, 1)
    return 1 if cores == 1 else min(slices, TURNS * cores)


def _rate(size: int, caches: int, target: Target) -> float:
    """Return the nanoseconds a byte of `size` bytes that `caches` second caches hold, or not.

    Half of a cache counts: other arrays pass through it too.
    """
    fits = 2 * size <= caches * target.l2_bytes
    return CPU.stitched.cached_byte if fits else CPU.stitched.memory_byte


def _layered(chain: Chain, target: Target) -> float:
    cores = max(target.cores, 1)
    total = 0.0
    for layer in chain.layers:
        size = chain.images * layer.moved + layer.weights
        work = chain.images * layer.operations * OPERATION
        total += CPU.stitched.launch + (work + size * _rate(size, cores, target)) / cores
    return total


def _sliced(chain: Chain, size: int, target: Target) -> float:
    cores = max(target.cores, 1)
    inner = size * (sum(layer.moved for layer in chain.layers) - chain.outer)
    weights = [layer.weights for layer in chain.layers]
    held = size * chain.held
    each = size * OPERATION * sum(layer.operations for layer in chain.layers)
    # Only the weights of one layer pass through the cache between a layer and the next.
    each += inner * _rate(held + max(weights), 1, target)
    each += sum(weights) * _rate(held + sum(weights), 1, target)
    each += size * chain.outer * _rate(chain.images * chain.outer, cores, target)
    rounds = -(-chain.images // (size * cores))
    return CPU.stitched.launch + rounds * each
