from pathlib import Path
from typing import Any

import numpy as np
from arrays import words
from op_cases import WORDS, Case, element_name
from op_execution import Configuration, check, configurations

IMAGE = (2, 7, 6)
WINDOWS: dict[str, dict[str, Any]] = {
    "two_by_two": {"kernel": (2, 2), "strides": (2, 2)},
    "overlapping": {"kernel": (3, 2), "strides": (1, 1)},
    "whole_image": {"kernel": (7, 6), "strides": (1, 1)},
    "one_by_one": {"kernel": (1, 1), "strides": (3, 2)},
    "framed": {"kernel": (3, 3), "strides": (2, 1), "pad": (1, 2, 2, 0)},
    "dilated": {"kernel": (2, 3), "strides": (1, 1), "pad": (1, 0, 1, 1), "dilations": (3, 2)},
    "does_not_fit": {"kernel": (8, 2), "strides": (1, 1)},
}


def image(shape: tuple[int, ...], channels: int, dtype: Any, seed: int = 0) -> tuple:
    """Return an image most of whose bits are 0, so that an OR of all is rare."""
    dense = words(shape, channels, dtype, seed)
    return (dense & words(shape, channels, dtype, seed + 7) & words(shape, channels, dtype, 3),)


CASES = [
    *(
        Case(
            f"{name}_{element_name(dtype)}",
            "binarized_max_pool2d",
            [image(IMAGE, 70, dtype)],
            {"pad": (0, 0, 0, 0), **window},
        )
        for dtype in WORDS
        for name, window in WINDOWS.items()
    ),
    *(
        Case(
            f"empty_{'x'.join(map(str, (*shape, channels)))}",
            "binarized_max_pool2d",
            [image(shape, channels, np.int32)],
            {"kernel": (3, 3), "strides": (1, 1), "pad": (2, 2, 1, 1)},
        )
        for shape, channels in (
            ((0, 7, 6), 40),
            ((2, 0, 6), 40),
            ((2, 7, 0), 40),
            ((2, 7, 6), 0),
        )
    ),
    *(
        Case(
            f"dynamic_{element_name(dtype)}",
            "binarized_max_pool2d",
            [
                image(shape, 37, dtype, seed=sum(shape))
                for shape in ((2, 7, 6), (0, 7, 6), (1, 0, 6), (1, 1, 1), (1, 13, 2))
            ],
            {"kernel": (3, 2), "strides": (2, 1), "pad": (2, 1, 0, 1)},
            dynamic=[(0, 1, 2)],
        )
        for dtype in WORDS
    ),
]


@configurations()
def test_binarized_max_pool2d(configuration: Configuration, tmp_path: Path) -> None:
    check(CASES, configuration, tmp_path)
