"""Branches in IREE's context: what an `scf.if` yields gets a place in memory of its own.

IREE 3.13 puts the tensors that one side of a branch makes into one allocation and passes their
offsets through the branch as further results. Its integer range analysis knows nothing of an offset
behind a tensor of dynamic size (`util.align` of an unbounded size sets no range), and takes "known
nothing of" for "never reached" where the sides meet: an offset that is 0 on one side becomes 0 on
both, and one result silently holds another's data. `separate_branches` keeps offsets out of
branches. docs/decisions.md has the story.
"""

from __future__ import annotations

from typing import Any

from fsa.runtime.handover_launches import barrier, dynamic_dims, index_constant, tied

_BRANCH = "scf.if"
_DISPATCH = "flow.dispatch"
_EMPTY = "tensor.empty"
_VIEWS = ("tensor.cast", "tensor.collapse_shape", "tensor.expand_shape")


def separate_branches(module: Any) -> None:
    """Put a barrier behind every tensor that an `scf.if` yields, and before its condition.

    The barrier on a tensor ends what IREE knows of its place; the one on the condition keeps IREE
    from joining neighbouring branches. Functions without a tensor of dynamic size stay as they are:
    there all offsets are constants.
    """
    for function in module.body.operations:
        branches: list[Any] = []
        if _collect(function.operation, branches):
            for branch in branches:
                _separate(branch)


def _collect(op: Any, branches: list[Any]) -> bool:
    """Append the branches inside `op` that yield tensors; say whether a tensor is dynamic."""
    dynamic = False
    for region in op.regions:
        for block in region.blocks:
            dynamic |= any(_is_dynamic(argument) for argument in block.arguments)
            for inner in block.operations:
                inner = inner.operation
                results = list(inner.results)
                dynamic |= any(_is_dynamic(result) for result in results)
                if inner.name == _BRANCH and any(_is_tensor(result) for result in results):
                    branches.append(inner)
                dynamic |= _collect(inner, branches)
    return dynamic


def _separate(branch: Any) -> None:
    from iree.compiler import ir

    with branch.location:
        with ir.InsertionPoint(branch):
            branch.operands[0] = barrier(branch.operands[0])
        for region in branch.regions:
            terminator = list(region.blocks[0].operations)[-1].operation
            with ir.InsertionPoint(terminator):
                for index, value in enumerate(list(terminator.operands)):
                    if _is_tensor(value):
                        terminator.operands[index] = _placed(value, region.blocks[0])


def _placed(tensor: Any, block: Any) -> Any:
    """Return `tensor` behind a barrier, in memory that nothing else names.

    What follows the branch may overwrite its result in place, and IREE does not see another name
    of the same memory: a value from outside, or an equal one that it merged with this one. What
    the branch makes itself is kept from being merged; anything else is copied.
    """
    dims = dynamic_dims(tensor)
    uses = sum(use.owner.operation.name != "tensor.dim" for use in tensor.uses)
    if uses > 1 or not _keep_apart(tensor, block):
        tensor = _copied(tensor, dims)
    return tied(barrier(tensor), dims)


def _keep_apart(tensor: Any, block: Any) -> bool:
    """Make what computes `tensor` in `block` unlike any other op by a size that IREE cannot see.

    Returns False, with nothing changed, where `tensor` comes from outside or from an op that this
    does not know.
    """
    from iree.compiler import ir

    if isinstance(tensor.owner, ir.Block) or tensor.owner.operation.block != block:
        return False
    op = tensor.owner.operation
    if op.name == _BRANCH:
        return True  # its own results are behind barriers
    if op.name == _DISPATCH:
        where = 0
    elif op.name in _VIEWS:
        return _keep_apart(op.operands[0], block)
    elif op.name.startswith("linalg."):
        where = len(op.operands) - len(op.results) + tensor.result_number
        return _keep_apart_from_init(op, where, block)
    else:
        return False
    with ir.InsertionPoint(op), op.location:
        op.operands[where] = barrier(op.operands[where])
    return True


def _keep_apart_from_init(op: Any, where: int, block: Any) -> bool:
    """Do the same through operand `where` of a linalg op, which it writes its result over."""
    from iree.compiler import ir

    init = op.operands[where]
    if isinstance(init.owner, ir.Block):
        return False
    producer = init.owner.operation
    if producer.name != _EMPTY:
        return _keep_apart(init, block)
    if not list(producer.operands):
        return False
    with ir.InsertionPoint(op), op.location:
        sizes = [barrier(size) for size in producer.operands]
        fresh = ir.Operation.create(_EMPTY, results=[init.type], operands=sizes)
    op.operands[where] = fresh.results[0]
    return True


def _copied(tensor: Any, dims: list[Any]) -> Any:
    """Copy a tensor, element by element from places that IREE cannot see: no copy it can omit."""
    from iree.compiler import ir

    type_ = ir.RankedTensorType(tensor.type)
    index = ir.IndexType.get()
    hidden = barrier(index_constant(0))
    empty = ir.Operation.create(_EMPTY, results=[type_], operands=dims).results[0]
    loops = ir.AffineMap.get_identity(type_.rank)
    parallel = ir.Attribute.parse("#linalg.iterator_type<parallel>")
    copy = ir.Operation.create(
        "linalg.generic",
        results=[type_],
        operands=[empty],
        attributes={
            "indexing_maps": ir.ArrayAttr.get([ir.AffineMapAttr.get(loops)]),
            "iterator_types": ir.ArrayAttr.get([parallel] * type_.rank),
            "operandSegmentSizes": ir.DenseI32ArrayAttr.get([0, 1]),
        },
        regions=1,
    )
    body = copy.regions[0].blocks.append(type_.element_type)
    with ir.InsertionPoint(body):
        places: list[Any] = []
        for axis in range(type_.rank):
            number = ir.IntegerAttr.get(ir.IntegerType.get_signless(64), axis)
            place = ir.Operation.create(
                "linalg.index", results=[index], attributes={"dim": number}
            ).results[0]
            places.append(
                ir.Operation.create("arith.addi", results=[index], operands=[place, hidden]).result
            )
        element = ir.Operation.create(
            "tensor.extract", results=[type_.element_type], operands=[tensor, *places]
        ).results[0]
        ir.Operation.create("linalg.yield", operands=[element])
    return copy.results[0]


def _is_tensor(value: Any) -> bool:
    from iree.compiler import ir

    return isinstance(value.type, ir.RankedTensorType)


def _is_dynamic(value: Any) -> bool:
    return _is_tensor(value) and not value.type.has_static_shape
