"""Kernels as exports: an argument list becomes an interface of bindings and constants."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from fsa.errors import CompileError
from fsa.runtime.handover_kernels import Kernel
from fsa.runtime.handover_launches import dynamic_count, index_constant

_DIMENSIONS = "xyz"
_ALIGNMENT = 64  # bytes, of what a kernel reads and writes


def executable_source(name: str, where: Any) -> tuple[Any, Any]:
    """Create an empty `hal.executable.source` at the insertion point `where`.

    Returns the insertion point for its exports and the body of its inner module.
    """
    from iree.compiler import ir

    executable = ir.Operation.create(
        "hal.executable.source",
        attributes={
            "sym_name": ir.StringAttr.get(name),
            "sym_visibility": ir.StringAttr.get("private"),
        },
        regions=1,
        ip=where,
    )
    block = ir.Block.create_at_start(executable.regions[0], [])
    with ir.InsertionPoint(block):
        inner = ir.Operation.create("builtin.module", regions=1)
        body = ir.Block.create_at_start(inner.regions[0], [])
        ir.Operation.create("hal.executable.source_end")
    return ir.InsertionPoint(inner), body


def add_export(kernel: Kernel, ordinal: int, exports: Any, inner: Any) -> None:
    """Export `kernel` under its name; the launch's grid is the count of workgroups."""
    from iree.compiler import ir

    layout = kernel.layout()
    index = ir.IndexType.get()
    export = ir.Operation.create(
        "hal.executable.export",
        attributes={
            "sym_name": ir.StringAttr.get(kernel.name),
            "sym_visibility": ir.StringAttr.get("public"),
            "ordinal": ir.IntegerAttr.get(index, ordinal),
            "layout": layout,
        },
        regions=2,
        ip=exports,
    )
    device = ir.Type.parse("!hal.device")
    count = ir.Block.create_at_start(export.regions[0], [device, index, index, index])
    with ir.InsertionPoint(count):
        ir.Operation.create("hal.return", operands=list(count.arguments)[1:])
    for constant in kernel.constants_of_code:
        # As a binding; the attribute does not cross as text.
        word = ir.IntegerType.get_signless(64)
        constant.attributes["alignment"] = ir.IntegerAttr.get(word, _ALIGNMENT)
        inner.append(constant)
    with ir.InsertionPoint(inner):
        function = ir.Operation.create(
            "func.func",
            attributes={
                "sym_name": ir.StringAttr.get(kernel.name),
                "function_type": ir.TypeAttr.get(ir.FunctionType.get([], [])),
                "translation_info": kernel.translation(),
            },
            regions=1,
        )
    for block in list(kernel.function.regions[0].blocks):
        block.append_to(function.regions[0])
    _replace_arguments(kernel, layout, function)
    if kernel.is_gpu:
        _replace_gpu_ids(kernel, function)


def _replace_arguments(kernel: Kernel, layout: Any, function: Any) -> None:
    """Give `function` no arguments: constants, bindings, ids and workgroup memory instead."""
    from iree.compiler import ir

    entry = function.regions[0].blocks[0]
    arguments = list(entry.arguments)
    constants = iter(range(kernel.constants))
    last_interface = kernel.scalars + kernel.inputs + kernel.outputs
    with ir.InsertionPoint.at_block_begin(entry):
        zero = index_constant(0)
        for index, argument in enumerate(arguments):
            if index < kernel.scalars:
                value = _constant_load(layout, next(constants))
            elif index < last_interface:
                memref = ir.MemRefType(argument.type)
                dims = [
                    _as_index(_constant_load(layout, next(constants)))
                    for _ in range(dynamic_count(memref))
                ]
                _replace_dims(argument, memref, dims)
                binding = index - kernel.scalars
                read_only = binding < kernel.inputs
                value = _subspan(layout, binding, read_only, memref, zero, dims)
                for use, flat in _flattenings(argument):
                    size = [] if flat.has_static_shape else [_element_count(memref, dims)]
                    whole = _subspan(layout, binding, read_only, flat, zero, size)
                    use.results[0].replace_all_uses_with(whole)
                    use.erase()
            elif kernel.is_gpu:
                value = _attribution(kernel, index - last_interface, argument.type)
            else:
                value = _workgroup("id", index - last_interface)
            argument.replace_all_uses_with(value)
    for index in reversed(range(len(arguments))):
        entry.erase_argument(index)


def _replace_dims(argument: Any, memref: Any, dims: list[Any]) -> None:
    """Replace each `memref.dim` of `argument` by a constant or the value in `dims`."""
    from iree.compiler import ir

    shape = list(memref.shape)
    dynamic = [i for i in range(memref.rank) if memref.is_dynamic_dim(i)]
    users = [use.owner.operation for use in argument.uses]
    for user in [op for op in users if op.name == "memref.dim"]:
        source = user.operands[1].owner
        if not isinstance(source, ir.OpView | ir.Operation) or (
            source.operation.name != "arith.constant"
        ):
            raise CompileError(
                f"a kernel expected a constant dimension in memref.dim of an argument, found {user}"
            )
        axis = ir.IntegerAttr(source.operation.attributes["value"]).value
        value = dims[dynamic.index(axis)] if axis in dynamic else index_constant(shape[axis])
        user.results[0].replace_all_uses_with(value)
        user.erase()


def _flattenings(argument: Any) -> list[tuple[Any, Any]]:
    """Return the `memref.collapse_shape`s of `argument` to rank 1, each with its type.

    They become bindings of rank 1: IREE would fold them into every load and store, and divide each
    index into coordinates.
    """
    from iree.compiler import ir

    users = [use.owner.operation for use in argument.uses]
    collapses = [op for op in users if op.name == "memref.collapse_shape"]
    found = [(op, ir.MemRefType(op.results[0].type)) for op in collapses]
    return [(op, flat) for op, flat in found if flat.rank == 1]


def _element_count(memref: Any, dims: list[Any]) -> Any:
    """Return the number of elements of a memref whose `?` have the sizes `dims`."""
    from iree.compiler import ir

    known = 1
    for axis in range(memref.rank):
        known *= 1 if memref.is_dynamic_dim(axis) else memref.get_dim_size(axis)
    count = index_constant(known)
    for size in dims:
        count = ir.Operation.create(
            "arith.muli", results=[count.type], operands=[count, size]
        ).results[0]
    return count


def _replace_gpu_ids(kernel: Kernel, function: Any) -> None:
    """Turn block ids and grid sizes into IREE's, block sizes into constants, return into func's."""
    from iree.compiler import ir

    found: list[Any] = []

    def visit(op: Any) -> Any:
        if op.operation.name in _GPU_VALUES or op.operation.name == "gpu.return":
            found.append(op.operation)
        return ir.WalkResult.ADVANCE

    function.walk(visit)
    for op in found:
        with ir.InsertionPoint(op):
            if op.name == "gpu.return":
                ir.Operation.create("func.return")
            else:
                axis = _axis(op.attributes["dimension"])
                op.results[0].replace_all_uses_with(_GPU_VALUES[op.name](kernel, axis))
        op.erase()


def _axis(attribute: Any) -> int:
    """Return 0, 1 or 2 for a gpu dimension attribute, such as `#gpu<dim y>`."""
    match = re.search(r"\b([xyz])\b", str(attribute))
    assert match is not None, attribute
    return _DIMENSIONS.index(match[1])


def _workgroup(what: str, axis: int) -> Any:
    """Create `hal.interface.workgroup.id` or `.count`; return its result."""
    from iree.compiler import ir

    index = ir.IndexType.get()
    return ir.Operation.create(
        f"hal.interface.workgroup.{what}",
        results=[index],
        attributes={"dimension": ir.IntegerAttr.get(index, axis)},
    ).results[0]


_GPU_VALUES: dict[str, Callable[[Kernel, int], Any]] = {
    "gpu.block_id": lambda kernel, axis: _workgroup("id", axis),
    "gpu.grid_dim": lambda kernel, axis: _workgroup("count", axis),
    "gpu.block_dim": lambda kernel, axis: index_constant(kernel.workgroup_size[axis]),
}


def _attribution(kernel: Kernel, index: int, type_: Any) -> Any:
    """Create the memory of an attribution: `memref.alloc` in workgroup memory, `alloca` else."""
    from iree.compiler import ir

    memref = ir.MemRefType(type_)
    if any(memref.is_dynamic_dim(i) for i in range(memref.rank)):
        raise CompileError(
            f"kernel @{kernel.name} expected static workgroup memory, found attribution {index} "
            f"of type {memref}"
        )
    shared = "workgroup" in str(memref.memory_space)
    return ir.Operation.create(
        "memref.alloc" if shared else "memref.alloca",
        results=[memref],
        attributes={"operandSegmentSizes": ir.DenseI32ArrayAttr.get([0, 0])},
    ).results[0]


def _constant_load(layout: Any, ordinal: int) -> Any:
    from iree.compiler import ir

    return ir.Operation.create(
        "hal.interface.constant.load",
        results=[ir.IntegerType.get_signless(32)],
        attributes={"layout": layout, "ordinal": ir.IntegerAttr.get(ir.IndexType.get(), ordinal)},
    ).results[0]


def _subspan(
    layout: Any, binding: int, read_only: bool, memref: Any, offset: Any, dims: list[Any]
) -> Any:
    from iree.compiler import ir

    index = ir.IndexType.get()
    flags = 3 if read_only else 2  # ReadOnly = 1, Indirect = 2
    return ir.Operation.create(
        "hal.interface.binding.subspan",
        results=[memref],
        operands=[offset, *dims],
        attributes={
            "layout": layout,
            "binding": ir.IntegerAttr.get(index, binding),
            "alignment": ir.IntegerAttr.get(index, _ALIGNMENT),
            "descriptor_flags": ir.IntegerAttr.get(ir.IntegerType.get_signless(32), flags),
            "operandSegmentSizes": ir.DenseI32ArrayAttr.get([1, len(dims)]),
        },
    ).results[0]


def _as_index(value: Any) -> Any:
    """Widen a size that was passed as i32 and is never negative."""
    from iree.compiler import ir

    return ir.Operation.create(
        "arith.index_castui", results=[ir.IndexType.get()], operands=[value]
    ).results[0]
