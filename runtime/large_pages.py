"""Large pages for large buffers of a CPU.

Kernels that stream through memory wait for address translations when pages are small: with pages of
2 MiB they run up to a third faster. NumPy asks the system for them, IREE's allocator does not.
"""

import ctypes
import sys
from functools import cache
from typing import Any

LARGE_PAGE = 2 << 20
LEAST_BYTES = 2 * LARGE_PAGE  # smaller buffers stay in the caches, or hold no whole page
_MADV_HUGEPAGE, _MADV_COLLAPSE = 14, 25  # of Linux; the second from 6.1 on


@cache
def _madvise() -> Any:
    if sys.platform != "linux":
        return None
    try:
        function = ctypes.CDLL(None).madvise
    except (OSError, AttributeError):
        return None
    function.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    return function


def use_large_pages(address: int, size: int) -> None:
    """Ask the system to put the large pages inside a range of memory together, contents and all.

    Where it does not, or cannot, nothing changes.
    """
    madvise = _madvise() if size >= LEAST_BYTES else None
    first = -(-address // LARGE_PAGE) * LARGE_PAGE
    whole = (address + size - first) // LARGE_PAGE * LARGE_PAGE
    if madvise is None or whole <= 0:
        return
    if madvise(first, whole, _MADV_HUGEPAGE) == 0:
        madvise(first, whole, _MADV_COLLAPSE)
