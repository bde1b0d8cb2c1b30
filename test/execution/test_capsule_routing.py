from pathlib import Path
from typing import Any

import numpy as np
import pytest
from arrays import floats
from op_cases import FLOATS, Case, element_name
from op_execution import Configuration, check, configurations

Sizes = tuple[int, int, int, int]  # B, L, H, D

AGREEMENTS = ("per_sample", "batch_shared")
SIZES: list[Sizes] = [
    (1, 1, 1, 1),
    (2, 7, 5, 3),
    (1, 33, 10, 16),
    (3, 17, 1, 8),
    (2, 1, 4, 5),
    (0, 7, 5, 3),
    (2, 0, 5, 3),
    (2, 7, 0, 3),
    (2, 7, 5, 0),
]


def case(name: str, runs: Any, agreement: str = "per_sample", **attributes: Any) -> Case:
    given = {"iterations": 3, "agreement": agreement, "epsilon": 1e-7}
    dynamic = attributes.pop("dynamic", [()])
    return Case(f"{name}_{agreement}", "capsule_routing", runs, {**given, **attributes}, dynamic)


def predictions(sizes: Sizes, dtype: Any, seed: int = 0) -> tuple:
    # The bound grows with the agreement: larger predictions would allow anything.
    return (floats(sizes, dtype, seed, scale=0.2),)


def started(sizes: Sizes, dtype: Any, seed: int = 0) -> tuple:
    """Return predictions, and logits to start with."""
    return (*predictions(sizes, dtype, seed), floats(sizes[1:3], dtype, seed + 1))


def special_predictions(dtype: Any) -> tuple:
    """Return samples of which one holds NaN, one an infinity and one only zeros."""
    values = floats((4, 5, 3, 4), dtype)
    values[0, 1, 2, 3], values[1, 2, 1, 0], values[2] = np.nan, np.inf, -0.0
    return (values,)


CASES = [
    made
    for agreement in AGREEMENTS
    for made in (
        *(
            case(
                f"{element_name(dtype)}_{'x'.join(map(str, sizes))}",
                [predictions(sizes, dtype)],
                agreement,
            )
            for dtype in FLOATS
            for sizes in (SIZES if dtype == np.float32 else SIZES[1:2])
        ),
        *(
            case(
                f"iterations_{count}",
                [predictions((2, 7, 5, 3), np.float32)],
                agreement,
                iterations=count,
            )
            for count in (1, 2, 4, 5, 6, 7, 8, 9)
        ),
        *(
            case(
                f"started_{element_name(dtype)}_{'x'.join(map(str, sizes))}",
                [started(sizes, dtype)],
                agreement,
            )
            for dtype in FLOATS
            for sizes in (SIZES if dtype == np.float32 else SIZES[1:2])
        ),
        *(
            case(
                f"started_iterations_{count}",
                [started((2, 37, 5, 3), np.float32)],
                agreement,
                iterations=count,
            )
            for count in (1, 2, 5)
        ),
        case(
            "started_dynamic",
            [started(sizes, np.float32) for sizes in ((2, 7, 5, 3), (0, 2, 5, 3), (1, 40, 2, 2))],
            agreement,
            dynamic=[(0, 1, 2, 3), (0, 1)],
            iterations=4,
        ),
        case(
            "started_specials",
            [(*special_predictions(np.float32), floats((5, 3), np.float32))],
            agreement,
            iterations=1,
        ),
        *(
            case(
                f"coefficients_{element_name(dtype)}_{'x'.join(map(str, sizes))}",
                [predictions(sizes, dtype)],
                agreement,
                coefficients=True,
            )
            for dtype in FLOATS
            for sizes in (SIZES if dtype == np.float32 else SIZES[2:3])
        ),
        *(
            case(
                f"coefficients_started_{count}_{'x'.join(map(str, sizes))}",
                [started(sizes, np.float32)],
                agreement,
                iterations=count,
                coefficients=True,
            )
            for count, sizes in ((1, SIZES[2]), (2, SIZES[1]), (3, SIZES[5]), (3, SIZES[8]))
        ),
        case(
            "coefficients_once_dynamic",
            [predictions(sizes, np.float16) for sizes in ((2, 5, 3, 4), (1, 2, 0, 3))],
            agreement,
            iterations=1,
            dynamic=[(0, 1, 2, 3)],
            coefficients=True,
        ),
        case(
            "coefficients_once",
            [predictions((2, 5, 3, 4), np.float16)],
            agreement,
            iterations=1,
            coefficients=True,
        ),
        case(
            "coefficients_dynamic",
            [
                started(sizes, np.float32)
                for sizes in ((2, 7, 5, 3), (0, 2, 5, 3), (1, 40, 2, 2), (2, 3, 2, 0), (1, 0, 1, 1))
            ],
            agreement,
            dynamic=[(0, 1, 2, 3), (0, 1)],
            iterations=4,
            coefficients=True,
        ),
        case(
            "coefficients_dynamic_batch",
            [predictions((size, 19, 5, 16), np.float32, seed=size) for size in (2, 0, 1)],
            agreement,
            dynamic=[(0,)],
            coefficients=True,
        ),
        case("specials", [special_predictions(np.float32)], agreement),
        case("specials_once", [special_predictions(np.float32)], agreement, iterations=1),
        case(
            "dynamic_batch",
            [predictions((size, 7, 5, 3), np.float32, seed=size) for size in (2, 0, 1, 5)],
            agreement,
            dynamic=[(0,)],
        ),
        case(
            "dynamic_everything",
            [
                predictions(sizes, np.float32)
                for sizes in ((2, 7, 5, 3), (2, 0, 5, 3), (1, 3, 0, 2), (1, 9, 2, 0), (0, 1, 1, 1))
            ],
            agreement,
            dynamic=[(0, 1, 2, 3)],
            iterations=5,
        ),
    )
] + [
    case(
        "large_logits",  # exp of a logit alone would overflow
        [(np.tile(np.float32([[30.0], [-30.0]]), (1, 40, 1, 4)),)],
    ),
    case("no_epsilon", [predictions((2, 7, 5, 3), np.float32)], epsilon=0.0),
]


@configurations()
@pytest.mark.parametrize("agreement", AGREEMENTS)
def test_capsule_routing(agreement: str, configuration: Configuration, tmp_path: Path) -> None:
    some = [case for case in CASES if case.attributes["agreement"] == agreement]
    check(some, configuration, tmp_path)
