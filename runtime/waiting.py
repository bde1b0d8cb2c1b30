"""A thread that waits for IREE's CPU workers lets them finish before it goes on.

The worker that ends a program wakes the caller and then sets a flag, for which the caller spins
(IREE 3.13, `iree_async_semaphore_multi_wait`). Linux often wakes a thread on the core of the one
that woke it, in its place. The caller then spins for the rest of its time slice, some
milliseconds, for a flag that only the worker whose core it took can set. Threads of the policy
`SCHED_BATCH` take no core from others when they wake, so callers have that policy while they wait.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

Invoke = Callable[..., None]


def without_preempting(invoke: Invoke) -> Invoke:
    """Return `invoke`, with the calling thread as `SCHED_BATCH` while it runs.

    A thread with another policy than the default keeps it. Returns `invoke` itself where threads
    have no such policy, or may not change it.
    """
    set_policy = getattr(os, "sched_setscheduler", None)
    if set_policy is None or not hasattr(os, "SCHED_BATCH"):
        return invoke
    usual, patient, priority = os.SCHED_OTHER, os.SCHED_BATCH, os.sched_param(0)
    policy_of = os.sched_getscheduler

    def call(*arguments: Any) -> None:
        try:
            is_usual = policy_of(0) == usual
            if is_usual:
                set_policy(0, patient, priority)
        except OSError:  # a sandbox may forbid either
            is_usual = False
        if not is_usual:
            invoke(*arguments)
            return
        try:
            invoke(*arguments)
        finally:
            set_policy(0, usual, priority)

    return call
