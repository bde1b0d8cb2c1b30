"""Control flow of the kernel builder: loops with carried values, and branches."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from fsa.bindings import ir, scf
from fsa.passes.emitter.arithmetic import Arithmetic
from fsa.passes.emitter.casts import Casts
from fsa.passes.emitter.types import Index, Scalar, Value


class Loop:
    """A loop being built: `with loop as (iv, carried): ...; loop.yield_(...)`.

    After the `with`, `results` holds the carried values of the last iteration. A loop that is known
    to run once is built in place, and its `iv` is then the lower bound itself.
    """

    def __init__(self, builder: Arithmetic, lo: Index, hi: Index, step: Index, init: list[Value]):
        self.results: list[Value] = []
        self._init = init
        self._yielded = False
        self._op: Any = None
        self._point: Any = None
        self._lo = lo
        once = all(isinstance(bound, int) for bound in (lo, hi, step)) and lo < hi <= lo + step
        if not once:
            bounds = [builder.value(bound) for bound in (lo, hi, step)]
            self._op = scf.ForOp(*bounds, init)

    def __enter__(self) -> tuple[Index, list[Value]]:
        if self._op is None:
            return self._lo, self._init
        self._point = ir.InsertionPoint(self._op.body)
        self._point.__enter__()
        return self._op.induction_variable, list(self._op.inner_iter_args)

    @property
    def point_before(self) -> Any:
        """An `ir.InsertionPoint` before the loop, None when the loop is built in place.

        What does not change in the loop can be built there from within its body.
        """
        return None if self._op is None else ir.InsertionPoint(self._op)

    def yield_(self, *values: Value) -> None:
        """Carry `values` into the next iteration; the last statement of the body."""
        if len(values) != len(self._init):
            raise ValueError(f"expected {len(self._init)} carried values, found {len(values)}")
        self._yielded = True
        if self._op is None:
            self.results = list(values)
        else:
            scf.YieldOp(list(values))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None and not self._yielded:
                self.yield_()
        finally:
            if self._point is not None:
                self._point.__exit__(kind, error, trace)
        if kind is None and self._op is not None:
            self.results = list(self._op.results)


class Branch:
    """A branch with results: build both sides, each ending in `yield_`.

    Afterwards `results` holds the values of the side taken.
    """

    def __init__(self, condition: Value, kinds: Sequence[Any]):
        self._kinds = list(kinds)
        self._op = scf.IfOp(condition, self._kinds, has_else=True)

    @property
    def point_before(self) -> Any:
        """An `ir.InsertionPoint` before the branch, for what both sides share."""
        return ir.InsertionPoint(self._op)

    @property
    def results(self) -> list[Value]:
        """The values yielded by the side taken."""
        return list(self._op.results)

    @contextmanager
    def then(self) -> Generator[None]:
        """Build the side for a condition that holds."""
        with self._side(self._op.then_block):
            yield

    @contextmanager
    def otherwise(self) -> Generator[None]:
        """Build the side for a condition that does not hold."""
        with self._side(self._op.else_block):
            yield

    @contextmanager
    def _side(self, block: Any) -> Generator[None]:
        with ir.InsertionPoint(block):
            yield
            if not self._kinds:
                scf.YieldOp([])

    def yield_(self, *values: Value) -> None:
        """Return `values` from the side being built; needed when the branch has results."""
        if len(values) != len(self._kinds):
            raise ValueError(f"expected {len(self._kinds)} values, found {len(values)}")
        scf.YieldOp(list(values))


class Control(Casts):
    """Loops and branches."""

    def loop(self, lo: Index, hi: Index, step: Index = 1, init: Sequence[Value] = ()) -> Loop:
        """Return a loop over lo, lo + step, ... below hi that carries the values `init`.

        Without carried values, `yield_` may be left out.
        """
        return Loop(self, lo, hi, step, list(init))

    def branch(self, condition: Value, kinds: Sequence[Any] = ()) -> Branch:
        """Return a branch on an i1 value with results of the types `kinds`."""
        return Branch(condition, kinds)

    @contextmanager
    def when(self, condition: Scalar) -> Generator[None]:
        """Run the body only where `condition` holds; a Python True emits no branch."""
        if condition is True:
            yield
            return
        op = scf.IfOp(self.value(condition, ir.IntegerType.get_signless(1)))
        with ir.InsertionPoint(op.then_block):
            yield
            scf.YieldOp([])
