"""The machine's limits, measured through FSA itself: copy, cached reads, multiply-add, popcount.

Each probe is a kernel built with FSA's emitter, launched by `fsa.launch` and compiled as any other,
so its figure holds what a kernel of FSA can reach, launch included.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fsa.bindings import func, ir
from fsa.dialects.fsa.dialect import new_context
from fsa.passes.emitter import Kernel, KernelSpec, emit_guarded_launch, kernel
from fsa.runtime.targets import Target

CACHE_ELEMENTS = 1 << 17  # f32: 512 KiB, beyond a first cache and within a second
CACHE_PASSES = 64
COPY_BYTES = 1 << 24  # read, and as many written
COPY_CHAINS = 4  # vectors of a step: enough that the loop itself costs nothing
CHAINS = 12  # independent accumulators: enough to hide the latency of an instruction
FMA_STEPS = 200_000
POPCOUNT_WORDS = 512  # 4 KiB: stays in the first cache
POPCOUNT_PASSES = 4_000
READ_CHAINS = 8
READ_BYTES = 1 << 23  # read by one call at least: long against the call


@dataclass(frozen=True)
class Probe:
    """A measurable limit. `amount` is how many `unit` one call does (bytes, operations, words)."""

    name: str
    unit: str
    amount: int
    module: Any
    inputs: tuple[np.ndarray[Any, Any], ...]


def probes(target: Target) -> list[Probe]:
    """Return the probes for a CPU target; popcount only where the target counts in vectors."""
    lanes = max(target.vector_bits, 128) // 32
    made = [copy_probe(target, COPY_BYTES), _cache(target, lanes), fma_probe(target)]
    if target.has_vector_popcount:
        made.append(popcount_probe(target))
    return made


def read_probe(target: Target, size: int) -> Probe:
    """Return the probe of reading `size` bytes, a multiple of 4096, several times over.

    Vectors are added up in chains, so that only loads limit it. The limit holds for
    memory, and for the cache that so many bytes lie in.
    """
    lanes = max(target.vector_bits, 128) // 32
    elements = size // 4
    step = lanes * READ_CHAINS
    passes = max(1, READ_BYTES // size)

    def body(k: Kernel) -> None:
        chains = [k.splat(0, lanes, ir.IntegerType.get_signless(32))] * READ_CHAINS
        repeated = k.loop(0, passes, 1, init=chains)
        with repeated as (_, carried):
            across = k.loop(0, elements, step, init=carried)
            with across as (i, sums):
                loads = [
                    k.vector_load(k.inputs[0], [k.add(i, lanes * j)], lanes)
                    for j in range(READ_CHAINS)
                ]
                across.yield_(*[k.bit_xor(a, b) for a, b in zip(sums, loads, strict=True)])
            repeated.yield_(*across.results)
        for j, total in enumerate(repeated.results):
            k.vector_store(total, k.outputs[0], [lanes * j])

    module = _module(target, ("i32", "i32"), (elements, step), body)
    return Probe("read", "B", size * passes, module, (np.ones(elements, np.int32),))


def copy_probe(target: Target, size: int, workgroups: int = 1, stream: bool = False) -> Probe:
    """Return the probe of copying `size` bytes, in equal parts to `workgroups` workgroups.

    `size` is rounded up to whole vectors for each; as many bytes are read as are written. `stream`
    sends what is written past the caches.
    """
    lanes = max(target.vector_bits, 128) // 32
    step = lanes * COPY_CHAINS
    part = -(-size // (4 * workgroups * step)) * step
    elements = part * workgroups

    def body(k: Kernel) -> None:
        start = k.mul(k.workgroup_id(), part)
        with k.loop(0, part, step) as (i, _):
            places = [k.add(start, k.add(i, lanes * j)) for j in range(COPY_CHAINS)]
            loads = [k.vector_load(k.inputs[0], [place], lanes) for place in places]
            for place, load in zip(places, loads, strict=True):
                k.vector_store(load, k.outputs[0], [place], stream=stream)

    module = _module(target, ("f32", "f32"), (elements, elements), body, workgroups)
    return Probe("copy", "B", 8 * elements, module, (np.ones(elements, np.float32),))


def fma_probe(target: Target, workgroups: int = 1, steps: int = FMA_STEPS) -> Probe:
    """Return the probe of multiply-add; each of `workgroups` workgroups does as much.

    `amount` is what all of them do.
    """
    return _fma(target, max(target.vector_bits, 128) // 32, workgroups, steps)


def _module(
    target: Target,
    kinds: tuple[str, str],
    sizes: tuple[int, int],
    body: Callable[[Kernel], None],
    workgroups: int = 1,
) -> Any:
    """Return a module whose `main` launches `workgroups` of the kernel that `body` fills."""
    with new_context(), ir.Location.unknown():
        module = ir.Module.create()
        source, result = (
            ir.RankedTensorType.get([size], ir.Type.parse(kind))
            for size, kind in zip(sizes, kinds, strict=True)
        )

        def made() -> Kernel:
            spec = KernelSpec("probe", inputs=(source,), outputs=(result,))
            with kernel(module.operation, spec, target) as built:
                body(built)
            return built

        def main(x: Any) -> Any:
            return emit_guarded_launch(
                made, grid=lambda _: [workgroups], inputs=[x], results=[(result, [sizes[1]])]
            )[0]

        with ir.InsertionPoint(module.body):
            func.FuncOp.from_py_func(source, name="main")(main)
        module.operation.verify()
    return module


def _cache(target: Target, lanes: int) -> Probe:
    step = lanes * CHAINS
    elements = CACHE_ELEMENTS - CACHE_ELEMENTS % step

    def body(k: Kernel) -> None:
        chains = [k.splat(0.0, lanes, ir.F32Type.get())] * CHAINS
        passes = k.loop(0, CACHE_PASSES, 1, init=chains)
        with passes as (_, carried):
            across = k.loop(0, elements, step, init=carried)
            with across as (i, sums):
                places = [k.add(i, lanes * j) for j in range(CHAINS)]
                loads = [k.vector_load(k.inputs[0], [place], lanes) for place in places]
                across.yield_(*[k.add(a, b) for a, b in zip(sums, loads, strict=True)])
            passes.yield_(*across.results)
        for j, total in enumerate(passes.results):
            k.vector_store(total, k.outputs[0], [lanes * j])

    module = _module(target, ("f32", "f32"), (elements, step), body)
    amount = 4 * elements * CACHE_PASSES
    return Probe("cache", "B", amount, module, (np.ones(elements, np.float32),))


def _fma(target: Target, lanes: int, workgroups: int, count: int) -> Probe:
    def body(k: Kernel) -> None:
        factor = k.vector_load(k.inputs[0], [0], lanes)
        chains = [k.vector_load(k.inputs[0], [lanes * i], lanes) for i in range(CHAINS)]
        steps = k.loop(0, count, 1, init=chains)
        with steps as (_, carried):
            steps.yield_(*[k.fma(chain, factor, factor) for chain in carried])
        start = k.mul(k.workgroup_id(), size)
        for i, chain in enumerate(steps.results):
            k.vector_store(chain, k.outputs[0], [k.add(start, lanes * i)])

    size = lanes * CHAINS
    module = _module(target, ("f32", "f32"), (size, workgroups * size), body, workgroups)
    # |factor| < 1 keeps the chains finite and away from denormals.
    amount = 2 * size * count * workgroups
    return Probe("fma", "flop", amount, module, (np.full(size, 0.5, np.float32),))


def popcount_probe(target: Target, workgroups: int = 1, passes: int = POPCOUNT_PASSES) -> Probe:
    """Return the probe of counting bits; each of `workgroups` workgroups does all of `amount`."""
    lanes = max(target.vector_bits, 128) // 64
    words = POPCOUNT_WORDS - POPCOUNT_WORDS % (lanes * 8)

    def body(k: Kernel) -> None:
        word = ir.IntegerType.get_signless(64)
        chains = [k.splat(0, lanes, word)] * 8
        repeated = k.loop(0, passes, 1, init=chains)
        with repeated as (number, carried):
            mask = k.splat(k.cast(number, word), lanes)
            across = k.loop(0, words, lanes * 8, init=carried)
            with across as (i, sums):
                loads = [k.vector_load(k.inputs[0], [k.add(i, lanes * j)], lanes) for j in range(8)]
                across.yield_(
                    *[
                        k.add(total, k.popcount(k.bit_xor(load, mask)))
                        for total, load in zip(sums, loads, strict=True)
                    ]
                )
            repeated.yield_(*across.results)
        for j, total in enumerate(repeated.results):
            place = k.add(k.mul(k.workgroup_id(0), lanes * 8), lanes * j)
            k.vector_store(total, k.outputs[0], [place])

    sizes = (words, lanes * 8 * workgroups)
    module = _module(target, ("i64", "i64"), sizes, body, workgroups)
    values = np.arange(words, dtype=np.int64) * 0x9E3779B9
    return Probe("popcount", "word", words * passes, module, (values,))
