"""Launches: how a kernel is called from a function on tensors.

`emit_guarded_launch` decides whether a launch can meet a tensor of size 0. Where it surely does, it
emits the empty result and never asks for the kernel; where it may, a GPU's launch is wrapped in
`scf.if` (`guarded`), as GPUs bind no empty buffer. A CPU's kernel runs over empty tensors as it is:
no task, or loops over nothing. It also converts what does not cross as it is: i1 crosses as i8 and
index as i64.
"""

from collections.abc import Callable, Sequence
from typing import Any

from fsa.bindings import arith, ir, linalg, tensor
from fsa.dialects.fsa.ops.launch import Launch
from fsa.dialects.fsa.shapes import type_dims
from fsa.dialects.fsa.variadic import MAX_INPUTS, MAX_OUTPUTS, padded
from fsa.passes.emitter.builder import Builder
from fsa.passes.emitter.kernel import Kernel
from fsa.passes.emitter.types import Index, Value, crossing_element

EmptyResults = Callable[[Builder], Sequence[Value]]


def tensor_dims(builder: Builder, value: Value) -> list[Index]:
    """Return the dimensions of a tensor: an int where static, else a `tensor.dim`."""
    return [
        tensor.dim(value, builder.constant(axis)) if size is None else size
        for axis, size in enumerate(type_dims(value.type))
    ]


def filled(builder: Builder, kind: Any, dims: Sequence[Index], number: int | float = 0) -> Value:
    """Return a tensor of type `kind` and size `dims` with `number` in each element."""
    sizes = [
        builder.value(size) if known is None else known
        for size, known in zip(dims, type_dims(kind), strict=True)
    ]
    # IREE takes no tensor.splat.
    empty = tensor.empty(sizes, kind.element_type)
    return linalg.fill(builder.constant(number, kind.element_type), outs=[empty])


def empty_tensors(builder: Builder, results: Sequence[tuple[Any, Sequence[Index]]]) -> list[Value]:
    """Return tensors that are known to have no element, for the untaken side of a guard.

    Each is filled with a number of its own, so that none is merged with another.
    """
    made: list[Value] = []
    for number, (kind, dims) in enumerate(results):
        crossing = _crossing(kind)
        made.append(_from_crossing(filled(builder, crossing, dims, number), kind))
    return made


def guarded(
    builder: Builder,
    sizes: Sequence[Index],
    kinds: Sequence[Any],
    empty: EmptyResults,
    build: EmptyResults,
) -> list[Value]:
    """Return what `build` makes, or what `empty` makes where one of `sizes` is 0 at run time.

    `kinds` are the types of the results. Static sizes are not looked at. The hand-over
    (`runtime/handover_branches.py`) keeps IREE from mixing up the results of the `scf.if`.
    """
    is_empty: Any = False
    for size in _distinct(sizes):
        is_empty = builder.logical_or(is_empty, builder.compare("eq", size, 0))
    if is_empty is False:
        return list(build(builder))
    branch = builder.branch(is_empty, kinds)
    with branch.then():
        branch.yield_(*empty(builder))
    with branch.otherwise():
        branch.yield_(*build(builder))
    return list(branch.results)


def emit_guarded_launch(
    make_kernel: Callable[[], Kernel],
    *,
    grid: Callable[[Builder], Sequence[Index]],
    inputs: Sequence[Value],
    results: Sequence[tuple[Any, Sequence[Index]]],
    scalars: Sequence[Value] = (),
    empty: EmptyResults | None = None,
) -> list[Value]:
    """Launch a kernel at the current insertion point and return its results as tensors.

    `make_kernel` builds the kernel; it is called once, and not at all when a size is known to be
    0. `grid` gives up to three grid sizes (missing ones are 1), `results` the tensor type of each
    result with its dimensions. `empty` gives the results for a launch that would touch an empty
    tensor; by default they are tensors of zeros, and a kernel for a CPU is launched all the same
    and must make them itself.
    """
    builder = Builder()

    def nothing(_: Builder) -> list[Value]:
        return empty_tensors(builder, results)

    def launch(_: Builder) -> list[Value]:
        return emit_launch(builder, kernel, grid, inputs, results, scalars)

    sizes = [size for value in inputs for size in tensor_dims(builder, value)]
    sizes += [size for _, dims in results for size in dims]
    if any(isinstance(size, int) and size == 0 for size in sizes):
        return list((empty or nothing)(builder))
    kernel = make_kernel()
    if empty is None and not kernel.is_gpu:
        return launch(builder)
    return guarded(builder, sizes, [kind for kind, _ in results], empty or nothing, launch)


def _distinct(sizes: Sequence[Index]) -> list[Index]:
    """Return the sizes that are values, each once."""
    found: list[Index] = []
    for size in sizes:
        if not isinstance(size, int) and all(size != other for other in found):
            found.append(size)
    return found


def emit_launch(
    builder: Builder,
    kernel: Kernel,
    grid: Callable[[Builder], Sequence[Index]],
    inputs: Sequence[Value],
    results: Sequence[tuple[Any, Sequence[Index]]],
    scalars: Sequence[Value] = (),
) -> list[Value]:
    """Launch `kernel` with no guard against empty tensors: the caller knows there are none."""
    sizes = [builder.value(size) for size in grid(builder)]
    sizes += [builder.constant(1)] * (3 - len(sizes))
    kinds = [_crossing(kind) for kind, _ in results]
    dynamic = [
        builder.value(size)
        for kind, dims in results
        for size, known in zip(dims, type_dims(kind), strict=True)
        if known is None
    ]
    names = kernel.symbol.split("::")
    op = Launch(
        *sizes,
        dynamic,
        list(scalars),
        *padded([_to_crossing(value) for value in inputs], MAX_INPUTS, "inputs of a launch"),
        *padded(kinds, MAX_OUTPUTS, "results of a launch"),
        ir.SymbolRefAttr.get(names),
        ir.DenseI64ArrayAttr.get(list(kernel.spec.workgroup_size)),
    )
    launched = list(op.operation.results)
    return [_from_crossing(value, kind) for value, (kind, _) in zip(launched, results, strict=True)]


def _crossing(kind: Any) -> Any:
    return ir.RankedTensorType.get(list(kind.shape), crossing_element(kind.element_type))


def _to_crossing(value: Value) -> Value:
    kind = _crossing(value.type)
    if kind == value.type:
        return value
    if isinstance(value.type.element_type, ir.IndexType):
        return arith.index_cast(kind, value)
    return arith.extui(kind, value)


def _from_crossing(value: Value, kind: Any) -> Value:
    if kind == value.type:
        return value
    if isinstance(kind.element_type, ir.IndexType):
        return arith.index_cast(kind, value)
    return arith.trunci(kind, value)
