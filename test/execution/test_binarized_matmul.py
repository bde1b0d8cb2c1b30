from pathlib import Path

import numpy as np
from arrays import words
from op_cases import WORDS, Case, element_name
from op_execution import Configuration, check, configurations

Shape = tuple[tuple[int, ...], int, int, int]  # batch, rows, columns, depth

SHAPES: list[Shape] = [
    ((), 1, 1, 1),
    ((), 5, 7, 37),
    ((), 16, 16, 64),
    ((), 17, 31, 129),
    ((), 3, 2, 1000),
    ((), 64, 10, 784),
    ((), 5, 7, 0),
    ((), 0, 7, 33),
    ((), 5, 0, 33),
    ((3,), 5, 7, 65),
    ((2, 3), 4, 3, 40),
    ((0,), 4, 3, 40),
]


def operands(shape: Shape, dtype: object, shared: bool = False, seed: int = 0) -> tuple:
    batch, rows, columns, depth = shape
    rhs_batch = () if shared else batch
    return (
        words((*batch, rows), depth, dtype, seed),
        words((*rhs_batch, columns), depth, dtype, seed + 1),
    )


def named(shape: Shape) -> str:
    batch, *rest = shape
    return "x".join(map(str, (*batch, *rest)))


CASES = [
    *(
        Case(
            f"{element_name(dtype)}_{named(shape)}",
            "binarized_matmul",
            [operands(shape, dtype)],
            {"depth": shape[-1]},
        )
        for dtype in WORDS
        for shape in SHAPES
    ),
    *(
        Case(
            f"shared_rhs_{element_name(dtype)}_{named(shape)}",
            "binarized_matmul",
            [operands(shape, dtype, shared=True)],
            {"depth": shape[-1]},
        )
        for dtype in WORDS
        for shape in SHAPES[-3:]
    ),
    Case(
        "dynamic_rows",
        "binarized_matmul",
        [operands(((), rows, 7, 65), np.int32, seed=rows) for rows in (5, 0, 1, 33)],
        {"depth": 65},
        dynamic=[(0,)],
    ),
    Case(
        "dynamic_everything",
        "binarized_matmul",
        [
            operands(((batch,), rows, columns, 65), np.int32, seed=rows)
            for batch, rows, columns in ((2, 5, 7), (0, 5, 7), (2, 0, 7), (2, 5, 0), (1, 17, 1))
        ],
        {"depth": 65},
        dynamic=[(0, 1), (0, 1)],
    ),
    Case(
        "dynamic_shared_rhs_i64",
        "binarized_matmul",
        [
            operands(((batch,), rows, 9, 100), np.int64, shared=True, seed=rows)
            for batch, rows in ((2, 5), (0, 3), (3, 0))
        ],
        {"depth": 100},
        dynamic=[(0, 1)],
    ),
    Case(
        "batch_known_on_one_side",
        "binarized_matmul",
        [operands(((2,), 3, 5, 40), np.int32)],
        {"depth": 40},
        dynamic=[(0,), ()],
    ),
]


@configurations()
def test_binarized_matmul(configuration: Configuration, tmp_path: Path) -> None:
    check(CASES, configuration, tmp_path)
