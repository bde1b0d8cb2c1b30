"""The flags of `fsa-opt`, and the parsing of its command line.

mlir-opt's spellings hold: one or two dashes, ``--flag=value`` or ``--flag value``, a bare switch or
``--switch=false``. What is no flag is a pass or pipeline, in the order given: ``--canonicalize``,
``--canonicalize=max-iterations=2`` or ``--canonicalize{max-iterations=2}``.
"""

from dataclasses import dataclass, field
from typing import Any

from fsa.errors import InputError


@dataclass(frozen=True)
class Flag:
    """One flag. `kind` is "switch", "text", "integer" or "list" (repeatable, comma separated)."""

    name: str
    kind: str
    help: str
    group: str = "General"
    default: Any = None


FLAGS = (
    Flag("o", "text", "Write the result to this file (- is standard output)", default="-"),
    Flag("pass-pipeline", "text", "Run this pipeline: builtin.module(a,func.func(b{x=1}))"),
    Flag("split-input-file", "switch", "Process the parts between lines of // ----- on their own"),
    Flag("verify-diagnostics", "switch", "Check diagnostics against expected-* comments"),
    Flag("verify-each", "switch", "Verify the IR after each pass", default=True),
    Flag("allow-unregistered-dialect", "switch", "Accept operations of unknown dialects"),
    Flag("no-implicit-module", "switch", "Do not wrap the input in a builtin.module"),
    Flag("version", "switch", "Print the versions and exit", "Information"),
    Flag("help", "switch", "Print this text and exit", "Information"),
)
BY_NAME = {flag.name: flag for flag in FLAGS}
_SHORT = {"h": "help", "p": "pass-pipeline"}
_TRUE, _FALSE = {"", "true", "1"}, {"false", "0"}


@dataclass
class CommandLine:
    """A parsed command line: `values` per flag, passes in order as (name, option text)."""

    values: dict[str, Any] = field(default_factory=dict[str, Any])
    passes: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    input: str = "-"

    def __getitem__(self, name: str) -> Any:
        """Return the value of the flag `name`, or its default."""
        if name in self.values:
            return self.values[name]
        flag = BY_NAME[name]
        if flag.kind == "list":
            return []
        return flag.default or False if flag.kind == "switch" else flag.default


def parse(arguments: list[str]) -> CommandLine:
    """Parse `arguments` (without the program's name); raise `InputError`."""
    line = CommandLine()
    inputs: list[str] = []
    rest = list(arguments)
    while rest:
        argument = rest.pop(0)
        if argument == "--":
            inputs += rest
            break
        if argument == "-" or not argument.startswith("-"):
            inputs.append(argument)
            continue
        _parse_dashed(argument, rest, line)
    if len(inputs) > 1:
        raise InputError(f"expected one input file, found {len(inputs)}: {', '.join(inputs)}")
    line.input = inputs[0] if inputs else "-"
    return line


def _parse_dashed(argument: str, rest: list[str], line: CommandLine) -> None:
    """Parse one flag or pass; `rest` are the arguments after it."""
    text = argument[2:] if argument.startswith("--") else argument[1:]
    name, equals, value = text.partition("=")
    name = _SHORT.get(name, name)
    flag = BY_NAME.get(name)
    if flag is None:
        line.passes.append(_pass(text))
        return
    if flag.kind == "switch":
        line.values[name] = _switch(name, value if equals else "")
        return
    if not equals:
        if not rest:
            raise InputError(f"expected a value after --{name}, found none")
        value = rest.pop(0)
    if flag.kind == "integer":
        if not value.lstrip("-").isdecimal():
            raise InputError(f"--{name}: expected an integer, found '{value}'")
        line.values[name] = int(value)
    elif flag.kind == "list":
        line.values.setdefault(name, []).extend(part for part in value.split(",") if part)
    else:
        line.values[name] = value


def _switch(name: str, value: str) -> bool:
    """Parse the value of a switch."""
    if value.lower() in _TRUE | _FALSE:
        return value.lower() in _TRUE
    raise InputError(f"--{name}: expected true or false, found '{value}'")


def _pass(text: str) -> tuple[str, str]:
    """Split ``name``, ``name=options`` or ``name{options}`` (text without dashes)."""
    brace, equals = text.find("{"), text.find("=")
    if brace > 0 and (equals < 0 or brace < equals):
        if not text.endswith("}"):
            raise InputError(f"expected '}}' at the end of '--{text}'")
        return text[:brace], text[brace + 1 : -1]
    name, _, options = text.partition("=")
    if options.startswith("{") and options.endswith("}"):
        options = options[1:-1]
    return name, options
