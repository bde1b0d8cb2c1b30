"""Binarized matmuls of many shapes on one core, by kernel time: FSA against plain IREE.

A module holds the matmul once, or several times, each of an argument of its own, all of which are
one tensor here; the difference of the two, by what the one has more, is the time of the matmul in a
module, and no call is in it. Plain IREE compiles the same module, lowered to linalg, at O3
(`iree`), and once more with the weights turned around, so that neighbouring columns lie together
(`iree-turned`); a ratio is that of the faster one to FSA. Contenders run in turns in one process on
one core, and with them bnn-lab's kernel, where it is installed (`binarized_peers`): `bnn-lab` is
the time of a call less that of a call with no rows, so it has no launch either.

`of_limit` is the share of the machine's limit, measured in the same run, that FSA reaches: the
larger of the times that moving the operands and the result takes at the rate of a kernel that only
reads as many bytes again and again, from the cache that they fit, and that counting takes at the
rate of the popcount probe. A launch alone takes what 1x1x1 takes, whatever a kernel does:
`of_limit_behind_launch` is the share without it, 0 where nothing is left.

Weights are constants, and each copy of the matmul reads the same ones; for `streamed` matrix-vector
products they are larger than the caches.

Run: `python benchmarks/binarized_sweep.py`. Modules are compiled first, into the folder
`--compiled` unless they lie there; `--compile-only` ends then. Writes
`benchmarks/results/binarized_sweep.json`.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import fsa
from fsa.benchmarks import documents, machine
from fsa.benchmarks.binarized_modules import Array, Sizes, contenders, left_of, weights_of
from fsa.benchmarks.binarized_peers import bnn_lab_matmul
from fsa.benchmarks.peers.base import Unavailable
from fsa.benchmarks.probes import probes, read_probe
from fsa.benchmarks.timing import time_in_turns
from fsa.dialects.fsa import reference
from fsa.runtime.targets import Target

OUTPUT = Path(__file__).parent / "results" / "binarized_sweep.json"
SIZES = (1, 2, 7, 16, 64, 100, 256, 1024, 4096, 8192)
LINES = (1, 7, 100, 4096)
CORNERS = (1, 64, 8192)
LATIN = (1, 7, 64, 1000, 8192)
MOST_WORDS = 1 << 26  # counted words of a point: some milliseconds
STREAMED = ((1, 16384, 32768),)
# Counted words, and bytes of a result, that take so long that a call is no part worth taking off.
LONG_WORDS, LONG_BYTES = 1 << 22, 1 << 20
COPIES = 17

Call = Callable[[], Any]


def points() -> Iterator[Sizes]:
    """Yield the rows, columns and depth of each matmul, once."""
    square = [(size, size, size) for size in SIZES] + [(1, size, size) for size in SIZES]
    lines = [
        sizes
        for size in LINES
        for sizes in ((size, 1024, 1024), (1024, size, 1024), (1024, 1024, size))
    ]
    corners = [(m, n, k) for m in CORNERS for n in CORNERS for k in CORNERS]
    # A Latin square: each pair of two extents once, with one of the third.
    latin = [
        (m, n, LATIN[(i + j) % len(LATIN)])
        for i, m in enumerate(LATIN)
        for j, n in enumerate(LATIN)
    ]
    wanted = dict.fromkeys([*square, *lines, *corners, *latin])
    yield from (sizes for sizes in sorted(wanted) if _words(sizes) <= MOST_WORDS)


def _words(sizes: Sizes) -> int:
    rows, columns, depth = sizes
    return rows * columns * -(-depth // 64)


def _is_long(sizes: Sizes) -> bool:
    return _words(sizes) >= LONG_WORDS or 4 * sizes[0] * sizes[1] >= LONG_BYTES


def _prepared(module: Any, argument: Array, copies: int) -> Call:
    """Return a call through `VmContext.invoke` whose argument list is built once."""
    from iree.runtime import VmContext, VmVariantList, create_hal_module

    from fsa.runtime.devices import vm_instance

    hal = create_hal_module(vm_instance(), module.device.hal)
    context = VmContext(vm_instance(), [hal, module.vm_module])
    function: Any = module.vm_module.lookup_function("main")
    tensor = module.to_device(argument)
    inputs = VmVariantList(copies)
    for _ in range(copies):
        inputs.push_ref(tensor)

    def call() -> Any:
        outputs = VmVariantList(copies)
        context.invoke(function, inputs, outputs)
        return outputs

    return call


@dataclass(frozen=True)
class Point:
    """A compiled point: calls by name, of each contender once and, where there is one, several."""

    sizes: Sizes
    streamed: bool
    calls: dict[str, Call]
    moved_bytes: int  # of the operands and the result


def compiled(sizes: Sizes, target: str, folder: Path, *, streamed: bool = False) -> Point:
    """Compile a point and compare the contenders' results with the reference."""
    left, weights = left_of(sizes), weights_of(sizes)
    depth = sizes[2]
    expected: Any = None
    if _words(sizes) <= 1 << 20:
        expected = reference.binarized_matmul(left, weights, depth=depth)
    calls: dict[str, Call] = {}
    for name, contender in contenders(
        sizes, target, folder, None if _is_long(sizes) else COPIES
    ).items():
        found = contender.once(left)
        expected = found if expected is None else expected
        if not np.array_equal(found, expected):
            raise SystemExit(f"{sizes}: {name} gives other numbers than the reference")
        calls[name] = _prepared(contender.once, left, 1)
        if contender.several is not None:
            calls[f"{name} {COPIES}"] = _prepared(contender.several, left, COPIES)
    try:
        calls["bnn-lab"] = bnn_lab_matmul(left, weights, depth)
        calls["bnn-lab nothing"] = bnn_lab_matmul(left[:0], weights, depth)
    except Unavailable as reason:
        print(f"without a peer: {reason}", file=sys.stderr)
    else:
        if not np.array_equal(calls["bnn-lab"](), expected):
            raise SystemExit(f"{sizes}: bnn-lab gives other numbers than the reference")
    moved = left.nbytes + weights.nbytes + 4 * sizes[0] * sizes[1]
    return Point(sizes, streamed, calls, moved)


def _kernel_samples(timings: Any, name: str) -> list[float]:
    """Return the seconds of one matmul in a module, a number a round."""
    several = timings.get(f"{name} {COPIES}")
    once = timings[name].samples
    if several is None:
        return list(once)
    return [(b - a) / (COPIES - 1) for a, b in zip(once, several.samples, strict=True)]


class Limits:
    """The probes of a run: counting words, and reading as many bytes as a point's operands."""

    def __init__(self, target: str):
        """Compile the popcount probe for `target`."""
        self._target = target
        self._readers: dict[int, tuple[Call, int]] = {}
        found = [p for p in probes(Target.parse(target)) if p.name == "popcount"]
        self.popcount = self._call(found[0]) if found else None

    def _call(self, probe: Any) -> tuple[Call, int]:
        module = fsa.compile(probe.module, target=self._target)
        resident = [module.to_device(array) for array in probe.inputs]
        return (lambda: module(*resident)), probe.amount

    def reading(self, size: int) -> tuple[Call, int]:
        """Return a call that reads about `size` bytes again and again, and how many it reads."""
        rounded = max(4096, 1 << (size - 1).bit_length())
        if rounded not in self._readers:
            self._readers[rounded] = self._call(read_probe(Target.parse(self._target), rounded))
        return self._readers[rounded]


def run_point(point: Point, limits: Limits, rounds: int, sample_seconds: float) -> dict[str, Any]:
    """Time one point; return what the result file holds of it but for the launch's share."""
    reading, amount = limits.reading(point.moved_bytes)
    calls = {**point.calls, "read": reading}
    if limits.popcount is not None:
        calls["popcount"] = limits.popcount[0]
    timings = time_in_turns(
        calls, rounds=rounds, sample_seconds=sample_seconds, clock=time.thread_time, warm=True
    )
    seconds = {
        name: statistics.median(_kernel_samples(timings, name))
        for name in ("fsa", "iree", "iree-turned")
    }
    if "bnn-lab" in timings:
        pairs = zip(timings["bnn-lab"].samples, timings["bnn-lab nothing"].samples, strict=True)
        seconds["bnn-lab"] = statistics.median(a - b for a, b in pairs)
    floors = {"read": timings["read"].median * point.moved_bytes / amount}
    if limits.popcount is not None:
        rate = timings["popcount"].median / limits.popcount[1]
        floors["popcount"] = rate * _words(point.sizes)
    limit = max(floors, key=lambda name: floors[name])
    peer = min(("iree", "iree-turned"), key=lambda name: seconds[name])
    return {
        "sizes": point.sizes,
        "streamed": point.streamed,
        "seconds": seconds,
        "floors": floors,
        "limit": limit,
        "of_limit": floors[limit] / seconds["fsa"],
        "iree_by_fsa": seconds[peer] / seconds["fsa"],
    }


def main() -> None:
    """Compile all points, measure them, print a table and write the result file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=25, help="a quarter for long matmuls")
    parser.add_argument("--sample-seconds", type=float, default=0.002)
    parser.add_argument("--target", default="cpu", help="what is compiled for")
    parser.add_argument("--core", type=int, help="the core to run on, by default the highest")
    parser.add_argument("--compile-only", action="store_true", help="end before any measurement")
    parser.add_argument("--compiled", type=Path, help="keeps compiled modules from run to run")
    parser.add_argument("--only", help="measure 1x1x1 and these, for instance 1x4096x4096,7x7x7")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="the result file")
    options = parser.parse_args()
    pinned = machine.pin(options.core)
    limits = Limits(options.target)
    wanted = [(sizes, False) for sizes in points()] + [(sizes, True) for sizes in STREAMED]
    if options.only:
        texts = options.only.split(",")
        named = [(int(m), int(n), int(k)) for m, n, k in (text.split("x") for text in texts)]
        wanted = [((1, 1, 1), False), *((sizes, False) for sizes in named)]
    folder = options.compiled or Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    made = [
        compiled(sizes, options.target, folder, streamed=streamed) for sizes, streamed in wanted
    ]
    for point in made:
        limits.reading(point.moved_bytes)
    if options.compile_only:
        return
    document = documents.begin(
        "python benchmarks/binarized_sweep.py",
        pinned_core=pinned,
        rounds=options.rounds,
        target=options.target,
        points=[],
    )
    launch: float | None = None
    for point in made:
        rounds = max(3, options.rounds // 4) if _is_long(point.sizes) else options.rounds
        row = run_point(point, limits, rounds, options.sample_seconds)
        launch = row["seconds"]["fsa"] if launch is None else launch
        rest = row["seconds"]["fsa"] - (0 if _is_long(point.sizes) else launch)
        row["of_limit_behind_launch"] = row["floors"][row["limit"]] / rest if rest > 0 else 0.0
        if "bnn-lab" in row["seconds"]:
            row["bnn_lab_by_fsa"] = row["seconds"]["bnn-lab"] / row["seconds"]["fsa"]
        document["points"].append(row)
        us = {name: value * 1e6 for name, value in row["seconds"].items()}
        print(
            f"{'x'.join(map(str, row['sizes'])):18} fsa {us['fsa']:9.2f}  iree {us['iree']:9.2f}  "
            f"turned {us['iree-turned']:9.2f} us  ratio {row['iree_by_fsa']:6.2f}  "
            f"{row['of_limit'] * 100:4.0f} %, {row['of_limit_behind_launch'] * 100:4.0f} % "
            f"of {row['limit']}  bnn-lab {row.get('bnn_lab_by_fsa', float('nan')):.2f}",
            flush=True,
        )
    documents.save(document, options.output)


if __name__ == "__main__":
    main()
