"""What `fsa-opt` prints: text in the wanted form, or bytecode; and the round-trip check."""

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fsa.bindings import ir
from fsa.errors import InputError, reason_of
from fsa.tools.opt.command_line import CommandLine


@dataclass(frozen=True)
class PrintOptions:
    """The form of printed IR."""

    generic: bool = False
    locations: bool = False
    pretty_locations: bool = False
    local_scope: bool = False
    skip_regions: bool = False
    names_from_locations: bool = False
    largest_elements: int | None = None
    largest_resource: int | None = None

    @classmethod
    def of(cls, line: CommandLine) -> "PrintOptions":
        """Read the command line."""
        return cls(
            generic=line["mlir-print-op-generic"],
            locations=line["mlir-print-debuginfo"],
            pretty_locations=line["mlir-pretty-debuginfo"],
            local_scope=line["mlir-print-local-scope"],
            skip_regions=line["mlir-print-skip-regions"],
            names_from_locations=line["mlir-use-nameloc-as-prefix"],
            largest_elements=_limit(line, "mlir-elide-elementsattrs-if-larger"),
            largest_resource=_limit(line, "mlir-elide-resource-strings-if-larger"),
        )

    def text(self, op: Any) -> str:
        """Return `op` as text, without a line break after it."""
        return op.get_asm(
            large_elements_limit=self.largest_elements,
            large_resource_limit=self.largest_resource,
            enable_debug_info=self.locations or self.pretty_locations,
            pretty_debug_info=self.pretty_locations,
            print_generic_op_form=self.generic,
            use_local_scope=self.local_scope,
            use_name_loc_as_prefix=self.names_from_locations,
            skip_regions=self.skip_regions,
        )


def _limit(line: CommandLine, name: str) -> int | None:
    """Return a limit that is not negative."""
    value = line[name]
    if value is not None and value < 0:
        raise InputError(f"--{name}: expected a number of at least 0, found {value}")
    return value


def bytecode(op: Any, version: int | None = None) -> bytes:
    """Return `op` as bytecode; raise `InputError` for a version that cannot be written."""
    buffer = io.BytesIO()
    try:
        if version is None:
            op.write_bytecode(buffer)
        else:
            op.write_bytecode(buffer, version)
    except (ValueError, ir.MLIRError) as error:
        raise InputError(f"cannot write bytecode of version {version}: {error}") from None
    return buffer.getvalue()


def roundtrip_error(op: Any, new_context: Callable[[], Any]) -> str | None:
    """Return what goes wrong when `op` is printed and parsed back, or None.

    `new_context` makes the contexts to parse in: in one that holds a resource already, a blob of
    the same name is renamed.
    """
    wanted = op.get_asm(enable_debug_info=True, use_local_scope=True)
    is_module = op.name == "builtin.module"
    forms: list[tuple[str, str | bytes]] = [
        ("text", op.get_asm(enable_debug_info=True)),
        ("generic text", op.get_asm(enable_debug_info=True, print_generic_op_form=True)),
    ]
    if is_module:
        forms.append(("bytecode", bytecode(op)))
    for form, data in forms:
        try:
            parse = ir.Module.parse if is_module else ir.Operation.parse
            again = parse(data, context=new_context()).operation
        except ir.MLIRError:
            return f"the {form} that fsa-opt prints of this input does not parse"
        if again.get_asm(enable_debug_info=True, use_local_scope=True) != wanted:
            return f"the {form} that fsa-opt prints of this input parses to something else"
    return None


def write(target: str, data: bytes) -> None:
    """Write `data` to the file `target` (- is standard output); raise `InputError`."""
    if target == "-":
        if sys.stdout is None:  # pyright: ignore[reportUnnecessaryComparison]
            raise InputError("cannot write standard output: it is closed")
        rest = memoryview(data)
        while rest:  # an unbuffered stream may take a part only
            rest = rest[sys.stdout.buffer.write(rest) :]
        sys.stdout.buffer.flush()
        return
    try:
        Path(target).write_bytes(data)
    except (OSError, ValueError) as error:
        raise InputError(f"cannot write the output file '{target}': {reason_of(error)}") from None
