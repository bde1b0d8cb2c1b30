"""Random programs through both lowerings on every device, held against the reference.

By default a few batches, the same in every run. `FSA_LONG=1` runs 10,000 cases (a case is one
program on one set of arrays) in processes of their own, so that a crash is a failure with a seed:
`FSA_SEED=<seed> FSA_PROGRAMS=<count> pytest test/differential/test_random_programs.py` repeats it.
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase, settings
from op_cases import module_of
from op_execution import CONFIGURATIONS, failures, why_no_device
from random_programs import programs

from fsa.dialects.fsa.dialect import new_context
from fsa.pipelines.registry import PIPELINES

BATCH = 12
PROGRAMS = int(os.environ.get("FSA_PROGRAMS", "36"))
SEED = os.environ.get("FSA_SEED")
DEFAULT_SEED = 12
LONG_CASES = int(os.environ.get("FSA_LONG_CASES", "10000"))
LONG_PROGRAMS = 120  # programs in one process
LONG_LIMIT = 1800  # seconds for one process

CONFIGURED = [
    configuration
    for configuration in CONFIGURATIONS
    if configuration.pipeline in PIPELINES
    and all(why_no_device(device) is None for device in configuration.devices)
]


def report(batch: list[Any], found: list[str]) -> str:
    """Return the failures with the MLIR of the programs that they are about."""
    names = {failure.partition(",")[0] for failure in found}
    wrong = [program for program in batch if program.name in names]
    text = str(module_of(wrong, new_context())) if wrong else ""
    return "\n".join([f"{len(found)} wrong:", *found, text])


@settings(
    max_examples=max(1, PROGRAMS // BATCH),
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@hypothesis.given(programs(BATCH))
def random_batch(folder: Path, counts: list[int], batch: list[Any]) -> None:
    """Compile a batch once a lowering and device, and run all its programs."""
    if len({str(program.runs) for program in batch}) == 1:
        batch = batch[:1]  # hypothesis starts with the simplest batch: one program many times
    found = [
        f"{failure} through {configuration}"
        for configuration in CONFIGURED
        for failure in failures(batch, configuration, folder)
    ]
    counts.append(sum(len(program.runs) for program in batch))
    assert not found, report(batch, found)


@pytest.mark.skipif(SEED is None, reason="run by the other tests, in a process of its own")
def test_programs_of_one_seed(tmp_path: Path) -> None:
    counts: list[int] = []
    try:
        hypothesis.seed(int(SEED or 0))(random_batch)(tmp_path, counts)
    finally:
        print(f"cases: {sum(counts)}")


def run_seed(seed: int, count: int) -> tuple[int, str]:
    """Run `count` programs of `seed` in a new process; return the cases that ran and what failed.

    Hypothesis draws from the constants of the modules that a process has loaded, so only a process
    of its own makes the same programs each time.
    """
    inherited = {name: v for name, v in os.environ.items() if not name.startswith("PYTEST_")}
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-s", f"{__file__}::test_programs_of_one_seed"],
        env={**inherited, "FSA_SEED": str(seed), "FSA_PROGRAMS": str(count)},
        capture_output=True,
        text=True,
        check=False,
        timeout=LONG_LIMIT,
    )
    ran = re.search(r"cases: (\d+)", run.stdout)
    problem = f"seed {seed}:\n{run.stdout[-4000:]}{run.stderr[-2000:]}" if run.returncode else ""
    return (int(ran[1]) if ran else 0), problem


@pytest.mark.skipif(SEED is not None, reason="this process repeats one seed")
def test_random_programs() -> None:
    cases, problem = run_seed(DEFAULT_SEED, PROGRAMS)
    assert not problem, problem
    assert cases > 0


@pytest.mark.long
@pytest.mark.skipif(os.environ.get("FSA_LONG") != "1", reason="FSA_LONG=1 runs 10,000 cases")
def test_ten_thousand_cases() -> None:
    cases, seed = 0, 0
    problems: list[str] = []
    while cases < LONG_CASES and len(problems) < 10:
        seed += 1
        ran, problem = run_seed(seed, LONG_PROGRAMS)
        cases += ran
        if problem:
            problems.append(problem)
        print(f"seed {seed}: {cases} cases, {len(problems)} failures", flush=True)
    assert not problems, "\n\n".join(problems)
