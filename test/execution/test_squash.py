from pathlib import Path
from typing import Any

import numpy as np
from arrays import floats
from op_cases import FLOATS, Case, element_name
from op_execution import Configuration, check, configurations

SHAPES = [(1,), (5,), (0,), (3, 0), (0, 4), (3, 16), (2, 3, 17), (7, 1), (2, 3, 5, 8), (33, 10)]


def lengths(dtype: Any) -> tuple:
    """Return vectors from zero to long, and the special ones."""
    rows = [np.zeros(5), -np.zeros(5)]
    rows += [np.full(5, value) for value in (1e-6, 1e-3, 0.1, 1.0, 10.0, 100.0)]
    rows += [np.array([np.nan, 1, 2, 3, 4]), np.array([1, np.inf, 2, 3, 4.0])]
    rows += [np.array([-np.inf, np.inf, np.nan, 0, 1]), np.array([0, 0, 0, 0, -3.0])]
    return (np.array(rows).astype(dtype),)


CASES = [
    *(
        Case(
            f"{element_name(dtype)}_{'x'.join(map(str, shape))}",
            "squash",
            [(floats(shape, dtype, scale=0.7),)],
            {"epsilon": 1e-7},
        )
        for dtype in FLOATS
        for shape in (SHAPES if dtype == np.float32 else SHAPES[5:7])
    ),
    *(
        Case(f"{name}_{element_name(dtype)}", "squash", [lengths(dtype)], {"epsilon": epsilon})
        for dtype in FLOATS
        for name, epsilon in (("lengths", 1e-7), ("no_epsilon", 0.0), ("large_epsilon", 0.5))
    ),
    Case(
        "dynamic",
        "squash",
        [(floats(shape, np.float32),) for shape in ((2, 3, 5), (0, 3, 5), (2, 3, 0), (1, 1, 33))],
        {"epsilon": 1e-7},
        dynamic=[(0, 1, 2)],
    ),
    Case(
        "dynamic_batch_bf16",
        "squash",
        [(floats((size, 8), FLOATS[1], seed=size),) for size in (4, 0, 1)],
        {"epsilon": 1e-9},
        dynamic=[(0,)],
    ),
]


@configurations()
def test_squash(configuration: Configuration, tmp_path: Path) -> None:
    check(CASES, configuration, tmp_path)
