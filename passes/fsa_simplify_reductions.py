"""The pass `fsa-simplify-reductions`."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from fsa.bindings import arith, ir
from fsa.diagnostics import Diagnostics
from fsa.passes.base import Pass
from fsa.passes.patterns.tensors import dims, elementwise_of, sizes_of
from fsa.passes.precision.sums import LONG_SUM
from fsa.passes.structure.bodies import copy_body, generic_op, needed_values
from fsa.passes.structure.elementwise import is_elementwise
from fsa.passes.structure.loops import linalg_ops
from fsa.passes.structure.views import Subscripts, subscripts_of
from fsa.passes.weights.constants import filling_constant, scalar_constant


@dataclass(frozen=True)
class FsaSimplifyReductions(Pass):
    """Drop what reductions compute in vain, and reductions that another one answers.

    - Results of a linalg.generic without use go, with what only they need: the maximum that a
      softmax subtracts is imported with the position of the maximum.
    - Whether all elements of a row are -inf (attention gives zeros for such rows) is asked of the
      maximum of the row where there is one, which is -inf exactly then. A NaN makes both answers
      no, and in an empty row both are yes.
    - Of reductions that differ only in dimensions of size 1 of their results, the first is taken
      for all: the mean that comes with a variance is imported a second time, without them.
    """

    name: ClassVar[str] = "fsa-simplify-reductions"
    summary: ClassVar[str] = (
        "Drop unused results, equal reductions, and tests that a maximum answers"
    )
    anchor: ClassVar[str] = "any"

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Simplify the reductions inside `op`."""
        for operation in linalg_ops(op):
            if operation.name == "linalg.generic":
                _drop_unused(operation)
        _unify(linalg_ops(op))
        maxima: dict[Any, list[_Maximum]] = {}
        tests: list[tuple[Any, _Maximum]] = []
        for operation in linalg_ops(op):
            maximum = _maximum_of(operation)
            if maximum is not None:
                maxima.setdefault(operation.operands[0], []).append(maximum)
            tested = _tested_value(operation)
            for known in maxima.get(tested, []) if tested is not None else ():
                same = known.iterators == str(operation.attributes["iterator_types"])
                if same and known.block == operation.block:
                    tests.append((operation, known))
                    break
        for operation, maximum in tests:
            _ask(operation, maximum)


def _drop_unused(op: Any) -> None:
    """Replace a generic by one without the results that nothing uses and no other needs."""
    used = [n for n, result in enumerate(op.results) if any(True for _ in result.uses)]
    if not used or len(used) == len(op.results):
        return
    inputs = len(op.operands) - len(op.results)
    block = op.regions[0].blocks[0]
    yielded = list(list(block.operations)[-1].operation.operands)
    needed = needed_values(block, [yielded[n] for n in used])
    kept = [n for n in range(len(op.results)) if n in used or block.arguments[inputs + n] in needed]
    if len(kept) == len(op.results):
        return
    places = [*range(inputs), *(inputs + n for n in kept)]
    maps, operands = list(op.attributes["indexing_maps"]), list(op.operands)
    if _loops([maps[place] for place in places]) != _loops(maps):
        return  # how often a loop runs must be said by what is left
    with op.location, ir.InsertionPoint(op):
        arguments = [block.arguments[place] for place in places]
        new = generic_op(
            operands[:inputs],
            [operands[inputs + n] for n in kept],
            [maps[place] for place in places],
            op.attributes["iterator_types"],
            lambda *given: copy_body(block, dict(zip(arguments, given, strict=True)), kept),
        )
    for n, result in zip(kept, new.results, strict=True):
        op.results[n].replace_all_uses_with(result)
    op.erase()


def _loops(maps: list[Any]) -> set[int]:
    """Return the loops whose extent a dimension of some operand tells."""
    found = [subscripts_of(ir.AffineMapAttr(entry).value) for entry in maps]
    return {d for entries in found for d in entries or () if d is not None}


_COMBINERS = ("arith.addf", "arith.maximumf", "arith.minimumf", "arith.mulf")


@dataclass(frozen=True)
class _Maximum:
    """The maximum of a tensor over some of its dimensions; `subscripts` index the result."""

    value: Any
    subscripts: Subscripts
    iterators: str
    block: Any


def _reduction(op: Any, combiner: str) -> Subscripts | None:
    """Return how the result of `combiner` over all of one input is indexed, None for other ops."""
    if op.name != "linalg.generic" or len(op.operands) != 2 or len(op.results) != 1:
        return None
    source, result = (ir.AffineMapAttr(found).value for found in op.attributes["indexing_maps"])
    block = op.regions[0].blocks[0]
    body = [inner.operation for inner in block.operations]
    if source != ir.AffineMap.get_identity(source.n_dims) or len(body) != 2:
        return None
    if body[0].name != combiner or {*body[0].operands} != {*block.arguments}:
        return None
    return subscripts_of(result) if body[1].operands[0] == body[0].results[0] else None


def _unify(operations: Iterable[Any]) -> None:
    """Let reductions whose results have the same elements in the same order be one."""
    known: dict[Any, tuple[Any, Subscripts]] = {}
    for op in operations:
        combiner = next((name for name in _COMBINERS if _reduction(op, name) is not None), None)
        start = filling_constant(op.operands[1]) if combiner is not None else None
        subscripts = _reduction(op, combiner) if combiner is not None else None
        if subscripts is None or start is None:
            continue
        kept = tuple(d for d in subscripts if d is not None)
        iterators = str(op.attributes["iterator_types"])
        element = str(op.results[0].type.element_type)
        key = (op.operands[0], combiner, start, iterators, kept, op.block, element)
        first, of_first = known.setdefault(key, (op, subscripts))
        if first == op or subscripts == of_first:
            continue
        if LONG_SUM in op.attributes:
            first.attributes[LONG_SUM] = op.attributes[LONG_SUM]
        _replace(op, first.results[0], of_first, lambda x: x)


def _maximum_of(op: Any) -> _Maximum | None:
    """Return the maximum that `op` computes, starting from -inf."""
    subscripts = _reduction(op, "arith.maximumf")
    if subscripts is None or filling_constant(op.operands[1]) != -math.inf:
        return None
    iterators = str(op.attributes["iterator_types"])
    return _Maximum(op.results[0], subscripts, iterators, op.block)


def _tested_value(op: Any) -> Any:
    """Return x where `op` tells for which rows all of x is -inf, else None."""
    if _reduction(op, "arith.andi") is None or filling_constant(op.operands[1]) not in (1, -1):
        return None
    owner = op.operands[0].owner
    if isinstance(owner, ir.Block) or not is_elementwise(owner.operation):
        return None
    compare = owner.operation
    if len(compare.operands) != 2:
        return None
    source = ir.AffineMapAttr(compare.attributes["indexing_maps"][0]).value
    block = compare.regions[0].blocks[0]
    body = [inner.operation for inner in block.operations]
    if source != ir.AffineMap.get_identity(source.n_dims) or len(body) != 2:
        return None
    test = body[0]
    if test.name != "arith.cmpf" or test.attributes["predicate"].value != _OEQ:
        return None
    left, right = test.operands
    element = block.arguments[0]
    against_infinity = (left == element and scalar_constant(right) == -math.inf) or (
        right == element and scalar_constant(left) == -math.inf
    )
    return compare.operands[0] if against_infinity else None


_OEQ = 1  # arith.CmpFPredicate.OEQ


def _ask(op: Any, maximum: _Maximum) -> None:
    """Replace the test `op` by a comparison of the maximum, and erase it."""
    with op.location, ir.InsertionPoint(op):
        infinity = arith.constant(maximum.value.type.element_type, -math.inf)

    def is_least(x: Any) -> Any:
        return arith.cmpf(arith.CmpFPredicate.OEQ, x, infinity)

    _replace(op, maximum.value, maximum.subscripts, is_least)


def _replace(op: Any, value: Any, subscripts: Subscripts, body: Callable[[Any], Any]) -> None:
    """Replace the reduction `op` by `body` of the elements of another one, and erase it."""
    out = subscripts_of(ir.AffineMapAttr(op.attributes["indexing_maps"][1]).value) or ()
    with op.location, ir.InsertionPoint(op):
        loops, zero = dims(len(out)), ir.AffineConstantExpr.get(0)
        read = [zero if d is None else loops[out.index(d)] for d in subscripts]
        element = op.results[0].type.element_type
        found = elementwise_of(sizes_of(op.operands[1]), element, [(value, read)], body)
    op.results[0].replace_all_uses_with(found)
    op.erase()
