"""How many workgroups a pool of workers shares out evenly."""

import heapq
from functools import cache
from itertools import pairwise

# IREE's workers take so many workgroups at a time from a grid that has as many for each of them,
# and one at a time from a smaller one (`local-task`, IREE 3.13; measured).
RESERVATION = 8
# With so many workgroups for each worker, what the last reservation leaves uneven is small.
MANY = 8 * RESERVATION
# A worker that comes late, or is held up, makes the others wait for what it took: some of that
# counts, so that of grids that end together the finer one is chosen.
GRAIN_SHARE = 0.25


@cache
def even_count(tasks: int, workers: int) -> int:
    """Return over how many workgroups to share `tasks` equal tasks, at most as many.

    A grid of 24 workgroups is three reservations, and one of two workers does two of them. Chosen
    is the grid after which the workers end soonest, out of those that are taken one by one and
    the largest one of reservations of which all workers get as many.
    """
    if workers < 2 or tasks < RESERVATION * workers:
        return tasks
    whole = tasks - tasks % (RESERVATION * workers)
    if tasks >= MANY * workers:
        return whole
    grids = [tasks, whole, *(each * workers for each in range(RESERVATION - 1, 0, -1))]
    return min(grids, key=lambda grid: _end(tasks, grid, workers))


def _end(tasks: int, grid: int, workers: int) -> float:
    """Return when the workers end, in tasks, with a part of the largest share of one turn."""
    step = RESERVATION if grid >= RESERVATION * workers else 1
    bounds = [*range(0, grid, step), grid]
    starts = [bound * tasks // grid for bound in bounds]
    turns = [end - start for start, end in pairwise(starts)]
    loads = [0] * workers
    for turn in turns:
        heapq.heappush(loads, heapq.heappop(loads) + turn)
    return max(loads) + GRAIN_SHARE * max(turns)
