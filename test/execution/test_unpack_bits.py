from pathlib import Path

import numpy as np
from arrays import any_words
from op_cases import FLOATS, WORDS, Case, element_name
from op_execution import Configuration, check, configurations

SHAPES = [((), 1), ((3,), 31), ((3,), 32), ((2, 3), 37), ((5,), 64), ((1,), 65), ((0,), 40)]


def bits(leading: tuple[int, ...], depth: int, dtype: object, seed: int = 0) -> np.ndarray:
    """Return words whose bits past the depth are random too: the op must not show them."""
    width = np.dtype(dtype).itemsize * 8
    return any_words((*leading, -(-depth // width)), dtype, seed)


CASES = [
    *(
        Case(
            f"{element_name(word)}_{'x'.join(map(str, (*leading, depth)))}",
            "unpack_bits",
            [(bits(leading, depth, word),)],
            {"depth": depth, "dtype": np.float32},
        )
        for word in WORDS
        for leading, depth in SHAPES
    ),
    *(
        Case(
            f"to_{element_name(dtype)}_{element_name(word)}",
            "unpack_bits",
            [(bits((3,), 70, word),)],
            {"depth": 70, "dtype": dtype},
        )
        for dtype in FLOATS
        for word in WORDS
    ),
    Case(
        "no_depth",
        "unpack_bits",
        [(bits((4,), 0, np.int32),)],
        {"depth": 0, "dtype": np.float32},
    ),
    Case(
        "dynamic_batch",
        "unpack_bits",
        [(bits((size, 3), 37, np.int32, seed=size),) for size in (2, 0, 1)],
        {"depth": 37, "dtype": np.float32},
        dynamic=[(0,)],
    ),
    Case(
        "dynamic_rows_i64",
        "unpack_bits",
        [(bits((2, size), 100, np.int64, seed=size),) for size in (3, 0, 7)],
        {"depth": 100, "dtype": np.float32},
        dynamic=[(1,)],
    ),
]


@configurations()
def test_unpack_bits(configuration: Configuration, tmp_path: Path) -> None:
    check(CASES, configuration, tmp_path)
