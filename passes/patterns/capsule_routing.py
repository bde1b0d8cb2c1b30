"""`fsa.capsule_routing` as linalg: weighted sums, squash, and agreements added to the logits."""

from dataclasses import dataclass
from typing import Any

from fsa.bindings import arith, math, tensor
from fsa.passes.patterns import scalars
from fsa.passes.patterns.lowering import Site
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


def lower(site: Site) -> Any:
    """Return the high-level capsules of an `fsa.capsule_routing`."""
    u_hat, *given = site.op.operands
    attributes = site.op.attributes

    def build() -> Any:
        batch, low, high, size = sizes_of(u_hat)
        is_batch_shared = attributes["agreement"].value == "batch_shared"
        epsilon = attributes["epsilon"].value
        routing = _Routing(u_hat, (batch, low, high, size), is_batch_shared, epsilon)
        return routing.build(attributes["iterations"].value, *given)

    return site.unless_empty(0.0, build)


@dataclass(frozen=True)
class _Routing:
    """Builds the iterations over predictions that are not empty; everything but them is wide."""

    u_hat: Any
    sizes: tuple[Size, Size, Size, Size]
    is_batch_shared: bool
    epsilon: float

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

    def build(self, iterations: int, start: Any = None) -> Any:
        """Return the capsules after `iterations` iterations, the last without an update.

        Logits begin with those of `start` [L, H]; without it with zeros, whose softmax is known.
        All are written out: IREE 3.13 gives wrong results for an scf.for over tensors of dynamic
        shape whose body starts sums from a fill (the fill is hoisted, then overwritten in place).
        Its dispatches are the same in every iteration and are compiled once.
        """
        logits = None if start is None else self._started(start)
        capsules: Any = None
        for number in range(iterations):
            element = self.element if number + 1 == iterations else self.wide
            if number:
                before = filled(self.logit_sizes, self.wide, 0.0) if logits is None else logits
                logits = self._agreed(before, capsules)
            capsules = self._first(element) if logits is None else self._routed(logits, element)
        return capsules

    def _started(self, start: Any) -> Any:
        """Return the first logits: `start` [L, H] for each group of samples that share theirs."""
        loops = dims(len(self.logit_sizes))
        return generic(
            [(start, loops[-2:])],
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

    def _routed(self, logits: Any, element: Any) -> Any:
        """Return the capsules for these logits, rounded to `element`."""
        b, h, d, i = dims(4)
        row = [i, h] if self.is_batch_shared else [b, i, h]

        def weighted(c: Any, u: Any, acc: Any) -> Any:
            return arith.addf(acc, arith.mulf(c, scalars.widened(u, self.wide)))

        sums = generic(
            [(self._softmax(logits), row), (self.u_hat, [b, i, h, d])],
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
