"""Programs of several fsa ops: each op is checked against the reference of what it was given."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import float_bounds
import numpy as np
from op_cases import build_op, element_name, mismatch, tensor_type

from fsa.dialects.fsa.reference import reference_of

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Step:
    """One op. `operands` number the arguments of the program, then the results of its steps."""

    op: str
    operands: tuple[int, ...]
    attributes: dict[str, Any]


@dataclass(frozen=True)
class Graph:
    """A function that runs its steps in order and returns the result of every step."""

    name: str
    runs: Sequence[tuple[Array, ...]]
    dynamic: tuple[tuple[int, ...], ...]
    steps: tuple[Step, ...]

    @property
    def dtypes(self) -> set[str]:
        """The element types of the arguments and the results."""
        values: list[Array] = list(self.runs[0])
        for step in self.steps:
            values.append(self._reference(step, values))
        return {element_name(value.dtype) for value in values}

    def argument_types(self) -> list[Any]:
        """Return the MLIR types of the arguments."""
        return [
            tensor_type(array, axes) for array, axes in zip(self.runs[0], self.dynamic, strict=True)
        ]

    def build(self, values: Sequence[Any]) -> list[Any]:
        """Build the steps and return their results."""
        known = list(values)
        for step in self.steps:
            operands = [known[index] for index in step.operands]
            known.append(build_op(step.op, operands, step.attributes))
        return known[len(values) :]

    def problem(self, arrays: tuple[Array, ...], got: Sequence[Array]) -> str | None:
        """Return what is wrong with the results `got`, or None.

        A step is held against the reference of the operands that the device computed, so that the
        errors of the steps before it do not add up.
        """
        values: list[Array] = list(arrays)
        for step, result in zip(self.steps, got, strict=True):
            operands = tuple(values[index] for index in step.operands)
            wanted = self._reference(step, values)
            allowed = float_bounds.allowed(step.op, operands, step.attributes, wanted)
            problem = mismatch(result, wanted, allowed)
            if problem is not None:
                return f"{step.op} {step.attributes}: {problem}"
            values.append(result)
        return None

    def _reference(self, step: Step, values: Sequence[Array]) -> Array:
        operands = [values[index] for index in step.operands]
        return reference_of(step.op)(*operands, **step.attributes)
