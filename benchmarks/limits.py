"""What a case costs at least, at the rates that the probes measured."""

from collections.abc import Mapping
from typing import Any


def floor_seconds(work: Any, rates: Mapping[str, float]) -> tuple[float, str] | None:
    """Return the least time for `work` at the measured `rates`, and the limit that sets it.

    `rates` maps a probe's name to its units a second. None when no rate applies.
    """
    needs = {
        "copy": work.bytes,
        "cache": work.cached,
        "fma": work.flops,
        "popcount": work.popcounts,
    }
    times = {name: needs[name] / rates[name] for name in needs if needs[name] and name in rates}
    if not times:
        return None
    limit = max(times, key=lambda name: times[name])
    return times[limit], limit
