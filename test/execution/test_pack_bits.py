from pathlib import Path

import numpy as np
import pytest
from arrays import floats, specials, with_specials
from op_cases import FLOATS, Case, element_name
from op_execution import Configuration, check, configurations

SHAPES = [(1,), (0,), (3, 0), (0, 7), (2, 32), (3, 37), (5, 64), (2, 3, 65), (1, 129), (7, 31)]


def name_of(dtype: object, width: int, shape: tuple[int, ...]) -> str:
    return f"{element_name(dtype)}_i{width}_{'x'.join(map(str, shape))}"


CASES = [
    *(
        Case(
            name_of(dtype, width, shape),
            "pack_bits",
            [(with_specials(shape, dtype, seed=index),)],
            {"word_width": width},
        )
        for index, (dtype, shape) in enumerate(
            [(np.float32, shape) for shape in SHAPES]
            + [(dtype, shape) for dtype in FLOATS if dtype != np.float32 for shape in SHAPES[3:6]]
        )
        for width in (32, 64)
    ),
    *(
        Case(
            f"every_special_{element_name(dtype)}",
            "pack_bits",
            [(np.tile(specials(dtype), (2, 5)),)],
        )
        for dtype in FLOATS
    ),
    Case(
        "dynamic_batch",
        "pack_bits",
        [(floats((size, 3, 37), np.float32, seed=size),) for size in (2, 0, 1, 5)],
        dynamic=[(0,)],
    ),
    Case(
        "dynamic_beside_an_empty_axis",
        "pack_bits",
        [(floats((size, 0, 37), np.float32),) for size in (2, 0)],
        dynamic=[(0,)],
    ),
    Case(
        "dynamic_two_axes_i64",
        "pack_bits",
        [(floats((*size, 70), np.float32, seed=sum(size)),) for size in ((2, 3), (0, 1), (1, 0))],
        {"word_width": 64},
        dynamic=[(0, 1)],
    ),
]


@configurations()
def test_pack_bits(configuration: Configuration, tmp_path: Path) -> None:
    check(CASES, configuration, tmp_path)


def test_specials_hold_what_the_op_tells_apart() -> None:
    values = specials(np.float32)
    assert np.isnan(values).any()
    assert np.isinf(values).any()
    assert (values == 0).sum() >= 2
    assert ((values < 0) & (np.abs(values) < np.finfo(np.float32).tiny)).any()


@pytest.mark.parametrize("dtype", FLOATS)
def test_minus_zero_gives_a_one_and_nan_a_zero(dtype: object) -> None:
    case = Case("main", "pack_bits", [(np.array([-0.0, np.nan, -1.0, 1.0]).astype(dtype),)])
    assert case.references(case.runs[0])[0].tolist() == [0b1001]
