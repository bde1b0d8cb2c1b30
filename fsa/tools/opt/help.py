"""The help text of `fsa-opt`."""

from fsa.tools.opt.flags import GROUPS, Flag

_HEAD = """\
usage: fsa-opt [flags] [passes] [file]

Reads MLIR (text or bytecode, from a file or standard input), runs passes, prints MLIR. The flags
are mlir-opt's, with one or two dashes.

Examples:
  fsa-opt model.mlir --fsa-to-linalg                        run a named pipeline
  fsa-opt model.mlir --fsa-to-cpu=arch=znver4               with an option
  fsa-opt model.mlir --fsa-canonicalize --cse               run single passes in this order
  fsa-opt model.mlir -p 'builtin.module(fsa-canonicalize,func.func(cse))'
  fsa-opt model.mlir --fsa-to-linalg --mlir-print-ir-after-all -o out.mlir
  fsa-opt tests.mlir --split-input-file --verify-diagnostics
"""
_TAIL = """
Passes and pipelines are flags too: --NAME, --NAME=OPTIONS or --NAME{OPTIONS};
--list-passes and --list-pipelines show them. The exit code is 0, or 1 after an error.
"""
_VALUES = {"text": "TEXT", "integer": "N", "list": "LIST"}


def help_text() -> str:
    """Return the help text."""
    parts = [_HEAD]
    for group, flags in GROUPS.items():
        parts.append(f"\n{group}:\n")
        parts += [f"  {_spelling(flag):<46} {flag.help}\n" for flag in flags]
    return "".join(parts) + _TAIL


def _spelling(flag: Flag) -> str:
    """Return the flag as one types it."""
    if len(flag.name) == 1:
        return f"-{flag.name} {flag.metavar}"
    if flag.kind == "switch":
        return f"--{flag.name}"
    value = flag.metavar or _VALUES.get(flag.kind, "TEXT")
    return f"--{flag.name}[={value}]" if flag.kind == "marker" else f"--{flag.name}={value}"
