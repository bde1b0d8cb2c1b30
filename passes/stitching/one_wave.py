"""All kernels of a region in one launch (CUDA): a grid of one wave, with barriers between them.

This is AStitch's global scheme (Zheng et al., ASPLOS 2022). Workgroups wait for each other, so all
of them must be on the device at once. The number of workgroups is therefore that of the card's
multiprocessors, which only the user knows: a workgroup that can be launched at all fits one
multiprocessor by itself. Barriers count arrivals in memory that is zero at every launch, and
launches of a block take the counter of the one before, so that no two of them run at a time.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

from fsa.bindings import arith, ir
from fsa.dialects.fsa.markers import ZEROED
from fsa.dialects.fsa.variadic import MAX_INPUTS, MAX_OUTPUTS
from fsa.passes.emitter import Builder, KernelSpec, emit_launch, kernel
from fsa.passes.stitching import rules
from fsa.passes.stitching.dims import Space
from fsa.passes.stitching.graph import Graph, Ref, element_bytes
from fsa.passes.stitching.kernel_gpu import GpuWriter, workgroup_buffers, workgroup_size
from fsa.passes.stitching.plan import KernelPlan, PlanError, RegionPlan
from fsa.passes.stitching.scalars import decode, words_of
from fsa.passes.stitching.schedule import Kernel
from fsa.runtime.targets import Target

# Threads of the one workgroup of a multiprocessor, the most that memory allows.
SIZES = (1024, 512, 256, 128, 64, 32)


def in_one_wave(
    graph: Graph, space: Space, plan: RegionPlan, target: Target, workgroups: int
) -> RegionPlan:
    """Return the plan with all kernels of one workgroup size, as a wave of `workgroups`.

    It stays as it is where one kernel does everything, where a size is open, since launches in
    branches would not wait for each other, and where no common size fits.
    """
    if target.kind != "cuda" or len(plan.kernels) < 2 or None in space.extents:
        return plan
    for size in SIZES:
        if size > target.max_workgroup_size:
            continue
        try:
            kernels = tuple(_of_size(k, size) for k in plan.kernels)
            built = rules.build(graph, space, kernels, plan.nodes)
        except PlanError:
            continue
        fits = buffer_bytes(built) <= target.workgroup_memory_bytes
        if fits and _crosses(Wave(built, workgroups)):
            return replace(plan, kernels=kernels, one_wave=workgroups)
    return plan


def _of_size(plan: KernelPlan, size: int) -> KernelPlan:
    """Return a plan whose workgroups have `size` threads; raise `PlanError` when a row has more."""
    if plan.mapping == "flat":
        return replace(plan, threads=size, chunk=size)
    if plan.threads > size:
        raise PlanError(f"expected rows of at most {size} threads, found {plan.threads}")
    return replace(plan, rows=size // plan.threads)


def buffer_bytes(kernels: Sequence[Kernel]) -> int:
    """Return the bytes of workgroup memory that the kernels take together."""
    return sum(
        prod(shape) * max(1, element_bytes(ir.RankedTensorType.get([], kind)))
        for k in kernels
        for _, shape, kind in workgroup_buffers(k)
    )


def check_wave(kernels: Sequence[Kernel], workgroups: int, target: Target) -> None:
    """Raise `PlanError` unless the kernels can run as a wave of `workgroups`."""
    if target.kind != "cuda":
        raise PlanError(f"a grid of one wave is for cuda, found {target}")
    if not 1 <= workgroups <= target.multiprocessors:
        raise PlanError(
            f"expected one_wave to be 1 to {target.multiprocessors}, the multiprocessors of the "
            f"largest {target}, found {workgroups}"
        )
    if None in kernels[0].space.extents:
        raise PlanError("a wave needs static sizes, found a dynamic one")
    wave = Wave(kernels, workgroups)
    if not _crosses(wave):
        raise PlanError(
            f"expected a wave to read at most {MAX_INPUTS - 1} tensors and write at most "
            f"{MAX_OUTPUTS - 1}, found {len(wave.imports)} and {len(wave.stores)}"
        )
    sizes = {workgroup_size(k) for k in kernels}
    if len(sizes) != 1:
        raise PlanError(f"a wave needs one workgroup size, found {sorted(sizes)}")
    if buffer_bytes(kernels) > target.workgroup_memory_bytes:
        raise PlanError(
            f"expected buffers of at most {target.workgroup_memory_bytes} bytes in a wave, found "
            f"{buffer_bytes(kernels)}"
        )


@dataclass(frozen=True)
class Wave:
    """Kernels in one launch: what it reads, what it writes, and the kernel of `kernels`."""

    kernels: Sequence[Kernel]
    workgroups: int

    @property
    def imports(self) -> list[Ref]:
        """The values from outside that any of the kernels reads, in order."""
        made = set(self.stores)
        return list(
            dict.fromkeys(ref for k in self.kernels for ref in k.imports if ref not in made)
        )

    @property
    def stores(self) -> list[Ref]:
        """The values that the kernels leave in memory, in order."""
        return list(dict.fromkeys(ref for k in self.kernels for ref in k.stores))

    def emit(self, module: Any, target: Target, scalars: Sequence[Ref]) -> Any:
        """Write the kernel into `module` and return it."""
        graph = self.kernels[0].graph
        types = [graph.type_of(ref) for ref in scalars]
        buffers = [workgroup_buffers(k) for k in self.kernels]
        spec = KernelSpec(
            "stitched_wave",
            inputs=(_counter_type(), *(graph.type_of(ref) for ref in self.imports)),
            outputs=(_counter_type(), *(graph.type_of(ref) for ref in self.stores)),
            scalars=sum(words_of(type_) for type_ in types),
            workgroup=tuple((shape, kind) for own in buffers for _, shape, kind in own),
            workgroup_size=(workgroup_size(self.kernels[0]), 1, 1),
        )
        with kernel(module, spec, target) as built:
            values = dict(zip(scalars, decode(built, built.scalars, types), strict=True))
            memrefs = dict(zip(self.imports, built.inputs[1:], strict=True))
            outputs = dict(zip(self.stores, built.outputs[1:], strict=True))
            memory = iter(built.workgroup)
            for number, (k, own) in enumerate(zip(self.kernels, buffers, strict=True)):
                if number:
                    built.grid_barrier(built.outputs[0], number * self.workgroups)
                mine = {ref: outputs[ref] for ref in k.stores}
                writer = GpuWriter(built, k, {**memrefs, **outputs}, values, mine)
                writer.memory = [next(memory) for _ in own]
                writer.workgroups = self.workgroups
                writer.write_kernel()
        return built


def _crosses(wave: Wave) -> bool:
    """Whether one launch can take what a wave reads and writes, and its counter."""
    return len(wave.imports) < MAX_INPUTS and len(wave.stores) < MAX_OUTPUTS


def launch_wave(
    builder: Builder, wave: Wave, built: Any, before: Any, inputs: Sequence[Any],
    results: Sequence[Any], words: Sequence[Any],
) -> tuple[Any, list[Any]]:  # fmt: skip
    """Launch a wave behind `before`, the counter of another; return its counter and its results."""
    if before is None:
        zero = ir.DenseElementsAttr.get_splat(
            _counter_type(), ir.IntegerAttr.get(ir.IntegerType.get_signless(32), 0)
        )
        before = arith.ConstantOp(_counter_type(), zero).result
    counter, *made = emit_launch(
        builder, built, lambda _: [wave.workgroups], [before, *inputs],
        [(_counter_type(), [1]), *results], words,
    )  # fmt: skip
    one = ir.IntegerAttr.get(ir.IntegerType.get_signless(64), 1)
    counter.owner.attributes[ZEROED] = one
    return counter, made


def _counter_type() -> Any:
    return ir.RankedTensorType.get([1], ir.IntegerType.get_signless(32))
