"""`fsa-opt`: reads MLIR, runs passes, prints MLIR, as mlir-opt does.

This module is the entry point. It imports MLIR only when there is work that needs it.
"""

import faulthandler
import sys

from fsa.errors import FsaError
from fsa.tools.opt import command_line
from fsa.tools.streams import drop_pending_output


def main(arguments: list[str] | None = None) -> int:
    """Run `fsa-opt`; return the exit code: 0, 1 for an error, 130 after Ctrl-C.

    `arguments` are those after the program's name; None takes the process's own.
    """
    if arguments is None:
        if sys.stderr is not None:  # pyright: ignore[reportUnnecessaryComparison]
            faulthandler.enable()
        arguments = sys.argv[1:]
    try:
        return _run(arguments)
    except FsaError as error:
        return _fail(str(error))
    except BrokenPipeError:  # whoever read our output has gone
        drop_pending_output()
        return 1
    except KeyboardInterrupt:
        return 130
    except (MemoryError, RecursionError) as error:
        return _fail(f"the input is too large: {type(error).__name__}")
    except OSError as error:  # standard input or output is closed, or the disk is full
        drop_pending_output()
        return _fail(f"cannot read or write: {error}")


def _fail(message: str) -> int:
    """Print one sentence; return the exit code of an error."""
    print(f"fsa-opt: error: {message}", file=sys.stderr)
    return 1


def _run(arguments: list[str]) -> int:
    """Parse the command line and do what it asks for."""
    line = command_line.parse(arguments)
    text = _information(line)
    if text is not None:
        _print(text, line["o"])
        return 0
    from fsa.tools.opt.driver import Driver

    return Driver(line).run()


def _print(text: str, target: str) -> None:
    """Print `text`, or write it to the file that -o names."""
    text = text.rstrip("\n")
    if target == "-":
        print(text, flush=True)
        return
    from fsa.tools.opt.output import write

    write(target, f"{text}\n".encode())


def _information(line: command_line.CommandLine) -> str | None:
    """Return the text that the command line asks for instead of work, or None."""
    if line["help"]:
        from fsa.tools.opt.help import help_text

        return help_text()
    from fsa.tools.opt import information

    for flag, make in (
        ("version", information.version),
        ("list-passes", information.list_passes),
        ("list-pipelines", information.list_pipelines),
        ("show-dialects", information.show_dialects),
        ("emit-irdl", information.emit_irdl),
    ):
        if line[flag]:
            return make()
    return None


if __name__ == "__main__":
    sys.exit(main())
