"""The pass `fsa-embed-constants`."""

import math
from dataclasses import dataclass, field
from typing import Any, ClassVar

from fsa.bindings import ir, memref
from fsa.diagnostics import Diagnostics
from fsa.dialects.fsa.constants import attribute_of, constant_array
from fsa.dialects.fsa.markers import KERNEL_MARKER
from fsa.dialects.fsa.ops.launch import LaunchOperands, launch
from fsa.passes.base import Pass
from fsa.passes.emitter.symbols import fresh_name, kernel_names
from fsa.passes.structure.launches import kernel_name, launches_of
from fsa.passes.structure.rewriting import replace_op


@dataclass(frozen=True)
class FsaEmbedConstants(Pass):
    """Make small constants part of the CPU kernels that read them.

    Each tensor that a launch passes costs a binding, some tens of nanoseconds, which is a part of
    the half microsecond of a small kernel. A constant of at most `max-bytes` bytes that all
    launches of a kernel pass becomes a constant global, which the compiled code holds. Larger ones
    stay buffers: they outweigh the binding, and a module keeps one copy of them outside its code.
    """

    name: ClassVar[str] = "fsa-embed-constants"
    summary: ClassVar[str] = "Make small constants part of the CPU kernels that read them"

    max_bytes: int = field(
        default=1 << 12, metadata={"help": "bytes of a constant that becomes part of the code"}
    )

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Embed constants in the kernels of the module `op`."""
        launches: dict[str, list[Any]] = {}
        for found in launches_of(op):
            launches.setdefault(kernel_name(found), []).append(found)
        taken = kernel_names(op)
        for view in list(op.regions[0].blocks[0].operations):
            kernel = view.operation
            if kernel.name != "func.func" or KERNEL_MARKER not in kernel.attributes:
                continue
            users = launches.get(ir.StringAttr(kernel.attributes["sym_name"]).value, [])
            embedded = self._common(users)
            if embedded:
                first = len(LaunchOperands.of(users[0]).scalars)
                _embed(kernel, {first + at: value for at, value in embedded.items()}, taken)
                for user in users:
                    _relaunch(user, set(embedded))

    def _common(self, launches: list[Any]) -> dict[int, Any]:
        """Return the constants that all `launches` pass, by the number of the input."""
        passed = [LaunchOperands.of(op).inputs for op in launches]
        found: dict[int, Any] = {}
        for number, values in enumerate(zip(*passed, strict=True)):
            if self._is_small(values[0]) and all(_is_same(values[0], v) for v in values[1:]):
                found[number] = constant_array(values[0])
        return {number: array for number, array in found.items() if array is not None}

    def _is_small(self, value: Any) -> bool:
        if isinstance(value.owner, ir.Block) or value.owner.operation.name != "arith.constant":
            return False
        count = math.prod(value.type.shape)
        return 0 < count * value.type.element_type.width <= 8 * self.max_bytes


def _is_same(one: Any, other: Any) -> bool:
    if one == other:
        return True
    owner = other.owner
    return (
        not isinstance(owner, ir.Block)
        and owner.operation.name == "arith.constant"
        and owner.operation.attributes["value"] == one.owner.operation.attributes["value"]
    )


def _embed(kernel: Any, arrays: dict[int, Any], taken: set[str]) -> None:
    """Give `kernel` globals in place of the arguments with the numbers in `arrays`.

    The names of the globals are not among those `taken`, and are added to them.
    """
    block = kernel.regions[0].blocks[0]
    arguments = list(block.arguments)
    with kernel.location:
        for number, array in arrays.items():
            argument = arguments[number]
            _replace_flattened(kernel, argument, array, taken)
            if list(argument.uses):
                value = _global(kernel, argument.type, array, taken)
                argument.replace_all_uses_with(value)
        kinds = [a.type for number, a in enumerate(arguments) if number not in arrays]
        for number in sorted(arrays, reverse=True):
            block.erase_argument(number)
        kernel.attributes["function_type"] = ir.TypeAttr.get(ir.FunctionType.get(kinds, []))


def _replace_flattened(kernel: Any, argument: Any, array: Any, taken: set[str]) -> None:
    """Replace the views of rank 1 of `argument` by a global of rank 1: addresses stay simple."""
    users = [use.owner.operation for use in argument.uses]
    views = [op for op in users if op.name == "memref.collapse_shape"]
    flat = [op for op in views if len(op.results[0].type.shape) == 1]
    if flat:
        value = _global(kernel, flat[0].results[0].type, array, taken)
        for op in flat:
            replace_op(op, [value])


def _global(kernel: Any, kind: Any, array: Any, taken: set[str]) -> Any:
    """Make a constant global of type `kind` in front of `kernel`; return its memref inside."""
    name = fresh_name(taken, ir.StringAttr(kernel.attributes["sym_name"]).value + "_constant")
    taken.add(name)
    with ir.InsertionPoint(kernel):
        memref.global_(
            ir.StringAttr.get(name),
            ir.TypeAttr.get(kind),
            sym_visibility=ir.StringAttr.get("private"),
            initial_value=attribute_of(array.reshape(kind.shape), kind.element_type),
            constant=True,
        )
    with ir.InsertionPoint.at_block_begin(kernel.regions[0].blocks[0]):
        return memref.get_global(kind, name)


def _relaunch(op: Any, embedded: set[int]) -> None:
    """Replace a launch by one without the inputs whose numbers are in `embedded`."""
    operands = LaunchOperands.of(op)
    inputs = [value for number, value in enumerate(operands.inputs) if number not in embedded]
    dropped = [operands.inputs[number] for number in embedded]
    with op.location, ir.InsertionPoint(op):
        made = launch(
            kernel_name(op),
            grid=operands.grid,
            inputs=inputs,
            result_types=[result.type for result in op.results],
            result_dims=operands.result_dims,
            scalars=operands.scalars,
        ).operation
    for attribute in op.attributes:
        name = attribute if isinstance(attribute, str) else attribute.name
        if name not in made.attributes:
            made.attributes[name] = op.attributes[name]
    owners = list(dict.fromkeys(value.owner.operation for value in dropped))
    replace_op(op, list(made.results))
    for owner in owners:
        if not list(owner.results[0].uses):
            owner.erase()
