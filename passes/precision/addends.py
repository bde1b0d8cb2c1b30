"""What a sum adds up, as a tensor whose axes have names."""

from dataclasses import dataclass
from typing import Any

from fsa.bindings import ir, tensor
from fsa.dialects.fsa.shapes import type_dims
from fsa.passes.patterns.tensors import Size, dims, generic, size_of
from fsa.passes.precision.groups import owner_of
from fsa.passes.structure.bodies import copy_body


@dataclass(frozen=True)
class NamedAxes:
    """A tensor whose axes have names that survive reshaping and reducing."""

    value: Any
    names: tuple[int, ...]

    def extent(self, name: int) -> int | None:
        """Return the static size of an axis, None where it is dynamic."""
        return type_dims(self.value.type)[self.names.index(name)]


def is_sum(op: Any) -> bool:
    """Return whether `op` is a linalg.generic that adds f32 elements up along some loop."""
    if op.name != "linalg.generic" or len(op.results) != 1 or not reduced_loops(op):
        return False
    (block,) = op.regions[0].blocks
    combiner = owner_of(list(block.operations)[-1].operation.operands[0])
    accumulator = block.arguments[len(op.operands) - 1]
    return (
        isinstance(accumulator.type, ir.F32Type)
        and combiner is not None
        and combiner.name == "arith.addf"
        and combiner.block == block
        and len(list(accumulator.uses)) == 1
        and accumulator in list(combiner.operands)
    )


def reduced_loops(op: Any) -> list[int]:
    """Return the loops of a linalg.generic that add up."""
    kinds = op.attributes["iterator_types"]
    return [loop for loop, kind in enumerate(kinds) if "reduction" in str(kind)]


def named_subscripts(op: Any, number: int) -> tuple[int | None, ...] | None:
    """Return the loop of each subscript of an operand, None for 0; None if there are others."""
    names: list[int | None] = []
    for expression in ir.AffineMapAttr(op.attributes["indexing_maps"][number]).value.results:
        if isinstance(expression, ir.AffineDimExpr):
            names.append(expression.position)
        elif isinstance(expression, ir.AffineConstantExpr) and expression.value == 0:
            names.append(None)
        else:
            return None
    return tuple(names)


def addends_of(op: Any) -> NamedAxes | None:
    """Return what `op` adds up as a tensor whose axes are named as the loops of `op`.

    It is the input where the body adds that and nothing else; other addends are computed by an op
    of their own. None where the size of a loop cannot be told from one operand.
    """
    loops = len(op.attributes["iterator_types"])
    (block,) = op.regions[0].blocks
    if len(op.operands) == 2 and len(list(block.operations)) == 2:
        names = named_subscripts(op, 0)
        if names is not None and set(names) == set(range(loops)) and len(names) == loops:
            return NamedAxes(op.operands[0], tuple(name for name in names if name is not None))
    sizes = _loop_sizes(op, loops)
    if sizes is None:
        return None
    maps = [ir.AffineMapAttr(found).value for found in op.attributes["indexing_maps"]]
    *inputs, _ = zip(op.operands, [list(found.results) for found in maps], strict=True)
    init = tensor.empty(sizes, ir.F32Type.get())

    def addend(*elements: Any) -> Any:
        (total,) = copy_body(block, dict(zip(block.arguments, elements, strict=True)))
        addition = total.owner.operation
        (found,) = [value for value in addition.operands if value != elements[-1]]
        addition.erase()
        return found

    value = generic(inputs, (init, dims(loops)), "p" * loops, addend)
    return NamedAxes(value, tuple(range(loops)))


def _loop_sizes(op: Any, loops: int) -> list[Size] | None:
    """Return how often each loop runs; None where no operand has a loop as a subscript."""
    sizes: list[Size] = [None] * loops
    for number, value in enumerate(op.operands):
        if not isinstance(value.type, ir.RankedTensorType):
            continue
        found = ir.AffineMapAttr(op.attributes["indexing_maps"][number]).value
        for axis, expression in enumerate(found.results):
            if isinstance(expression, ir.AffineDimExpr) and sizes[expression.position] is None:
                sizes[expression.position] = size_of(value, axis)
    return None if any(size is None for size in sizes) else sizes
