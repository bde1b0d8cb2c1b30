"""The scalar body of an op as kernel code, for one element or one vector of elements."""

from collections.abc import Sequence
from typing import Any

from fsa.passes.emitter.functions import approximated
from fsa.passes.emitter.types import is_vector
from fsa.passes.stitching import half
from fsa.passes.stitching.frames import Computed
from fsa.passes.stitching.graph import Node
from fsa.passes.stitching.linear import Index
from fsa.passes.stitching.steps import Steps


class Body:
    """One instance of a node's scalar body, evaluated on demand by an `Evaluator`."""

    def __init__(
        self,
        evaluator: Any,
        node: Node,
        loops: Index,
        accumulators: Sequence[Computed] | None,
    ):
        self.e, self.node, self.loops = evaluator, node, loops
        self.accumulators = accumulators
        self.known: dict[Any, Computed] = {}
        self.arguments = {a: k for k, a in enumerate(node.block.arguments)}

    def steps(self, wanted: Any) -> Steps:
        """Compute a value of the body."""
        if wanted not in self.known:
            self.known[wanted] = yield self._steps(wanted)
        return self.known[wanted]

    def _steps(self, wanted: Any) -> Steps:
        if wanted in self.arguments:
            return (yield from self._argument(self.arguments[wanted]))
        if wanted in self.e.graph.refs:  # a scalar of the region, used without being an operand
            return (yield self.e.steps(self.e.graph.refs[wanted], ()))
        op = wanted.owner
        if op.name == "linalg.index":
            own = self.node.loops[op.attributes["dim"].value]
            return self.e.lane_index(own.substitute(self.loops))
        if op.name == "arith.constant":
            return Computed(self.e.constant(op.attributes["value"]), 0)
        operands: list[Computed] = []
        for operand in op.operands:
            computed = yield self.steps(operand)
            operands.append(computed)
        depth = max((operand.depth for operand in operands), default=0)
        values = [operand.value for operand in operands]
        if any(is_vector(value) for value in values):
            values = [self.e.as_vector(operand) for operand in operands]
        with self.e.at(depth):
            fast = None if self.e.k.is_gpu else approximated(self.e.k, op.name, values)
            made = half.apply(self.e.k, op, values) if fast is None else [fast]
        for result, value in zip(op.results, made, strict=True):
            self.known[result] = Computed(value, depth)
        return self.known[wanted]

    def _argument(self, number: int) -> Steps:
        inputs = self.node.inputs
        if number < len(inputs):
            access = inputs[number]
        elif self.accumulators is not None:
            return self.accumulators[number - len(inputs)]
        else:
            access = self.node.inits[number - len(inputs)]
        index = tuple(e.substitute(self.loops) for e in access.index)
        return (yield self.e.steps(access.ref, index))
