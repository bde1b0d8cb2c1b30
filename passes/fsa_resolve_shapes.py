"""Replace the dimensions of fsa results by what they are computed from."""

from dataclasses import dataclass
from typing import Any, ClassVar

from fsa.bindings import ir
from fsa.diagnostics import Diagnostics
from fsa.dialects.fsa.region_shapes import Unresolvable
from fsa.dialects.fsa.shapes import Extent, ShapeBuilder, type_dims
from fsa.passes.base import Pass


@dataclass(frozen=True)
class FsaResolveShapes(Pass):
    """Replace every `tensor.dim` of a result of an fsa op by a computation on the op's operands.

    Ops defined in Python cannot carry MLIR's interface for reified result shapes, so upstream's
    passes keep an fsa op alive for its shape alone. After this pass they need not. The new values
    stand in front of the op, so a chain of fsa ops is resolved to the shapes of what goes into it.
    Dimensions whose number is not constant stay, and so do those of a stitched region whose result
    shape depends on data; a remark says so.
    """

    name: ClassVar[str] = "fsa-resolve-shapes"
    summary: ClassVar[str] = "Replace tensor.dim of fsa results by their operands' dimensions"
    anchor: ClassVar[str] = "any"

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Resolve the dimensions inside `op`."""
        resolver = _Resolver(diagnostics)
        dims: list[Any] = []
        producers: list[Any] = []

        def visit(visited: Any) -> Any:
            if _is_dim_of_fsa(visited.operation):
                dims.append(visited.operation)
            if visited.operation.name.startswith("fsa."):
                producers.append(visited.operation)
            return ir.WalkResult.ADVANCE

        op.walk(visit, ir.WalkOrder.PRE_ORDER)
        needed = _needed(dims)
        for producer in producers:  # operands before their users
            if producer in needed:
                resolver.resolve(producer)
        for dim in dims:
            resolver.replace(dim)
        resolver.erase_unused()


def _is_dim_of_fsa(op: Any) -> bool:
    if op.name != "tensor.dim" or _producer(op.operands[0]) is None:
        return False
    number = op.operands[1].owner
    return not isinstance(number, ir.Block) and number.operation.name == "arith.constant"


def _producer(value: Any) -> Any:
    """Return the fsa op that `value` is a result of, or None."""
    if isinstance(value.owner, ir.Block) or not value.owner.operation.name.startswith("fsa."):
        return None
    return value.owner.operation


def _needed(dims: list[Any]) -> set[Any]:
    """Return the fsa ops whose result shapes the ops `dims` ask for, directly or by a chain."""
    pending = [_producer(dim.operands[0]) for dim in dims]
    needed: set[Any] = set()
    while pending:
        op = pending.pop()
        if op in needed:
            continue
        needed.add(op)
        pending += [found for operand in op.operands if (found := _producer(operand)) is not None]
    return needed


class _Resolver(ShapeBuilder):
    """Builds the shapes of ops and remembers them by result."""

    def __init__(self, diagnostics: Diagnostics):
        super().__init__(None, None)
        self.diagnostics = diagnostics
        self.known: dict[Any, list[Extent]] = {}

    def resolve(self, op: Any) -> None:
        """Compute the shapes of the results of `op` in front of it."""
        self.ip, self.location = ir.InsertionPoint(op), op.location
        try:
            shapes = op.opview.result_shape(op, self)
        except Unresolvable as reason:
            self.diagnostics.remark(op.location, f"the shape of '{op.name}' stays: {reason}")
            return
        self.known.update(zip(list(op.results), shapes, strict=True))

    def dims(self, value: Any) -> list[Extent]:
        """Return the extents of `value`, from what is known where it is an fsa result."""
        found = self.known.get(value)
        if found is None:
            return super().dims(value)
        # The type may know more than the shape does.
        own = type_dims(value.type)
        return [new if old is None else old for old, new in zip(own, found, strict=True)]

    def replace(self, dim: Any) -> None:
        """Replace a `tensor.dim` when the shape of its source is known."""
        shape = self.known.get(dim.operands[0])
        number = dim.operands[1].owner.attributes["value"].value
        if shape is None or not 0 <= number < len(shape):
            return
        self.ip, self.location = ir.InsertionPoint(dim), dim.location
        dim.results[0].replace_all_uses_with(self.value(shape[number]))
        dim.erase()

    def erase_unused(self) -> None:
        """Erase what was built and is not used, users before their operands."""
        for op in reversed(self.created):
            if not any(list(result.uses) for result in op.results):
                op.erase()
