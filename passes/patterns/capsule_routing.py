"""`fsa.capsule_routing` as linalg: weighted sums, squash, and agreements added to the logits."""

from dataclasses import dataclass
from typing import Any

from fsa.bindings import arith, math, tensor
from fsa.dialects.fsa.ops.capsule_routing import is_batch_shared
from fsa.dialects.fsa.shapes import tensor_type
from fsa.passes.patterns import scalars
from fsa.passes.patterns.lowering import Conventions, Site, unless_empty
from fsa.passes.patterns.squash import squashed
from fsa.passes.patterns.tensors import (
    Size,
    dims,
    elementwise,
    filled,
    generic,
    scalar,
    sizes_of,
)


def lower(site: Site) -> list[Any]:
    """Return the capsules of an `fsa.capsule_routing`, and its coefficients where it has them."""
    op = site.op
    is_wanted = len(op.results) > 1
    sizes = [size for operand in op.operands for size in sizes_of(operand)]

    def empty() -> list[Any]:
        capsules = filled(site.sizes, site.element, 0.0)
        return [capsules, first_coefficients(op, site.conventions)] if is_wanted else [capsules]

    def build() -> list[Any]:
        routing = _Routing.of(op)
        capsules, coefficients = routing.build(op.attributes["iterations"].value)
        return [capsules, routing.result_of(coefficients)] if is_wanted else [capsules]

    types = [result.type for result in op.results]
    return unless_empty(site.conventions, sizes, types, empty, build)


def first_coefficients(op: Any, conventions: Conventions) -> Any:
    """Return the coefficients that an `fsa.capsule_routing` starts with, in the type of u_hat.

    They are those of the last iteration too where predictions are empty and agree with nothing.
    """
    routing = _Routing.of(op)
    sizes, element = routing.logit_sizes, routing.element
    return unless_empty(
        conventions,
        sizes,
        [tensor_type(sizes, element)],
        lambda: [filled(sizes, element, 0.0)],
        lambda: [routing.result_of(routing.starting())],
    )[0]


@dataclass(frozen=True)
class _Routing:
    """Builds the iterations over predictions that are not empty; everything but them is wide."""

    u_hat: Any
    start: Any  # the first logits [L, H], None for zeros
    sizes: tuple[Size, Size, Size, Size]
    is_batch_shared: bool
    epsilon: float

    @classmethod
    def of(cls, op: Any) -> "_Routing":
        """Return what an `fsa.capsule_routing` says, with its sizes at the insertion point."""
        u_hat, *given = op.operands
        batch, low, high, size = sizes_of(u_hat)
        shared = is_batch_shared(op.attributes)
        epsilon = op.attributes["epsilon"].value
        start = given[0] if given else None
        return cls(u_hat, start, (batch, low, high, size), shared, epsilon)

    @property
    def element(self) -> Any:
        return self.u_hat.type.element_type

    @property
    def wide(self) -> Any:
        return scalars.accumulator(self.element)

    @property
    def logit_sizes(self) -> list[Size]:
        batch, low, high, _ = self.sizes
        return [low, high] if self.is_batch_shared else [batch, low, high]

    @property
    def capsule_sizes(self) -> list[Size]:
        batch, _, high, size = self.sizes
        return [batch, high, size]

    def build(self, iterations: int) -> tuple[Any, Any]:
        """Return capsules and coefficients of the last of `iterations` iterations.

        Coefficients None are all 1 / H: the softmax of logits that start at zero is known.
        All are written out: IREE 3.13 gives wrong results for an scf.for over tensors of dynamic
        shape whose body starts sums from a fill (the fill is hoisted, then overwritten in place).
        Its dispatches are the same in every iteration and are compiled once.
        """
        logits = None if self.start is None else self._started()
        capsules: Any = None
        coefficients: Any = None
        for number in range(iterations):
            element = self.element if number + 1 == iterations else self.wide
            if number:
                before = filled(self.logit_sizes, self.wide, 0.0) if logits is None else logits
                logits = self._agreed(before, capsules)
            if logits is None:
                capsules = self._first(element)
            else:
                coefficients = self._softmax(logits)
                capsules = self._routed(coefficients, element)
        return capsules, coefficients

    def starting(self) -> Any:
        """Return the coefficients of the first iteration; None are all 1 / H."""
        return None if self.start is None else self._softmax(self._started())

    def result_of(self, coefficients: Any) -> Any:
        """Return coefficients as the op's result: in the type of u_hat, equal ones written out."""
        high = self.sizes[2]
        if coefficients is None and isinstance(high, int):
            return filled(self.logit_sizes, self.element, 1.0 / max(high, 1))
        if coefficients is None:
            equal = arith.divf(scalar(self.wide, 1.0), self._high())
            # Rounded by the device: a host has no f16.
            return elementwise(
                self.logit_sizes, self.element, [], lambda: scalars.narrowed(equal, self.element)
            )
        if self.element == self.wide:
            return coefficients
        return elementwise(
            self.logit_sizes,
            self.element,
            [coefficients],
            lambda x: scalars.narrowed(x, self.element),
        )

    def _started(self) -> Any:
        """Return the first logits: `start` [L, H] for each group of samples that share theirs."""
        loops = dims(len(self.logit_sizes))
        return generic(
            [(self.start, loops[-2:])],
            (tensor.empty(self.logit_sizes, self.wide), loops),
            "p" * len(loops),
            lambda x, _: scalars.widened(x, self.wide),
        )

    def _first(self, element: Any) -> Any:
        """Return the capsules of the first iteration, whose coefficients are all 1 / H."""
        b, h, d, i = dims(4)
        sums = generic(
            [(self.u_hat, [b, i, h, d])],
            (filled(self.capsule_sizes, self.wide, 0.0), [b, h, d]),
            "pppr",
            lambda u, acc: arith.addf(acc, scalars.widened(u, self.wide)),
        )
        high = self._high()
        means = elementwise(
            self.capsule_sizes, self.wide, [sums], lambda total: arith.divf(total, high)
        )
        return squashed(means, self.capsule_sizes, element, self.epsilon)

    def _high(self) -> Any:
        """Return the number of high-level capsules as a float."""
        high = self.sizes[2]
        if isinstance(high, int):
            return scalar(self.wide, float(high))
        return arith.sitofp(self.wide, arith.index_cast(scalars.integer(32), high))

    def _routed(self, coefficients: Any, element: Any) -> Any:
        """Return the capsules for these coefficients, rounded to `element`."""
        b, h, d, i = dims(4)
        row = [i, h] if self.is_batch_shared else [b, i, h]

        def weighted(c: Any, u: Any, acc: Any) -> Any:
            return arith.addf(acc, arith.mulf(c, scalars.widened(u, self.wide)))

        sums = generic(
            [(coefficients, row), (self.u_hat, [b, i, h, d])],
            (filled(self.capsule_sizes, self.wide, 0.0), [b, h, d]),
            "pppr",
            weighted,
        )
        return squashed(sums, self.capsule_sizes, element, self.epsilon)

    def _softmax(self, logits: Any) -> Any:
        """Return the softmax over the high-level capsules; the largest logit is taken off first."""
        sizes = self.logit_sizes
        loops = dims(len(sizes))
        kinds = "p" * (len(sizes) - 1) + "r"
        largest = generic(
            [(logits, loops)],
            (filled(sizes[:-1], self.wide, float("-inf")), loops[:-1]),
            kinds,
            arith.maximumf,
        )
        exponentials = self._with_row(logits, largest, lambda x, top: math.exp(arith.subf(x, top)))
        totals = generic(
            [(exponentials, loops)],
            (filled(sizes[:-1], self.wide, 0.0), loops[:-1]),
            kinds,
            lambda x, acc: arith.addf(acc, x),
        )
        return self._with_row(exponentials, totals, arith.divf)

    def _with_row(self, values: Any, rows: Any, body: Any) -> Any:
        """Combine each logit with the value of its row."""
        loops = dims(len(self.logit_sizes))
        return generic(
            [(values, loops), (rows, loops[:-1])],
            (tensor.empty(self.logit_sizes, self.wide), loops),
            "p" * len(loops),
            lambda x, row, _: body(x, row),
        )

    def _agreed(self, logits: Any, capsules: Any) -> Any:
        """Return the logits with the agreement of predictions and capsules added."""
        b, i, h, d = dims(4)
        row = [i, h] if self.is_batch_shared else [b, i, h]

        def add_product(u: Any, v: Any, acc: Any) -> Any:
            return arith.addf(acc, arith.mulf(scalars.widened(u, self.wide), v))

        return generic(
            [(self.u_hat, [b, i, h, d]), (capsules, [b, h, d])],
            (logits, row),
            "rppr" if self.is_batch_shared else "pppr",
            add_product,
        )
