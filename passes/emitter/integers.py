"""Integer arithmetic of the kernel builder: divisions, positions in boxes, and bits."""

from fsa.bindings import arith, math
from fsa.passes.emitter.arithmetic import Arithmetic
from fsa.passes.emitter.types import Index, Scalar, Value, are_numbers, is_index, is_one, is_zero


class Integers(Arithmetic):
    """Operations on indices and integers; two Python numbers fold to a number."""

    def floordiv(self, a: Index, b: Index) -> Index:
        """Return a // b of non-negative integers."""
        if are_numbers(a, b):
            return a // b
        if is_one(b):
            return a
        a, b = self._operands(a, b)
        return arith.divui(a, b)

    def ceildiv(self, a: Index, b: Index) -> Index:
        """Return a / b of non-negative integers, rounded up."""
        if are_numbers(a, b):
            return -(-a // b)
        return self.floordiv(self.add(a, self.sub(b, 1)), b)

    def rem(self, a: Index, b: Index) -> Index:
        """Return a % b of non-negative integers."""
        if are_numbers(a, b):
            return a % b
        if is_one(b):
            return 0 if is_index(a) else self.constant(0, a.type)
        a, b = self._operands(a, b)
        return arith.remui(a, b)

    def delinearize(self, position: Index, extents: list[Index]) -> list[Index]:
        """Return the coordinates of a row-major `position` in a box of `extents`.

        The first extent is not read: the first coordinate takes what is left.
        """
        coordinates: list[Index] = []
        for extent in reversed(extents[1:]):
            coordinates.append(self.rem(position, extent))
            position = self.floordiv(position, extent)
        return [*([position] if extents else []), *reversed(coordinates)]

    def linearize(self, coordinates: list[Index], extents: list[Index]) -> Index:
        """Return the row-major position of `coordinates` in a box of `extents`."""
        position: Index = 0
        for coordinate, extent in zip(coordinates, extents, strict=True):
            position = self.add(self.mul(position, extent), coordinate)
        return position

    def product(self, factors: list[Index]) -> Index:
        """Return the product of sizes; 1 for none."""
        result: Index = 1
        for factor in factors:
            result = self.mul(result, factor)
        return result

    def bit_and(self, a: Scalar, b: Scalar) -> Scalar:
        """Return a & b."""
        if are_numbers(a, b):
            return a & b
        return arith.andi(*self._operands(a, b))

    def bit_or(self, a: Scalar, b: Scalar) -> Scalar:
        """Return a | b."""
        if are_numbers(a, b):
            return a | b
        return arith.ori(*self._operands(a, b))

    def bit_xor(self, a: Scalar, b: Scalar) -> Scalar:
        """Return a ^ b."""
        if are_numbers(a, b):
            return a ^ b
        return arith.xori(*self._operands(a, b))

    def shift_left(self, a: Scalar, b: Scalar) -> Scalar:
        """Return a << b; b is below the width."""
        if are_numbers(a, b):
            return a << b
        return a if is_zero(b) else arith.shli(*self._operands(a, b))

    def shift_right(self, a: Scalar, b: Scalar) -> Scalar:
        """Return a >> b, filled with zeros; b is below the width."""
        if are_numbers(a, b):
            return a >> b
        return a if is_zero(b) else arith.shrui(*self._operands(a, b))

    def popcount(self, a: Value) -> Value:
        """Return the number of bits set."""
        return math.ctpop(a)
