"""Freed memory stays with the process, so that the next call does not wait for fresh pages.

IREE's threaded CPU device takes the memory between kernels from the C library for each call and
frees it after. The library gives back large pieces to the system at once, which then clears each
page anew: a call that moves 100 MB between kernels waited 60 ms for that. IREE's own caching
allocator, which serves the inline device, does not see this memory.
"""

from __future__ import annotations

import ctypes
import os
import sys
from functools import cache

# Of glibc's <malloc.h>: what `mallopt` is told, and up to how many bytes.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
KEPT_BYTES = 1 << 30
_OLD_LIMIT = 32 << 20  # an older glibc refuses to take larger pieces from its heap
_CHOSEN = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES")


@cache
def keep_freed_memory() -> bool:
    """Make the C library keep up to `KEPT_BYTES` of freed memory; return whether it does.

    Where an older one refuses, pieces beyond 32 MiB go back to the system as before.
    Changes nothing where the environment sets these limits, or where the library has none.
    """
    if sys.platform != "linux" or any(name in os.environ for name in _CHOSEN):
        return False
    try:
        set_limit = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    set_limit.argtypes = (ctypes.c_int, ctypes.c_int)
    set_limit.restype = ctypes.c_int
    # The trim threshold alone would freeze the other, which grows by itself, at its first 128 KiB.
    if not any(set_limit(_M_MMAP_THRESHOLD, size) for size in (KEPT_BYTES, _OLD_LIMIT)):
        return False
    return bool(set_limit(_M_TRIM_THRESHOLD, KEPT_BYTES))
