"""Threads that wait by spinning get a low priority, and no others."""

import os
import sys
import threading

import pytest

from fsa.runtime.spinning import NICENESS, spinning_threads_give_way


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has priorities of threads")
def test_spinning_threads_give_way() -> None:
    stop = threading.Event()

    def spin() -> None:
        while not stop.is_set():
            pass

    before = os.getpriority(os.PRIO_PROCESS, 0)
    try:
        with spinning_threads_give_way(longest=60.0):
            spinning, waiting = threading.Thread(target=spin), threading.Thread(target=stop.wait)
            for thread in (spinning, waiting):
                thread.start()
        found = [
            os.getpriority(os.PRIO_PROCESS, thread.native_id or 0) for thread in (spinning, waiting)
        ]
    finally:
        stop.set()
    assert found == [max(before, NICENESS), before]
    assert os.getpriority(os.PRIO_PROCESS, 0) == before
