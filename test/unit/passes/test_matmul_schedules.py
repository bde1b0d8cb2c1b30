"""Plans of dense matmuls keep to what their kernels can do."""

import itertools

import pytest

from fsa.passes.matmul.schedules import COPIED, PANEL_BYTES, TURNED, Problem, plan_matmul
from fsa.runtime.targets import Target


@pytest.mark.parametrize("bits", [128, 256, 512])
@pytest.mark.parametrize("depth_last", [False, True])
def test_panels_that_are_copied_fit_the_stack(bits: int, depth_last: bool) -> None:
    target = Target("cpu", "x86-64", vector_bits=bits, cores=2)
    forms = set()
    for depth, rows, columns in itertools.product(
        (1, 7, 200, 300, 512, 784, 1024, 1500, 4096), (1, 40, None), (1, 10, 64, 257, None)
    ):
        problem = Problem(None, rows, columns, depth, False, depth_last, 4 * depth, 0)
        tile, _ = plan_matmul(problem, target, {})
        forms.add(tile.form)
        if tile.form in (COPIED, TURNED):
            assert tile.tile_columns >= 1
            assert 4 * depth * tile.lanes * tile.tile_columns <= PANEL_BYTES
    assert forms & {COPIED, TURNED}
