"""Results of a region where a dimension is 0 at run time: on GPUs, whose kernels are not launched.

Results over such a dimension are empty tensors. Others, such as sums over nothing, are what a
portable copy of the region gives, in which ops that loop over nothing are what they start from.
"""

from collections.abc import Callable, Sequence
from typing import Any

from fsa.passes.emitter import Builder, empty_tensors
from fsa.passes.stitching import plan as plans
from fsa.passes.stitching.dims import Space
from fsa.passes.stitching.graph import Graph, Ref
from fsa.passes.stitching.splitting import forget_splits
from fsa.passes.structure.rewriting import replace_op

Sizes = Sequence[Any]


class EmptyResults:
    """Builds the results of a region, at the insertion point, where one of its dimensions is 0."""

    def __init__(self, builder: Builder, region: Any, graph: Graph, space: Space):
        """Take the region, which stays, and what is known of it."""
        self.builder, self.region, self.graph, self.space = builder, region, graph, space

    def at(self, sizes: Sizes, dims_of: Callable[[Ref, Sizes], list[Any]]) -> Sequence[Any]:
        """Return the results for `sizes`, one a dimension; `dims_of` gives those of a result."""
        self.sizes, self.dims_of = sizes, dims_of
        open_ = [d for d, size in enumerate(sizes) if not isinstance(size, int)]
        return self._where_empty(frozenset(), open_)

    def _where_empty(self, zeros: frozenset[int], open_: Sequence[int]) -> Sequence[Any]:
        """Return the results when the dimensions `zeros` are 0, and maybe some of `open_`.

        With no dimension in `zeros`, one of `open_` is 0. Those that nothing loops over which is
        still computed need not be looked at.
        """
        if zeros:
            needed = self._needed_dims(zeros)
            open_ = [d for d in open_ if d in needed]
        if not open_:
            return self._without(zeros)
        first, *others = open_
        if not zeros and not others:
            return self._where_empty(frozenset((first,)), ())
        here = self.builder.compare("eq", self.sizes[first], 0)
        branch = self.builder.branch(here, [result.type for result in self.region.results])
        with branch.then():
            branch.yield_(*self._where_empty(zeros | {first}, others))
        with branch.otherwise():
            branch.yield_(*self._where_empty(zeros, others))
        return list(branch.results)

    def _needed_dims(self, zeros: frozenset[int]) -> set[int]:
        """Return what the nodes loop over that are computed where the dimensions `zeros` are 0."""
        found: set[int] = set()
        pending = [ref for ref in self.graph.outputs if not self._is_empty(ref, zeros)]
        seen: set[int] = set()
        while pending:
            node = self.graph.producer(ref := pending.pop())
            if node is None or ref.number in seen:
                continue
            seen.add(ref.number)
            pending += [access.ref for access in node.inits]
            dims = set(self.space.dims[ref.number])
            if not zeros & dims:
                found |= dims
                pending += [access.ref for access in node.inputs]
        return found

    def _is_empty(self, ref: Ref, zeros: frozenset[int]) -> bool:
        return ref.kind == "node" and not zeros.isdisjoint(self._varying(ref))

    def _without(self, zeros: frozenset[int]) -> Sequence[Any]:
        """Return the results when the dimensions `zeros` are 0, as empty tensors or portably.

        The portable form is for results that are not empty, such as sums over nothing. What loops
        over nothing is what it starts from there.
        """
        outputs = self.graph.outputs
        is_empty = [self._is_empty(ref, zeros) for ref in outputs]
        results = [
            (self.graph.type_of(ref), self.dims_of(ref, self.sizes))
            for ref, empty in zip(outputs, is_empty, strict=True)
            if empty
        ]
        empty_ones = iter(empty_tensors(self.builder, results))
        if all(is_empty):
            return list(empty_ones)
        copy = self._portable_copy()
        copies = [op.operation for op in copy.regions[0].blocks[0].operations]
        for node, dims in zip(self.graph.nodes, self.space.dims, strict=True):
            op = copies[node.position]
            if zeros & set(dims) and op.name.startswith("linalg."):
                replace_op(op, list(op.operands)[-len(op.results) :])
        return [
            next(empty_ones) if empty else result
            for result, empty in zip(copy.results, is_empty, strict=True)
        ]

    def _varying(self, ref: Ref) -> list[int]:
        own = self.space.dims[ref.number]
        index = self.graph.nodes[ref.number].results[ref.result]
        return [own[number] for e in index for number in e.ordered()]

    def _portable_copy(self) -> Any:
        copy = self.region.clone()
        for op in copy.regions[0].blocks[0].operations:
            if plans.NODE in op.operation.attributes:
                del op.operation.attributes[plans.NODE]
        forget_splits(copy.operation)
        plans.write(plans.RegionPlan("portable", "an operand is empty"), copy.operation, [])
        return copy.operation
