"""``--mlir-print-ir-*``: the IR around each pass, ours and the bindings' alike."""

import re
import sys
from pathlib import Path
from typing import Any

from fsa.errors import InputError, reason_of
from fsa.passes.driver.resolve import NestStep, known_names
from fsa.passes.driver.runner import Observer, SingleStep
from fsa.suggestions import did_you_mean
from fsa.tools.opt.command_line import CommandLine
from fsa.tools.opt.output import PrintOptions


class IrPrinter(Observer):
    """Prints to standard error, or into a tree of files."""

    def __init__(self, line: CommandLine):
        self.options = PrintOptions.of(line)
        self.before_all: bool = line["mlir-print-ir-before-all"]
        self.only_failures: bool = line["mlir-print-ir-after-failure"]
        self.only_changes: bool = line["mlir-print-ir-after-change"]
        self.after_all: bool = line["mlir-print-ir-after-all"]
        self.before = _checked(line, "mlir-print-ir-before")
        self.after = _checked(line, "mlir-print-ir-after")
        if self.only_changes and not self.after:
            self.after_all = True
        self.module_scope: bool = line["mlir-print-ir-module-scope"]
        folder = line["mlir-print-ir-tree-dir"]
        self.tree = _Tree(Path(folder)) if folder is not None else None
        self._text_before = ""

    @property
    def is_wanted(self) -> bool:
        """Whether any flag asks for IR."""
        return bool(
            self.before_all or self.after_all or self.only_failures or self.before or self.after
        )

    def before_pass(self, step: SingleStep, path: tuple[str, ...], op: Any) -> None:
        """Print before the pass, and remember the IR when changes matter."""
        if self.before_all or step.name in self.before:
            self._print("Before", step, op)
        if self.only_changes:
            self._text_before = op.get_asm(print_generic_op_form=True, enable_debug_info=True)

    def after_pass(self, step: SingleStep, path: tuple[str, ...], op: Any) -> None:
        """Print after the pass."""
        wanted = self.after_all or step.name in self.after
        if wanted and not self.only_failures and self._changed(op):
            self._print("After", step, op)
        if self.tree is not None:
            self.tree.count(op)

    def failed_pass(self, step: SingleStep, path: tuple[str, ...], op: Any) -> None:
        """Print the IR that a failing pass left."""
        if self.only_failures or self.after_all or step.name in self.after:
            self._print("After", step, op, " Failed")

    def after_nest(self, nest: NestStep, path: tuple[str, ...], op: Any) -> None:
        """Count the nest as one pass of `op`, as mlir-opt numbers its files."""
        if self.tree is not None:
            self.tree.count(op)

    def _changed(self, op: Any) -> bool:
        """Return whether the last pass changed `op`; True when nobody asked."""
        if not self.only_changes:
            return True
        return self._text_before != op.get_asm(print_generic_op_form=True, enable_debug_info=True)

    def _print(self, when: str, step: SingleStep, op: Any, outcome: str = "") -> None:
        """Print one dump under mlir-opt's heading."""
        heading = f"// -----// IR Dump {when} {step.display}{outcome}: {step}"
        shown = op
        if self.module_scope:
            while shown.parent is not None:
                shown = shown.parent.operation
            symbol = _symbol(op)
            heading += f" ('{op.name}' operation{f': @{symbol}' if symbol else ''})"
        text = f"{heading} //----- //\n{self.options.text(shown)}\n"
        if self.tree is not None:
            self.tree.write(op, step.name, text)
        else:
            print(text, file=sys.stderr)


class _Tree:
    """Files as mlir-opt numbers them: a folder an op, ``<parents' counters>_<counter>_<pass>``."""

    def __init__(self, root: Path):
        self.root = root
        self.counters: dict[tuple[str, ...], int] = {}

    def count(self, op: Any) -> None:
        """One more pass ran on `op`."""
        key = _chain(op)
        self.counters[key] = self.counters.get(key, 0) + 1

    def write(self, op: Any, name: str, text: str) -> None:
        """Write one dump; raise `InputError`."""
        key = _chain(op)
        numbers = [self.counters.get(key[: i + 1], 0) for i in range(len(key))]
        folder = self.root.joinpath(*key)
        path = folder / f"{'_'.join(str(number) for number in numbers)}_{name}.mlir"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise InputError(f"cannot write the IR dump '{path}': {reason_of(error)}") from None


def _chain(op: Any) -> tuple[str, ...]:
    """Return the folder names of the op's ancestors and of the op."""
    names: list[str] = []
    while op is not None:
        symbol = _symbol(op) or "no-symbol-name"
        names.append(re.sub(r"[^\w-]", "_", f"{op.name}_{symbol}"))
        op = op.parent.operation if op.parent is not None else None
    return tuple(reversed(names))


def _symbol(op: Any) -> str:
    """Return the op's symbol name, or an empty text."""
    attributes = op.attributes
    return attributes["sym_name"].value if "sym_name" in attributes else ""


def check_names(line: CommandLine) -> None:
    """Raise `InputError` for a pass that a flag names and that does not exist."""
    for flag in ("mlir-print-ir-before", "mlir-print-ir-after"):
        _checked(line, flag)


def _checked(line: CommandLine, flag: str) -> set[str]:
    """Return the pass names given to `flag`; raise `InputError` for one that does not exist."""
    known = known_names() if line[flag] else []
    for name in line[flag]:
        if name not in known:
            raise InputError(f"--{flag}: unknown pass '{name}'{did_you_mean(name, known)}")
    return set(line[flag])
