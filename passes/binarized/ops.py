"""The binarized ops of a module: found, read and replaced by launches."""

import importlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fsa.bindings import ir, tensor
from fsa.dialects.fsa.shapes import ShapeBuilder, tensor_type, type_dims
from fsa.passes.binarized.fusion import Finish, planned_finish, producer_of, stores_bits
from fsa.passes.emitter import (
    Builder,
    Index,
    Kernel,
    Value,
    emit_guarded_launch,
)
from fsa.passes.plans import ops_to_plan, read_plan
from fsa.passes.structure.rewriting import replace_op
from fsa.runtime.targets import Target

BINARIZED_OPS = (
    "fsa.pack_bits",
    "fsa.unpack_bits",
    "fsa.binarized_matmul",
    "fsa.binarized_conv2d",
    "fsa.binarized_threshold",
    "fsa.binarized_max_pool2d",
)
PLANNER = "fsa-plan-binarized"


@dataclass(frozen=True)
class Site:
    """Where a pass lowers ops: the module, its target, and what ops can share.

    That is kernels, and the constant weights that were laid out anew.
    """

    module: Any
    target: Target
    kernels: dict[str, Kernel] = field(default_factory=dict[str, Kernel])
    turned: dict[Any, Value] = field(default_factory=dict[Any, Value])


Lowering = Callable[[Any, Site], list[Value] | None]


def binarized_ops(module: Any) -> list[Any]:
    """Return the binarized ops in `module` (an `ir.Operation`) outside of stitched regions."""
    return ops_to_plan(module, BINARIZED_OPS)


def lower_all(module: Any, target: Target, lowerings: Mapping[str, str]) -> None:
    """Replace each binarized op by what its lowering, "module:function", makes of it.

    Ops that are equal but for their operands share a kernel. A lowering that returns None leaves
    its op as it is. An op that stores the bits of the threshold behind it is lowered in its place.
    """
    site = Site(module, target)
    ops = binarized_ops(module)
    stored = {pack for op in ops for pack in _packs_of(planned_finish(op))}
    for op in [op for op in ops if op not in stored]:
        if stores_bits(op):
            continue  # lowered where its threshold stands
        producer = producer_of(op) if op.name == "fsa.binarized_threshold" else None
        lowered = producer or op
        name, _, function = lowerings[lowered.name].partition(":")
        lower: Lowering = getattr(importlib.import_module(name), function)
        finish = planned_finish(op)
        with lowered.location, ir.InsertionPoint(finish.last if finish is not None else op):
            values = lower(lowered, site)
        if finish is not None and values is not None:
            _replace_finished(op, finish, values)
        elif values is not None:
            replace_op(op, values)
        if producer is not None:
            producer.erase()


def _packs_of(finish: Finish | None) -> tuple[Any, ...]:
    return finish.packs if finish is not None else ()


def _replace_finished(op: Any, finish: Finish, values: list[Value]) -> None:
    """Replace a convolution and the ops that its kernel computes: floats first, then bits."""
    rest, kept = list(values), None
    if finish.keeps:
        kept = rest.pop(0)
    for pack in finish.packs:
        replace_op(pack, [rest.pop(0)])
    if kept is not None:
        finish.last.results[0].replace_all_uses_with(kept)
    for found in reversed(finish.chain.ops):
        found.erase()
    op.erase()


def plan_of(op: Any, kind: type[Any]) -> Any:
    """Return the plan of `op` as the dataclass `kind`; raise `PassError` when it is incomplete."""
    return read_plan(op, kind, PLANNER)


def result_extents(op: Any) -> list[Index]:
    """Return the extents of the op's result: ints, and index values made before the op."""
    builder = ShapeBuilder(ir.InsertionPoint.current, op.location)
    return type(op.opview).result_shape(op, builder)[0]


def launch_of(
    op: Any,
    site: Site,
    make_kernel: Callable[[], Kernel],
    grid: Callable[[Builder], Sequence[Index]],
    inputs: Sequence[Value] | None = None,
    result: tuple[Any, list[Index]] | None = None,
    empty: Callable[[Builder], Sequence[Value]] | None = None,
) -> Value:
    """Emit the guarded launch of an op with one result; see `launches_of`."""
    given = [result] if result is not None else None
    (value,) = launches_of(op, site, make_kernel, grid, inputs, given, empty)
    return value


def launches_of(
    op: Any,
    site: Site,
    make_kernel: Callable[[], Kernel],
    grid: Callable[[Builder], Sequence[Index]],
    inputs: Sequence[Value] | None = None,
    results: Sequence[tuple[Any, list[Index]]] | None = None,
    empty: Callable[[Builder], Sequence[Value]] | None = None,
    extra: str = "",
) -> list[Value]:
    """Emit the guarded launch of an op, and return its results.

    An op that equals an earlier one, but for its operands, launches the kernel of that one.
    `inputs` and `results` (types and extents) default to those of the op; so does the result of an
    empty launch, to zeros. `extra` tells kernels of equal ops apart.
    """
    stored = results or [(op.results[0].type, result_extents(op))]
    taken = list(op.operands) if inputs is None else inputs
    types = [str(value.type) for value in (*op.operands, *op.results, *taken)]
    types += [str(kind) for kind, _ in stored]
    attributes = sorted(f"{name} = {value}" for name, value in op.attributes.items())
    key = f"{op.name} {types} {attributes} {extra}"

    def shared_kernel() -> Kernel:
        if key not in site.kernels:
            site.kernels[key] = make_kernel()
        return site.kernels[key]

    return list(
        emit_guarded_launch(
            shared_kernel,
            grid=grid,
            inputs=taken,
            results=list(stored),
            empty=empty,
        )
    )


def as_rows(builder: Builder, value: Value) -> tuple[Value, Index]:
    """Return a tensor [..., n] as [rows, n], and the number of rows."""
    extents = ShapeBuilder(ir.InsertionPoint.current, ir.Location.current).dims(value)
    rows = builder.product(extents[:-1])
    if len(extents) == 2:
        return value, extents[0]
    element = value.type.element_type
    kind = tensor_type([rows, extents[-1]], element)
    last = len(extents) - 1
    if last == 0:
        sizes = [] if isinstance(extents[0], int) else [extents[0]]
        made = tensor.expand_shape(kind, value, [[0, 1]], sizes, list(kind.shape))
        return made, 1
    return collapsed(value, [list(range(last)), [last]], kind), rows


def collapsed(value: Value, groups: list[list[int]], kind: Any) -> Value:
    """Return `value` with each of `groups` of dimensions joined to one, as type `kind`.

    A group with a `?` has a `?` in the verifier's eyes, also where another of its sizes is 0.
    """
    joined = _joined_type(value.type, groups)
    made = tensor.collapse_shape(joined, value, groups)
    return made if joined == kind else tensor.cast(kind, made)


def _joined_type(kind: Any, groups: list[list[int]]) -> Any:
    extents = type_dims(kind)
    sizes = [[extents[axis] for axis in group] for group in groups]
    joined = [None if None in group else math.prod(group) for group in sizes]
    return tensor_type(joined, kind.element_type)


def from_rows(builder: Builder, value: Value, kind: Any, extents: list[Index]) -> Value:
    """Return a tensor [rows, n] as type `kind` with `extents`, the reverse of `as_rows`."""
    last = len(extents) - 1
    if last == 1:
        return value
    if last == 0:
        return tensor.collapse_shape(kind, value, [[0, 1]])
    sizes = [
        builder.value(extent)
        for extent, known in zip(extents, type_dims(kind), strict=True)
        if known is None
    ]
    groups = [list(range(last)), [last]]
    joined = _joined_type(kind, groups)
    value = value if value.type == joined else tensor.cast(joined, value)
    return tensor.expand_shape(kind, value, groups, sizes, list(kind.shape))
