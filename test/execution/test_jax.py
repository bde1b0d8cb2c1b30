"""JAX functions through the compiler give what JAX gives."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from arrays import floats

jax = pytest.importorskip("jax")

import fsa  # noqa: E402
from fsa.errors import CallError, InputError  # noqa: E402
from fsa.frontend.model import read_model  # noqa: E402
from fsa.runtime.devices import available  # noqa: E402

jnp, lax = jax.numpy, jax.lax
VULKAN = any(device.kind == "vulkan" for device in available())
X = floats((4, 8), np.float32)
IMAGE = floats((1, 3, 8, 8), np.float32)
INDICES = np.array([3, 0, 3], np.int32)


def layer_norm(x: Any) -> Any:
    return (x - x.mean(-1, keepdims=True)) / jnp.sqrt(x.var(-1, keepdims=True) + 1e-5)


def pool(x: Any) -> Any:
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")


def recurrence(x: Any) -> Any:
    return lax.scan(lambda c, v: (c * 0.5 + v, c), jnp.zeros(8, jnp.float32), x)


def doubling(x: Any) -> Any:
    return lax.while_loop(lambda c: jnp.abs(c).sum() < 100.0, lambda c: c * 2, x)


CASES: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "attention": (lambda x: jax.nn.softmax(x @ x.T, axis=-1) @ x, (X,)),
    "norm_and_gelu": (lambda x: jax.nn.gelu(layer_norm(x), approximate=False) + lax.erf(x), (X,)),
    "sort": (lambda x: (jnp.sort(x, -1), jnp.argsort(x, -1), lax.top_k(x, 3)), (X,)),
    "scatter_and_gather": (lambda x, i: (x.at[i].add(1.0), x[i]), (X, INDICES)),
    "scan": (recurrence, (X,)),
    "while": (doubling, (X,)),
    "cumulative": (lambda x: jnp.cumsum(x, 0), (X,)),
    "switch": (lambda i, x: lax.switch(i[0], [jnp.sin, jnp.cos, jnp.tanh], x), (INDICES, X)),
    "random": (
        lambda k: jax.random.normal(jax.random.wrap_key_data(k), (5,)),
        (np.uint32([1, 2]),),
    ),
    "fourier": (lambda x: jnp.abs(jnp.fft.rfft(x)), (X,)),
    "convolution": (
        lambda x, w: pool(lax.conv_general_dilated(x, w, (1, 1), "SAME")),
        (IMAGE, floats((4, 3, 3, 3), np.float32)),
    ),
    "depthwise_convolution": (
        lambda x, w: lax.conv_general_dilated(
            x, w, (2, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"), feature_group_count=6
        ),
        (floats((2, 7, 6, 6), np.float32), floats((3, 3, 1, 6), np.float32)),
    ),
    "batched_dot": (
        lambda a, b: jnp.einsum("bik,bkj->bij", a, b),
        (floats((3, 4, 5), np.float32), floats((3, 5, 2), np.float32)),
    ),
    "types": (
        lambda x, i: (x.astype(jnp.bfloat16), i // 3, i.astype(jnp.uint8), jnp.any(x > 0)),
        (X, INDICES),
    ),
    "nested": (lambda d: {"a": d["x"] * 2, "b": (d["y"], None)}, ({"x": X, "y": INDICES},)),
}
ON_VULKAN = ["attention", "norm_and_gelu", "sort", "scatter_and_gather", "scan"]


def check(name: str, target: str) -> None:
    function, inputs = CASES[name]
    module = fsa.compile(jax.jit(function).lower(*inputs), target=target)
    found = module(*jax.tree.leaves(inputs))
    found = found if isinstance(found, tuple) else (found,)
    for ours, theirs in zip(found, jax.tree.leaves(jax.jit(function)(*inputs)), strict=True):
        assert ours.dtype == theirs.dtype
        wanted = np.asarray(theirs).astype(np.float64)
        np.testing.assert_allclose(ours.astype(np.float64), wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_function_gives_what_jax_gives(name: str) -> None:
    check(name, "cpu")


@pytest.mark.vulkan
@pytest.mark.skipif(not VULKAN, reason="no Vulkan device")
@pytest.mark.parametrize("name", ON_VULKAN)
def test_function_gives_what_jax_gives_on_vulkan(name: str) -> None:
    check(name, "vulkan")


def test_symbolic_sizes_stay_open() -> None:
    from jax import export

    def function(x: Any) -> Any:
        return jax.nn.softmax(layer_norm(x) @ jnp.ones((4, 3))), x.reshape(-1, 2).sum(1)

    (batch,) = export.symbolic_shape("b")
    shape = jax.ShapeDtypeStruct((batch, 4), jnp.float32)
    module = fsa.compile(export.export(jax.jit(function))(shape))
    for size in (1, 3, 7):
        x = floats((size, 4), np.float32)
        for ours, theirs in zip(module(x), function(x), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


def test_contractions_of_open_size() -> None:
    """Plain, batched, over two axes, and of half floats."""
    from jax import export

    weight = floats((5, 3), np.float32)

    def function(x: Any, y: Any) -> Any:
        both = jnp.einsum("bid,bid->b", x, y)
        half = jnp.einsum("bid,dk->kbi", x.astype(jnp.float16), weight.astype(np.float16))
        return x @ weight, jnp.einsum("bid,bjd->bij", x, y), both, half

    (batch,) = export.symbolic_shape("b")
    shape = jax.ShapeDtypeStruct((batch, 4, 5), jnp.float32)
    module = fsa.compile(export.export(jax.jit(function))(shape, shape))
    for size in (1, 3):
        x, y = floats((size, 4, 5), np.float32), floats((size, 4, 5), np.float32)
        for ours, theirs in zip(module(x, y), function(x, y), strict=True):
            tolerance = 1e-2 if theirs.dtype == np.float16 else 1e-5
            np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)


def test_sizes_that_contradict_each_other_are_refused() -> None:
    """Equal sizes and bounds before the call, other relations by the program."""
    from jax import export

    b, n = export.symbolic_shape("b, n", constraints=["b >= 2"])
    shapes = [jax.ShapeDtypeStruct(s, jnp.float32) for s in ((b, 4), (b, 4), (2 * n + b,))]
    exported = export.export(jax.jit(lambda x, y, z: (x + y, z * 2)))(*shapes)
    module = fsa.compile(exported)

    def call(*rows: int) -> Any:
        return module(*(np.ones((n, 4) if i < 2 else n, np.float32) for i, n in enumerate(rows)))

    assert [result.shape for result in call(3, 3, 7)] == [(3, 4), (7,)]
    for rows, message in (
        ((7, 5, 9), "argument 1 of @main expected size 7 .* argument 0, found 5"),
        ((1, 1, 3), "argument 0 of @main expected a size of at least 2 in dimension 0, found 1"),
        ((3, 3, 6), "Division had remainder when computing the value of 'n'"),
        ((3, 3, 3), "Expected value >= 1 for dimension variable 'n'"),
    ):
        with pytest.raises(CallError, match=message):
            call(*rows)


def test_lowered_function_with_symbolic_sizes_is_refused() -> None:
    from jax import export

    shape = jax.ShapeDtypeStruct(export.symbolic_shape("b, 4"), jnp.float32)
    with pytest.raises(InputError, match=r"argument for the size 'b'.*jax.export"):
        read_model(jax.jit(jnp.sin).lower(shape))


def test_key_arguments_cross() -> None:
    lowered = jax.jit(lambda key: jax.random.uniform(key, (3,))).lower(jax.random.key(0))
    found = fsa.compile(lowered)(np.zeros(2, np.uint32))
    np.testing.assert_array_equal(found, jax.random.uniform(jax.random.key(0), (3,)))


def test_arguments_keep_their_names() -> None:
    module = read_model(jax.jit(lambda left, unused, right: left + right).lower(X, X, X))
    assert '["left", "right"]' in str(module.body.operations[0].attributes["fsa.argument_names"])


def test_what_has_no_lowering_is_named_with_its_line() -> None:
    def factor(x: Any) -> Any:
        return jnp.linalg.cholesky(x)  # here

    with pytest.raises(InputError, match=rf"lapack_spotrf\w* is not.*cholesky.*{__file__}:\d+"):
        read_model(jax.jit(factor).lower(jnp.eye(3)))


def test_function_that_is_not_lowered_is_refused() -> None:
    with pytest.raises(InputError, match=r"pass jax.jit\(f\).lower\(\*arguments\)"):
        read_model(jax.jit(jnp.sin))
