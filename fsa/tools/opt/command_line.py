"""The command line of `fsa-opt`.

mlir-opt's spellings hold: one or two dashes, ``--flag=value`` or ``--flag value``, a bare switch or
``--switch=false``. What is no flag is a pass or pipeline, run in the order given:
``--canonicalize``, ``--canonicalize=max-iterations=2`` or ``--canonicalize{max-iterations=2}``.
"""

from dataclasses import dataclass, field
from typing import Any

from fsa.errors import InputError
from fsa.tools.opt.flags import BY_NAME, SHORT

_MOST_DIGITS = 18  # what fits into 64 bits for certain
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
        if flag.kind == "switch":
            return bool(flag.default)
        return flag.default


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
        else:
            _parse_dashed(argument, rest, line)
    if len(inputs) > 1:
        raise InputError(f"expected one input file, found {len(inputs)}: {', '.join(inputs)}")
    line.input = inputs[0] if inputs else "-"
    return line


def _parse_dashed(argument: str, rest: list[str], line: CommandLine) -> None:
    """Parse one flag or pass; `rest` are the arguments after it."""
    text = argument[2:] if argument.startswith("--") else argument[1:]
    name, equals, value = text.partition("=")
    name = SHORT.get(name, name)
    flag = BY_NAME.get(name)
    if flag is None:
        line.passes.append(_pass(argument, text))
        return
    if flag.kind == "switch":
        line.values[name] = _switch(name, value)
        return
    if flag.kind == "marker":
        line.values[name] = value
        return
    if not equals:
        if not rest:
            raise InputError(f"expected a value after --{name}, found none")
        value = rest.pop(0)
    if flag.kind == "list":
        line.values.setdefault(name, []).extend(part for part in value.split(",") if part)
    elif flag.kind == "integer":
        if not value.removeprefix("-").isdecimal():
            raise InputError(f"--{name}: expected an integer, found '{value}'")
        if len(value) > _MOST_DIGITS:
            raise InputError(f"--{name}: expected an integer of 64 bits, found '{value}'")
        line.values[name] = int(value)
    else:
        line.values[name] = value


def _switch(name: str, value: str) -> bool:
    """Parse the value of a switch."""
    if value.lower() in _TRUE | _FALSE:
        return value.lower() in _TRUE
    raise InputError(f"--{name}: expected true or false, found '{value}'")


def _pass(argument: str, text: str) -> tuple[str, str]:
    """Split ``name``, ``name=options`` or ``name{options}`` (`text` has no dashes)."""
    brace, equals = text.find("{"), text.find("=")
    if brace > 0 and (equals < 0 or brace < equals):
        if not text.endswith("}"):
            raise InputError(f"expected '}}' at the end of '{argument}'")
        return text[:brace], text[brace + 1 : -1]
    name, _, options = text.partition("=")
    if not name:
        raise InputError(f"expected a flag or a pass, found '{argument}'")
    if options.startswith("{") and options.endswith("}"):
        options = options[1:-1]
    return name, options
