"""Timing of contenders in turns.

Clock frequency, caches and neighbours change while a benchmark runs. So the contenders of a case
are not timed one after the other: each round times every contender once, each round begins with
another one, and what is reported is the median over the rounds.
"""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

# How long the other threads of a process must have done nothing, and how long that is waited for.
REST_SECONDS, LONGEST_WAIT = 0.004, 0.5

Call = Callable[[], object]
Clock = Callable[[], float]


@dataclass(frozen=True)
class Timing:
    """Seconds a call of one contender: one sample a round, each the mean of `calls` calls."""

    samples: tuple[float, ...]
    calls: int

    @property
    def median(self) -> float:
        """The median sample."""
        return statistics.median(self.samples)

    @property
    def best(self) -> float:
        """The smallest sample."""
        return min(self.samples)

    @property
    def spread(self) -> float:
        """The interquartile range as a share of the median; 0 with fewer than two samples."""
        if len(self.samples) < 2 or self.median == 0:
            return 0.0
        low, _, high = statistics.quantiles(self.samples, n=4)
        return (high - low) / self.median


def _time(call: Call, count: int, clock: Clock) -> float:
    start = clock()
    for _ in range(count):
        call()
    return (clock() - start) / count


def rest() -> None:
    """Wait until the other threads of this process have nothing left to do.

    What a contender does behind its calls, such as giving back memory in a thread of its own, would
    count for the next one where they share a core. Threads that never rest are not waited for.
    """
    end = time.perf_counter() + LONGEST_WAIT
    while time.perf_counter() < end:
        before = time.process_time()
        time.sleep(REST_SECONDS)
        if time.process_time() - before < REST_SECONDS / 10:
            return


def calls_for(call: Call, sample_seconds: float, clock: Clock = time.perf_counter) -> int:
    """Return how many calls take about `sample_seconds`, after one call that is not timed."""
    call()
    count = 1
    while True:
        seconds = _time(call, count, clock)
        if seconds * count >= sample_seconds / 2 or count >= 1_000_000:
            return max(1, min(1_000_000, round(sample_seconds / max(seconds, 1e-9))))
        count *= 4


def time_in_turns(
    contenders: Mapping[str, Call],
    *,
    rounds: int = 15,
    sample_seconds: float = 0.05,
    clock: Clock = time.perf_counter,
    warm: bool = False,
) -> dict[str, Timing]:
    """Time all `contenders`, each once a round; raise ValueError when `rounds` is below 1.

    With `warm`, each sample follows a call that is not timed, and that one the `rest` of what ran
    before: memory that the machine took back while the others ran, caches that they filled and what
    their threads still do then count for nobody.
    """
    if rounds < 1:
        raise ValueError(f"expected at least 1 round, found {rounds}")
    names = list(contenders)
    counts = {name: calls_for(contenders[name], sample_seconds, clock) for name in names}
    samples: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds):
        first = number % len(names) if names else 0
        for name in names[first:] + names[:first]:
            if warm:
                rest()
                contenders[name]()
            samples[name].append(_time(contenders[name], counts[name], clock))
    return {name: Timing(tuple(samples[name]), counts[name]) for name in names}
