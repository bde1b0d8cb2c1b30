"""Read a plan, change it, emit again; then schedule a region with the transform dialect."""

from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

import fsa
from fsa.bindings import ir
from fsa.errors import PassFailure
from fsa.explanation.text import print_explanation
from fsa.frontend.mlir import read_mlir
from fsa.passes.stitching.plan import NODE, PLAN
from fsa.passes.stitching.regions import regions_of
from fsa.runtime.compile import lower
from fsa.runtime.targets import Target

HERE = Path(__file__).parent
MODEL = HERE / "softmax.mlir"
FORM = "fsa-form-stitched-regions{min-ops=1}"
PLANNED = f"builtin.module({FORM},fsa-plan-stitching)"
KERNELS = f"builtin.module({FORM},fsa-to-cpu)"
SCRIPT = f"transform-preload-library{{transform-library-paths={HERE / 'schedule.mlir'}}}"
SCHEDULED = f"builtin.module({FORM},{SCRIPT},transform-interpreter,fsa-to-cpu)"


def main() -> None:
    """Run the example."""
    random = np.random.default_rng(12)
    x, mask = random.standard_normal((2, 64, 512)).astype(np.float32)
    expected = softmax(0.125 * x + mask)

    print("1. The plan that FSA makes:\n")
    print_explanation(fsa.explain(MODEL, pipeline=KERNELS), Console(highlight=False))
    check(fsa.compile(MODEL, pipeline=KERNELS), x, mask, expected)

    print("2. An edited plan: shorter steps, and exponentials computed where they are used.")
    edited = planned_text(lambda region: edit_kernel(region, unroll=1, rows=8), keep_exp=False)
    check(fsa.compile(edited), x, mask, expected)

    print("3. An edit that does not hold:")
    wrong = planned_text(lambda region: edit_kernel(region, lane=7))
    try:
        fsa.compile(wrong)
    except PassFailure as error:
        print(f"   {error.diagnostics[0].message}\n")
    else:
        raise AssertionError("expected the plan to be refused")

    print("4. A schedule in the transform dialect:")
    found = fsa.explain(MODEL, pipeline=SCHEDULED)
    print(f"   {found.regions[0].form}: {found.regions[0].reason}")
    check(fsa.compile(MODEL, pipeline=SCHEDULED), x, mask, expected)


def planned_text(edit: Any, keep_exp: bool = True) -> str:
    """Return the model with its planned region after `edit`, as text that compiles."""
    module = read_mlir(MODEL)
    planned = lower(module, Target.parse("cpu"), PLANNED)
    with module.context, ir.Location.unknown():
        (region,) = regions_of(planned)
        edit(region)
        if not keep_exp:
            compute_again(region)
    return str(planned)


def edit_kernel(region: Any, **changes: int) -> None:
    """Change entries of the region's only kernel."""
    plan = {named.name: named.attr for named in region.attributes[PLAN]}
    kernel = {named.name: named.attr for named in plan["kernels"][0]}
    kernel |= {name: number(value) for name, value in changes.items()}
    plan["kernels"] = ir.ArrayAttr.get([ir.DictAttr.get(kernel)])
    region.attributes[PLAN] = ir.DictAttr.get(plan)


def compute_again(region: Any) -> None:
    """Make every element-wise value local: it is computed where it is used, and not kept."""
    for view in region.regions[0].blocks[0].operations:
        op = view.operation
        if NODE in op.attributes and "reduction" not in str(op.attributes["iterator_types"]):
            node = {named.name: named.attr for named in op.attributes[NODE]}
            node["scheme"] = ir.StringAttr.get("local")
            op.attributes[NODE] = ir.DictAttr.get(node)


def number(value: int) -> Any:
    """Return `value` as an attribute of a plan."""
    return ir.IntegerAttr.get(ir.IntegerType.get_signless(64), value)


def softmax(x: Any) -> Any:
    """Return the softmax of each row."""
    exp = np.exp(x - x.max(axis=1, keepdims=True))
    return exp / exp.sum(axis=1, keepdims=True)


def check(module: Any, x: Any, mask: Any, expected: Any) -> None:
    """Run the module and compare."""
    error = np.abs(module(x, mask) - expected).max()
    assert error < 1e-6, error
    print(f"   largest difference from NumPy: {error:.1e}\n")


if __name__ == "__main__":
    main()
