"""What the lowering of every op shares: conventions of the target, the guard for empty tensors."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from fsa.bindings import ir
from fsa.dialects.fsa.shapes import ShapeBuilder
from fsa.passes.patterns.tensors import (
    Size,
    any_zero,
    cast_to,
    choose,
    dynamic_only,
    filled,
    sizes_of,
)
from fsa.runtime.targets import ATTRIBUTE, Target


@dataclass(frozen=True)
class Conventions:
    """What the lowering may assume of the target.

    `native_i64`: 64-bit arithmetic lowers, population counts included; else words of 64 bits are
    handled as two halves. `guard_empty`: a dispatch that touches an empty tensor must not run, so
    whatever may be empty at run time is guarded.
    """

    native_i64: bool = False
    reduces_i64: bool = False
    guard_empty: bool = True

    @classmethod
    def of_module(cls, module: Any) -> "Conventions":
        """Read the target of a module; without one, assume no more than every target has."""
        if ATTRIBUTE not in module.attributes:
            return cls()
        target = Target.of_module(module)
        is_cpu = target.kind == "cpu"
        return cls(native_i64=target.has_i64, reduces_i64=is_cpu, guard_empty=not is_cpu)


@dataclass(frozen=True)
class Site:
    """An op with one tensor result that is about to be lowered.

    `sizes` are the dimensions of the result, from the op's own shape rule.
    """

    op: Any
    conventions: Conventions
    sizes: list[Size]

    @classmethod
    def of(cls, op: Any, conventions: Conventions) -> "Site":
        """Build the result's dimensions before `op` where they are not static."""
        builder = ShapeBuilder(ir.InsertionPoint(op), op.location)
        return cls(op, conventions, type(op.opview).result_shape(op, builder)[0])

    @property
    def element(self) -> Any:
        """The element type of the result."""
        return self.op.results[0].type.element_type

    def unless_empty(
        self, value: float, build: Callable[[], Any], touched: Sequence[Size] | None = None
    ) -> Any:
        """Return what `build` makes, or a result filled with `value` where a tensor is empty.

        `touched` are the sizes that matter: by default those of the operands.
        """
        if touched is None:
            touched = [size for operand in self.op.operands for size in sizes_of(operand)]
        return unless_empty(
            self.conventions,
            touched,
            [self.op.results[0].type],
            lambda: [filled(self.sizes, self.element, value)],
            lambda: [build()],
        )[0]


def unless_empty(
    conventions: Conventions,
    touched: Sequence[Size],
    types: Sequence[Any],
    empty: Callable[[], Sequence[Any]],
    build: Callable[[], Sequence[Any]],
) -> list[Any]:
    """Return what `build` makes, or what `empty` makes when a size in `touched` is 0.

    Both make a value for each of `types`.

    IREE fails at run time when a dispatch on a GPU touches an empty tensor, so the choice is made
    here: at compile time when the sizes are static, else by an scf.if.
    """

    def made(values: Callable[[], Sequence[Any]]) -> list[Any]:
        return [cast_to(value, type) for value, type in zip(values(), types, strict=True)]

    if 0 in [size for size in touched if isinstance(size, int)]:
        return made(empty)
    unknown = list(dict.fromkeys(dynamic_only(touched)))
    if not unknown or not conventions.guard_empty:
        return made(build)
    return choose(any_zero(unknown), types, lambda: made(empty), lambda: made(build))
