"""How much faster capsule routing is on two cores than on one, beside what the cores could give.

Run from the root of the repository: `python benchmarks/capsule_cores.py --cores 0,1`. One process
is pinned to the first core and one to all; they time their calls in turns, never at once. The
limits are the probes' own gains: reads of each core's second cache, and its multiplications.
"""

import json
import os
import statistics
import time
from collections.abc import Callable, Sequence
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

CASES = ("capsule-routing-b1", "capsule-routing-b32")
SPLIT = "capsule-routing-b1, L in two parts"
SECONDS = 0.03  # of calls in a sample


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--cores", default="0,1", show_default=True, help="The first is the one core.")
@click.option("--rounds", default=15, show_default=True, type=click.IntRange(min=1))
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="A JSON file.")
def main(cores: str, rounds: int, output: Path | None) -> None:
    """Time routing and the probes on one core and on several, in turns."""
    every = [int(core) for core in cores.split(",")]
    context = get_context("spawn")
    ends: list[Any] = []
    for mine in (every[:1], every):
        ours, theirs = context.Pipe()
        context.Process(target=serve, args=(theirs, mine), daemon=True).start()
        ends.append(ours)
    names: list[list[str]] = [end.recv() for end in ends]
    samples = {name: [[] for _ in ends] for name in names[1]}
    for _ in range(rounds):
        for name, taken in samples.items():
            for end, times, known in zip(ends, taken, names, strict=True):
                end.send(name if name in known else CASES[0])
                times.append(end.recv())
    rows = [_row(name, taken) for name, taken in samples.items()]
    for row in rows:
        click.echo(f"{row['name']}: {row['gain']:.2f} times as fast on {len(every)} cores")
    if output is not None:
        output.write_text(json.dumps({"cores": every, "rounds": rounds, "rows": rows}, indent=1))


def _row(name: str, taken: Sequence[Sequence[float]]) -> dict[str, Any]:
    one, many = (statistics.median(times) for times in taken)
    pairs = [a / b for a, b in zip(*taken, strict=True)]
    return {
        "name": name,
        "one_core_seconds": one,
        "all_cores_seconds": many,
        "gain": statistics.median(pairs),
        "samples_seconds": [list(times) for times in taken],
    }


def serve(connection: Any, cores: list[int]) -> None:
    """Pin this process to `cores`, say what it can time, and time what is asked for."""
    os.sched_setaffinity(0, cores)
    with TemporaryDirectory() as folder:
        calls = contenders(len(cores), Path(folder))
    connection.send(list(calls))
    while True:
        call, share = calls[connection.recv()]
        call()
        count, start = 0, time.perf_counter()
        while time.perf_counter() - start < SECONDS:
            call()
            count += 1
        connection.send((time.perf_counter() - start) / count / share)


def contenders(cores: int, folder: Path) -> dict[str, tuple[Callable[[], object], int]]:
    """Return calls by name, and how many times the work of one core each does.

    Their modules are written into `folder`.
    """
    import fsa
    from fsa.benchmarks.cases import case_of
    from fsa.benchmarks.probes import probes_of_cores
    from fsa.runtime.compile import compile_module
    from fsa.runtime.targets import Target

    target = Target.parse("cpu")
    device = "cpu:sync" if cores == 1 else "cpu:task"
    found: dict[str, tuple[Callable[[], object], int]] = {}

    def add(name: str, module: Any, inputs: Sequence[Any], share: int) -> None:
        path = folder / f"{len(found)}.vmfb"
        module.save(path)
        loaded = fsa.load(path, device=device)
        arguments = [loaded.to_device(array) for array in inputs]
        found[name] = (lambda: loaded(*arguments), share)

    for probe in probes_of_cores(target):
        add(probe.name, compile_module(probe.module, target), probe.inputs, cores)
    for name in CASES:
        case = case_of(name)
        add(name, fsa.compile(case.module(), target="cpu"), case.inputs(), 1)
    if cores > 1:
        case = case_of(CASES[0])
        add(SPLIT, fsa.compile(split(case.module(), cores), target="cpu"), case.inputs(), 1)
    return found


def split(module: Any, parts: int) -> Any:
    """Return the module with its routing planned as `parts` ranges of low-level capsules."""
    from fsa.bindings import ir

    def visit(op: Any) -> Any:
        if op.name == "fsa.capsule_routing":
            plan = f'{{distribute = "low", parts = {parts} : i64}}'
            op.attributes["plan"] = ir.Attribute.parse(plan)
        return ir.WalkResult.ADVANCE

    with module.context:
        module.operation.walk(visit)
    return module


if __name__ == "__main__":
    main()
