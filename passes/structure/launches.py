"""Launches on CPUs and their kernels: finding them, and following what passes between them."""

import math
from typing import Any

from fsa.bindings import ir
from fsa.dialects.fsa.markers import KERNEL_MARKER

VIEWS = ("tensor.collapse_shape", "tensor.expand_shape", "tensor.cast")


def blocks_with_launches(module: Any) -> list[Any]:
    """Return the blocks of a module that hold launches."""
    blocks: dict[Any, None] = {}

    def visit(op: Any) -> Any:
        if op.operation.name == "fsa.launch":
            blocks[op.operation.block] = None
        return ir.WalkResult.ADVANCE

    module.walk(visit, ir.WalkOrder.PRE_ORDER)
    return list(blocks)


def cpu_kernels(module: Any) -> dict[str, Any]:
    """Return the kernels for CPUs by name, but those that IREE's passes run on first."""
    found: dict[str, Any] = {}
    for view in module.regions[0].blocks[0].operations:
        op = view.operation
        plain = op.name == "func.func" and "fsa.codegen_pipeline" not in op.attributes
        if plain and KERNEL_MARKER in op.attributes and len(op.regions[0].blocks) == 1:
            found[op.attributes["sym_name"].value] = op
    return found


def kernel_name(op: Any) -> str:
    """Return the name of the kernel that a launch runs."""
    return str(op.attributes["kernel"]).removeprefix("@")


def constant_of(value: Any) -> int | None:
    """Return the number that `value` is; None where it is no constant."""
    if isinstance(value.owner, ir.Block) or value.owner.operation.name != "arith.constant":
        return None
    return int(value.owner.attributes["value"].value)


def origin(value: Any) -> Any:
    """Return the tensor that `value` is a change of shape of."""
    while not isinstance(value.owner, ir.Block) and value.owner.operation.name in VIEWS:
        value = value.owner.operation.operands[0]
    return value


def source(value: Any) -> Any:
    """Return the op that makes `value`, looking through changes of shape; None for an argument."""
    made = origin(value)
    return None if isinstance(made.owner, ir.Block) else made.owner.operation


def stays(value: Any, inside: list[Any]) -> bool:
    """Tell whether only launches of `inside` use `value`, as it is or in another static shape."""
    for use in value.uses:
        user = use.owner.operation
        if user.name in VIEWS:
            if not user.results[0].type.has_static_shape or not stays(user.results[0], inside):
                return False
        elif user not in inside:
            return False
    return True


def erase_views(op: Any) -> None:
    """Erase the changes of shape of results of `op`, which nothing uses any more."""
    for result in op.results:
        for use in list(result.uses):
            view = use.owner.operation
            erase_views(view)
            view.erase()


def erase_unused_kernels(module: Any) -> None:
    """Erase the kernels that no launch names any more."""
    named: set[str] = set()

    def visit(op: Any) -> Any:
        if op.operation.name == "fsa.launch":
            named.add(kernel_name(op.operation))
        return ir.WalkResult.ADVANCE

    module.walk(visit, ir.WalkOrder.PRE_ORDER)
    for name, op in cpu_kernels(module).items():
        if name not in named:
            op.erase()


def bytes_of(kind: Any) -> int:
    """Return the bytes of a tensor or memref type of static shape."""
    return math.prod(kind.shape) * int(kind.element_type.width) // 8


def local_bytes(kernel: Any) -> int:
    """Return the bytes of the local buffers of a kernel."""
    found = 0

    def visit(op: Any) -> Any:
        nonlocal found
        if op.operation.name == "memref.alloca":
            found += bytes_of(op.operation.results[0].type)
        return ir.WalkResult.ADVANCE

    kernel.walk(visit, ir.WalkOrder.PRE_ORDER)
    return found
