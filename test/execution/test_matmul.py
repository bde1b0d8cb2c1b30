"""Dense matmuls through fsa-to-cpu, on processors with and without wide vectors."""

from pathlib import Path

import pytest
from matmul_programs import PROGRAMS, assert_right, module_text

import fsa
from fsa.runtime import host

TARGETS = ["cpu", "cpu:generic", "cpu:haswell"]


@pytest.mark.parametrize("target", TARGETS)
def test_matmul(target: str, tmp_path: Path) -> None:
    if target == "cpu:haswell" and "avx2" not in host.features():
        pytest.skip("this processor has no AVX2")
    # Every program on this machine; elsewhere the same code runs with other numbers.
    programs = PROGRAMS if target == "cpu" else PROGRAMS[1::2]
    compiled = fsa.compile(module_text(programs), target=target)
    compiled.save(tmp_path / "matmuls.vmfb")
    for device in ("cpu:sync", "cpu:task"):
        module = fsa.load(tmp_path / "matmuls.vmfb", device)
        for program in programs:
            assert_right(program, module.functions[program.name])
