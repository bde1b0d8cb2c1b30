"""The kernel builder: arithmetic, control flow and memory in one object."""

from typing import Any

from fsa.bindings import ir
from fsa.passes.emitter.memory import Memory
from fsa.passes.emitter.types import Value


class Builder(Memory):
    """Emits ops at the current `ir.InsertionPoint` and `ir.Location`.

    With a `constants` block, each constant is made once, at the start of that block; without one,
    where it is used.
    """

    def __init__(self, constants: Any = None):
        self._constants_block = constants
        self._constants: dict[tuple[str, str], Value] = {}

    def _constant_op(self, kind: Any, attribute: Any) -> Value:
        if self._constants_block is None:
            return super()._constant_op(kind, attribute)
        key = (str(kind), str(attribute))
        if key not in self._constants:
            with ir.InsertionPoint.at_block_begin(self._constants_block):
                self._constants[key] = super()._constant_op(kind, attribute)
        return self._constants[key]
