"""Numbers of workgroups that workers share evenly."""

import pytest

from fsa.passes.structure.even_counts import RESERVATION, even_count


@pytest.mark.parametrize("workers", [2, 3, 8, 64])
def test_at_most_the_tasks_and_even(workers: int) -> None:
    for tasks in (1, 7, 16, 24, 25, 100, 611, 1465, 5000):
        grid = even_count(tasks, workers)
        assert 1 <= grid <= tasks
        few = grid < RESERVATION * workers
        assert few or grid == tasks or grid % (RESERVATION * workers) == 0


@pytest.mark.parametrize("tasks", [1, 9, 24, 1000])
def test_one_worker_shares_nothing(tasks: int) -> None:
    assert even_count(tasks, 1) == tasks


def test_uneven_reservations_go() -> None:
    assert even_count(15, 2) == 15  # one by one
    assert even_count(25, 2) == 14  # not 8 + 8 + 8 + 1
    assert even_count(128, 2) == 128
