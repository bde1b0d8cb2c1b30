"""The base class of FSA's passes.

A pass is a frozen dataclass: its fields are its options. The contract: the IR verifies before `run`
and after it; in between it may not. No IR object outlives `run`, a rewrite or an erase.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from fsa.diagnostics import Diagnostics


class PassError(Exception):
    """A pass cannot go on. `location` is the `ir.Location` of the op at fault."""

    def __init__(self, location: Any, message: str):
        super().__init__(message)
        self.location = str(location)
        self.message = message


@dataclass(frozen=True)
class Pass:
    """A transformation of the op that it is anchored on.

    The class docstring is the pass's documentation. `name` is the pass name as `fsa-opt` takes it,
    `summary` one line for `--list-passes`, `anchor` the op it runs on ("any": whatever the
    pipeline nests it in). Option fields are bool, int, float, str, or tuples of int or str; a field
    `tile_sizes` is the option `tile-sizes`; `field(metadata={"help": ...})` describes it.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    anchor: ClassVar[str] = "builtin.module"

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Transform `op` (an `ir.Operation`) in place; raise `PassError` to fail."""
        raise NotImplementedError
