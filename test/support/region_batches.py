"""Random regions in batches: many functions a module, each against its meaning in NumPy.

    python test/support/region_batches.py --first 0 --count 2500 --target cpu

compiles and runs the regions of the seeds 0 ... 2499, prints each mismatch with its seed, and how
many regions and results were compared. A run goes on from any seed, and several may share the
seeds. `--compile-only` compiles for a device that is not at hand. Batches run in processes of
their own, so that a crash is a mismatch of one seed.
"""

import argparse
import multiprocessing
import sys
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

BATCH = 16
BATCHES_A_PROCESS = 20
# All ops that can be in regions, and only those that the cost model chooses.
EVERYTHING = (
    "fsa-attach-target{{target={target} override=true}},fsa-clean-up,"
    "fsa-form-stitched-regions{{min-ops=1}},fsa-to-{kind}{{stitch=false}}"
)


def pipelines(target: str) -> tuple[str | None, ...]:
    """Return the pipelines that batches take in turns."""
    return EVERYTHING.format(target=target, kind=target.partition(":")[0]), None


def mismatches(
    seeds: Sequence[int], target: str, pipeline: str | None, execute: bool = True
) -> tuple[int, list[str]]:
    """Compile the regions of `seeds` in one module; return how many results ran, what was wrong.

    Without `execute` nothing runs, and the results count that were compiled.
    """
    from random_regions import random_region

    import fsa
    from fsa.errors import FsaError

    regions = {seed: random_region(seed, f"r{seed}", target == "cpu") for seed in seeds}
    text = "".join(region.text for region in regions.values())
    try:
        module = fsa.compile(text, target=target, pipeline=pipeline, cache=False)
    except FsaError as error:
        if len(seeds) == 1:
            return 0, [f"seed {seeds[0]}, {pipeline}: {error}"]
        middle = len(seeds) // 2
        halves = (seeds[:middle], seeds[middle:])
        parts = [mismatches(some, target, pipeline, execute) for some in halves]
        return sum(ran for ran, _ in parts), [text for _, found in parts for text in found]
    ran, found = 0, list[str]()
    for seed, region in regions.items():
        ran += len(region.expected)
        if not execute:
            continue
        try:
            problems = region.problems(module.function(f"r{seed}")(*region.arguments))
        except FsaError as error:
            problems = [str(error)]
        found += [f"seed {seed}, {pipeline}: {problem}" for problem in problems]
    return ran, found


def run(first: int, count: int, target: str, execute: bool = True) -> tuple[int, list[str]]:
    """Run the regions of `count` seeds from `first`; return how many results, and what is wrong."""
    end, choices = first + count, pipelines(target)
    waiting = deque(
        (range(at, min(at + BATCH, end)), choices[at // BATCH % len(choices)])
        for at in range(first, end, BATCH)
    )
    results, regions, found = 0, 0, list[str]()
    context = multiprocessing.get_context("spawn")
    while waiting:
        with ProcessPoolExecutor(1, context) as process:
            for _ in range(min(BATCHES_A_PROCESS, len(waiting))):
                seeds, pipeline = waiting.popleft()
                batch = process.submit(mismatches, seeds, target, pipeline, execute)
                try:
                    ran, wrong = batch.result()
                except BrokenProcessPool:
                    if len(seeds) > 1:  # whose crash it was shows one by one
                        waiting.extendleft((range(seed, seed + 1), pipeline) for seed in seeds)
                        break
                    ran, wrong = 0, [f"seed {seeds[0]}, {pipeline}: the process ended"]
                results, regions, found = results + ran, regions + len(seeds), found + wrong
                for text in wrong:
                    print(text, flush=True)
                print(f"{regions} regions, {results} results, {len(found)} wrong", flush=True)
                if not ran:
                    break
    return results, found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--count", type=int, default=10_000, help="how many regions")
    parser.add_argument("--target", default="cpu", help="what to compile for and run on")
    parser.add_argument("--compile-only", action="store_true", help="run nothing")
    chosen: Any = parser.parse_args(arguments)
    results, found = run(chosen.first, chosen.count, chosen.target, not chosen.compile_only)
    print(
        f"{chosen.target}: {chosen.count} regions from seed {chosen.first}, {results} results, "
        f"{len(found)} mismatches"
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    raise SystemExit(main())
