"""Work that may crash, tried first in a child process.

torch-mlir's conversions are C++ that can abort or dereference null on graphs that nobody tried
before. A front end rehearses them in a forked child, which shares the model's memory and changes
none of it; a crash there becomes an error here.
"""

import multiprocessing
import signal
import warnings
from collections.abc import Callable
from typing import Any


class Crashed(Exception):
    """The child ended without an answer; the text names the signal or the exit code."""


def run_isolated(action: Callable[[], Any]) -> Any:
    """Run `action` in a forked child and return what it returned (a picklable value).

    Nothing that `action` changes is seen here. Raises `Crashed` when the child dies, RuntimeError
    with the text of what `action` raised. Where processes cannot be forked, run `action` here.
    """
    if "fork" not in multiprocessing.get_all_start_methods():
        return action()
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_answer, args=(action, sender), daemon=True)
    with warnings.catch_warnings():
        # The child runs one thread of MLIR and leaves without running anyone else's exit handlers.
        warnings.simplefilter("ignore")
        child.start()
    sender.close()
    try:
        failed, value = receiver.recv()
    except EOFError:
        child.join()
        raise Crashed(how_it_ended(child.exitcode)) from None
    child.join()
    if failed:
        raise RuntimeError(value)
    return value


def _answer(action: Callable[[], Any], sender: Any) -> None:
    import faulthandler
    import os

    faulthandler.disable()
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)  # an abort prints a C++ stack, which helps nobody
    try:
        answer = (False, action())
    except BaseException as error:
        answer = (True, str(error))
    sender.send(answer)
    sender.close()
    os._exit(0)


def how_it_ended(exit_code: int | None) -> str:
    """Return "signal 11 (Segmentation fault)" or "exit code 1" of a process that gave no answer."""
    if exit_code is not None and exit_code < 0:
        return f"signal {-exit_code} ({signal.strsignal(-exit_code)})"
    return f"exit code {exit_code}"
