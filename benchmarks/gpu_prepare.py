"""Compile everything that is measured on a GPU, on a machine without one.

The folder holds a `.vmfb` for each case and contender, and `index.json`, which says what was
compiled, for which target, and why something was not. What lies there already is kept, so that a
run that was cut goes on where it stopped.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from fsa.benchmarks import documents
from fsa.benchmarks.gpu_cases import GpuCase, gpu_cases
from fsa.benchmarks.gpu_workers import Result, announce, answer, run_jobs
from fsa.benchmarks.precompiled import path_of
from fsa.errors import FsaError, InputError

INDEX = "index.json"
BARRIER = "fsa-barrier"  # regions of several kernels in one launch
WAVE = b"stitched_wave"  # in the names of kernels that are several
Index = dict[str, Any]


def read_index(folder: Path) -> Index:
    """Return the index of a folder; raise `InputError` when there is none."""
    path = folder / INDEX
    if not path.exists():
        raise InputError(f"expected {path}; make it with --prepare {folder}")
    found: Index = json.loads(path.read_text())
    return found


def prepare(
    folder: Path,
    cases: Sequence[GpuCase],
    target: str,
    progress: Callable[[str], None],
    limit_seconds: float,
    one_wave: int = 0,
) -> Index:
    """Compile each case with FSA and with plain IREE, in workers; return the index.

    With `one_wave`, the multiprocessors of the card, stitched regions of several kernels are also
    compiled as one launch (`BARRIER`). A module gets `limit_seconds`. Raises `InputError` when
    the folder holds modules for another target.
    """
    folder.mkdir(parents=True, exist_ok=True)
    index = _started(folder, target)
    made = index["cases"]
    jobs = [
        f"{case.name}/{contender}"
        for case in cases
        for contender in _builds(case, target, one_wave)
        if not _lies_there(made.get(case.name, {}).get(contender), contender, one_wave)
    ]

    def done(result: Result) -> None:
        case, _, contender = result.pop("name").partition("/")
        made.setdefault(case, {})[contender] = result
        (folder / INDEX).write_text(json.dumps(index, indent=1) + "\n")
        progress(f"{case} {contender}: {_said(result)}")

    def command(left: Sequence[str]) -> list[str]:
        return [
            *(sys.executable, "-m", "fsa.benchmarks.gpu", "--work", ",".join(left)),
            *("--prepare", str(folder), "--target", target, "--multiprocessors", str(one_wave)),
        ]

    run_jobs(command, jobs, done, silence_seconds=limit_seconds)
    return index


def work(folder: Path, target: str, jobs: Sequence[str], one_wave: int = 0) -> None:
    """Compile in this process, as a worker; a job is the name of a case and of a contender."""
    cases = {case.name: case for case in gpu_cases()}
    for job in jobs:
        announce(job)
        name, _, contender = job.partition("/")
        build = _builds(cases[name], target, one_wave)[contender]
        made = _compiled(build, path_of(folder, name, contender, target))
        workgroups = {"workgroups": one_wave} if contender == BARRIER else {}
        answer({"name": job, **made, **workgroups})


def _lies_there(made: Any, contender: str, one_wave: int) -> bool:
    """Tell whether a module was made, for as many multiprocessors."""
    return made is not None and (contender != BARRIER or made.get("workgroups") == one_wave)


def _started(folder: Path, target: str) -> Index:
    if (folder / INDEX).exists():
        index = read_index(folder)
        if index["target"] != target:
            raise InputError(
                f"expected a folder for {target}, found modules for {index['target']} in {folder}"
            )
        return index
    return documents.begin("python benchmarks/gpu.py", target=target, cases={})


def _builds(case: GpuCase, target: str, one_wave: int) -> dict[str, Callable[[], Any]]:
    """Return how each contender that is a module of IREE's is compiled."""
    import fsa
    from fsa.benchmarks import plain_iree

    kind = target.partition(":")[0]

    def by_fsa(options: str = "") -> Any:
        if case.pipeline is None:
            return fsa.compile(case.module(), target=target, cache=False)
        pipeline = case.pipeline.format(kind=kind) + options
        return fsa.compile(case.module(), target=target, pipeline=pipeline, cache=False)

    def as_wave() -> Any:
        module = by_fsa(f"{{one-wave={one_wave}}}")
        if WAVE not in bytes(module.data):
            raise InputError("expected several kernels to put into one launch, found one")
        return module

    builds: dict[str, Callable[[], Any]] = {
        "fsa": by_fsa,
        "iree": lambda: plain_iree.compile_module(case.module(), target),
    }
    if one_wave and kind == "cuda" and case.family == "stitching":
        builds[BARRIER] = as_wave
    return builds


def _compiled(build: Callable[[], Any], path: Path) -> dict[str, Any]:
    began = time.process_time()
    try:
        module = build()
        module.save(path)
    except FsaError as error:
        return {"failed": str(error).splitlines()[0][:300]}
    return {
        "file": path.name,
        "bytes": path.stat().st_size,
        "seconds": round(time.process_time() - began, 3),
    }


def _said(made: dict[str, Any]) -> str:
    return made.get("failed") or f"{made['bytes']} bytes in {made['seconds']} s"
