"""`fsa.capsule_routing` as linalg: weighted sums, squash, and agreements added to the logits."""

from dataclasses import dataclass
from typing import Any

from fsa.bindings import arith, ir, math, scf, tensor
from fsa.passes.patterns import scalars
from fsa.passes.patterns.lowering import Site
from fsa.passes.patterns.squash import squashed
from fsa.passes.patterns.tensors import (
    Size,
    dims,
    elementwise,
    filled,
    generic,
    index_constant,
    scalar,
    sizes_of,
)

# Up to this many iterations are written out; more become a loop, to keep the code small.
MAX_UNROLLED_ITERATIONS = 4


def lower(site: Site) -> Any:
    """Return the high-level capsules of an `fsa.capsule_routing`."""
    u_hat, attributes = site.op.operands[0], site.op.attributes

    def build() -> Any:
        batch, low, high, size = sizes_of(u_hat)
        is_batch_shared = attributes["agreement"].value == "batch_shared"
        epsilon = attributes["epsilon"].value
        routing = _Routing(u_hat, (batch, low, high, size), is_batch_shared, epsilon)
        return routing.build(attributes["iterations"].value)

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

    def build(self, iterations: int) -> Any:
        """Return the capsules after `iterations` iterations, the last without an update."""
        if iterations == 1:
            return self._first(self.element)
        capsules = self._first(self.wide)
        logits = filled(self.logit_sizes, self.wide, 0.0)
        if iterations <= MAX_UNROLLED_ITERATIONS:
            for _ in range(iterations - 2):
                logits, capsules = self._iteration(logits, capsules)
        else:
            logits, capsules = self._loop(iterations - 2, logits, capsules)
        return self._routed(self._agreed(logits, capsules), self.element)

    def _loop(self, trips: int, logits: Any, capsules: Any) -> tuple[Any, Any]:
        loop = scf.ForOp(
            index_constant(0), index_constant(trips), index_constant(1), [logits, capsules]
        )
        with ir.InsertionPoint(loop.body):
            scf.YieldOp(list(self._iteration(*loop.inner_iter_args)))
        return loop.results[0], loop.results[1]

    def _iteration(self, logits: Any, capsules: Any) -> tuple[Any, Any]:
        logits = self._agreed(logits, capsules)
        return logits, self._routed(logits, self.wide)

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
