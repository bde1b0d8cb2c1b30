"""Freed memory stays with the process, unless its environment says otherwise."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import ctypes, resource
from fsa.runtime.kept_memory import keep_freed_memory
kept = keep_freed_memory()
library = ctypes.CDLL(None)
library.malloc.restype, library.malloc.argtypes = ctypes.c_void_p, (ctypes.c_size_t,)
library.free.argtypes = (ctypes.c_void_p,)
faults = []
for _ in range(2):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    piece = library.malloc(64 << 20)
    ctypes.memset(piece, 1, 64 << 20)
    library.free(piece)
    faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
print(int(kept), *faults)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limits are those of glibc")
@pytest.mark.parametrize("chosen", [False, True])
def test_freed_memory(chosen: bool) -> None:
    names = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES")
    environment = {name: value for name, value in os.environ.items() if name not in names}
    if chosen:
        environment["MALLOC_MMAP_THRESHOLD_"] = "65536"
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True
    )
    kept, first, second = map(int, done.stdout.split())
    assert bool(kept) != chosen
    if kept:
        assert second < first / 10
    if chosen:
        assert second > first / 2
