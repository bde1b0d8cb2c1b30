"""The pass `fsa-slice-launches`."""

import math
from collections import Counter
from dataclasses import dataclass
from typing import Any, ClassVar

from fsa.bindings import ir
from fsa.diagnostics import Diagnostics
from fsa.dialects.fsa.ops.launch import LaunchOperands
from fsa.dialects.fsa.variadic import MAX_INPUTS, MAX_OUTPUTS
from fsa.passes.base import Pass
from fsa.passes.emitter.types import memref_type
from fsa.passes.plans import target_of
from fsa.passes.structure.launches import (
    VIEWS,
    blocks_with_launches,
    constant_of,
    cpu_kernels,
    erase_unused_kernels,
    kernel_name,
    local_bytes,
    origin,
    source,
    stays,
)
from fsa.passes.structure.shares import Shares
from fsa.passes.structure.sliced_kernels import Sliced, merge
from fsa.passes.structure.slices import Chain, Choice, Layer, choose, workgroups_of
from fsa.runtime.targets import Target

MAX_LOCAL_BYTES = 1 << 16  # of the kernels of a chain: workers have small stacks

_CONSTANT = "arith.constant"


@dataclass(frozen=True)
class FsaSliceLaunches(Pass):
    """Run consecutive layers of a batch slice by slice in one CPU kernel, where that pays.

    Layer by layer, what a layer leaves for a large batch does not stay in the second cache, and all
    cores wait for the last one after each layer. Launches whose tasks each work on one image, which
    is proven from the subscripts of their kernels, become one launch whose workgroups run all these
    layers for some images at a time, in memory that each workgroup uses again. A model of each
    layer's work and traffic chooses how many images, and whether slices pay at all; a remark says
    what it expects. Slices of LP-BNN's pipeline (T. Geng et al., ASAP'19) are those of a layer;
    here they are those of the batch, so every core has the same work.
    """

    name: ClassVar[str] = "fsa-slice-launches"
    summary: ClassVar[str] = "Run consecutive layers of a batch slice by slice"

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Join the launches inside the module `op`."""
        kernels = cpu_kernels(op)
        if not kernels:
            return
        target = target_of(op, "cpu")
        if target.l2_bytes <= 0:
            return
        for block in blocks_with_launches(op):
            finder = _Finder(block, kernels)
            for chain in finder.chains():
                described = finder.described(chain)
                choice = choose(described, target)
                diagnostics.remark(chain[-1].location, _reason(len(chain), described, choice))
                if choice.is_worthwhile:
                    merge(op, self._sliced(finder, chain, choice, target), kernels)
        erase_unused_kernels(op)

    def _sliced(
        self, finder: "_Finder", chain: list[Any], choice: Choice, target: Target
    ) -> Sliced:
        slices = finder.images // choice.images
        return Sliced(chain, finder.images, choice.images, workgroups_of(slices, target))


def _reason(count: int, chain: Chain, choice: Choice) -> str:
    times = f"{choice.sliced / 1e3:.1f} us expected, {choice.layered / 1e3:.1f} layer by layer"
    if not choice.is_worthwhile:
        return (
            f"{count} layers run one by one: slices of {choice.images} images gain nothing, {times}"
        )
    return (
        f"{count} layers run in one launch, {choice.images} of {chain.images} images at a time, "
        f"with {choice.images * chain.held} bytes between them: {times}"
    )


class _Finder:
    """Finds chains of launches in a block whose tasks each work on one of `images` images."""

    def __init__(self, block: Any, kernels: dict[str, Any]):
        self.kernels = kernels
        self.ops = [view.operation for view in block.operations]
        self.places = {op: number for number, op in enumerate(self.ops)}
        launches = [op for op in self.ops if op.name == "fsa.launch"]
        leading = Counter(
            int(result.type.shape[0])
            for op in launches
            for result in op.results
            if result.type.has_static_shape and result.type.shape
        )
        # A network's batch is the leading size that most of its layers have.
        self.images = max(leading, key=lambda size: (leading[size], -size)) if leading else 1
        self._shares: dict[tuple[str, int], Shares] = {}
        self._holds: dict[tuple[str, int, int], bool] = {}

    def chains(self) -> list[list[Any]]:
        """Return chains of two launches and more, each of which reads what earlier ones leave."""
        if self.images < 2:
            return []
        chains: list[list[Any]] = []
        current: list[Any] = []
        for op in self.ops:
            if op.name != "fsa.launch":
                continue
            if not self._is_sliceable(op):
                chains.append(current)
                current = []
            elif current and self._follows(op, current):
                current.append(op)
            else:
                chains.append(current)
                current = [op]
        chains.append(current)
        return [fitting for chain in chains if len(fitting := self._fitting(chain)) > 1]

    def _is_sliceable(self, op: Any) -> bool:
        operands = LaunchOperands.of(op)
        grid = [constant_of(size) for size in operands.grid]
        types = [value.type for value in (*operands.inputs, *op.results)]
        return (
            kernel_name(op) in self.kernels
            and "fsa.zeroed" not in op.attributes
            and not operands.scalars
            and grid[0] is not None
            and grid[0] > 0
            and grid[0] % self.images == 0
            and grid[1:] == [1, 1]
            and all(kind.has_static_shape and 0 not in kind.shape for kind in types)
        )

    def _follows(self, op: Any, chain: list[Any]) -> bool:
        """Tell whether `op` reads what `chain` leaves, and only image by image."""
        joined = False
        for number, value in enumerate(LaunchOperands.of(op).inputs):
            made, maker = origin(value), source(value)
            if maker is not None and maker in chain:
                inner = list(maker.results).index(made) + len(LaunchOperands.of(maker).inputs)
                if not self.holds(op, number) or not self.holds(maker, inner):
                    return False
                joined = True
            elif self._depends(made, chain):
                return False
        return joined

    def _depends(self, value: Any, chain: list[Any]) -> bool:
        """Tell whether `value` is computed from what `chain` leaves."""
        first = self.places[chain[0]]
        todo, seen = [value], set[Any]()
        while todo:
            owner = todo.pop().owner
            if isinstance(owner, ir.Block):
                continue
            op = owner.operation
            if op in chain:
                return True
            # What is made outside of the block, or before the chain, cannot depend on it.
            if op in seen or self.places.get(op, -1) < first:
                continue
            seen.add(op)
            todo += op.operands
            if op.regions:
                return True  # what it captures is not followed
        return False

    def _fitting(self, chain: list[Any]) -> list[Any]:
        """Return the longest start of a chain that can stand in the place of its last launch."""
        for length in range(len(chain), 1, -1):
            start = chain[:length]
            outer = [result for op in start for result in op.results if not stays(result, start)]
            last = self.places[start[-1]]
            late = all(self._used_after(result, start, last) for result in outer)
            sliced = Sliced(start, self.images, 1, 1)
            made = len(sliced.kept) + len(sliced.scratch)
            local = sum(local_bytes(self.kernels[kernel_name(op)]) for op in start)
            late = late and local <= MAX_LOCAL_BYTES
            if late and len(sliced.inputs) <= MAX_INPUTS and made <= MAX_OUTPUTS:
                return start
        return []

    def _used_after(self, value: Any, chain: list[Any], last: int) -> bool:
        for use in value.uses:
            user = use.owner.operation
            if user in chain:
                continue
            if user.name in VIEWS:
                if not self._used_after(user.results[0], chain, last):
                    return False
                continue
            while user is not None and user not in self.places:
                user = user.parent.operation if user.parent is not None else None
            if user is None or self.places[user] < last:
                return False
        return True

    def shares(self, op: Any) -> Shares:
        """Return what the tasks of a launch touch."""
        tasks = constant_of(LaunchOperands.of(op).grid[0]) or 0
        key = (kernel_name(op), tasks)
        if key not in self._shares:
            self._shares[key] = Shares(self.kernels[key[0]], tasks, self.images)
        return self._shares[key]

    def holds(self, op: Any, number: int) -> bool:
        """Tell whether the tasks of a launch touch its memref `number` image by image."""
        grid = constant_of(LaunchOperands.of(op).grid[0]) or 0
        key = (kernel_name(op), grid, number)
        if key not in self._holds:
            self._holds[key] = self.shares(op).holds(number)
        return self._holds[key]

    def _is_batched(self, op: Any, number: int, value: Any) -> bool:
        """Tell whether a tensor of a launch holds images: proven, or by its leading dimension."""
        computed = isinstance(value.owner, ir.Block) or value.owner.operation.name != _CONSTANT
        leading = int(value.type.shape[0]) if value.type.shape else 1
        return self.holds(op, number) or (computed and leading % self.images == 0)

    def described(self, chain: list[Any]) -> Chain:
        """Return what the cost model sees of a chain."""
        layers: list[Layer] = []
        outer = 0
        for op in chain:
            inputs = LaunchOperands.of(op).inputs
            values = [*inputs, *op.results]
            batched = [v for n, v in enumerate(values) if self._is_batched(op, n, v)]
            weights = sum(_bytes(v.type) for v in inputs if v not in batched)
            moved = sum(_bytes(v.type) for v in batched) // self.images
            tasks = (constant_of(LaunchOperands.of(op).grid[0]) or 0) // self.images
            layers.append(Layer(moved, tasks * self.shares(op).operations(), weights))
            outer += sum(_bytes(v.type) for v in batched if _is_outer(v, chain)) // self.images
        held = sum(_bytes(kind) for kind in Sliced(chain, self.images, 1, 1).scratch)
        return Chain(layers, self.images, outer, held // self.images)


def _is_outer(value: Any, chain: list[Any]) -> bool:
    maker = source(value)
    return maker is None or maker not in chain or not stays(origin(value), chain)


def _bytes(kind: Any) -> int:
    return math.prod(kind.shape) * memref_type(kind).element_type.width // 8
