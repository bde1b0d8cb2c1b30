"""Thresholds of fsa-raise-binarized give the bit of the float chain for every sum there can be."""

from typing import Any

import numpy as np
import pytest

from fsa.bindings import ir
from fsa.diagnostics import Diagnostics
from fsa.dialects.fsa.constants import constant_array
from fsa.dialects.fsa.dialect import new_context
from fsa.dialects.fsa.packed_arrays import unpack
from fsa.passes.registry import make_pass

Array = np.ndarray[Any, Any]
CHANNELS = 70

BODY = """
    %f = arith.sitofp %sum : i32 to f32
    %centred = arith.subf %f, %mean : f32
    %unit = arith.mulf %centred, %factor : f32
    %wide = arith.mulf %unit, %gamma : f32
    %norm = arith.addf %wide, %beta : f32
"""
# What follows the batch norm, in MLIR and in NumPy; y is what is compared with 0.
ACTIVATIONS: dict[str, tuple[str, Any]] = {
    "none": ("%y = arith.addf %norm, %zero : f32", lambda x: x),
    "relu": (
        "%p = arith.maximumf %norm, %zero : f32\n    %y = arith.subf %p, %tenth : f32",
        lambda x: np.maximum(x, np.float32(0)) - np.float32(0.1),
    ),
    "hardtanh": (
        "%low = arith.maximumf %norm, %minus : f32\n    %y = arith.minimumf %low, %one : f32",
        lambda x: np.clip(x, np.float32(-1), np.float32(1)),
    ),
    "absolute": (  # the sign changes twice in most channels
        "%size = math.absf %norm : f32\n    %y = arith.subf %size, %one : f32",
        lambda x: np.abs(x) - np.float32(1),
    ),
}


def constant(array: Array) -> str:
    return f'dense<"0x{array.tobytes().hex().upper()}"> : tensor<{len(array)}xf32>'


def program(depth: int, parameters: dict[str, Array], activation: str) -> str:
    words = -(-depth // 32)
    names = list(parameters)
    constants = "\n  ".join(
        f"%{name}s = arith.constant {constant(parameters[name])}" for name in names
    )
    channel = ", ".join(["affine_map<(d0, d1) -> (d1)>"] * len(names))
    return f"""
#id = affine_map<(d0, d1) -> (d0, d1)>
func.func @main(%a: tensor<3x{words}xi32>, %b: tensor<{CHANNELS}x{words}xi32>) -> tensor<3x3xi32> {{
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %minus = arith.constant -1.0 : f32
  %tenth = arith.constant 0.1 : f32
  {constants}
  %sums = "fsa.binarized_matmul"(%a, %b) {{depth = {depth} : i64}}
    : (tensor<3x{words}xi32>, tensor<{CHANNELS}x{words}xi32>) -> tensor<3x{CHANNELS}xi32>
  %e = tensor.empty() : tensor<3x{CHANNELS}xf32>
  %x = linalg.generic
    {{indexing_maps = [#id, {channel}, #id], iterator_types = ["parallel", "parallel"]}}
    ins(%sums, {", ".join(f"%{name}s" for name in names)}
        : tensor<3x{CHANNELS}xi32>, {", ".join([f"tensor<{CHANNELS}xf32>"] * len(names))})
    outs(%e : tensor<3x{CHANNELS}xf32>) {{
  ^bb0(%sum: i32, {", ".join(f"%{name}: f32" for name in names)}, %out: f32):
    {BODY}
    {activation}
    %c = arith.cmpf oge, %y, %zero : f32
    %sign = arith.select %c, %one, %minus : f32
    linalg.yield %sign : f32
  }} -> tensor<3x{CHANNELS}xf32>
  %bits = "fsa.pack_bits"(%x) : (tensor<3x{CHANNELS}xf32>) -> tensor<3x3xi32>
  return %bits : tensor<3x3xi32>
}}"""


def drawn(depth: int) -> dict[str, Array]:
    """Return batch norms with scales of both signs, of 0, tiny and huge, and means at sums."""
    draw = np.random.default_rng(depth)
    gamma = draw.normal(size=CHANNELS).astype(np.float32)
    gamma[:6] = [0.0, -0.0, 1e-30, -1e-30, 1e30, -1e30]
    mean = draw.integers(-depth, depth + 1, CHANNELS).astype(np.float32)
    mean[20:] += draw.normal(size=CHANNELS - 20).astype(np.float32)
    beta = draw.normal(size=CHANNELS).astype(np.float32)
    beta[6:20] = 0.0
    factor = 1 / np.sqrt(draw.uniform(0.01, depth, CHANNELS))
    return {"mean": mean, "factor": factor.astype(np.float32), "gamma": gamma, "beta": beta}


def raised(text: str) -> list[Any]:
    with new_context() as context, ir.Location.unknown():
        context.emit_error_diagnostics = True
        module = ir.Module.parse(text)
        make_pass("fsa-raise-binarized").run(module.operation, Diagnostics())
        module.operation.verify()
        ops = [op.operation for op in module.body.operations[0].regions[0].blocks[0].operations]
        (found,) = [op for op in ops if op.name == "func.return"]
        made = found.operands[0].owner
        if made.name != "fsa.binarized_threshold":
            return []
        return [constant_array(made.operands[1]), constant_array(made.operands[2])]


@pytest.mark.parametrize("activation", list(ACTIVATIONS))
@pytest.mark.parametrize("depth", [1, 33, 784, 1152])
def test_every_sum_has_the_bit_of_the_chain(depth: int, activation: str) -> None:
    parameters = drawn(depth)
    text, function = ACTIVATIONS[activation]
    found = raised(program(depth, parameters, text))
    sums = np.arange(-depth, depth + 1, 2).astype(np.int32)[:, None]
    with np.errstate(all="ignore"):
        centred = sums.astype(np.float32) - parameters["mean"]
        norm = centred * parameters["factor"] * parameters["gamma"] + parameters["beta"]
        expected = function(norm) >= 0
    changes = (expected[1:] != expected[:-1]).sum(0)
    if changes.max(initial=0) > 1:
        assert not found
        return
    tau, flip = found
    np.testing.assert_array_equal((sums >= tau) ^ unpack(flip, CHANNELS), expected)
