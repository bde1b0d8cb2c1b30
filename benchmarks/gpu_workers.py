"""Jobs in worker processes, so that one that faults or hangs costs only itself.

A worker runs jobs one after another and prints two lines of JSON for each: `{"began": name}`, then
its result, an object with that `name`. When it dies, or says nothing for too long, the job that it
was at has failed, and another worker takes the rest.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Result = dict[str, Any]


def announce(name: str) -> None:
    """Say that a job begins; for a worker."""
    print(json.dumps({"began": name}), flush=True)


def answer(result: Result) -> None:
    """Give the result of a job, with its `name`; for a worker."""
    print(json.dumps(result), flush=True)


def run_jobs(
    command: Callable[[Sequence[str]], Sequence[str]],
    names: Sequence[str],
    done: Callable[[Result], None],
    *,
    silence_seconds: float,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run the jobs called `names` in workers started by `command(names)`.

    `done` takes each result; one of a job that failed has `name` and `failed`, the reason.
    """
    left = list(names)
    while left:
        began, reason = _run_worker(command(left), left, done, silence_seconds, environment)
        if began is None and reason == "":
            return
        failed = began if began is not None else left[0]
        left.remove(failed)
        done({"name": failed, "failed": reason or "its process ended before its time"})


def _run_worker(
    command: Sequence[str], left: list[str], done: Callable[[Result], None],
    silence_seconds: float, environment: Mapping[str, str] | None,
) -> tuple[str | None, str]:  # fmt: skip
    """Run one worker; return the job it died at, if any, and why."""
    began: str | None = None
    silent = False
    # A session of its own, so that compilers that the worker started end with it.
    worker = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, start_new_session=True, env=environment
    )

    def stop() -> None:
        nonlocal silent
        silent = True
        os.killpg(worker.pid, signal.SIGKILL)

    assert worker.stdout is not None
    watch = threading.Timer(silence_seconds, stop)
    watch.start()
    for line in worker.stdout:
        watch.cancel()
        found = _parsed(line)
        if "began" in found:
            began = found["began"]
        elif found.get("name") in left:
            left.remove(found["name"])
            began = None
            done(found)
        watch = threading.Timer(silence_seconds, stop)
        watch.start()
    status = worker.wait()
    watch.cancel()
    if silent:
        return began, f"it took more than {silence_seconds:g} s"
    if status:
        return began, f"its process ended with status {status}"
    return began, ""


def _parsed(line: str) -> Result:
    """Return the JSON object of a line; an empty one for what libraries print."""
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
