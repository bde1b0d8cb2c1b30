"""The pass `fsa-merge-launches`."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from fsa.bindings import ir, memref
from fsa.diagnostics import Diagnostics
from fsa.dialects.fsa.ops.launch import LaunchOperands, launch
from fsa.dialects.fsa.variadic import MAX_INPUTS
from fsa.passes.base import Pass
from fsa.passes.emitter.types import memref_type
from fsa.passes.structure.bodies import copy_effects
from fsa.passes.structure.launches import (
    blocks_with_launches,
    bytes_of,
    constant_of,
    cpu_kernels,
    erase_unused_kernels,
    erase_views,
    kernel_name,
    local_bytes,
    new_cpu_kernel,
    origin,
    source,
    stays,
)
from fsa.passes.structure.rewriting import replace_op


@dataclass(frozen=True)
class FsaMergeLaunches(Pass):
    """Join CPU launches that one worker runs one after the other into one kernel.

    A launch of one workgroup has nothing to share out, so small networks spend their time on
    launches: each costs about half a microsecond. Launches of one workgroup, of static shapes,
    where nothing else uses what one leaves for the next, become one kernel that runs their bodies
    in order, as SBNN runs a whole network (A. Li et al., SC'19). What they leave for each other is
    memory of the worker, at most `max-bytes` bytes with what the kernels hold themselves.
    """

    name: ClassVar[str] = "fsa-merge-launches"
    summary: ClassVar[str] = "Join launches of one workgroup that follow each other"

    max_bytes: int = field(
        default=1 << 16, metadata={"help": "bytes of local memory of a merged kernel"}
    )

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Merge the launches inside the module `op`."""
        kernels = cpu_kernels(op)
        if not kernels:
            return
        for block in blocks_with_launches(op):
            launches = [o.operation for o in block.operations if o.operation.name == "fsa.launch"]
            chains = _chains([found for found in launches if _is_small(found, kernels)])
            for chain in chains:
                fitting = next((c for c in _closed(chain) if self._fits(c, kernels)), [])
                if fitting:
                    _merge(op, fitting, kernels)
        erase_unused_kernels(op)

    def _fits(self, chain: list[Any], kernels: dict[str, Any]) -> bool:
        inner = [result for found in chain[:-1] for result in found.results]
        size = sum(bytes_of(result.type) for result in inner)
        size += sum(local_bytes(kernels[kernel_name(found)]) for found in chain)
        return size <= self.max_bytes and len(_outer_inputs(chain)) <= MAX_INPUTS


def _is_small(op: Any, kernels: dict[str, Any]) -> bool:
    """Tell whether a launch runs one workgroup on tensors of static shapes, none of them empty."""
    operands = LaunchOperands.of(op)
    types = [value.type for value in (*operands.inputs, *op.results)]
    return (
        kernel_name(op) in kernels
        and not operands.scalars
        and all(constant_of(size) == 1 for size in operands.grid)
        and all(type.has_static_shape and 0 not in type.shape for type in types)
    )


def _chains(launches: list[Any]) -> list[list[Any]]:
    """Return runs of launches, each of which reads what the ones before it leave."""
    chains: list[list[Any]] = []
    current: list[Any] = []
    for op in launches:
        if current and not any(_is_in(source(value), current) for value in op.operands):
            chains.append(current)
            current = []
        current.append(op)
    chains.append(current)
    return chains


def _closed(chain: list[Any]) -> list[list[Any]]:
    """Return the starts of a chain, longest first, of whose results only the last one's leave."""
    starts = [chain[:length] for length in range(len(chain), 1, -1)]
    return [
        inside
        for inside in starts
        if all(stays(result, inside) for op in inside[:-1] for result in op.results)
    ]


def _is_in(op: Any, ops: list[Any]) -> bool:
    return op is not None and op in ops


def _outer_inputs(chain: list[Any]) -> list[Any]:
    """Return the tensors that a chain takes from outside, each once."""
    found: dict[Any, None] = {}
    for op in chain:
        for value in LaunchOperands.of(op).inputs:
            if not _is_in(source(value), chain):
                found[value] = None
    return list(found)


def _merge(module: Any, chain: list[Any], kernels: dict[str, Any]) -> None:
    """Replace the launches of `chain` by one, in the place of the last."""
    inputs, last = _outer_inputs(chain), chain[-1]
    results = [result.type for result in last.results]
    kinds = [*[value.type for value in inputs], *results]
    with last.location:
        with new_cpu_kernel(module, "merged", kinds) as (name, block):
            arguments = list(block.arguments)
            memories = dict(zip(inputs, arguments, strict=False))
            memories.update(zip(last.results, arguments[len(inputs) :], strict=False))
            _Body(chain, memories, arguments[-3:], kernels).emit()
        with ir.InsertionPoint(last):
            new = launch(name, grid=(1, 1, 1), inputs=inputs, result_types=results)
    replace_op(last, list(new.operation.results))
    for op in reversed(chain[:-1]):
        erase_views(op)
        op.erase()


@dataclass
class _Body:
    """Fills a merged kernel; `memories` has the memref of each tensor that comes in or goes out."""

    chain: list[Any]
    memories: dict[Any, Any]
    ids: list[Any]
    kernels: dict[str, Any]

    def emit(self) -> None:
        """Copy the bodies of the kernels in order, with memory for what stays inside."""
        for op in self.chain[:-1]:
            for result in op.results:
                self.memories[result] = memref.alloca(memref_type(result.type), [], [])
        for op in self.chain:
            operands = LaunchOperands.of(op)
            values = [self._memory(value) for value in (*operands.inputs, *op.results)]
            body = self.kernels[kernel_name(op)].regions[0].blocks[0]
            copy_effects(body, dict(zip(body.arguments, [*values, *self.ids], strict=True)))

    def _memory(self, value: Any) -> Any:
        """Return the memref of a tensor; of another shape of one, the same memory in that shape."""
        if value not in self.memories:
            kind = memref_type(value.type)
            self.memories[value] = memref.reinterpret_cast(
                kind,
                self.memories[origin(value)],
                [],
                [],
                [],
                [0],
                list(kind.shape),
                kind.get_strides_and_offset()[0],
            )
        return self.memories[value]
