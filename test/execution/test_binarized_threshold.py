from pathlib import Path
from typing import Any

import numpy as np
from arrays import any_words, integers
from op_cases import WORDS, Case, element_name
from op_execution import Configuration, check, configurations

SHAPES = [(1,), (5, 32), (3, 37), (2, 3, 64), (2, 2, 2, 65), (1, 129), (0, 40), (4, 0), (7, 100)]


def operands(shape: tuple[int, ...], dtype: Any, seed: int = 0) -> tuple:
    """Return values close to their thresholds, some equal, and flips with random padding bits."""
    channels = shape[-1]
    width = np.dtype(dtype).itemsize * 8
    return (
        integers(shape, 4, seed),
        integers((channels,), 4, seed + 1),
        any_words((-(-channels // width),), dtype, seed + 2),
    )


EXTREMES = np.array([-(2**31), -1, 0, 1, 2**31 - 1], np.int32)
CASES = [
    *(
        Case(
            f"{element_name(dtype)}_{'x'.join(map(str, shape))}",
            "binarized_threshold",
            [operands(shape, dtype)],
        )
        for dtype in WORDS
        for shape in SHAPES
    ),
    *(
        Case(
            f"extremes_{element_name(dtype)}",
            "binarized_threshold",
            [(np.repeat(EXTREMES, 5)[None], np.tile(EXTREMES, 5), any_words((1,), dtype))],
        )
        for dtype in WORDS
    ),
    Case(
        "dynamic",
        "binarized_threshold",
        [operands((*size, 37), np.int32, sum(size)) for size in ((2, 3), (0, 3), (1, 0), (1, 9))],
        dynamic=[(0, 1)],
    ),
    Case(
        "dynamic_i64",
        "binarized_threshold",
        [operands((size, 70), np.int64, seed=size) for size in (2, 0, 5)],
        dynamic=[(0,)],
    ),
]


@configurations()
def test_binarized_threshold(configuration: Configuration, tmp_path: Path) -> None:
    check(CASES, configuration, tmp_path)
