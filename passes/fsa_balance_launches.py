"""The pass `fsa-balance-launches`."""

from dataclasses import dataclass
from typing import Any, ClassVar

from fsa.bindings import arith, ir, scf
from fsa.diagnostics import Diagnostics
from fsa.dialects.fsa.ops.launch import LaunchOperands
from fsa.passes.base import Pass
from fsa.passes.emitter.symbols import fresh_kernel_name
from fsa.passes.patterns.tensors import index_constant
from fsa.passes.plans import target_of
from fsa.passes.structure.even_counts import even_count
from fsa.passes.structure.launches import (
    blocks_with_launches,
    constant_of,
    cpu_kernels,
    kernel_name,
)


@dataclass(frozen=True)
class FsaBalanceLaunches(Pass):
    """Give every CPU launch a number of workgroups that the workers share evenly.

    IREE's workers take eight workgroups at a time where there are at least eight for each, so of
    24 equal ones, on two cores, one core runs 16. Each workgroup of a launch that would end
    unevenly runs several neighbouring tasks instead, out of fewer workgroups, in a loop around the
    kernel's body; what a kernel allocates stays outside of that loop. Only launches along one axis
    whose count is a constant are changed, for targets of several cores.
    """

    name: ClassVar[str] = "fsa-balance-launches"
    summary: ClassVar[str] = "Share the workgroups of CPU launches evenly"

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Change the launches inside the module `op` and their kernels."""
        kernels = cpu_kernels(op)
        if not kernels:
            return
        cores = target_of(op, "cpu").cores
        launches: dict[str, list[tuple[Any, int]]] = {}
        for block in blocks_with_launches(op):
            for view in block.operations:
                found = view.operation
                if found.name == "fsa.launch" and kernel_name(found) in kernels:
                    tasks = _tasks(found)
                    launches.setdefault(kernel_name(found), []).append((found, tasks))
        for name, found in launches.items():
            counts = {tasks for _, tasks in found}
            for tasks in sorted(counts):
                shared = even_count(tasks, cores)
                if shared < tasks:
                    some = [launch for launch, number in found if number == tasks]
                    kernel = kernels[name] if len(counts) == 1 else _copy(op, kernels[name], some)
                    _loop_over(kernel, tasks, shared)
                    for launch in some:
                        _set_count(launch, shared)


def _tasks(op: Any) -> int:
    """Return the workgroups of a launch along its one axis; 0 where there are more, or open."""
    sizes = [constant_of(size) for size in LaunchOperands.of(op).grid]
    return sizes[0] or 0 if sizes[1:] == [1, 1] else 0


def _copy(module: Any, kernel: Any, launches: list[Any]) -> Any:
    """Return a copy of a kernel under a new name, which `launches` run from now on."""
    name = fresh_kernel_name(module, "balanced")
    copy = kernel.clone(ip=ir.InsertionPoint(kernel)).operation
    copy.attributes["sym_name"] = ir.StringAttr.get(name, context=kernel.context)
    for launch in launches:
        launch.attributes["kernel"] = ir.SymbolRefAttr.get([name], kernel.context)
    return copy


def _set_count(op: Any, count: int) -> None:
    with op.location, ir.InsertionPoint(op):
        op.operands[0] = index_constant(count)


def _loop_over(kernel: Any, tasks: int, workgroups: int) -> None:
    """Let each of `workgroups` workgroups run its share of `tasks` tasks, in their order."""
    block = kernel.regions[0].blocks[0]
    *body, terminator = [view.operation for view in block.operations]
    own = list(block.arguments)[-3]
    inside = [op for op in body if op.name not in ("memref.alloca", "arith.constant")]
    with kernel.location, ir.InsertionPoint(terminator):
        zero, one = index_constant(0), index_constant(1)
        loop = scf.ForOp(zero, zero, one)
        with ir.InsertionPoint(loop.body):
            end = scf.YieldOp([]).operation
    own.replace_all_uses_with(loop.induction_variable)
    for op in inside:
        op.move_before(end)
    with kernel.location, ir.InsertionPoint(loop):
        first = _start(own, tasks, workgroups)
        last = _start(arith.addi(own, index_constant(1)), tasks, workgroups)
    loop.operation.operands[0], loop.operation.operands[1] = first, last


def _start(workgroup: Any, tasks: int, workgroups: int) -> Any:
    """Build the number of the first task of a workgroup."""
    if tasks % workgroups == 0:
        return arith.muli(workgroup, index_constant(tasks // workgroups))
    return arith.divui(arith.muli(workgroup, index_constant(tasks)), index_constant(workgroups))
