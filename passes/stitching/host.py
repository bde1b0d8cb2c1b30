"""The host side of a region: its kernels, their launches, and the guard against empty tensors.

On a CPU nothing is guarded: no task runs, or loops run over nothing and leave the initial values.
"""

from collections.abc import Sequence
from typing import Any

from fsa.bindings import arith, ir, tensor
from fsa.passes.base import PassError
from fsa.passes.emitter import (
    Builder,
    KernelSpec,
    emit_launch,
    grid_for,
    guarded,
    kernel,
)
from fsa.passes.plans import target_of
from fsa.passes.stitching import kernel_cpu, kernel_gpu, kernel_packed
from fsa.passes.stitching import plan as plans
from fsa.passes.stitching.allocation import workgroup_bytes
from fsa.passes.stitching.decisions import LEFT_OUT
from fsa.passes.stitching.dims import Space
from fsa.passes.stitching.empty_results import EmptyResults
from fsa.passes.stitching.graph import Graph, Ref
from fsa.passes.stitching.linear import Linear
from fsa.passes.stitching.one_wave import Wave, check_wave, launch_wave
from fsa.passes.stitching.regions import code_of, form_of, planned, regions_of
from fsa.passes.stitching.scalars import decode, encode, words_of
from fsa.passes.stitching.schedule import Kernel
from fsa.passes.stitching.scheduled import lower_scheduled
from fsa.passes.structure.rewriting import replace_op
from fsa.runtime.targets import Target


def lower_regions(module: Any, kinds: Sequence[str]) -> None:
    """Replace every region of `module` whose plan has kernels by launches.

    Raises `PassError` without a plan, for a plan that does not hold, and for another kind of
    target.
    """
    target = target_of(module, *kinds)
    made: dict[str, list[Any]] = {}
    counters: list[tuple[Any, Any]] = []  # of each wave: the block that it is in, and its counter
    for region in regions_of(module):
        form = form_of(region)
        if form == "scheduled":
            lower_scheduled(module, region, target)
        elif form == "kernels":
            with region.location:
                _Lowering(module, region, target, made, counters).run()
    _drop_notes(module)


def _drop_notes(module: Any) -> None:
    """Drop what the choice of regions left on ops: nothing after kernels reads it."""

    def visit(op: Any) -> Any:
        if LEFT_OUT in op.operation.attributes:
            del op.operation.attributes[LEFT_OUT]
        return ir.WalkResult.ADVANCE

    module.walk(visit, ir.WalkOrder.PRE_ORDER)


class _Lowering:
    def __init__(
        self, module: Any, region: Any, target: Target, made: dict[str, list[Any]],
        counters: list[tuple[Any, Any]],
    ):  # fmt: skip
        self.module, self.region, self.target = module, region, target
        self.graph: Graph
        self.space: Space
        self.kernels: list[Kernel]
        self.graph, self.space, self.kernels = planned(region)
        for kernel_ in self.kernels:
            _check_room(region, kernel_, target)
        self.wave = _wave_of(region, self.kernels, target)
        self.counters = counters
        self.shared = made.setdefault(
            f"{region.attributes[plans.PLAN]}{code_of(region, self.graph)}", []
        )
        self.builder = Builder()
        self.operands = list(region.operands)

    def run(self) -> None:
        with ir.InsertionPoint(self.region):
            sizes = [self._size(d) for d in range(len(self.space.extents))]
            if self.target.kind == "cpu":
                results = self._launches(sizes)
            else:
                results = guarded(
                    self.builder,
                    sizes,
                    [result.type for result in self.region.results],
                    lambda _: EmptyResults(self.builder, self.region, self.graph, self.space).at(
                        sizes, self._dims_of
                    ),
                    lambda _: self._launches(sizes),
                )
        replace_op(self.region, results)

    # Sizes.

    def _size(self, d: int) -> Any:
        extent, source = self.space.extents[d], self.space.sources[d]
        if extent is not None or source is None:
            return extent
        axis = self.builder.constant(source.position)
        return tensor.dim(self.operands[source.argument], axis)

    def _dims_of(self, ref: Ref, sizes: Sequence[Any]) -> list[Any]:
        own = self.space.dims[ref.number]
        index = self.graph.nodes[ref.number].results[ref.result]
        return [self._span(e, own, sizes) for e in index]

    def _span(self, e: Linear, own: Sequence[int], sizes: Sequence[Any]) -> Any:
        """Return the size of a dimension of a result: of a loop, or of those that it joins."""
        if not e.terms:
            return 1
        number, coefficient = max(e.terms, key=lambda term: term[1])
        return self.builder.mul(sizes[own[number]], coefficient)

    # Launches.

    def _launches(self, sizes: list[Any]) -> list[Any]:
        made: dict[Ref, Any] = {}
        scalars = self.graph.scalar_inputs()
        words = [word for ref in scalars for word in encode(self.builder, self._scalar(ref))]
        if self.wave is not None:
            self._launch_wave(self.wave, made, sizes, scalars, words)
            return [self._tensor(ref, made) for ref in self.graph.outputs]
        for number, k in enumerate(self.kernels):
            if number == len(self.shared):
                self.shared.append(emit_kernel(self.module, k, self.target, scalars))
            results = [(self.graph.type_of(ref), self._dims_of(ref, sizes)) for ref in k.stores]
            counts = task_count(self.target, self.builder, k, sizes)
            launched = emit_launch(
                self.builder,
                self.shared[number],
                lambda builder, counts=counts: [grid_for(builder, counts)],
                [self._tensor(ref, made) for ref in k.imports],
                results,
                words,
            )
            made.update(zip(k.stores, launched, strict=True))
        return [self._tensor(ref, made) for ref in self.graph.outputs]

    def _launch_wave(
        self, wave: Wave, made: dict[Ref, Any], sizes: list[Any], scalars: list[Ref],
        words: list[Any],
    ) -> None:  # fmt: skip
        if not self.shared:
            self.shared.append(wave.emit(self.module, self.target, scalars))
        here = ir.InsertionPoint.current.block
        before = next((counter for block, counter in self.counters[-1:] if block == here), None)
        results = [(self.graph.type_of(ref), self._dims_of(ref, sizes)) for ref in wave.stores]
        inputs = [self._tensor(ref, made) for ref in wave.imports]
        counter, launched = launch_wave(
            self.builder, wave, self.shared[0], before, inputs, results, words
        )
        self.counters.append((here, counter))
        made.update(zip(wave.stores, launched, strict=True))

    def _tensor(self, ref: Ref, made: dict[Ref, Any]) -> Any:
        if ref.kind == "argument":
            return self.operands[ref.number]
        if ref.kind == "constant":
            return arith.ConstantOp(
                self.graph.type_of(ref), self.graph.ops[ref.number].attributes["value"]
            ).result
        return made[ref]

    def _scalar(self, ref: Ref) -> Any:
        if ref.kind == "argument":
            return self.operands[ref.number]
        source, axis = self.graph.scalar_reads[ref.number]
        number = self.graph.ops[axis.number].attributes["value"].value
        return tensor.dim(self.operands[source.number], self.builder.constant(number))


def _check_room(region: Any, k: Kernel, target: Target) -> None:
    """Raise `PassError` when an edited plan asks for more than the device has."""
    threads = kernel_gpu.workgroup_size(k)
    limit = target.max_workgroup_size
    if target.kind != "cpu" and limit and not 1 <= threads <= limit:
        raise PassError(
            region.location,
            f"the plan does not hold: kernel {k.number}: expected 1 to {limit} threads in a "
            f"workgroup, found {threads}",
        )
    size, limit = workgroup_bytes(k), target.workgroup_memory_bytes
    if target.kind != "cpu" and limit and size > limit:
        raise PassError(
            region.location,
            f"the plan does not hold: kernel {k.number}: expected row buffers of at most {limit} "
            f"bytes, found {size}",
        )


def _wave_of(region: Any, kernels: list[Kernel], target: Target) -> Wave | None:
    """Return the one launch that a region's plan asks for, if it does; raise `PassError`."""
    try:
        workgroups = plans.read_one_wave(region)
        if workgroups:
            check_wave(kernels, workgroups, target)
    except plans.PlanError as error:
        raise PassError(region.location, f"the plan does not hold: {error}") from None
    return Wave(kernels, workgroups) if workgroups else None


def task_count(target: Target, builder: Any, k: Kernel, sizes: list[Any]) -> Any:
    """Return the number of tasks of a kernel on a target."""
    device = kernel_cpu if target.kind == "cpu" else kernel_gpu
    return device.task_count(builder, k, sizes)


def emit_kernel(module: Any, k: Kernel, target: Target, scalars: list[Ref]) -> Any:
    """Write one kernel into `module` and return it."""
    types = [k.graph.type_of(ref) for ref in scalars]
    on_gpu = target.kind != "cpu"
    buffers = kernel_gpu.workgroup_buffers(k) if on_gpu else []
    spec = KernelSpec(
        "stitched_region",
        inputs=tuple(k.graph.type_of(ref) for ref in k.imports),
        outputs=tuple(k.graph.type_of(ref) for ref in k.stores),
        scalars=sum(words_of(type_) for type_ in types),
        workgroup=tuple((shape, kind) for _, shape, kind in buffers),
        workgroup_size=(kernel_gpu.workgroup_size(k) if on_gpu else 1, 1, 1),
    )
    with kernel(module, spec, target) as built:
        values = dict(zip(scalars, decode(built, built.scalars, types), strict=True))
        memrefs = dict(zip(k.imports, built.inputs, strict=True))
        outputs = dict(zip(k.stores, built.outputs, strict=True))
        writer = kernel_packed.PackedWriter if k.packed is not None else kernel_cpu.CpuWriter
        writer = kernel_gpu.GpuWriter if on_gpu else writer
        writer(built, k, memrefs, values, outputs).write_kernel()
    return built
