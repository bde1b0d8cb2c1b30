"""The pass `fsa-separate-initial-values`."""

from dataclasses import dataclass
from typing import Any, ClassVar

from fsa.bindings import ir
from fsa.diagnostics import Diagnostics
from fsa.passes.base import Pass
from fsa.passes.emitter.memory import identity
from fsa.passes.patterns.tensors import elementwise, filled, sizes_of
from fsa.passes.stitching.combiners import combine_as, combiner_of, free_order
from fsa.passes.structure.fills import fill_of, write_as_fill
from fsa.passes.structure.loops import iterator_types, linalg_ops
from fsa.runtime.targets import ATTRIBUTE

_VIEWS = frozenset({"tensor.cast", "tensor.collapse_shape", "tensor.expand_shape"})


@dataclass(frozen=True)
class FsaSeparateInitialValues(Pass):
    """Start reductions from a linalg.fill where their start has other users.

    IREE 3.13 computes an element-wise op and a reduction that starts from its result in one kernel.
    If that result is needed elsewhere too, the kernel stores both; on Vulkan, for whole tiles of
    static sizes (64 rows, say), it stores the start twice, and the reduction is lost. A reduction
    that starts from another's result, or from an argument, is written over that, whoever reads it
    later, and a kernel that reads the start as an input too may be refused. So a
    linalg.generic that gives one value everywhere becomes a linalg.fill, which IREE copies into
    each kernel, and a reduction of any other such start goes on from the neutral element, with the
    start combined behind it: for floats that is another order of the same sum. Reductions whose
    results are not combined one by one, such as the position of a maximum, stay.
    """

    name: ClassVar[str] = "fsa-separate-initial-values"
    summary: ClassVar[str] = "Start reductions from fills where starts have other users"
    anchor: ClassVar[str] = "any"

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Rewrite the reductions of the module `op`."""
        if ATTRIBUTE not in op.attributes:
            return
        for found in linalg_ops(op):
            if found.name == "linalg.generic":
                write_as_fill(found)
        for found in linalg_ops(op):
            if found.name == "linalg.generic" and "reduction" in iterator_types(found):
                _separate(found)


def _separate(op: Any) -> None:
    """Start the results of a reduction from neutral elements where that is needed."""
    inputs = len(op.operands) - len(op.results)
    for number in range(len(op.results)):
        if not _is_shared(op.operands[inputs + number]):
            continue
        combiner = combiner_of(op.regions[0].blocks[0], inputs, number)
        if combiner is not None:
            _start_from_neutral(op, number, combiner.kind)


def _is_shared(start: Any) -> bool:
    """Tell whether `start` has other users too, and is an argument or made by a linalg op.

    Fills do not count.
    """
    if fill_of(start) is not None:
        return False
    shared = False
    while True:
        shared |= len(list(start.uses)) > 1
        if not isinstance(start, ir.OpResult):
            return shared
        if start.owner.name not in _VIEWS:
            return shared and start.owner.name.startswith("linalg.")
        start = start.owner.operands[0]


def _start_from_neutral(op: Any, number: int, kind: str) -> None:
    """Let result `number` start from the neutral element, and combine it with its start behind."""
    position = len(op.operands) - len(op.results) + number
    start = op.operands[position]
    element = start.type.element_type
    neutral = identity(kind, element)
    if isinstance(element, ir.FloatType):  # sums have an int
        neutral = float(neutral)
    with op.location, ir.InsertionPoint(op):
        op.operands[position] = filled(sizes_of(start), element, neutral)
    block = op.regions[0].blocks[0]
    free_order(block, number)

    def combined(part: Any, first: Any) -> Any:
        return combine_as(block, number, part, first)

    result = op.results[number]
    with op.location, ir.InsertionPoint.after(op):
        whole = elementwise(sizes_of(start), element, [result, start], combined)
    result.replace_all_uses_except(whole, whole.owner.operation)
