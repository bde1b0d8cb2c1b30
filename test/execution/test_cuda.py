"""For CUDA every op compiles through both lowerings, and its PTX assembles where `ptxas` exists."""

import importlib
from pathlib import Path

import pytest
from op_execution import LONG, PORTABLE, assemble, compiled, has_ptxas, ptx_of

from fsa.pipelines.registry import PIPELINES

OPS = [
    "pack_bits",
    "unpack_bits",
    "binarized_matmul",
    "binarized_conv2d",
    "binarized_threshold",
    "binarized_max_pool2d",
    "capsule_predict",
    "capsule_routing",
    "squash",
]
PIPELINE_NAMES = [name for name in (PORTABLE, "fsa-to-cuda") if name in PIPELINES]


@pytest.mark.parametrize("pipeline", PIPELINE_NAMES)
@pytest.mark.parametrize("op", OPS)
def test_compiles_for_cuda(op: str, pipeline: str, tmp_path: Path) -> None:
    cases = importlib.import_module(f"test_{op}").CASES
    if not LONG:
        cases = cases[::3]  # code for a GPU takes long to generate
    path = compiled(cases, pipeline, "cuda", tmp_path)
    programs = ptx_of(path.read_bytes())
    assert programs, "the module holds no PTX"
    if not has_ptxas:
        return
    complaints = [assemble(ptx, tmp_path) for ptx in programs]
    assert not any(complaints), "\n".join(filter(None, complaints))
