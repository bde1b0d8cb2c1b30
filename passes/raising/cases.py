"""Tensors of two values, +a and -a, however a front end writes them.

A chain of element-wise ops that compares a tensor with constants and makes numbers of the outcome
is a step function. It is evaluated once for each outcome that is possible: at the constants, next
to them, at both zeros, the infinities and NaN.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from fsa.bindings import ir
from fsa.dialects.fsa.constants import Array, dtype_of
from fsa.passes.raising.fields import POOLS, unframed
from fsa.passes.raising.known import Known
from fsa.passes.structure.elementwise import is_elementwise
from fsa.passes.weights.bodies import Body, NotKnown

VIEWS = (
    "linalg.transpose",
    "tensor.cast",
    "tensor.collapse_shape",
    "tensor.expand_shape",
    "tensor.extract_slice",
)
_MAX_DEPTH = 64  # ops between a comparison and its use


@dataclass(frozen=True)
class Opaque:
    """A value that is not looked into; `tensor` is the one whose elements it is, as they stand."""

    key: Any
    tensor: Any = None


@dataclass(frozen=True)
class Signs:
    """A tensor of +a and -a. `of` is a tensor x with the bits x >= 0, None where none is known.

    With `is_sign` the tensor is sign(x): 0 where x is 0, NaN where it is NaN, and else +a or -a.
    """

    magnitude: float
    of: Any = None
    is_sign: bool = False


def signs_of(value: Any, known: Known) -> Signs | None:
    """Return what `value` is if it has two values, or is a sign; None where it is not known to."""
    if isinstance(value.owner, ir.Block) or not isinstance(value.type, ir.RankedTensorType):
        return None
    op = value.owner.operation
    if op.name == "fsa.unpack_bits":
        return Signs(1.0)
    if op.name in VIEWS:
        found = signs_of(op.operands[0], known)
        return None if found is None else Signs(found.magnitude, None, found.is_sign)
    if op.name in POOLS:
        return _pooled(op, known)
    if op.name == "tensor.pad":
        source, frame = unframed(value, known)
        found = signs_of(source, known)
        if frame is None or found is None or abs(frame.number) != found.magnitude:
            return None
        return Signs(found.magnitude, None, found.is_sign)
    if not isinstance(value.type.element_type, ir.FloatType):
        return None
    try:
        return _step(value, known)
    except NotKnown:
        return None


def _pooled(op: Any, known: Known) -> Signs | None:
    start = known.scalar(op.operands[2])
    image, frame = unframed(op.operands[0], known)
    found = signs_of(image, known)
    if found is None or start is None or not start <= -found.magnitude:
        return None
    if frame is not None and not frame.number <= -found.magnitude:
        return None
    return Signs(found.magnitude, None, found.is_sign)


def levels_of(value: Any, known: Known) -> tuple[float, float] | None:
    """Return the two finite numbers, lower first, that a step function takes; None for others."""
    if isinstance(value.owner, ir.Block) or not isinstance(value.type, ir.RankedTensorType):
        return None
    if not isinstance(value.type.element_type, ir.FloatType):
        return None
    try:
        found = _outcomes(value, known)
    except NotKnown:
        return None
    levels = [] if found is None else [float(number) for number in np.unique(found.values)]
    if len(levels) != 2 or not np.isfinite(levels).all():
        return None
    return levels[0], levels[1]


def _step(value: Any, known: Known) -> Signs | None:
    found = _outcomes(value, known)
    if found is None:
        return None
    signs = _two(found.values, found.samples, found.tensor)
    if signs is None and found.samples is not None:
        signs = _sign(found.values, found.samples, found.tensor)
    return signs


@dataclass(frozen=True)
class _Outcomes:
    """What a step function is for `samples` of what it compares; None: for both outcomes."""

    values: Array
    samples: Array | None
    tensor: Any


def _outcomes(value: Any, known: Known) -> _Outcomes | None:
    """Return the outcomes of a chain that compares one tensor; None where it is no such chain."""
    walk = _Walk(known, {})
    if not isinstance(walk.cases(value), np.ndarray) or not walk.compared:
        return None
    if len(walk.compared) > 1:
        return None
    ((key, constants),) = walk.compared.items()
    samples = None if None in constants else _samples(constants, walk.types[key])
    final = _Walk(known, {key: np.array([False, True]) if samples is None else samples})
    values = final.cases(value)
    if not isinstance(values, np.ndarray):
        return None
    if samples is None:
        return _Outcomes(values, None, None)
    tensor = walk.tensors.get(key)
    return _Outcomes(np.broadcast_to(values, samples.shape), samples, tensor)


def _two(values: Array, samples: Array | None, tensor: Any) -> Signs | None:
    magnitude = float(np.abs(values).flat[0])
    if not magnitude > 0 or not (np.abs(values) == magnitude).all():
        return None
    if samples is not None and ((samples >= 0) == (values > 0)).all():
        return Signs(magnitude, tensor)
    return Signs(magnitude)


def _sign(values: Array, samples: Array, tensor: Any) -> Signs | None:
    """Return the sign of x where that is all that the values are."""
    clear = (samples != 0) & ~np.isnan(samples)
    if not clear.any() or not (values[samples == 0] == 0).all():
        return None
    found = _two(values[clear], samples[clear], tensor)
    if found is None or found.of is None:
        return None
    return Signs(found.magnitude, tensor, is_sign=True)


def _samples(constants: list[Any], dtype: Any) -> Array:
    """Return one number of each class that comparisons with `constants` tell apart."""
    if dtype.kind != "f":
        near = [int(c) + d for c in constants for d in (-1, 0, 1)]
        limits = np.iinfo(dtype)
        return np.unique(np.clip([*near, limits.min, limits.max], limits.min, limits.max))
    exact = np.array([*constants, 0.0, -0.0, np.inf, -np.inf, np.nan], dtype)
    up, down = np.nextafter(exact, dtype.type(np.inf)), np.nextafter(exact, dtype.type(-np.inf))
    return np.concatenate([exact, up, down])


class _Walk:
    """Evaluates chains for `samples` of what they compare; notes what that is."""

    def __init__(self, known: Known, samples: dict[Any, Array]):
        self._known = known
        self._samples = samples
        self._found: dict[Any, Any] = {}
        self._depth = 0
        self.compared: dict[Any, list[Any]] = {}  # what is compared, with which constants
        self.types: dict[Any, Any] = {}
        self.tensors: dict[Any, Any] = {}

    def cases(self, value: Any) -> Any:
        """Return the values of a tensor, one a sample or one for all, or `Opaque`."""
        if value not in self._found:
            self._found[value] = self._evaluate(value)
        return self._found[value]

    def compare(self, op: Any, operands: list[Any]) -> Array | None:
        """Return the outcome of a comparison with a constant; None to compute it as it stands.

        Any other comparison is one of its own, with two outcomes.
        """
        opaque = [operand for operand in operands if isinstance(operand, Opaque)]
        numbers = [operand for operand in operands if isinstance(operand, np.ndarray)]
        if len(opaque) == 1 and numbers and numbers[0].size == 1:
            key = opaque[0].key
            self.compared.setdefault(key, []).append(numbers[0].flat[0])
            self.types[key] = numbers[0].dtype
            if opaque[0].tensor is not None:
                self.tensors[key] = opaque[0].tensor
            return None
        key = op.results[0]
        self.compared[key] = [None]
        return self._samples.get(key, np.array([False]))

    def sample(self, opaque: Opaque) -> Array:
        """Return the samples of what is compared."""
        return self._samples.get(opaque.key, np.zeros(1, self.types[opaque.key]))

    def _evaluate(self, value: Any) -> Any:
        if isinstance(value.owner, ir.Block):
            return Opaque(value, value)
        op = value.owner.operation
        number = self._known.scalar(value) if op.name in ("linalg.fill", "arith.constant") else None
        if number is not None:
            return np.full(1, number, dtype_of(value.type.element_type))
        if op.name != "linalg.generic" or len(op.results) != 1 or self._depth > _MAX_DEPTH:
            return Opaque(value, value)
        if not is_elementwise(op) and len(op.operands) > 1:
            return Opaque(value, value)
        self._depth += 1
        taken = [self.cases(operand) for operand in list(op.operands)[:-1]]
        self._depth -= 1
        block = op.regions[0].blocks[0]
        maps = [ir.AffineMapAttr(attribute).value for attribute in op.attributes["indexing_maps"]]
        arguments = {
            argument: found if _stands(found, at) else Opaque(argument)
            for found, argument, at in zip(taken, block.arguments, maps, strict=False)
        }
        (result,) = _CasesBody(op, self, arguments).results()
        return Opaque(value, value) if isinstance(result, Opaque) else result.reshape(-1)


def _stands(found: Any, at: Any) -> bool:
    """Tell whether an input is read at the position of the result, or is the same everywhere."""
    return isinstance(found, np.ndarray) or at == ir.AffineMap.get_identity(at.n_dims)


class _CasesBody(Body):
    """Evaluates a body on cases; what is computed from opaque values is opaque."""

    def __init__(self, op: Any, walk: _Walk, arguments: Any):
        super().__init__(op, [1], arguments, lambda _: None)
        self._walk = walk

    def _evaluate(self, op: Any) -> Any:
        operands: list[Any] = [self.value(operand) for operand in op.operands]
        if not any(isinstance(operand, Opaque) for operand in operands):
            return super()._evaluate(op)
        if op.name not in ("arith.cmpf", "arith.cmpi"):
            return Opaque(op.results[0])
        outcome = self._walk.compare(op, operands)
        if outcome is not None:
            return outcome
        for operand, found in zip(op.operands, operands, strict=True):
            if isinstance(found, Opaque):
                self._values[operand] = self._walk.sample(found)
        result = super()._evaluate(op)
        self._values.update(zip(op.operands, operands, strict=True))
        return result
