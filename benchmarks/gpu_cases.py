"""What is measured on a GPU: stitched regions, binarized ops and networks, capsules, as data.

A case knows how to make its arguments, its module for FSA and IREE, its reference, and its form in
PyTorch and JAX. Nothing is imported before a case asks for it: making a module needs the MLIR
bindings, everything else NumPy and PyTorch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from fsa.benchmarks.case import Expressed
from fsa.benchmarks.cases import CASES, case_of
from fsa.benchmarks.cases.memory_bound import PROBLEMS, Problem
from fsa.benchmarks.gpu_binarized import BinarizedCase, convolutions, matmuls, networks

Array = np.ndarray[Any, Any]
Form = Callable[[Sequence[Array]], Expressed]

FAMILIES = ("stitching", "binarized", "capsule")
# |found - reference| relative to the largest |reference|, as far as the result's type allows.
TOLERANCES = {"f32": 2e-5, "f16": 4e-3, "bf16": 3e-2}
STITCH = "fsa-clean-up,fsa-form-stitched-regions{{min-ops=1}},fsa-to-{kind}"


@dataclass(frozen=True)
class GpuCase:
    """One computation.

    `torch` and `jax` are what their compilers get; `library` is what a vendor's library does about
    it, named by `library_label`. `pipeline` names FSA's passes, with `{kind}` for the kind of
    device; None is the default. `published` are seconds from a paper, `note` says from which.
    """

    name: str
    family: str
    dtype: str
    inputs: Callable[[], tuple[Array, ...]]
    module: Callable[[], Any]
    reference: Callable[[Sequence[Array]], list[Array]]
    tolerance: float
    torch: Form | None = None
    jax: Form | None = None
    library: Form | None = None
    library_label: str = ""
    pipeline: str | None = None
    depth: int = 0  # of a binarized matmul
    published: float | None = None
    note: str = ""


def gpu_cases() -> list[GpuCase]:
    """Return all cases, family by family."""
    stitching = [_of_problem(p, dtype) for p in PROBLEMS for dtype in p.dtypes]
    binarized = [_of_binarized(c) for c in (*matmuls(), *convolutions(), *networks())]
    names = [name for name in CASES if name.startswith("capsule-")]
    return [*stitching, *binarized, *map(_of_case, names)]


def chosen(families: str, only: str, dtypes: str) -> list[GpuCase]:
    """Return the cases of `families` and `dtypes` whose name has one of the texts in `only`.

    All three are lists with commas, empty for everything.
    """

    def listed(text: str) -> list[str]:
        return [part for part in text.split(",") if part]

    return [
        case
        for case in gpu_cases()
        if (not families or case.family in listed(families))
        and (not dtypes or case.dtype in listed(dtypes))
        and (not only or any(text in case.name for text in listed(only)))
    ]


# Stitched regions.


def _of_problem(problem: Problem, dtype: str) -> GpuCase:
    return GpuCase(
        name=f"{problem.name.replace(' ', '-')}-{dtype}",
        family="stitching",
        dtype=dtype,
        inputs=partial(_drawn, problem, dtype),
        module=partial(_imported, problem, dtype),
        reference=partial(_in_double, problem),
        tolerance=TOLERANCES[dtype],
        torch=lambda arrays: Expressed(problem.torch, tuple(map(to_torch, arrays))),
        jax=lambda arrays: Expressed(problem.jax, tuple(arrays)),
        pipeline=STITCH,
    )


def _element(dtype: str) -> Any:
    import ml_dtypes

    return {"f32": np.float32, "f16": np.float16, "bf16": ml_dtypes.bfloat16}[dtype]


def _drawn(problem: Problem, dtype: str) -> tuple[Array, ...]:
    return tuple(g.draw(seed, _element(dtype)) for seed, g in enumerate(problem.inputs))


def to_torch(array: Array) -> Any:
    """Return an array as a torch tensor, bf16 among them, on the GPU if torch has one."""
    import torch

    if array.dtype.name == "bfloat16":
        tensor = torch.from_numpy(array.view(np.int16).copy()).view(torch.bfloat16)
    else:
        tensor = torch.from_numpy(array)
    return tensor.cuda() if torch.cuda.is_available() else tensor


def to_numpy(result: Any) -> Array:
    """Return a tensor of a framework, or of FSA, as an array; bf16 of torch becomes f32."""
    if hasattr(result, "detach"):
        result = result.detach().cpu()
        return (result.float() if str(result.dtype) == "torch.bfloat16" else result).numpy()
    return np.asarray(result.numpy() if hasattr(result, "numpy") else result)


def _imported(problem: Problem, dtype: str) -> Any:
    import torch

    from fsa.frontend.model import read_model

    class Wrapped(torch.nn.Module):
        def forward(self, *arguments: Any) -> Any:
            return problem.torch(*arguments)

    arguments = tuple(to_torch(array).cpu() for array in _drawn(problem, dtype))
    return read_model(Wrapped(), arguments)


def _in_double(problem: Problem, arrays: Sequence[Array]) -> list[Array]:
    """Return the results in float64, computed by torch."""
    tensors = [to_torch(array) for array in arrays]
    wide = [t.double() if t.is_floating_point() else t for t in tensors]
    found = problem.torch(*wide)
    return [to_numpy(result) for result in (found if isinstance(found, tuple) else (found,))]


# Binarized ops and capsules.


def _of_binarized(case: BinarizedCase) -> GpuCase:
    return GpuCase(
        name=case.name,
        family="binarized",
        dtype="bits",
        inputs=case.inputs,
        module=case.module,
        reference=case.reference,
        tolerance=case.tolerance,
        torch=case.half,
        library=case.half,
        library_label=case.library_label,
        depth=case.depth,
        published=case.published,
        note=case.note,
    )


def _of_case(name: str) -> GpuCase:
    case = case_of(name)
    torch, jax = case.torch, case.jax

    def in_torch(arrays: Sequence[Array]) -> Expressed:
        assert torch is not None
        expressed = torch(tuple(arrays))
        placed = tuple(a.cuda() if _has_cuda() else a for a in expressed.arguments)
        return Expressed(expressed.function, placed)

    return GpuCase(
        name=name,
        family="capsule",
        dtype="f32",
        inputs=case.inputs,
        module=case.module,
        reference=lambda arrays: [case.reference(*arrays)],
        tolerance=case.tolerance,
        torch=None if torch is None else in_torch,
        jax=None if jax is None else lambda arrays: jax(tuple(arrays)),
    )


def _has_cuda() -> bool:
    import torch

    return torch.cuda.is_available()
