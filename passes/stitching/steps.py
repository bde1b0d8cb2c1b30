"""Evaluation without recursion: chains of ops are longer than Python's stack is deep.

What computes a value is a generator (`Steps`). It yields the steps of each value that it needs and
is sent that value; `run` keeps those that wait on a stack of its own. Code is built in the order in
which plain calls would build it.
"""

from collections.abc import Generator
from typing import Any

from fsa.passes.stitching.frames import Computed

Steps = Generator[Any, Computed, Computed]  # yields `Steps`


def run(steps: Steps) -> Computed:
    """Return the value that `steps` compute."""
    waiting = [steps]
    found: Any = None
    try:
        while waiting:
            try:
                needed = waiting[-1].send(found)
            except StopIteration as finished:
                found = finished.value
                waiting.pop()
            else:
                waiting.append(needed)
                found = None
    finally:
        for unfinished in reversed(waiting):  # after an error: contexts are left inside out
            unfinished.close()
    return found
