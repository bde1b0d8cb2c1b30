"""The body of a scheduled region on buffers, by upstream's one-shot bufferization."""

from collections.abc import Callable
from math import prod
from typing import Any

from fsa.bindings import bufferization, func, ir, linalg, passmanager, tensor
from fsa.passes.base import PassError
from fsa.passes.emitter.types import memref_type
from fsa.passes.patterns.stitched_region import inline
from fsa.runtime.targets import STACK_BYTES

# Fusing a producer into a loop copies it for each of its users; equal copies become one here.
_SIMPLIFY = "builtin.module(canonicalize,cse)"
_BUFFERIZE = (
    "builtin.module(eliminate-empty-tensors,one-shot-bufferize,canonicalize,cse,canonicalize)"
)
_LOOPS = (
    "func.func(scf-forall-to-for,convert-linalg-to-loops,fold-memref-alias-ops,"
    f"promote-buffers-to-stack{{max-alloc-size-in-bytes={STACK_BYTES} "
    "max-rank-of-allocated-memref=8},canonicalize,cse)"
)
# Vectors of any rank, multi-dimensional reductions and transposes are taken apart by IREE.
_CODEGEN = "fsa.codegen_pipeline", "iree-codegen-llvmcpu-vector-lowering-pipeline"


def bufferize(region: Any) -> Any:
    """Return a module with one function on memrefs that does what the body of a region does.

    Its arguments are the operands of the region, then a memref for each result. Raises `PassError`.
    """
    module = ir.Module.create()
    results = [memref_type(result.type) for result in region.results]
    types = [
        memref_type(value.type) if isinstance(value.type, ir.RankedTensorType) else value.type
        for value in region.operands
    ]
    with ir.InsertionPoint(module.body):
        function = func.FuncOp("scheduled", ([*types, *results], []))
        block = function.add_entry_block()
    with ir.InsertionPoint(block):
        copy = region.clone().operation
        for number, operand in enumerate(region.operands):
            value = block.arguments[number]
            if isinstance(operand.type, ir.RankedTensorType):
                value = bufferization.to_tensor(operand.type, value, restrict=True)
                copy.move_after(value.owner)
            copy.operands[number] = value
        for value, memref in zip(inline(copy), list(block.arguments)[len(types) :], strict=True):
            bufferization.materialize_in_destination(
                None, value, memref, restrict=True, writable=True
            )
        copy.erase()
        func.ReturnOp([])
    try:
        passmanager.PassManager.parse(_SIMPLIFY).run(module.operation)
        _separate_empties(module)
        passmanager.PassManager.parse(_BUFFERIZE).run(module.operation)
    except ir.MLIRError as error:
        raise PassError(
            region.location, f"the schedule cannot be bufferized: {str(error).splitlines()[0]}"
        ) from None
    return module


def _separate_empties(module: Any) -> None:
    """Give each user of a `tensor.empty` its own, and a slice of one the size that it needs.

    One that a result is written to is then not taken for the start of another value, which would be
    copied from it, and a tile takes the memory of a tile.
    """
    while slices := _find(module.operation, _slices_empty):
        for op in slices:
            _replace_by_empty(op)
    for op in _find(module.operation, lambda op: op.name == "tensor.empty"):
        for use in list(op.results[0].uses)[1:]:
            with ir.InsertionPoint(op):
                use.owner.operation.operands[use.operand_number] = op.clone().operation.results[0]


def _find(root: Any, wanted: Callable[[Any], bool]) -> list[Any]:
    found: list[Any] = []

    def visit(view: Any) -> Any:
        if wanted(view.operation):
            found.append(view.operation)
        return ir.WalkResult.ADVANCE

    root.walk(visit)
    return found


def _slices_empty(op: Any) -> bool:
    if op.name != "tensor.extract_slice":
        return False
    owner = op.operands[0].owner
    return not isinstance(owner, ir.Block) and owner.operation.name == "tensor.empty"


def _replace_by_empty(op: Any) -> None:
    """Replace a slice of a `tensor.empty` by one of the slice's size."""
    type_ = op.results[0].type
    counts = list(op.attributes["operandSegmentSizes"])
    sizes = iter(list(op.operands)[counts[0] + counts[1] :][: counts[2]])
    shape = [
        next(sizes) if type_.is_dynamic_dim(axis) else size for axis, size in enumerate(type_.shape)
    ]
    with ir.InsertionPoint(op), op.location:
        op.results[0].replace_all_uses_with(tensor.empty(shape, type_.element_type))
    op.erase()


def lower_loops(function: Any, region: Any) -> None:
    """Turn what is left of linalg in a kernel into loops, and its buffers into stack memory.

    Raises `PassError` at `region` where the buffers take more than a stack has.
    """
    for op in _find(function, lambda op: op.name == "memref.copy"):
        with ir.InsertionPoint(op), op.location:
            linalg.copy(op.operands[0], outs=[op.operands[1]])
        op.erase()
    passmanager.PassManager.parse(_LOOPS).run(function)
    buffers = _place_buffers(function)
    if buffers is None or buffers > STACK_BYTES:
        found = "one that is larger, or open" if buffers is None else f"{buffers} bytes"
        raise PassError(
            region.location,
            f"expected the buffers of a scheduled region to take at most {STACK_BYTES} bytes, "
            f"found {found}: fuse producers into the loops that use them, or tile further",
        )
    name, pipeline = _CODEGEN
    function.attributes[name] = ir.StringAttr.get(pipeline)


def _place_buffers(function: Any) -> int | None:
    """Move the stack buffers of a kernel to its start; return their bytes, None where one stayed
    on the heap.

    A buffer inside of a loop would take new memory in every iteration. Their alignment goes: IREE
    reads it in another place of the text, and vectors of a kernel need none.
    """
    if _find(function, lambda op: op.name == "memref.alloc"):
        return None
    start = next(iter(function.regions[0].blocks[0].operations)).operation
    total = 0
    for op in _find(function, lambda op: op.name == "memref.alloca"):
        type_ = op.results[0].type
        total += prod(type_.shape) * max(1, type_.element_type.width // 8)
        if "alignment" in op.attributes:
            del op.attributes["alignment"]
        if op != start:
            op.move_before(start)
    return total
