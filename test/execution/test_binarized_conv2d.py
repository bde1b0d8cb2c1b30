from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from arrays import words
from op_cases import WORDS, Case, element_name
from op_execution import Configuration, check, configurations


@dataclass(frozen=True)
class Shape:
    """An image N x H x W of `channels` and a filter of `outputs` windows of `kernel`."""

    image: tuple[int, int, int] = (2, 7, 6)
    channels: int = 40
    outputs: int = 5
    kernel: tuple[int, int] = (3, 3)
    groups: int = 1

    def operands(self, dtype: Any, seed: int = 0) -> tuple:
        return (
            words(self.image, self.channels, dtype, seed),
            words((self.outputs, *self.kernel), self.channels // self.groups, dtype, seed + 1),
        )


def case(name: str, shape: Shape, dtype: Any = np.int32, **attributes: Any) -> Case:
    given = {
        "channels": shape.channels,
        "strides": (1, 1),
        "pad": (0, 0, 0, 0),
        "pad_mode": "zero",
        **attributes,
    }
    if shape.groups > 1:
        given["groups"] = shape.groups
    full_name = f"{name}_{element_name(dtype)}"
    return Case(full_name, "binarized_conv2d", [shape.operands(dtype)], given)


ONE_PIXEL = Shape(image=(1, 1, 1), channels=1, outputs=1, kernel=(1, 1))
CASES = (
    [
        made
        for dtype in WORDS
        for made in (
            case("plain", Shape(), dtype),
            case("one_pixel", ONE_PIXEL, dtype),
            case("pointwise", Shape(kernel=(1, 1), channels=129), dtype),
            case("zero_frame", Shape(), dtype, pad=(1, 1, 1, 1)),
            case("one_frame", Shape(), dtype, pad=(1, 1, 1, 1), pad_mode="one"),
            case("zero_frame_whole_words", Shape(channels=64), dtype, pad=(1, 1, 1, 1)),
            case("uneven_frame", Shape(), dtype, pad=(2, 0, 0, 3), strides=(2, 1)),
            case(
                "uneven_one_frame", Shape(), dtype, pad=(0, 2, 3, 0), strides=(1, 2), pad_mode="one"
            ),
            case("dilated", Shape(), dtype, dilations=(2, 1), pad=(1, 1, 1, 1)),
            case("groups", Shape(channels=128, outputs=6, groups=2), dtype, pad=(1, 1, 1, 1)),
            case(
                "groups_one_frame",
                Shape(channels=128, outputs=4, groups=2),
                dtype,
                pad=(0, 1, 1, 0),
                pad_mode="one",
                strides=(2, 2),
            ),
            case("frame_beyond_kernel", Shape(kernel=(2, 2)), dtype, pad=(3, 0, 0, 4)),
            case("does_not_fit", Shape(kernel=(9, 3)), dtype),
            case("no_images", Shape(image=(0, 7, 6)), dtype, pad=(1, 1, 1, 1)),
            case("no_rows", Shape(image=(2, 0, 6)), dtype, pad=(2, 2, 1, 1)),
            case(
                "no_rows_one_frame", Shape(image=(2, 0, 6)), dtype, pad=(2, 2, 1, 1), pad_mode="one"
            ),
            case("no_filters", Shape(outputs=0), dtype),
            case("no_channels", Shape(channels=0), dtype, pad=(1, 1, 1, 1)),
        )
    ]
    + [
        Case(
            f"dynamic_{mode}_frame_{element_name(dtype)}",
            "binarized_conv2d",
            [
                Shape(image=image).operands(dtype, seed=sum(image))
                for image in ((2, 7, 6), (1, 1, 1), (0, 7, 6), (2, 0, 6), (1, 5, 0), (1, 17, 3))
            ],
            {"channels": 40, "strides": (2, 1), "pad": (1, 2, 2, 1), "pad_mode": mode},
            dynamic=[(0, 1, 2)],
        )
        for mode, dtype in (("zero", np.int32), ("one", np.int32), ("zero", np.int64))
    ]
    + [
        Case(
            "dynamic_no_frame",
            "binarized_conv2d",
            [
                Shape(image=image, kernel=(3, 2)).operands(np.int32, seed=sum(image))
                for image in ((1, 7, 6), (1, 2, 6), (1, 0, 0), (1, 3, 2))
            ],
            {"channels": 40, "strides": (3, 2), "pad": (0, 0, 0, 0), "pad_mode": "zero"},
            dynamic=[(1, 2)],
        )
    ]
)


@configurations()
def test_binarized_conv2d(configuration: Configuration, tmp_path: Path) -> None:
    check(CASES, configuration, tmp_path)
