"""Task splitting: a long reduction to few results becomes partial ones and their join.

A sum of 64 rows of 30000 elements has 64 tasks, a sum of the columns of 4096 x 1024 a few
workgroups of threads; a card has many more multiprocessors. One row of a million elements is one
task, and a CPU has several cores. So the outermost reduced dimension is cut into equal pieces: each
piece is reduced by tasks of its own, and a second kernel reduces what they found (AStitch's task
splitting, Zheng et al., ASPLOS 2022, with a launch in place of atomics).
"""

from dataclasses import dataclass
from math import prod
from typing import Any

from fsa.bindings import arith, ir, tensor
from fsa.passes.emitter.memory import identity
from fsa.passes.patterns.tensors import dims, generic
from fsa.passes.stitching.combiners import combine_as, combiner_of, free_order
from fsa.passes.structure.bodies import copy_body, generic_op
from fsa.passes.structure.loops import iterator_types
from fsa.passes.structure.rewriting import replace_op
from fsa.runtime.targets import Target

# On a generic: the loop over the pieces. Its tasks are not joined to ones without that loop.
SPLIT = "fsa.split_loop"
LEAST_ELEMENTS = 1 << 20  # on a GPU: below, a launch more costs what the tasks save
LEAST_PIECE = 16
TASKS_A_MULTIPROCESSOR = 4
THREADS, LANES = 128, 4  # of a workgroup, and elements of each, where results lie along threads
LEAST_ON_CORES = 1 << 18  # 1 MiB of f32: about 50 us of one core, a launch takes 5 to 25
TASKS_A_CORE = 2
COLUMNS_A_CORE = 128  # as the mapping shares sums along columns


@dataclass(frozen=True)
class _Device:
    """What decides about splits on a device that runs `units` tasks at the same time.

    Reductions of `least` elements to fewer tasks are cut into pieces for `wanted` tasks. `along`
    results beside one another in memory are one task. Where `even`, reductions are cut that larger
    results need, too; else the tasks of those go on with what they reduced.
    """

    units: int
    wanted: int
    least: int
    along: int
    lanes: int
    even: bool


def _device_of(target: Target) -> _Device | None:
    if target.kind == "cpu":
        lanes = max(target.vector_bits, 128) // 32
        cores = target.cores
        made = _Device(cores, TASKS_A_CORE * cores, LEAST_ON_CORES, COLUMNS_A_CORE, lanes, True)
        return made if cores > 1 else None
    count = target.multiprocessors
    wanted = TASKS_A_MULTIPROCESSOR * count
    made = _Device(count, wanted, LEAST_ELEMENTS, THREADS * LANES, LANES, False)
    return made if count > 0 else None


def split_reductions(region: Any, target: Target) -> None:
    """Split the reductions of a region (in normal form) that have too few tasks for `target`."""
    device = _device_of(target)
    if device is None:
        return
    block = region.regions[0].blocks[0]
    operations = [op.operation for op in block.operations]
    for op in operations:
        if op.name == "linalg.generic" and len(op.results) == 1:
            pieces = _pieces(op, operations[-1], device)
            if pieces > 1:
                _split(op, pieces)


def forget_splits(region: Any) -> None:
    """Drop the notes of splits from the ops of a region that becomes no kernels."""
    for op in region.regions[0].blocks[0].operations:
        if SPLIT in op.operation.attributes:
            del op.operation.attributes[SPLIT]


def _pieces(op: Any, terminator: Any, device: _Device) -> int:
    """Return into how many pieces to cut a reduction; 1 to leave it."""
    extents = _extents(op)
    reduced = _reduced(op)
    if extents is None or not reduced or prod(extents) < device.least:
        return 1
    if combiner_of(op.regions[0].blocks[0], len(op.operands) - 1, 0) is None:
        return 1
    if _asks_position(op, reduced[0]):
        return 1
    tasks = prod(op.results[0].type.shape)
    if not device.even and _feeds_more(op, terminator, tasks):
        return 1
    maps = [attribute.value for attribute in op.attributes["indexing_maps"]]
    widest = max(maps[:-1], key=lambda m: len(m.results), default=None)
    if widest is None or not widest.results:
        return 1
    last = widest.results[len(widest.results) - 1]
    along = isinstance(last, ir.AffineDimExpr) and ir.AffineDimExpr(last).position not in reduced
    if along:  # neighbouring results lie along threads, or lanes
        tasks = -(-tasks // device.along)
    if tasks >= device.units:
        return 1
    extent = extents[reduced[0]]
    wanted = -(-device.wanted // tasks)
    most = min(wanted, extent // LEAST_PIECE)
    # Pieces stay whole vectors where the dimension is.
    unit = device.lanes if extent % device.lanes == 0 else 1
    return next((n for n in range(most, 1, -1) if extent % (n * unit) == 0), 1)


def _extents(op: Any) -> list[int] | None:
    """Return the size of each loop of a generic; None where one is open or read in another way."""
    found: dict[int, int] = {}
    for value, attribute in zip(op.operands, op.attributes["indexing_maps"], strict=True):
        kind = value.type
        if not isinstance(kind, ir.RankedTensorType):
            continue
        if not kind.has_static_shape:
            return None
        for expression, size in zip(attribute.value.results, kind.shape, strict=True):
            if isinstance(expression, ir.AffineConstantExpr) and size == 1:
                continue  # a dimension that a reduction keeps
            if not isinstance(expression, ir.AffineDimExpr):
                return None
            found[ir.AffineDimExpr(expression).position] = size
    loops = len(list(op.attributes["iterator_types"]))
    return [found[d] for d in range(loops)] if len(found) == loops else None


def _reduced(op: Any) -> list[int]:
    iterators = op.attributes["iterator_types"]
    return [d for d, kind in enumerate(iterators) if "reduction" in str(kind)]


def _asks_position(op: Any, loop: int) -> bool:
    """Whether the body asks where it stands along `loop`, which pieces would number anew."""
    body = [view.operation for view in op.regions[0].blocks[0].operations]
    return any(o.name == "linalg.index" and o.attributes["dim"].value == loop for o in body)


def _feeds_more(op: Any, terminator: Any, elements: int) -> bool:
    """Whether a larger result of the region needs this one: its tasks then go on with it."""
    pending, seen = [op], set[Any]()
    while pending:
        current = pending.pop()
        for value in current.results:
            for use in value.uses:
                user = use.owner.operation
                if user == terminator and prod(value.type.shape) > elements:
                    return True
                key = tuple(user.results)
                if user != terminator and key not in seen and not _reduces(user):
                    seen.add(key)
                    pending.append(user)
    return False


def _reduces(op: Any) -> bool:
    return op.name == "linalg.generic" and bool(_reduced(op))


def _split(op: Any, pieces: int) -> None:
    """Replace a reduction by partial ones over `pieces` of its outermost dimension, and a join."""
    extents = _extents(op)
    assert extents is not None
    loops, cut = len(extents), _reduced(op)[0]
    length = extents[cut] // pieces
    block = op.regions[0].blocks[0]
    free_order(block, 0)
    *inputs, init = list(op.operands)
    maps = [attribute.value for attribute in op.attributes["indexing_maps"]]
    every = dims(loops + 1)
    moved = list(every[:-1])
    moved[cut] = every[-1] * length + every[cut]
    with op.location, ir.InsertionPoint(op):
        window = tensor.empty([length], init.type.element_type)
        new_maps = [_composed(m, moved, loops + 1) for m in maps[:-1]]
        new_maps.append(ir.AffineMap.get(loops + 1, 0, [every[cut]]))
        made = [every[-1], *maps[-1].results]
        new_maps.append(ir.AffineMap.get(loops + 1, 0, made))
        kind = ir.RankedTensorType.get([pieces, *init.type.shape], init.type.element_type)
        arguments = list(block.arguments)

        def body(*elements: Any) -> list[Any]:
            *read, _, accumulator = elements
            return copy_body(block, dict(zip(arguments, [*read, accumulator], strict=True)))

        iterators = [*iterator_types(op), "parallel"]
        partial = generic_op([*inputs, window], [_neutral(op, kind)], new_maps, iterators, body)
        partial.attributes[SPLIT] = ir.IntegerAttr.get(ir.IntegerType.get_signless(64), loops)
        total = _joined(op, partial.results[0], init)
    replace_op(op, [total])


def _composed(map_: Any, moved: list[Any], loops: int) -> Any:
    """Return a map of other loops: `moved` says what each of the old ones is."""
    inner = ir.AffineMap.get(loops, 0, moved)
    return ir.AffineMap.get(loops, 0, [e.compose(inner) for e in map_.results])


def _neutral(op: Any, kind: Any) -> Any:
    block = op.regions[0].blocks[0]
    combiner = combiner_of(block, len(op.operands) - 1, 0)
    assert combiner is not None
    element = kind.element_type
    number = identity(combiner.kind, element)
    is_float = isinstance(element, ir.FloatType)
    make: Any = ir.FloatAttr.get if is_float else ir.IntegerAttr.get
    return arith.ConstantOp(
        kind, ir.DenseElementsAttr.get_splat(kind, make(element, number))
    ).result


def _joined(op: Any, partial: Any, init: Any) -> Any:
    """Reduce the partial results, with the op that combines them, into `init`."""
    block, rank = op.regions[0].blocks[0], init.type.rank

    def join(one: Any, accumulator: Any) -> Any:
        return combine_as(block, 0, one, accumulator)

    loops = dims(rank + 1)
    read = [loops[-1], *loops[:-1]]
    return generic([(partial, read)], (init, loops[:-1]), "p" * rank + "r", join)
