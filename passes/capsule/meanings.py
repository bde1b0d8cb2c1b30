"""What the values inside dynamic routing mean, and how arithmetic leads from one to the next.

`fsa-raise-capsule-routing` reads a program forward from the predictions u_hat and gives each value
a meaning: predictions, logits, coefficients, weighted sums, functions of a sum's squared length n.
An operation on meanings without a name in routing has the meaning None. Axes are numbers; a meaning
names those that an operation has summed over, and which they are in routing is asked at the end.

Functions of n are kept as their values on a grid, so that a squash is known by what it computes,
however it is written.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

GRID = np.logspace(-14, 6, 61)  # squared lengths n
Samples: TypeAlias = tuple[float, ...]  # a function of n on the grid
ONES: Samples = (1.0,) * len(GRID)


@dataclass(frozen=True)
class Const:
    """A number, the same for all elements."""

    value: float


@dataclass(frozen=True)
class Predictions:
    """u_hat times a number."""

    scale: float = 1.0


@dataclass(frozen=True)
class Agreement:
    """u_hat . v of output number `v`, summed over the axes `summed`."""

    v: int
    summed: frozenset[int]


@dataclass(frozen=True)
class Logits:
    """A sum of agreements and of tensors from elsewhere, which stand as their numbers."""

    terms: frozenset[Agreement | int]


@dataclass(frozen=True)
class Softmax:
    """A step of the softmax of `logits`: maximum, shifted, power, total, inverse, coefficient.

    `axis` is that of the maximum taken off, then that of the total; None before any.
    """

    step: str
    logits: Logits
    axis: int | None


@dataclass(frozen=True)
class Weighted:
    """u_hat times the coefficients of `logits` along the axis `high`."""

    logits: Logits
    high: int


@dataclass(frozen=True)
class Sums:
    """What a weighted sum is of: logits, or without them equal coefficients of `scale`."""

    logits: Logits | None
    high: int | None
    low: int
    scale: float


@dataclass(frozen=True)
class Capsules:
    """Sums times a function of n, the squared length along `depth` (None: a plain number).

    `power` is "2" for squares of that and "abs" for magnitudes.
    """

    sums: Sums
    factors: Samples
    power: str = "1"
    depth: int | None = None


@dataclass(frozen=True)
class Lengths:
    """A function of n, the squares of sums added up along the axis `depth`."""

    sums: Sums
    depth: int
    values: Samples


@dataclass(frozen=True)
class Products:
    """u_hat times output number `v`, element by element."""

    v: int


@dataclass(frozen=True)
class Output:
    """A squashed sum."""

    sums: Sums
    depth: int
    epsilon: float


Meaning: TypeAlias = (
    Const | Predictions | Logits | Softmax | Weighted | Capsules | Lengths | Products | None
)
