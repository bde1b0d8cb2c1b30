"""`fsa`: compile, run and inspect models from the command line.

A command is a module of `fsa.tools.commands` with a click command called `command`, and a line in
`COMMANDS`; it is imported when it is called, so `fsa --help` loads neither MLIR nor IREE.
"""

from __future__ import annotations

import faulthandler
import importlib
import sys

import click

from fsa import __version__
from fsa.errors import FsaError
from fsa.tools.streams import drop_pending_output

# name -> ("module:attribute", one line for the list of commands)
COMMANDS: dict[str, tuple[str, str]] = {
    "compile": ("fsa.tools.commands.compile:command", "Compile a model to a file that runs."),
    "run": ("fsa.tools.commands.run:command", "Call a function of a compiled module."),
    "explain": ("fsa.tools.commands.explain:command", "Say what becomes of a model, and why."),
    "inspect": ("fsa.tools.commands.inspect:command", "Say what a compiled file holds."),
    "cache": ("fsa.tools.commands.cache:command", "See and clear what was compiled before."),
    "bench": ("fsa.benchmarks.command:bench", "Measure FSA and its peers in turns."),
    "doctor": ("fsa.tools.commands.doctor:command", "Say what works here and what is missing."),
}

EPILOG = """\b
Examples:
  fsa doctor
  fsa compile model.onnx --target cpu -o model.vmfb
  fsa run model.vmfb --input 2x3xf32=1 --input x.npy
"""


class LazyGroup(click.Group):
    """A group that imports a command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command, None for an unknown name."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        found: click.Command = getattr(importlib.import_module(module), attribute)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Refuse an unknown command with the nearest names."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from fsa.suggestions import did_you_mean

            raise click.UsageError(
                f"expected a command ({', '.join(COMMANDS)}), found {args[0]!r}"
                f"{did_you_mean(args[0], COMMANDS)}"
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


@click.group(cls=LazyGroup, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="fsa", message="%(prog)s %(version)s")
def cli() -> None:
    """Compile small, memory-bound, binarized and capsule networks, and run them.

    MLIR itself is at hand through `fsa-opt`.
    """


def main(arguments: list[str] | None = None) -> int:
    """Run `fsa`; return the exit code: 0, 1 for an error, 130 after Ctrl-C."""
    if sys.__stderr__ is not None:
        faulthandler.enable(sys.__stderr__)
    try:
        code = cli.main(args=arguments, prog_name="fsa", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return 1
    except click.ClickException as error:
        return _fail(error.format_message())
    except FsaError as error:
        return _fail(str(error))
    except (click.Abort, KeyboardInterrupt):
        return 130
    except BrokenPipeError:  # whoever read our output has gone
        drop_pending_output()
        return 1
    except (MemoryError, RecursionError) as error:
        return _fail(f"the input is too large: {type(error).__name__}")
    except OSError as error:
        drop_pending_output()
        return _fail(f"cannot read or write: {error}")


def _fail(message: str) -> int:
    """Print one sentence; return the exit code of an error."""
    print(f"fsa: error: {message}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
