"""`linalg.generic` and `linalg.softmax`: every point of an iteration space at once.

The body is evaluated on arrays that hold its scalars at all points of the space. A reduction is one
call of NumPy where the body combines the accumulator with a value by one op, and else a loop over
the reduced points, each evaluated for all parallel points at once.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fsa.dialects.fsa.evaluation.affine import evaluate_map, plain_dimension
from fsa.dialects.fsa.evaluation.tensors import Evaluator
from fsa.dialects.fsa.evaluation.values import Array, Unsupported

# Beyond this, the points of a reduction are looped over instead of held at once.
MAX_POINTS = 1 << 24

_COMBINERS: dict[str, Callable[..., Any]] = {
    "arith.addf": np.add,
    "arith.addi": np.add,
    "arith.mulf": np.multiply,
    "arith.muli": np.multiply,
    "arith.maximumf": np.maximum,
    "arith.minimumf": np.minimum,
    "arith.maxnumf": np.fmax,
    "arith.minnumf": np.fmin,
    "arith.maxsi": np.maximum,
    "arith.minsi": np.minimum,
    "arith.andi": np.bitwise_and,
    "arith.ori": np.bitwise_or,
    "arith.xori": np.bitwise_xor,
}


def softmax(op: Any, operands: list[Array]) -> Array:
    """Return the softmax of the first operand over the op's dimension."""
    axis = op.attributes["dimension"].value
    x = operands[0]
    if x.size == 0:
        return x
    exponentials = np.exp(x - x.max(axis, keepdims=True))
    return exponentials / exponentials.sum(axis, keepdims=True)


def generic(op: Any, operands: list[Array], evaluator: Evaluator) -> list[Array]:
    """Return the results of a `linalg.generic` on tensors."""
    return _Generic(op, operands, evaluator).run()


class _Generic:
    def __init__(self, op: Any, operands: list[Array], evaluator: Evaluator):
        self.op = op
        self.evaluator = evaluator
        self.maps = [attribute.value for attribute in op.attributes["indexing_maps"]]
        outputs = len(op.results)
        self.inputs = operands[: len(operands) - outputs]
        self.outputs = [operand.copy() for operand in operands[len(operands) - outputs :]]
        self.reduced = [
            i
            for i, kind in enumerate(op.attributes["iterator_types"])
            if "parallel" not in str(kind)
        ]
        self.extents = _extents(self.maps, [*self.inputs, *self.outputs])

    def run(self) -> list[Array]:
        if 0 in self.extents:
            return self.outputs  # no point, so the outputs keep what they hold
        if not self.reduced:
            self._points(self._grid({}))
            return self.outputs
        combiners = self._combiners()
        if combiners is not None and int(np.prod(self.extents)) <= MAX_POINTS:
            self._reduce(combiners)
            return self.outputs
        for point in np.ndindex(*[self.extents[i] for i in self.reduced]):
            self._points(self._grid(dict(zip(self.reduced, point, strict=True))))
        return self.outputs

    def _grid(self, fixed: dict[int, int]) -> list[Array]:
        """Return an array of indices for each dimension; `fixed` dimensions have one index."""
        rank = len(self.extents)
        grid: list[Array] = []
        for i, extent in enumerate(self.extents):
            values = np.array([fixed[i]]) if i in fixed else np.arange(extent)
            grid.append(values.reshape([-1 if j == i else 1 for j in range(rank)]))
        return grid

    def _read(self, grid: list[Array]) -> list[Array]:
        """Return what the body's arguments hold at the points of `grid`."""
        rank = len(self.extents)
        values: list[Array] = []
        for array, affine_map in zip([*self.inputs, *self.outputs], self.maps, strict=True):
            index = tuple(_as_index(i, rank) for i in evaluate_map(affine_map, grid))
            values.append(array[index] if index else array.reshape([1] * rank))
        return values

    def _write(self, number: int, grid: list[Array], value: Array) -> None:
        index = evaluate_map(self.maps[len(self.inputs) + number], grid)
        points = np.broadcast_shapes(*[g.shape for g in grid])
        if not index:
            self.outputs[number][...] = np.broadcast_to(value, points).reshape(-1)[-1]
            return
        whole = tuple(np.broadcast_to(_as_index(i, len(points)), points) for i in index)
        self.outputs[number][whole] = np.broadcast_to(value, points)

    def _points(self, grid: list[Array]) -> None:
        """Evaluate the body at the points of `grid` and write what it yields."""
        block = self.op.regions[0].blocks[0]
        values = self.evaluator.block(block, self._read(grid), grid)
        for number, value in enumerate(values):
            self._write(number, grid, value)

    def _combiners(self) -> list[tuple[Any, Any]] | None:
        """Return for each output the function and value that the accumulator is combined with.

        None when some output is not combined by one op, or another op reads an accumulator.
        """
        block = self.op.regions[0].blocks[0]
        accumulators = list(block.arguments)[len(self.inputs) :]
        found: list[tuple[Any, Any]] = []
        yielded = list(list(block.operations)[-1].operation.operands)
        for accumulator, value in zip(accumulators, yielded, strict=True):
            uses = list(accumulator.uses)
            if len(uses) != 1:
                return None
            user = uses[0].owner.operation
            if user.name not in _COMBINERS or user.results[0] != value:
                return None
            others = [operand for operand in user.operands if operand != accumulator]
            if len(others) != 1 or len(list(value.uses)) != 1:
                return None
            found.append((_COMBINERS[user.name], others[0]))
        return found

    def _reduce(self, combiners: list[tuple[Any, Any]]) -> None:
        """Evaluate the combined values at all points, reduce them, and combine with the outputs."""
        grid = self._grid({})
        wanted = [value for _, value in combiners]
        block = self.op.regions[0].blocks[0]
        values = self.evaluator.values(block, self._read(grid), grid, wanted)
        kept = [
            g if i not in self.reduced else g[(slice(0, 1),) * g.ndim] for i, g in enumerate(grid)
        ]
        for number, ((function, _), value) in enumerate(zip(combiners, values, strict=True)):
            whole = np.broadcast_to(value, self.extents)
            total = function.reduce(whole, axis=tuple(self.reduced), keepdims=True)
            held = self._read(kept)[len(self.inputs) + number]
            self._write(number, kept, function(held, total.astype(held.dtype)))


def _as_index(index: Any, rank: int) -> Array:
    return np.asarray(index).reshape([1] * rank) if np.ndim(index) == 0 else index


def _extents(maps: Sequence[Any], arrays: Sequence[Array]) -> list[int]:
    """Return the size of each dimension, from the operands that are indexed by it alone."""
    extents: list[int | None] = [None] * maps[0].n_dims
    for affine_map, array in zip(maps, arrays, strict=True):
        for expression, size in zip(affine_map.results, array.shape, strict=True):
            dimension = plain_dimension(expression)
            if dimension is None:
                continue
            known = extents[dimension]
            if known is not None and known != size:
                raise ValueError(
                    f"expected operands of linalg.generic to agree on dimension {dimension}, "
                    f"found sizes {known} and {size}"
                )
            extents[dimension] = size
    if None in extents:
        raise Unsupported("expected each dimension of linalg.generic to index an operand alone")
    return [extent for extent in extents if extent is not None]
