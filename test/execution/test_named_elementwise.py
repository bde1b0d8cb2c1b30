"""Named element-wise ops of linalg, which IREE lacks, come out as NumPy computes them."""

import numpy as np
import pytest

import fsa

UNARY = {
    "abs": np.abs,
    "ceil": np.ceil,
    "exp": np.exp,
    "negf": np.negative,
    "reciprocal": np.reciprocal,
    "sqrt": np.sqrt,
    "square": np.square,
    "tanh": np.tanh,
}
BINARY = {
    "add": np.add,
    "div": np.divide,
    "max": np.maximum,
    "mul": np.multiply,
    "sub": np.subtract,
}
KIND = "tensor<?x7xf32>"


def _call(name: str, operands: str, kinds: str) -> str:
    return f"%{name} = linalg.{name} ins({operands} : {kinds}) outs(%x : {KIND}) -> {KIND}"


@pytest.mark.parametrize("stitch", [True, False])
def test_named_ops_run(stitch: bool) -> None:
    """Each op, with regions and left to IREE."""
    names = [*UNARY, *BINARY]
    calls = [_call(name, "%x", KIND) for name in UNARY]
    calls += [_call(name, "%x, %y", f"{KIND}, {KIND}") for name in BINARY]
    kinds = ", ".join([KIND] * len(names))
    text = (
        f"func.func @main(%x: {KIND}, %y: {KIND}) -> ({kinds}) {{\n"
        + "\n".join(calls)
        + f"\nreturn {', '.join('%' + name for name in names)} : {kinds}\n}}"
    )
    module = fsa.compile(
        text, pipeline=f"builtin.module(fsa-to-cpu{{stitch={str(stitch).lower()}}})"
    )
    random = np.random.default_rng(0)
    x, y = (random.uniform(0.5, 2.0, (5, 7)).astype(np.float32) for _ in range(2))
    results = module(x, y)
    for name, result in zip(names, results, strict=True):
        expected = UNARY[name](x) if name in UNARY else BINARY[name](x, y)
        np.testing.assert_allclose(result, expected, rtol=1e-6, err_msg=name)
