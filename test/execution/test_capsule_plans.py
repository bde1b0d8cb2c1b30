"""Capsule kernels under plans that a person may write, held against the reference."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from arrays import floats
from float_bounds import allowed
from op_execution import why_no_device

import fsa
from fsa.dialects.fsa import reference

SCRATCH = 'buffers = "scratch"'
ROUTING_PLANS = {
    "cpu": [
        f"lanes = 2 : i64, sweep = 1 : i64, {SCRATCH}",
        "lanes = 32 : i64, sweep = 3 : i64",
        'lanes = 8 : i64, dot_lanes = 2 : i64, prefetch = "sample"',
        'prefetch = "tile", sweep = 2 : i64',
        'prefetch = "both", sweep = 2 : i64',
        'prefetch = "both", lanes = 4 : i64, sweep = 60 : i64',
        "tiles = 1 : i64",
        f'tiles = 2 : i64, lanes = 4 : i64, prefetch = "none", {SCRATCH}',
        "tiles = 2 : i64, lanes = 64 : i64",
        'distribute = "low", parts = 2 : i64',
        'distribute = "low", parts = 7 : i64, lanes = 4 : i64',
        'distribute = "high", parts = 2 : i64',
        'distribute = "high", parts = 7 : i64, lanes = 4 : i64',
    ],
    "vulkan": [
        "workgroup_size = 1 : i64, tile = 1 : i64, parts = 1 : i64",
        "workgroup_size = 64 : i64, tile = 5 : i64, parts = 3 : i64",
        'strategy = "launch_per_step", workgroup_size = 4 : i64',
        'strategy = "launch_per_step", workgroup_size = 64 : i64',
    ],
}
SHARED_PLANS = [
    'distribute = "low", parts = 3 : i64',
    'distribute = "high", parts = 3 : i64',
    f'distribute = "none", {SCRATCH}',
]
SQUASH_PLANS = {
    "cpu": ["lanes = 2 : i64, tile = 3 : i64", "lanes = 64 : i64, tile = 1 : i64"],
    "vulkan": ["workgroup_size = 1 : i64", "workgroup_size = 8 : i64"],
}
PREDICT_PLANS = {
    "cpu": [
        "lanes = 2 : i64, tile = 2 : i64",
        "lanes = 16 : i64, tile = 100 : i64",
        'weights = "packed", lanes = 4 : i64, sweep = 3 : i64, tile = 2 : i64',
    ],
    "vulkan": ["workgroup_size = 2 : i64"],
}


def run(text: str, target: str, folder: Path, *arrays: Any) -> Any:
    """Compile a function for a target and call it on the target's device."""
    reason = why_no_device("cpu:sync" if target == "cpu" else target)
    if reason is not None:
        pytest.skip(reason)
    path = folder / "module.vmfb"
    fsa.compile(text, target=target).save(path)
    return fsa.load(path, device="cpu:sync" if target == "cpu" else target)(*arrays)


def planned(plans: dict[str, list[str]]) -> Any:
    return pytest.mark.parametrize(
        ("target", "plan"),
        [
            pytest.param(target, plan, marks=[pytest.mark.vulkan] if target == "vulkan" else [])
            for target, texts in plans.items()
            for plan in texts
        ],
    )


@planned(ROUTING_PLANS)
def test_routing(target: str, plan: str, tmp_path: Path) -> None:
    check_routing(target, plan, tmp_path, iterations=3, agreement="per_sample")


@pytest.mark.parametrize("iterations", [1, 2, 3])
@pytest.mark.parametrize("plan", SHARED_PLANS)
def test_shared_routing(plan: str, iterations: int, tmp_path: Path) -> None:
    check_routing("cpu", plan, tmp_path, iterations=iterations, agreement="batch_shared")


@planned(ROUTING_PLANS)
def test_routing_from_logits(target: str, plan: str, tmp_path: Path) -> None:
    check_routing(target, plan, tmp_path, iterations=3, agreement="per_sample", started=True)


@pytest.mark.parametrize("iterations", [1, 2, 3])
@pytest.mark.parametrize("plan", SHARED_PLANS)
def test_shared_routing_from_logits(plan: str, iterations: int, tmp_path: Path) -> None:
    check_routing(
        "cpu", plan, tmp_path, iterations=iterations, agreement="batch_shared", started=True
    )


def check_routing(
    target: str,
    plan: str,
    folder: Path,
    *,
    iterations: int,
    agreement: str,
    started: bool = False,
) -> None:
    given, results = "tensor<?x37x5x11xf32>", ["tensor<?x5x11xf32>"]
    results.append("tensor<37x5xf32>" if agreement == "batch_shared" else "tensor<?x37x5xf32>")
    attributes: dict[str, Any] = {
        "iterations": iterations,
        "agreement": agreement,
        "epsilon": 1e-7,
        "coefficients": True,
    }
    kinds = [given, "tensor<37x5xf32>"][: 1 + started]
    names = ["%u", "%logits"][: 1 + started]
    parameters = ", ".join(f"{name}: {kind}" for name, kind in zip(names, kinds, strict=True))
    text = f"""func.func @main({parameters}) -> ({", ".join(results)}) {{
      %v:2 = "fsa.capsule_routing"({", ".join(names)}) {{iterations = {iterations} : i64,
        agreement = "{agreement}", epsilon = 1.0e-7 : f64, plan = {{{plan}}}}}
        : ({", ".join(kinds)}) -> ({", ".join(results)})
      return %v#0, %v#1 : {", ".join(results)}
    }}"""
    u_hat = floats((3, 37, 5, 11), np.float32, scale=0.2)
    arrays = (u_hat, floats((37, 5), np.float32, 1))[: 1 + started]
    wanted = reference.capsule_routing(*arrays, **attributes)
    bounds = allowed("capsule_routing", arrays, attributes, wanted)
    for got, expected, bound in zip(
        run(text, target, folder, *arrays), wanted, bounds, strict=True
    ):
        assert np.max(bound) < 0.1, "a bound that says something"
        assert np.all(np.abs(got - expected) <= bound)


@planned(SQUASH_PLANS)
def test_squash(target: str, plan: str, tmp_path: Path) -> None:
    kind = "tensor<13x7xf32>"
    text = f"""func.func @main(%s: {kind}) -> {kind} {{
      %v = "fsa.squash"(%s) {{epsilon = 1.0e-7 : f64, plan = {{{plan}}}}} : ({kind}) -> {kind}
      return %v : {kind}
    }}"""
    s = floats((13, 7), np.float32)
    wanted = reference.squash(s, epsilon=1e-7)
    got = run(text, target, tmp_path, s)
    assert np.all(np.abs(got - wanted) <= allowed("squash", (s,), {"epsilon": 1e-7}, wanted))


@planned(PREDICT_PLANS)
def test_predict(target: str, plan: str, tmp_path: Path) -> None:
    kinds = ["tensor<2x5x9xf32>", "tensor<5x3x7x9xf32>", "tensor<2x5x3x7xf32>"]
    u, w = floats((2, 5, 9), np.float32), floats((5, 3, 7, 9), np.float32)
    packed = "packed" in plan
    weights = f'%w = arith.constant dense<"0x{w.tobytes().hex()}"> : {kinds[1]}' if packed else ""
    arguments = f"%u: {kinds[0]}" + ("" if packed else f", %w: {kinds[1]}")
    text = f"""func.func @main({arguments}) -> {kinds[2]} {{
      {weights}
      %p = "fsa.capsule_predict"(%u, %w) {{plan = {{{plan}}}}}
        : ({kinds[0]}, {kinds[1]}) -> {kinds[2]}
      return %p : {kinds[2]}
    }}"""
    wanted = reference.capsule_predict(u, w)
    got = run(text, target, tmp_path, *((u,) if packed else (u, w)))
    assert np.all(np.abs(got - wanted) <= allowed("capsule_predict", (u, w), {}, wanted))


@pytest.mark.parametrize("target", ["cpu", pytest.param("vulkan", marks=pytest.mark.vulkan)])
@pytest.mark.parametrize("agreement", ["per_sample", "batch_shared"])
def test_approximate(target: str, agreement: Any, tmp_path: Path) -> None:
    """Kernels with approximate functions stay near the reference, and are not equal to it."""
    reason = why_no_device("cpu:sync" if target == "cpu" else target)
    if reason is not None:
        pytest.skip(reason)
    given, result = "tensor<3x37x5x11xf32>", "tensor<3x5x11xf32>"
    text = f"""func.func @main(%u: {given}) -> {result} {{
      %v = "fsa.capsule_routing"(%u) {{iterations = 3 : i64, agreement = "{agreement}",
        epsilon = 1.0e-7 : f64}} : ({given}) -> {result}
      return %v : {result}
    }}"""
    u_hat = floats((3, 37, 5, 11), np.float32)
    wanted = reference.capsule_routing(u_hat, iterations=3, agreement=agreement)
    pipeline = f"fsa-approximate-math,fsa-to-{target}"
    fsa.compile(text, target=target, pipeline=pipeline).save(tmp_path / "module.vmfb")
    device = "cpu:sync" if target == "cpu" else target
    got = fsa.load(tmp_path / "module.vmfb", device=device)(u_hat)
    error = np.abs(got - wanted).max()
    assert 1e-5 < error < 0.1


def test_ranges_of_high_level_capsules_do_not_mix(tmp_path: Path) -> None:
    """A range without a finite logit takes nothing from the others; NaN stays in its sample."""
    kinds = "tensor<2x9x5x3xf16>, tensor<9x5xf16>", "tensor<2x5x3xf16>, tensor<2x9x5xf16>"
    text = f"""func.func @main(%u: tensor<2x9x5x3xf16>, %logits: tensor<9x5xf16>) -> ({kinds[1]}) {{
      %v:2 = "fsa.capsule_routing"(%u, %logits) {{iterations = 2 : i64, agreement = "per_sample",
        epsilon = 1.0e-7 : f64, plan = {{distribute = "high", parts = 3 : i64, lanes = 4 : i64}}}}
        : ({kinds[0]}) -> ({kinds[1]})
      return %v#0, %v#1 : {kinds[1]}
    }}"""
    u_hat, logits = floats((2, 9, 5, 3), np.float16, scale=0.2), floats((9, 5), np.float16, 1)
    logits[3, 2:4] = logits[8, :2] = -np.inf
    u_hat[1, 4, 0, 0] = np.nan
    options: dict[str, Any] = {"iterations": 2, "agreement": "per_sample", "coefficients": True}
    wanted = reference.capsule_routing(u_hat, logits, **options)
    for got, expected in zip(run(text, "cpu", tmp_path, u_hat, logits), wanted, strict=True):
        np.testing.assert_allclose(got, expected, atol=2e-3)
        assert np.isfinite(np.asarray(got)[0]).all()
