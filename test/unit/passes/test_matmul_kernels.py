"""CPU kernels of dense matmuls, run by upstream's engine, agree with float64."""

import numpy as np
import pytest
from kernel_engine import run_kernel
from matmul_programs import PROGRAMS, Program, assert_right

from fsa.bindings import ir, passmanager
from fsa.diagnostics import Diagnostics
from fsa.dialects.fsa.constants import constant_array
from fsa.dialects.fsa.dialect import new_context
from fsa.passes.registry import make_pass
from fsa.runtime.targets import Target

TARGETS = [
    Target("cpu", "znver4", vector_bits=512, cores=2),
    Target("cpu", "haswell", vector_bits=256, cores=2),
    Target("cpu", "x86-64", vector_bits=128, cores=2),
]
NAMES = ("weights_turned", "added_to", "turned", "copied")


def run(program: Program, target: Target, arguments: list[np.ndarray]) -> np.ndarray:
    """Lower one program for `target` and run its kernel over the grid of its launch."""
    with new_context(), ir.Location.unknown():
        module = ir.Module.parse(program.text())
        module.operation.attributes["fsa.target"] = target.to_attribute()
        for name in ("fsa-plan-matmul", "fsa-matmul-to-cpu"):
            make_pass(name).run(module.operation, Diagnostics())
        passmanager.PassManager.parse("builtin.module(canonicalize)").run(module.operation)
        assert module.operation.verify()
        function = module.body.operations[0]
        (launch,) = (
            found.operation
            for found in function.entry_block.operations
            if found.operation.name == "fsa.launch"
        )
        operands = list(launch.operands)
        grid = [int(size.owner.attributes["value"].value) for size in operands[:3]]
        given = dict(zip(function.entry_block.arguments, arguments, strict=True))
        arrays = []
        for value in operands[3:]:
            constant = constant_array(value)
            if constant is None:
                source = value
                while source not in given:  # a reshape of an argument
                    source = source.owner.operands[0]
                constant = given[source].reshape(value.type.shape)
            arrays.append(np.ascontiguousarray(constant))
        # What a kernel leaves unwritten shows.
        out = np.full(launch.results[0].type.shape, np.nan, np.float32)
        run_kernel(module, "fsa_matmul_0", [*arrays, out], grid)
        return out.reshape(program.shape(program.out_axes, {}))


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.arch)
def test_kernels_agree_with_float64(target: Target) -> None:
    for program in PROGRAMS:
        if program.name in NAMES:
            assert_right(program, lambda *a, p=program: run(p, target, list(a)))
