"""Large pages change where memory lies, never what it holds."""

import numpy as np
import pytest

from fsa.runtime.large_pages import LARGE_PAGE, use_large_pages


@pytest.mark.parametrize("size", [0, 100, LARGE_PAGE + 100, 3 * LARGE_PAGE + 5])
def test_contents_stay(size: int) -> None:
    data = np.random.default_rng(size).integers(0, 255, size, np.uint8)
    copy = data.copy()
    use_large_pages(copy.__array_interface__["data"][0], size)
    np.testing.assert_array_equal(copy, data)


def test_nothing_is_asked_for_a_range_without_a_whole_page() -> None:
    use_large_pages(LARGE_PAGE + 64, 2 * LARGE_PAGE - 128)
