"""What the command-line tools do with a standard output that takes nothing any more."""

import os
import sys


def drop_pending_output() -> None:
    """Leave nothing in standard output for the interpreter to flush when it ends.

    Its flush would fail as ours did, and turn the exit code into 120.
    """
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (AttributeError, OSError, ValueError):
        return  # there is no standard output, or it is closed
