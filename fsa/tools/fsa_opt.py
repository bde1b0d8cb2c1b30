"""`fsa-opt`: reads MLIR, runs passes, prints MLIR, as mlir-opt does.

This module is the entry point. It imports MLIR only when there is work that needs it.
"""

import faulthandler
import os
import sys

from fsa.errors import FsaError
from fsa.tools.opt import flags


def main(arguments: list[str] | None = None) -> int:
    """Run `fsa-opt`; return the exit code: 0, 1 for an error, 130 after Ctrl-C."""
    faulthandler.enable()
    try:
        return _run(sys.argv[1:] if arguments is None else arguments)
    except FsaError as error:
        print(f"fsa-opt: error: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Whoever read our output has gone; leave nothing for the interpreter to flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130


def _run(arguments: list[str]) -> int:
    """Parse the command line and do what it asks for."""
    line = flags.parse(arguments)
    if line["version"]:
        from fsa.tools.opt.information import version

        print(version())
        return 0
    from fsa.tools.opt.driver import Driver

    return Driver(line).run()


if __name__ == "__main__":
    sys.exit(main())
