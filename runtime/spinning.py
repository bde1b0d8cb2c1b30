"""Threads that wait by spinning give way to those that work.

IREE waits for a Vulkan device in threads of its own, for the first of several semaphores. Mesa's
software device cannot sleep for that and asks again and again (22.3: `vkWaitSemaphores` with
`VK_SEMAPHORE_WAIT_ANY_BIT`), so an open device takes two cores for as long as the process lives,
from the kernels that it waits for too. With a low priority such a thread runs where a core has
little else to do.
"""

from __future__ import annotations

import os
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

_TASKS = Path("/proc/self/task")
# A thread that waits without spinning has run for less when it first sleeps.
_SPUN_NS = 2_000_000
_LONGEST_S = 1.0
_STEP_S = 0.002
# Niceness: a tenth of the weight of a thread that works. With less, where other processes keep
# the cores busy, a call would wait long for the word that its kernels are done.
NICENESS = 10


@contextmanager
def spinning_threads_give_way(longest: float = _LONGEST_S) -> Generator[None]:
    """Give a low priority to the threads started in the block that spin after it.

    Looks until each of them has slept or spun, for `longest` seconds at the most. Does nothing
    where there is no `/proc`.
    """
    before = _threads()
    yield
    started = _threads() - before
    end = time.monotonic() + longest
    while started and time.monotonic() < end:
        time.sleep(_STEP_S)
        for thread in sorted(started):
            if _is_asleep(thread):
                started.discard(thread)
            elif _run_ns(thread) >= _SPUN_NS:
                started.discard(thread)
                _give_way(thread)


def _give_way(thread: int) -> None:
    with suppress(OSError):
        own = os.getpriority(os.PRIO_PROCESS, thread)
        os.setpriority(os.PRIO_PROCESS, thread, max(own, NICENESS))


def _threads() -> set[int]:
    try:
        return {int(name) for name in os.listdir(_TASKS)}
    except OSError:
        return set()


def _is_asleep(thread: int) -> bool:
    """Return whether a thread waits in the kernel, or has ended."""
    try:
        # The name before the state may hold any character but ends with the last parenthesis.
        state = (_TASKS / str(thread) / "stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state != "R"


def _run_ns(thread: int) -> int:
    """Return for how many nanoseconds a thread has run; 0 where the kernel does not say."""
    try:
        return int((_TASKS / str(thread) / "schedstat").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return 0
