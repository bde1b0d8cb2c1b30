"""Batch norm and sign fold into one integer comparison, exactly."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsa.dialects.fsa import reference
from fsa.examples import batch_norm, binarized_mlp

EPSILON = 1e-5


def _expect_fold(gamma, beta, mean, variance, depth: int) -> None:
    """Compare the fold with the batch norm for every accumulator of a sum of `depth` values."""
    tau, flip = batch_norm.fold_sign(gamma, beta, mean, variance, EPSILON, depth)
    acc = np.arange(-depth, depth + 1, dtype=np.int32)[:, None].repeat(len(tau), axis=1)
    expected = batch_norm.batch_norm(acc, gamma, beta, mean, variance, EPSILON) >= 0
    found = reference.binarized_threshold(acc, tau, binarized_mlp.words(flip))
    bits = np.unpackbits(found.view(np.uint8), axis=-1, bitorder="little", count=len(tau))
    assert np.array_equal(bits.astype(bool), expected)


FINITE = st.floats(-50, 50, width=32)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(FINITE, FINITE, FINITE, st.floats(0, 50, width=32)), min_size=1, max_size=40
    ),
    st.integers(0, 200),
)
def test_fold_is_exact_for_every_accumulator(channels, depth) -> None:
    columns = np.array(channels, dtype=np.float32).T
    _expect_fold(*columns, depth)


@pytest.mark.parametrize("gamma", [1.0, -1.0, 0.0, -0.0, 1e-30, -1e-30, 3e4])
@pytest.mark.parametrize("beta", [-2.5, -0.0, 0.0, 2.5])
@pytest.mark.parametrize("mean", [-7.0, 0.0, 3.0, 1000.0])
def test_fold_at_the_edges(gamma: float, beta: float, mean: float) -> None:
    for variance in (0.0, 1e-12, 4.0):
        _expect_fold(*(np.array([v], np.float32) for v in (gamma, beta, mean, variance)), 33)


def test_fold_of_the_trained_network() -> None:
    for layer in binarized_mlp.load()[:-1]:
        _expect_fold(*layer.norm, layer.depth)
