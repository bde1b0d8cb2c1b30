"""Bodies of linalg.generic ops: copying them into ops with other operands."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fsa.bindings import arith, ir, linalg
from fsa.passes.patterns.tensors import index_constant, iterator_array
from fsa.passes.stitching.linear import Linear
from fsa.passes.structure.rewriting import remap, replace_op


def copy_body(
    block: Any, mapped: Mapping[Any, Any], results: Sequence[int] | None = None
) -> list[Any]:
    """Copy the ops of `block` to the insertion point and return what its terminator is given.

    `mapped` has the values that stand for the block's arguments, and for results of its ops that
    need no copy. With `results` only these values of the terminator, and what they need, are
    copied.
    """
    known = dict(mapped)
    *ops, terminator = [op.operation for op in block.operations]
    wanted = list(terminator.operands)
    if results is not None:
        wanted = [wanted[number] for number in results]
        needed = needed_values(block, wanted)
        ops = [op for op in ops if any(result in needed for result in op.results)]
    for op in ops:
        if all(result in known for result in op.results):
            continue
        copy = op.clone().operation
        remap(copy, known)
        known.update(zip(op.results, copy.results, strict=True))
    return [known.get(value, value) for value in wanted]


def copy_effects(block: Any, mapped: Mapping[Any, Any]) -> None:
    """Copy all ops of `block` but its terminator to the insertion point, in their order.

    `mapped` has the values that stand for the block's arguments.
    """
    known = dict(mapped)
    for view in list(block.operations)[:-1]:
        copy = view.operation.clone().operation
        remap(copy, known)
        known.update(zip(view.operation.results, copy.results, strict=True))


def needed_values(block: Any, wanted: Sequence[Any]) -> set[Any]:
    """Return the values that the values `wanted` of `block` are computed from, and these."""
    needed = set(wanted)
    for view in reversed(list(block.operations)):
        op = view.operation
        if any(result in needed for result in op.results):
            needed.update(_used(op))
    return needed


def _used(op: Any) -> set[Any]:
    used = set(op.operands)
    for region in op.regions:
        for block in region.blocks:
            for inner in block.operations:
                used |= _used(inner.operation)
    return used


def position_value(entry: Linear) -> Any:
    """Build the value of a subscript, inside a body, from the positions of the loops."""
    value: Any = None
    for loop, coefficient in entry.terms:
        term = linalg.IndexOp(loop).result
        if coefficient != 1:
            term = arith.muli(term, index_constant(coefficient))
        value = term if value is None else arith.addi(value, term)
    if value is None:
        return index_constant(entry.constant)
    return arith.addi(value, index_constant(entry.constant)) if entry.constant else value


def generic_op(
    inputs: Sequence[Any],
    outputs: Sequence[Any],
    maps: Sequence[Any],
    iterators: Any,
    body: Callable[..., Sequence[Any]],
) -> Any:
    """Build a linalg.generic on tensors and return it; its results have the types of `outputs`.

    `maps` are affine maps or their attributes, one an operand. `iterators` is the attribute of
    another op, or "parallel" or "reduction" for each loop. `body` gets the elements of the operands
    and returns those of the results; it is built at the new body.
    """
    attributes = [m if isinstance(m, ir.Attribute) else ir.AffineMapAttr.get(m) for m in maps]
    op = linalg.GenericOp(
        [value.type for value in outputs],
        list(inputs),
        list(outputs),
        ir.ArrayAttr.get(attributes),
        iterators if isinstance(iterators, ir.Attribute) else iterator_array(iterators),
    )
    kinds = [value.type for value in (*inputs, *outputs)]
    elements = [k.element_type if isinstance(k, ir.RankedTensorType) else k for k in kinds]
    block = op.regions[0].blocks.append(*elements)
    with ir.InsertionPoint(block):
        linalg.YieldOp(body(*block.arguments))
    return op.operation


def copied(block: Any, results: Sequence[int] | None = None) -> Callable[..., list[Any]]:
    """Return a body for `generic_op` that copies `block`, argument by argument."""

    def body(*arguments: Any) -> list[Any]:
        return copy_body(block, dict(zip(block.arguments, arguments, strict=True)), results)

    return body


def compute_inputs(op: Any, computed: Mapping[int, Callable[[], Any]]) -> Any:
    """Replace the generic `op` by one without the inputs `computed`, by number; return that.

    Each is called at the start of the new body, and gives the value that stands for the element of
    its input. `op` is erased.
    """
    operands, block = list(op.operands), op.regions[0].blocks[0]
    inputs = len(operands) - len(op.results)
    kept = [number for number in range(len(operands)) if number not in computed]
    maps = list(op.attributes["indexing_maps"])
    with op.location, ir.InsertionPoint(op):
        arguments = list(block.arguments)

        def body(*elements: Any) -> list[Any]:
            mapped = dict(zip((arguments[n] for n in kept), elements, strict=True))
            for number, compute in computed.items():
                mapped[arguments[number]] = compute()
            return copy_body(block, mapped)

        new = generic_op(
            [operands[number] for number in kept if number < inputs],
            operands[inputs:],
            [maps[number] for number in kept],
            op.attributes["iterator_types"],
            body,
        )
    replace_op(op, new.results)
    return new
