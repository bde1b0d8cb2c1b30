"""The named window operations of linalg, and how their images and filters lie."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Form:
    """What a named op computes: the kind, spatial dimensions, and how its filter lies.

    `filter` names the axes of the filter: g, f (filter), c, and "." for the spatial ones.
    """

    kind: str
    spatial: int
    filter: str = "."
    grouped: bool = False
    last: bool = False  # channels

    @property
    def taps(self) -> slice:
        """The spatial axes of the filter."""
        first = self.filter.index(".")
        return slice(first, first + self.spatial)

    def spatial_of(self, numbers: list[int]) -> tuple[tuple[int, ...], tuple[int, int]]:
        """Return those of `numbers`, one an axis of the images, of spatial axes and of others."""
        if self.last:
            return tuple(numbers[1:-1]), (numbers[0], numbers[-1])
        return tuple(numbers[2:]), (numbers[0], numbers[1])

    def channels_of(self, filters: Any, images: Any) -> tuple[int, int, int]:
        """Return groups, filters and channels of a group, out of the sizes of two tensors."""
        if self.kind != "dense":
            return images[-1 if self.last else 1], 1, 1
        named = dict(zip(self._names, filters, strict=True))
        return named.get("g", 1), named.get("f", 1), named.get("c", 1)

    def ordered(self, array: Any) -> Array:
        """Return a filter as [groups, filters, channels, Kh, Kw]."""
        spatial = list(range(array.ndim))[self.taps]
        present = [self._names.index(name) for name in "gfc" if name in self._names]
        turned = np.transpose(array, [*present, *spatial])
        sizes = iter(turned.shape)
        lead = [next(sizes) if name in self._names else 1 for name in "gfc"]
        taps = list(sizes)
        return turned.reshape([*lead, *([1] * (2 - len(taps))), *taps])

    @property
    def _names(self) -> str:
        """The axes of the filter, one letter each."""
        return self.filter.replace(".", "." * self.spatial)


FORMS = {
    "linalg.conv_2d_nchw_fchw": Form("dense", 2, "fc."),
    "linalg.conv_1d_ncw_fcw": Form("dense", 1, "fc."),
    "linalg.conv_2d_ngchw_gfchw": Form("dense", 2, "gfc.", grouped=True),
    "linalg.conv_2d_ngchw_fgchw": Form("dense", 2, "fgc.", grouped=True),
    "linalg.depthwise_conv_2d_nchw_chw": Form("dense", 2, "g."),
    "linalg.depthwise_conv_1d_ncw_cw": Form("dense", 1, "g."),
    "linalg.pooling_nchw_max": Form("max", 2),
    "linalg.pooling_nchw_sum": Form("sum", 2),
    "linalg.pooling_ncw_max": Form("max", 1),
    "linalg.pooling_ncw_sum": Form("sum", 1),
    "linalg.conv_2d_nhwc_hwcf": Form("dense", 2, ".cf", last=True),
    "linalg.conv_2d_nhwc_fhwc": Form("dense", 2, "f.c", last=True),
    "linalg.conv_1d_nwc_wcf": Form("dense", 1, ".cf", last=True),
    "linalg.depthwise_conv_2d_nhwc_hwc": Form("dense", 2, ".g", last=True),
    "linalg.depthwise_conv_1d_nwc_wc": Form("dense", 1, ".g", last=True),
    "linalg.pooling_nhwc_max": Form("max", 2, last=True),
    "linalg.pooling_nhwc_sum": Form("sum", 2, last=True),
    "linalg.pooling_nwc_max": Form("max", 1, last=True),
    "linalg.pooling_nwc_sum": Form("sum", 1, last=True),
}
