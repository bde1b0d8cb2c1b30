"""Row buffers: when they are live, which of them share memory, and what that leaves in budget."""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from normalization_chains import normalizations, table_and_rows, tables

from fsa.bindings import ir
from fsa.dialects.fsa.dialect import new_context
from fsa.frontend.mlir import read_mlir
from fsa.passes.stitching import allocation, rules
from fsa.passes.stitching.allocation import Slot, allocate
from fsa.passes.stitching.graph import Ref
from fsa.passes.stitching.limits import buffer_budget
from fsa.passes.stitching.liveness import Buffer, find_buffers
from fsa.passes.stitching.pressure import Pressure
from fsa.passes.stitching.regions import planned, regions_of
from fsa.passes.stitching.schedule import Kernel
from fsa.runtime.compile import lower
from fsa.runtime.targets import Target

FORM = "fsa-form-stitched-regions{min-ops=1},fsa-plan-stitching"


@pytest.fixture(autouse=True)
def _context() -> Iterator[None]:
    with new_context(), ir.Location.unknown():
        yield


def _buffer(n: int, first: int, last: int, shape: tuple[int, ...] = (8,), kind: str = "f32") -> Any:
    return Buffer(Ref("node", n), shape, ir.Type.parse(kind), first, last)


def _shared(slots: Sequence[Slot]) -> list[list[int]]:
    return [[buffer.ref.number for buffer in slot.buffers] for slot in slots]


def test_buffers_that_touch_do_not_share() -> None:
    """What a nest reads while it writes another buffer is live beside that."""
    slots = allocate([_buffer(0, 0, 1), _buffer(1, 1, 2), _buffer(2, 2, 3), _buffer(3, 3, 3)])
    assert _shared(slots) == [[0, 2], [1, 3]]


def test_buffers_live_one_after_another_share() -> None:
    slots = allocate([_buffer(0, 0, 0), _buffer(1, 1, 4), _buffer(2, 5, 6)])
    assert _shared(slots) == [[0, 1, 2]]
    assert slots[0].bytes == 32


def test_buffers_inside_of_others_do_not_share() -> None:
    slots = allocate([_buffer(0, 0, 9), _buffer(1, 2, 3), _buffer(2, 4, 5)])
    assert _shared(slots) == [[0], [1, 2]]


def test_the_smallest_free_slot_is_taken() -> None:
    large, middle = _buffer(0, 0, 1, (100,)), _buffer(1, 0, 1, (20,))
    slots = allocate([large, middle, _buffer(2, 2, 3, (10,))])
    assert _shared(slots) == [[0], [1, 2]]
    assert [slot.size for slot in slots] == [100, 20]


def test_a_slot_of_several_shapes_is_flat() -> None:
    (slot,) = allocate([_buffer(0, 0, 1, (3, 5)), _buffer(1, 2, 3, (4,))])
    assert (slot.shape, slot.size) == ((15,), 15)
    (slot,) = allocate([_buffer(0, 0, 1, (3, 5)), _buffer(1, 2, 3, (3, 5))])
    assert slot.shape == (3, 5)


def test_types_have_slots_of_their_own() -> None:
    slots = allocate([_buffer(0, 0, 1), _buffer(1, 2, 3, kind="i32"), _buffer(2, 4, 5)])
    assert _shared(slots) == [[0, 2], [1]]


@pytest.mark.parametrize("seed", range(20))
def test_slots_never_hold_two_live_buffers(seed: int) -> None:
    """Any buffers: each is in one slot, and the peak lies between what is live and the sum."""
    draw = np.random.default_rng(seed)
    first, length, size = (draw.integers(1, most, 30).tolist() for most in (12, 6, 50))
    buffers = [_buffer(n, first[n], first[n] + length[n], (size[n],)) for n in range(30)]
    slots = allocate(buffers)
    assert sorted(n for slot in _shared(slots) for n in slot) == list(range(30))
    for slot in slots:
        for k, one in enumerate(slot.buffers):
            assert not any(one.meets(other) for other in slot.buffers[k + 1 :])
    live = max(sum(b.bytes for b in buffers if b.first <= at <= b.last) for at in range(20))
    assert live <= sum(slot.bytes for slot in slots) <= sum(b.bytes for b in buffers)
    assert slots == allocate(buffers)


def _kernel(text: str, kind: str) -> tuple[Any, Kernel]:
    """Return a planned module, which owns what the kernel refers to, and its one kernel."""
    module: Any = lower(read_mlir(text), Target.parse(kind), FORM)
    (region,) = regions_of(module)
    _, _, (kernel,) = planned(region)
    return module, kernel


@pytest.mark.parametrize("kind", ["cpu", "vulkan"])
def test_values_live_from_their_nest_to_the_last_reader(kind: str) -> None:
    _module, kernel = _kernel(normalizations(5, 771, 4).text, kind)
    buffers = find_buffers(kernel)
    for buffer in buffers:
        written = kernel.nests[buffer.first]
        assert buffer.ref in written.kept
        reads = [
            number
            for number, nest in enumerate(kernel.nests)
            for touch in kernel.touches(nest)
            if touch.kind == "kept" and touch.ref == buffer.ref
        ]
        assert (min(reads) > buffer.first, max(reads)) == (True, buffer.last)
    assert len(buffers) == 4
    assert len(allocation.slots_of(kernel)) == 2


def test_accumulators_are_live_while_a_sum_runs() -> None:
    """Sums of columns add up in the row buffer of their result."""
    _module, kernel = _kernel(tables(3, 33, 17).text, "cpu")
    sums = [b for b in find_buffers(kernel) if b.ref.number in kernel.nests[b.first].reductions]
    assert len(sums) == 4
    assert all(kernel.nests[b.first].sweeps == (b.shape == (17,)) for b in sums)
    shapes = {slot.shape for slot in allocation.slots_of(kernel)}
    assert shapes == {(33, 17), (33,), (17,)}


def test_values_of_several_shapes_share_memory() -> None:
    _module, kernel = _kernel(table_and_rows(3, 5, 7).text, "cpu")
    slots = allocation.slots_of(kernel)
    assert any(len({b.shape for b in slot.buffers}) > 1 and len(slot.shape) == 1 for slot in slots)


@pytest.mark.parametrize(("kind", "dynamic"), [("cpu", False), ("cpu", True), ("vulkan", False)])
def test_what_does_not_fit_at_once_is_kept_in_turns(kind: str, dynamic: bool) -> None:
    """The sum of all row buffers exceeds the budget, what is live at once does not."""
    target = Target.parse(kind)
    n = buffer_budget(target) // (4 * 3)
    _module, kernel = _kernel(normalizations(5, n, 6, dynamic=dynamic).text, kind)
    buffers = find_buffers(kernel)
    assert len(buffers) == 6
    assert sum(math.prod(b.shape) * 4 for b in buffers) > buffer_budget(target)
    assert allocation.workgroup_bytes(kernel) == 2 * 4 * n <= buffer_budget(target)


def test_what_is_live_at_once_and_does_not_fit_is_computed_again() -> None:
    target = Target.parse("cpu")
    n = buffer_budget(target) // 4
    module, kernel = _kernel(normalizations(5, n, 4).text, "cpu")
    reason = r"computed again: row buffers would take \d+ bytes (or more )?of \d+"
    assert re.search(reason, str(module))
    assert allocation.workgroup_bytes(kernel) <= buffer_budget(target)


@pytest.mark.parametrize("kind", ["cpu", "vulkan"])
@pytest.mark.parametrize("name", ["chain", "tables", "table-and-rows"])
def test_the_bound_of_one_more_value_is_none_too_many(name: str, kind: str) -> None:
    """Keeping another value never takes less than what refuses values without building."""
    texts = {
        "chain": normalizations(5, 131, 4).text,
        "tables": tables(3, 33, 17).text,
        "table-and-rows": table_and_rows(3, 5, 7).text,
    }
    module: Any = lower(read_mlir(texts[name]), Target.parse(kind), FORM)
    (region,) = regions_of(module)
    graph, space, (kernel,) = planned(region)
    for n, node in enumerate(kernel.nodes):
        if graph.nodes[n].reduces or node.scheme == "global":
            continue
        without = [*kernel.nodes]
        without[n] = replace(node, scheme="local")
        (before,) = rules.build(graph, space, [kernel.plan], without)
        without[n] = replace(node, scheme="regional")
        (after,) = rules.build(graph, space, [kernel.plan], without)
        levels = {
            nest.level
            for nest in before.nests
            for touch in before.touches(nest)
            if (touch.kind, touch.ref.number) == ("inline", n)
        }
        least = Pressure(before).with_value(n, levels)
        assert 0 < least <= allocation.workgroup_bytes(after)


def test_plans_say_who_shares() -> None:
    text = str(lower(read_mlir(normalizations(5, 40, 3).text), Target.parse("cpu"), FORM))
    assert (
        len(re.findall(r"its row buffer is at other times that of result 0 of op \d+", text)) == 2
    )
    again = str(lower(read_mlir(text), Target.parse("cpu"), "fsa-plan-stitching"))
    assert again.count("at other times") == 2
