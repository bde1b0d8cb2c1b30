"""The work that planning takes grows with the ops of a region, not with their square."""

from typing import Any

import pytest

from fsa.bindings import arith
from fsa.examples import graph
from fsa.passes.stitching.schedule import Kernel
from fsa.passes.stitching.survey import Survey
from fsa.runtime.compile import lower
from fsa.runtime.targets import Target

PIPELINE = "fsa-attach-target{target=cpu},fsa-form-stitched-regions,fsa-plan-stitching"


def _normalizations(steps: int) -> Any:
    """Return a module of `steps` times five ops, the last of which needs a sum of rows."""

    def body(x: Any, y: Any) -> Any:
        for _ in range(steps):
            a = graph.elementwise(arith.mulf, x, y)
            b = graph.elementwise(arith.addf, a, x)
            c = graph.elementwise(arith.mulf, b, a)
            total = graph.reduce_last(arith.addf, c, 0.0)
            x = graph.elementwise(arith.subf, c, graph.PerRow(total))
        return x

    return graph.function("main", [((64, 96), "f32")] * 2, body)


def _work(steps: int, monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Return how often kernels were touched nest by nest, and elements were looked at."""
    counts = {"nests": 0, "elements": 0}
    touches, update = Kernel.touches, Survey._update  # pyright: ignore[reportPrivateUsage]

    def counted_touches(self: Kernel, nest: Any) -> Any:
        counts["nests"] += 1
        return touches(self, nest)

    def counted_update(self: Survey, element: Any) -> bool:
        counts["elements"] += 1
        return update(self, element)

    with monkeypatch.context() as patch:
        patch.setattr(Kernel, "touches", counted_touches)
        patch.setattr(Survey, "_update", counted_update)
        lower(_normalizations(steps), Target.parse("cpu"), PIPELINE)
    return counts


def test_four_times_the_ops_take_about_four_times_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    few, many = _work(12, monkeypatch), _work(48, monkeypatch)
    for name in few:
        assert few[name] > 0
        assert many[name] <= 6 * few[name]
