"""What routing on a CPU distributes over workgroups, by the time that each way would take.

PIM-CapsNet (HPCA 2020) gives each unit of memory a part of the batch, of the low-level or of the
high-level capsules, whichever scores best by the work of the busiest unit and the bytes that units
exchange. Here units are cores, and a launch has a cost of its own as well.
"""

from dataclasses import dataclass

Size = int | None

# Only their ratios matter.
ELEMENT_SECONDS = 1e-10  # one element of u_hat in one iteration: measured on a core of a Zen 4
BYTE_SECONDS = 5e-11  # what another core wrote: an estimate
HIGH_WORK = 1.2  # logits and sums in passes of their own: 1.03 to 1.5 times one pass for both
LAUNCH_SECONDS = 1e-5  # on worker threads, with the wait for all of them: an estimate
ASSUMED_BATCH, ASSUMED_LOW, ASSUMED_HIGH, ASSUMED_DEPTH = 32, 1152, 10, 16  # where dynamic


@dataclass(frozen=True)
class Way:
    """A way to distribute routing: elements in the busiest group, bytes exchanged, launches."""

    name: str
    parts: int
    work: int
    exchanged: int
    launches: int

    @property
    def seconds(self) -> float:
        """The time that it should take."""
        waits = LAUNCH_SECONDS * (self.launches - 1)
        return self.work * ELEMENT_SECONDS + self.exchanged * BYTE_SECONDS + waits

    def __str__(self) -> str:
        return (
            f"{self.name}: {1e6 * self.seconds:.0f} us for {self.work} elements in the busiest "
            f"group, {self.exchanged} bytes exchanged, {self.launches} launches"
        )


def ways(
    shape: tuple[Size, Size, Size, Size], iterations: int, agreement: str, cores: int
) -> list[Way]:
    """Return the ways to route u_hat [B, L, H, D] on `cores` cores; None is a dynamic size.

    "batch" gives each group samples, "low" a range of L in each sample, "high" one of H; "none"
    is a single group. Batch-shared logits tie samples together, so "batch" is then left out.
    """
    assumed = (ASSUMED_BATCH, ASSUMED_LOW, ASSUMED_HIGH, ASSUMED_DEPTH)
    batch, low, high, depth = (
        guess if size is None else size for size, guess in zip(shape, assumed, strict=True)
    )
    cores = max(cores, 1)
    sample = low * high * depth * iterations
    found = [Way("none", 1, batch * sample, 0, 1)]
    if agreement == "per_sample":
        busiest = -(-batch // cores) * sample
        found[0] = Way("batch", 1, busiest, 0, 1)
        parts = -(-cores // max(batch, 1))
    else:
        parts = cores
    if parts < 2:
        return found
    groups = 1 if agreement == "batch_shared" else batch
    rounds = -(-groups * parts // cores)
    share = batch // max(groups, 1) * sample
    # Each part reads the sums of all parts; with H split, the softmax's maximum and total for each
    # low-level capsule cross, between iterations alone.
    sums = 4 * parts * parts * batch * high * depth * iterations
    maxima = 2 * 4 * parts * parts * groups * low * (iterations - 1)
    found.append(Way("low", parts, rounds * -(-share // parts), sums, iterations + 1))
    work = int(HIGH_WORK * rounds * (share // max(high, 1)) * -(-high // parts))
    found.append(Way("high", parts, work, maxima, iterations))
    return found


def distribution(
    shape: tuple[Size, Size, Size, Size], iterations: int, agreement: str, cores: int
) -> tuple[str, int, list[str]]:
    """Return what to distribute, over how many parts, and the reasons."""
    found = ways(shape, iterations, agreement, cores)
    best = min(found, key=lambda way: way.seconds)
    others = [f"not {way}" for way in found if way is not best]
    return best.name, best.parts, [str(best), *others]
