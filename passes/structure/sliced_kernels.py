"""One kernel for consecutive layers of a batch, some images at a time; see `fsa-slice-launches`."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from fsa.bindings import arith, ir, memref, scf
from fsa.dialects.fsa.ops.launch import LaunchOperands, launch
from fsa.passes.emitter.types import memref_type
from fsa.passes.structure.launches import (
    VIEWS,
    constant_of,
    erase_views,
    kernel_name,
    new_cpu_kernel,
    origin,
    source,
    stays,
)
from fsa.passes.structure.rewriting import remap
from fsa.passes.structure.shares import ACCESSES

STREAMING = "fsa.streaming"


@dataclass(frozen=True)
class Sliced:
    """Launches of `images` images that `workgroups` run `size` images at a time."""

    chain: list[Any]
    images: int
    size: int
    workgroups: int

    @cached_property
    def inputs(self) -> list[Any]:
        """The tensors that the chain takes from outside, each once."""
        found: dict[Any, None] = {}
        for op in self.chain:
            for value in LaunchOperands.of(op).inputs:
                maker = source(value)
                if maker is None or maker not in self.chain:
                    found[value] = None
        return list(found)

    @cached_property
    def kept(self) -> list[Any]:
        """The results that are used outside of the chain."""
        results = [result for op in self.chain for result in op.results]
        return [result for result in results if not stays(result, self.chain)]

    @cached_property
    def slots(self) -> dict[Any, int]:
        """Which scratch array holds each result that stays inside, from launch to launch."""
        last = {
            origin(value): number
            for number, op in enumerate(self.chain)
            for value in LaunchOperands.of(op).inputs
        }
        kept, found, busy = set(self.kept), dict[Any, int](), list[tuple[Any, int]]()
        for number, op in enumerate(self.chain):
            for result in op.results:
                if result in kept:
                    continue
                until = last.get(result, number)
                free = (
                    slot
                    for slot, (kind, end) in enumerate(busy)
                    if kind == result.type and end < number
                )
                slot = next(free, len(busy))
                busy[slot : slot + 1] = [(result.type, until)]
                found[result] = slot
        return found

    @cached_property
    def scratch(self) -> list[Any]:
        """The types of the scratch arrays, as for the whole batch."""
        kinds = {slot: result.type for result, slot in self.slots.items()}
        return [kinds[slot] for slot in sorted(kinds)]

    def held(self, kind: Any) -> list[int]:
        """Return the shape of what all workgroups hold of an array of type `kind`."""
        part = int(kind.shape[0]) // self.images
        return [self.workgroups * self.size * part, *list(kind.shape)[1:]]


def merge(module: Any, sliced: Sliced, kernels: Mapping[str, Any]) -> None:
    """Replace the launches of a chain by one, in the place of the last."""
    last = sliced.chain[-1]
    scratch = [ir.RankedTensorType.get(sliced.held(k), k.element_type) for k in sliced.scratch]
    results = [*[value.type for value in sliced.kept], *scratch]
    kinds = [*[value.type for value in sliced.inputs], *results]
    with last.location:
        with new_cpu_kernel(module, "sliced", kinds) as (name, block):
            _Body(sliced, kernels, block).emit()
        with ir.InsertionPoint(last):
            grid = (sliced.workgroups, 1, 1)
            new = launch(name, grid=grid, inputs=sliced.inputs, result_types=results)
    for old, value in zip(sliced.kept, new.operation.results, strict=False):
        old.replace_all_uses_with(value)
    for op in reversed(sliced.chain):
        erase_views(op)
        op.erase()
    _move_views(new.operation, new.operation)


def _move_views(op: Any, place: Any) -> None:
    """Put the changes of shape of results of `op` right behind `place`; erase what nothing uses."""
    for result in op.results:
        for use in list(result.uses):
            view = use.owner.operation
            if view.name not in VIEWS:
                continue
            view.move_after(place)
            _move_views(view, view)
            if not list(view.results[0].uses):
                view.erase()


class _Body:
    """Fills the kernel of a chain."""

    def __init__(self, sliced: Sliced, kernels: Mapping[str, Any], block: Any):
        self.sliced, self.kernels, self.block = sliced, kernels, block
        arguments = list(block.arguments)
        taken = len(sliced.inputs)
        self.whole = dict(zip((*sliced.inputs, *sliced.kept), arguments, strict=False))
        self.scratch = arguments[taken + len(sliced.kept) : -3]
        self.group = arguments[-3]

    def emit(self) -> None:
        """Emit a loop over the slices of a workgroup, in it the layers, in each its tasks."""
        sliced = self.sliced
        self.zero, self.one = _index(0), _index(1)
        slices = scf.ForOp(
            self.group, _index(sliced.images // sliced.size), _index(sliced.workgroups)
        )
        with ir.InsertionPoint(slices.body):
            number = slices.induction_variable
            # Scratch begins with the workgroup's images, the batch with those of the first slice.
            behind = arith.subi(number, self.group)
            for op in sliced.chain:
                self._layer(op, number, behind)
            scf.YieldOp([])

    def _layer(self, op: Any, number: Any, behind: Any) -> None:
        operands = LaunchOperands.of(op)
        tasks = (constant_of(operands.grid[0]) or 0) // self.sliced.images * self.sliced.size
        body = self.kernels[kernel_name(op)].regions[0].blocks[0]
        known: dict[Any, Any] = {}
        inner: list[Any] = []
        memories = list(body.arguments)[:-3]
        for argument, value in zip(memories, (*operands.inputs, *op.results), strict=True):
            known[argument] = self._memory(value)
            if origin(value) in self.sliced.slots:
                inner.append(known[argument])
        start = arith.muli(number, _index(tasks))
        loop = scf.ForOp(start, arith.addi(start, _index(tasks)), self.one)
        known.update(
            zip(body.arguments[-3:], (loop.induction_variable, self.zero, self.zero), strict=True)
        )
        with ir.InsertionPoint(loop.body):
            self._copy(body, known)
            scf.YieldOp([])
        for view in inner:
            # As many entries of this array as the images of a slice have.
            entries = int(view.type.shape[0]) // self.sliced.workgroups
            with ir.InsertionPoint(loop):
                distance = arith.muli(behind, _index(entries))
            self._move(view, distance)

    def _copy(self, body: Any, known: dict[Any, Any]) -> None:
        """Copy a task to the insertion point; its local memory goes to the kernel's start."""
        for view in list(body.operations)[:-1]:
            op = view.operation
            if op.name == "memref.alloca":
                with ir.InsertionPoint.at_block_begin(self.block):
                    copy = op.clone().operation
            else:
                copy = op.clone().operation
                remap(copy, known)
            known.update(zip(op.results, copy.results, strict=True))

    def _memory(self, value: Any) -> Any:
        """Return the memref of a tensor in the shape that it has there."""
        made, kind = origin(value), memref_type(value.type)
        if value in self.sliced.inputs:
            return self.whole[value]
        if made in self.whole:
            return self.whole[made] if made.type == value.type else _seen_as(self.whole[made], kind)
        slot = self.scratch[self.sliced.slots[made]]
        return _seen_as(slot, ir.MemRefType.get(self.sliced.held(kind), kind.element_type))

    def _move(self, memory: Any, distance: Any) -> None:
        """Lower the first subscript of the accesses to `memory` by `distance`."""
        for use in list(memory.uses):
            op, number = use.owner.operation, use.operand_number
            if op.name == "memref.collapse_shape":
                self._move_flat(op, memory, distance)
                continue
            place = ACCESSES[op.name] + 1
            with op.location, ir.InsertionPoint(op):
                op.operands[place] = arith.subi(op.operands[place], distance)
            if STREAMING in op.attributes:
                del op.attributes[STREAMING]  # it is read again, from the cache
            assert place == number + 1

    def _move_flat(self, op: Any, memory: Any, distance: Any) -> None:
        kind = memory.type
        entry = 1
        for size in list(kind.shape)[1:]:
            entry *= int(size)
        flat = ir.MemRefType.get([int(kind.shape[0]) * entry], kind.element_type)
        with op.location, ir.InsertionPoint(op):
            new = memref.collapse_shape(flat, memory, [list(range(len(kind.shape)))])
            elements = arith.muli(distance, _index(entry))
        op.results[0].replace_all_uses_with(new)
        op.erase()
        self._move(new, elements)


def _index(number: int) -> Any:
    return arith.constant(ir.IndexType.get(), number)


def _seen_as(memory: Any, kind: Any) -> Any:
    """Return `memory` as another memref type of as many elements."""
    strides = kind.get_strides_and_offset()[0]
    return memref.reinterpret_cast(kind, memory, [], [], [], [0], list(kind.shape), strides)
