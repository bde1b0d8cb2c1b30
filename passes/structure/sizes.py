"""Sizes of dynamic dimensions as polynomials, to tell which of them are equal.

A `Size` is a polynomial with integer coefficients over atoms: dimensions of tensors that come from
outside (`Extent`), which are never negative, and any other integer value of the IR. Arithmetic on
sizes does not overflow 64 bits, so i64 and index values are the same numbers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fsa.bindings import ir
from fsa.dialects.fsa.shapes import type_dims

MAX_TERMS = 8


@dataclass(frozen=True)
class Extent:
    """Dimension `axis` of the tensor `value`."""

    value: Any
    axis: int


# An atom is an Extent or an ir.Value; atoms in a product are numbered by first sight.
Product = tuple[int, ...]


@dataclass(frozen=True)
class Size:
    """The sum of coefficient times product over `terms`; the empty product is 1."""

    terms: tuple[tuple[Product, int], ...] = ()

    @classmethod
    def of(cls, terms: dict[Product, int]) -> "Size":
        """Return the polynomial of `terms`, without its zeros."""
        return cls(tuple(sorted((p, c) for p, c in terms.items() if c)))

    @property
    def constant(self) -> int | None:
        """The value, None when it depends on an atom."""
        if not self.terms:
            return 0
        ((product, coefficient), *more) = self.terms
        return coefficient if not more and not product else None

    @property
    def atom(self) -> int | None:
        """The number of the atom that this is, None when it is anything else."""
        if len(self.terms) == 1 and self.terms[0][1] == 1 and len(self.terms[0][0]) == 1:
            return self.terms[0][0][0]
        return None

    def plus(self, other: "Size", factor: int = 1) -> "Size":
        """Return `self + factor * other`."""
        terms = dict(self.terms)
        for product, coefficient in other.terms:
            terms[product] = terms.get(product, 0) + factor * coefficient
        return Size.of(terms)

    def times(self, other: "Size") -> "Size":
        """Return the product."""
        terms: dict[Product, int] = {}
        for one, left in self.terms:
            for two, right in other.terms:
                product = tuple(sorted((*one, *two)))
                terms[product] = terms.get(product, 0) + left * right
        return Size.of(terms)

    def divided(self, other: "Size") -> "Size | None":
        """Return the quotient when `other` is a single term that divides every term, else None."""
        if len(other.terms) != 1:
            return None
        ((divisor, factor),) = other.terms
        terms: dict[Product, int] = {}
        for product, coefficient in self.terms:
            rest = list(product)
            for atom in divisor:
                if atom not in rest:
                    return None
                rest.remove(atom)
            if coefficient % factor:
                return None
            terms[tuple(rest)] = coefficient // factor
        return Size.of(terms)


def constant(value: int) -> Size:
    """Return a size that is known."""
    return Size.of({(): value})


class Sizes:
    """Reads sizes off the IR and remembers them; the IR must not change meanwhile."""

    def __init__(self) -> None:
        self.atoms: list[Any] = []
        self._numbers: dict[Any, int] = {}
        self._known: dict[Any, Size] = {}

    def of(self, value: Any) -> Size:
        """Return an integer or index value as a size."""
        found = self._known.get(value)
        if found is None:
            found = self._computed(value)
            if found is None or len(found.terms) > MAX_TERMS:
                found = self._atom(value)
            self._known[value] = found
        return found

    def dim(self, value: Any, axis: int) -> Size:
        """Return dimension `axis` of the tensor `value`."""
        static = type_dims(value.type)[axis]
        if static is not None:
            return constant(static)
        key = Extent(value, axis)
        found = self._known.get(key)
        if found is None:
            found = self._dim_of_op(value, axis)
            if found is None or len(found.terms) > MAX_TERMS:
                found = self._atom(key)
            self._known[key] = found
        return found

    def equate(self, one: Size, other: Size) -> None:
        """Take two dimensions from outside, different so far, for equal from now on."""
        first, second = (self._numbers[self.atoms[size.atom or 0]] for size in (one, other))
        for key, number in self._numbers.items():
            if number == second:
                self._numbers[key] = first
        self._known.clear()

    def is_never_negative(self, size: Size) -> bool:
        """Tell whether `size` is 0 or more for all tensors."""
        return all(
            coefficient >= 0 and all(isinstance(self.atoms[a], Extent) for a in product)
            for product, coefficient in size.terms
        )

    def _atom(self, key: Any) -> Size:
        if key not in self._numbers:
            self._numbers[key] = len(self.atoms)
            self.atoms.append(key)
        return Size.of({(self._numbers[key],): 1})

    def _computed(self, value: Any) -> Size | None:
        op = _owner(value)
        if op is None:
            return None
        name, operands = op.name, op.operands
        if name == "arith.constant":
            attribute = op.attributes["value"]
            return constant(attribute.value) if isinstance(attribute, ir.IntegerAttr) else None
        if name == "arith.index_cast":
            return self.of(operands[0])
        if name == "tensor.dim":
            axis = self.of(operands[1]).constant
            rank = operands[0].type.rank if isinstance(operands[0].type, ir.RankedTensorType) else 0
            return None if axis is None or axis >= rank else self.dim(operands[0], axis)
        if name == "affine.apply":
            found = ir.AffineMapAttr(op.attributes["map"]).value
            return self._affine(found.results[0], found.n_dims, [*operands])
        if name in _BINARY:
            return _BINARY[name](self, self.of(operands[0]), self.of(operands[1]))
        return None

    def _affine(self, expression: Any, dims: int, operands: list[Any]) -> Size | None:
        if isinstance(expression, ir.AffineConstantExpr):
            return constant(expression.value)
        if isinstance(expression, ir.AffineDimExpr):
            return self.of(operands[expression.position])
        if isinstance(expression, ir.AffineSymbolExpr):
            return self.of(operands[dims + expression.position])
        left = self._affine(expression.lhs, dims, operands)
        right = self._affine(expression.rhs, dims, operands)
        if left is None or right is None:
            return None
        if isinstance(expression, ir.AffineAddExpr):
            return left.plus(right)
        if isinstance(expression, ir.AffineMulExpr):
            return left.times(right)
        if isinstance(expression, ir.AffineFloorDivExpr | ir.AffineCeilDivExpr):
            return left.divided(right)
        return None

    def _dim_of_op(self, value: Any, axis: int) -> Size | None:
        """Return a dynamic dimension of an op's result from what the op was made with."""
        op = _owner(value)
        if op is None:
            return None
        if op.name == "tensor.empty":
            return self._listed(value, axis, list(op.operands))
        if op.name == "tensor.expand_shape":
            return self._listed(value, axis, list(op.operands)[1:])
        if op.name == "tensor.extract_slice":
            return self._sliced(op, value, axis)
        if op.name == "tensor.reshape":
            shape = listed_shape(op)
            return None if shape is None else self.of(shape[axis])
        if op.name == "tensor.cast":
            return self.dim(op.operands[0], axis)
        if op.name == "tensor.collapse_shape":
            size = constant(1)
            for part in reassociation(op)[axis]:
                size = size.times(self.dim(op.operands[0], part))
            return size
        if op.name.startswith(("arith.", "math.")):  # element by element
            return self.dim(op.operands[-1], axis)
        if op.name.startswith("linalg."):
            first = len(op.operands) - len(op.results)
            if first >= 0 and op.operands[first + value.result_number].type == value.type:
                return self.dim(op.operands[first + value.result_number], axis)
        return None

    def _sliced(self, op: Any, value: Any, axis: int) -> Size | None:
        """Return a dimension of a slice that keeps all dimensions."""
        if len(op.attributes["static_sizes"]) != value.type.rank:
            return None
        source, offsets, sizes, _ = op.attributes["operandSegmentSizes"]
        first = source + offsets
        return self._listed(value, axis, list(op.operands)[first : first + sizes])

    def _listed(self, value: Any, axis: int, listed: list[Any]) -> Size:
        """Return a dimension whose op lists a value for each dynamic dimension of its result."""
        position = sum(extent is None for extent in type_dims(value.type)[:axis])
        return self.of(listed[position])


def _quotient(_: Sizes, left: Size, right: Size) -> Size | None:
    return left.divided(right)


def _largest(sizes: Sizes, left: Size, right: Size) -> Size | None:
    if sizes.is_never_negative(left.plus(right, -1)):
        return left
    return right if sizes.is_never_negative(right.plus(left, -1)) else None


def _smallest(sizes: Sizes, left: Size, right: Size) -> Size | None:
    largest = _largest(sizes, left, right)
    return None if largest is None else right if largest == left else left


_BINARY: dict[str, Callable[[Sizes, Size, Size], Size | None]] = {
    "arith.addi": lambda _, left, right: left.plus(right),
    "arith.subi": lambda _, left, right: left.plus(right, -1),
    "arith.muli": lambda _, left, right: left.times(right),
    "arith.divsi": _quotient,
    "arith.ceildivsi": _quotient,
    "arith.floordivsi": _quotient,
    "arith.maxsi": _largest,
    "arith.minsi": _smallest,
}


def reassociation(op: Any) -> list[list[int]]:
    """Return which dimensions an expand_shape or collapse_shape puts together."""
    return [[entry.value for entry in group] for group in op.attributes["reassociation"]]


def listed_shape(op: Any) -> list[Any] | None:
    """Return the values that make the shape of a tensor.reshape, None when it is computed."""
    shape = _owner(op.operands[1])
    return None if shape is None or shape.name != "tensor.from_elements" else list(shape.operands)


def _owner(value: Any) -> Any:
    return None if isinstance(value.owner, ir.Block) else value.owner.operation
