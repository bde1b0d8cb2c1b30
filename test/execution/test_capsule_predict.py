from pathlib import Path
from typing import Any

import numpy as np
from arrays import floats
from op_cases import FLOATS, Case, element_name
from op_execution import Configuration, check, configurations

Sizes = tuple[int, int, int, int, int]  # B, L, H, D, Din

SIZES: list[Sizes] = [
    (1, 1, 1, 1, 1),
    (2, 7, 5, 3, 4),
    (1, 17, 10, 16, 8),
    (3, 2, 1, 37, 1),
    (2, 3, 4, 5, 33),
    (0, 3, 4, 5, 6),
    (2, 0, 4, 5, 6),
    (2, 3, 0, 5, 6),
    (2, 3, 4, 0, 6),
    (2, 3, 4, 5, 0),
]


def operands(sizes: Sizes, dtype: Any, seed: int = 0) -> tuple:
    batch, low, high, size, depth = sizes
    return (
        floats((batch, low, depth), dtype, seed),
        floats((low, high, size, depth), dtype, seed + 1),
    )


def special_operands(dtype: Any) -> tuple:
    u, w = operands((2, 3, 2, 4, 5), dtype)
    u[0, 0, 1], u[0, 1, 2], u[1, 2, 0] = np.nan, np.inf, -0.0
    w[2, 0, 0, 0], w[1, 1, 3] = -np.inf, 0.0
    return u, w


CASES = [
    *(
        Case(
            f"{element_name(dtype)}_{'x'.join(map(str, sizes))}",
            "capsule_predict",
            [operands(sizes, dtype)],
        )
        for dtype in FLOATS
        for sizes in (SIZES if dtype == np.float32 else SIZES[1:3])
    ),
    *(
        Case(f"specials_{element_name(dtype)}", "capsule_predict", [special_operands(dtype)])
        for dtype in FLOATS
    ),
    Case(
        "dynamic_batch",
        "capsule_predict",
        [operands((size, 7, 5, 3, 4), np.float32, seed=size) for size in (2, 0, 1, 9)],
        dynamic=[(0,)],
    ),
    Case(
        "dynamic_everything",
        "capsule_predict",
        [
            operands(sizes, np.float32)
            for sizes in ((2, 7, 5, 3, 4), (2, 3, 4, 5, 0), (1, 0, 2, 2, 2), (1, 2, 0, 3, 1))
        ],
        dynamic=[(0, 1, 2), (0, 1, 2, 3)],
    ),
    Case(
        "capsules_known_on_one_side",
        "capsule_predict",
        [operands((2, 7, 5, 3, 4), np.float32)],
        dynamic=[(0, 1), ()],
    ),
]


@configurations()
def test_capsule_predict(configuration: Configuration, tmp_path: Path) -> None:
    check(CASES, configuration, tmp_path)
