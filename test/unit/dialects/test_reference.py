"""The reference against oracles that share no code with it: +1 / -1 values, loops, plain Python."""

import itertools
import math

import ml_dtypes
import numpy as np
import pytest

from fsa.dialects.fsa import reference
from fsa.dialects.fsa.rounding import rounded

FLOATS = [np.float16, ml_dtypes.bfloat16, np.float32, np.float64]
WIDTHS = [32, 64]
DEPTHS = [0, 1, 5, 31, 32, 33, 63, 64, 65, 70, 128, 200]


def _signs(rng, *shape):
    return rng.choice([-1, 1], size=shape)


def _bits_of_row(row, width):
    """Pack one row with Python integers."""
    words = []
    for start in range(0, len(row), width):
        word = sum(1 << k for k, value in enumerate(row[start : start + width]) if value > 0)
        words.append(word - (1 << width) if word >= 1 << (width - 1) else word)
    return words


def _packed(values, width):
    packed = np.zeros((*values.shape[:-1], -(-values.shape[-1] // width)), f"int{width}")
    for index in np.ndindex(*values.shape[:-1]):
        packed[index] = _bits_of_row(values[index].tolist(), width)
    return packed


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("depth", DEPTHS)
def test_pack_and_unpack(rng, dtype, width, depth):
    values = _signs(rng, 3, depth)
    bits = reference.pack_bits(values.astype(dtype), word_width=width)
    assert bits.dtype == f"int{width}"
    np.testing.assert_array_equal(bits, _packed(values, width))
    back = reference.unpack_bits(bits, depth=depth, dtype=dtype)
    assert back.dtype == dtype
    np.testing.assert_array_equal(back.astype(int), values)


@pytest.mark.parametrize("dtype", FLOATS)
def test_pack_bits_special_values(dtype):
    special = [np.nan, -np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-7, -1e-7]
    assert reference.pack_bits(np.array(special, dtype)).tolist() == [0b01110100]


def test_pack_bits_without_rows_and_as_vector():
    assert reference.pack_bits(np.zeros((0, 33))).shape == (0, 2)
    assert reference.pack_bits(np.ones(64), word_width=64).tolist() == [-1]


def test_words_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="expected the last dimension of bits to have 3 words"):
        reference.unpack_bits(np.zeros((2, 2), np.int32), depth=70)
    with pytest.raises(ValueError, match="expected words of int32 or int64, found float32"):
        reference.unpack_bits(np.zeros((2, 2), np.float32), depth=70)
    zeros = np.zeros((2, 2), np.int32)
    with pytest.raises(ValueError, match="same word type"):
        reference.binarized_matmul(zeros, zeros.astype(np.int64), depth=64)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("batches", [((), ()), ((2,), ()), ((2, 3), (2, 3)), ((0,), (0,))])
def test_binarized_matmul(rng, width, depth, batches):
    a, b = _signs(rng, *batches[0], 4, depth), _signs(rng, *batches[1], 5, depth)
    acc = reference.binarized_matmul(_packed(a, width), _packed(b, width), depth=depth)
    assert acc.dtype == np.int32
    np.testing.assert_array_equal(acc, a @ np.swapaxes(b, -1, -2))


def _conv_by_pixel(image, weights, strides, pad, dilations, groups, outside):
    """Convolve +1 / -1 values tap by tap; `outside` is the value of a tap outside the frame."""
    count, height, width, _ = image.shape
    filters, kernel_h, kernel_w, depth = weights.shape
    out_h = (height + pad[0] + pad[1] - dilations[0] * (kernel_h - 1) - 1) // strides[0] + 1
    out_w = (width + pad[2] + pad[3] - dilations[1] * (kernel_w - 1) - 1) // strides[1] + 1
    acc = np.zeros((count, max(out_h, 0), max(out_w, 0), filters), int)
    for n, y, x, o in np.ndindex(*acc.shape):
        first = o // (filters // groups) * depth
        for i, j, c in np.ndindex(kernel_h, kernel_w, depth):
            row = y * strides[0] - pad[0] + i * dilations[0]
            column = x * strides[1] - pad[2] + j * dilations[1]
            inside = 0 <= row < height and 0 <= column < width
            value = image[n, row, column, first + c] if inside else outside
            acc[n, y, x, o] += value * weights[o, i, j, c]
    return acc


CONVOLUTIONS = [
    # image NHWC, kernel, channels out, strides, pad, dilations
    ((1, 4, 5, 3), (3, 3), 2, (1, 1), (0, 0, 0, 0), (1, 1)),
    ((2, 4, 3, 35), (3, 2), 3, (2, 1), (1, 1, 1, 0), (1, 1)),
    ((1, 5, 6, 5), (2, 3), 2, (1, 2), (2, 0, 1, 3), (2, 1)),
    ((1, 1, 1, 33), (1, 1), 1, (1, 1), (0, 0, 0, 0), (1, 1)),
    ((1, 2, 2, 4), (3, 3), 2, (1, 1), (0, 0, 0, 0), (1, 1)),  # the window does not fit
    ((0, 4, 4, 4), (3, 3), 2, (1, 1), (1, 1, 1, 1), (1, 1)),
    ((1, 0, 4, 4), (1, 1), 2, (1, 1), (1, 1, 0, 0), (1, 1)),  # only padding
    ((1, 3, 3, 4), (3, 3), 0, (1, 1), (1, 1, 1, 1), (1, 1)),
    ((1, 3, 3, 0), (2, 2), 2, (1, 1), (1, 1, 1, 1), (1, 1)),
]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("mode", ["zero", "one"])
@pytest.mark.parametrize("case", CONVOLUTIONS)
def test_binarized_conv2d(rng, width, mode, case):
    shape, kernel, filters, strides, pad, dilations = case
    image, weights = _signs(rng, *shape), _signs(rng, filters, *kernel, shape[-1])
    acc = reference.binarized_conv2d(
        _packed(image, width),
        _packed(weights, width),
        channels=shape[-1],
        strides=strides,
        pad=pad,
        pad_mode=mode,
        dilations=dilations,
    )
    outside = 0 if mode == "zero" else 1
    expected = _conv_by_pixel(image, weights, strides, pad, dilations, 1, outside)
    np.testing.assert_array_equal(acc, expected)
    assert acc.dtype == np.int32


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("mode", ["zero", "one"])
@pytest.mark.parametrize("groups", [1, 2, 3])
def test_binarized_conv2d_groups(rng, width, mode, groups):
    image = _signs(rng, 1, 3, 4, width * groups)
    weights = _signs(rng, 2 * groups, 2, 2, width)
    acc = reference.binarized_conv2d(
        _packed(image, width),
        _packed(weights, width),
        channels=width * groups,
        pad=(1, 0, 0, 1),
        pad_mode=mode,
        groups=groups,
    )
    outside = 0 if mode == "zero" else 1
    expected = _conv_by_pixel(image, weights, (1, 1), (1, 0, 0, 1), (1, 1), groups, outside)
    np.testing.assert_array_equal(acc, expected)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("channels", [0, 1, 33, 64, 70])
def test_binarized_threshold(rng, width, channels):
    acc = rng.integers(-4, 5, (2, 3, channels)).astype(np.int32)
    tau = rng.choice([-(2**31), -2, 0, 1, 2**31 - 1], channels).astype(np.int32)
    flip = rng.choice([False, True], channels)
    packed_flip = _packed(np.where(flip, 1, -1), width)
    bits = reference.binarized_threshold(acc, tau, packed_flip)
    expected = np.where(np.where(flip, acc < tau, acc >= tau), 1, -1)
    np.testing.assert_array_equal(bits, _packed(expected, width))


def test_binarized_threshold_ignores_padding_of_flip():
    bits = reference.binarized_threshold(
        np.zeros((1, 3), np.int32), np.zeros(3, np.int32), np.array([-8], np.int32)
    )
    assert bits.tolist() == [[0b111]]


@pytest.mark.parametrize("gamma", [0.7, -1.3])
def test_threshold_is_batch_norm_and_sign(rng, gamma):
    mean, variance, beta = 3.25, 2.5, 0.6
    acc = np.arange(-50, 51, dtype=np.int32)[:, None]
    limit = mean - beta * math.sqrt(variance) / gamma
    tau = math.ceil(limit) if gamma > 0 else math.floor(limit) + 1
    flip = np.array([0 if gamma > 0 else 1], np.int32)
    bits = reference.binarized_threshold(acc, np.array([tau], np.int32), flip)
    normed = gamma * (acc - mean) / math.sqrt(variance) + beta
    np.testing.assert_array_equal(bits, (normed >= 0).astype(int))


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(
    ("shape", "kernel", "strides", "pad", "dilations"),
    [
        ((2, 5, 6, 35), (2, 2), (2, 2), (0, 0, 0, 0), (1, 1)),
        ((1, 5, 5, 70), (3, 2), (2, 1), (1, 2, 1, 0), (1, 1)),
        ((1, 6, 7, 3), (2, 3), (1, 2), (1, 1, 2, 2), (3, 2)),
        ((1, 0, 3, 5), (2, 2), (1, 1), (1, 1, 1, 1), (1, 1)),
        ((0, 4, 4, 5), (2, 2), (2, 2), (0, 0, 0, 0), (1, 1)),
    ],
)
def test_binarized_max_pool2d(rng, width, shape, kernel, strides, pad, dilations):
    image = _signs(rng, *shape)
    pooled = reference.binarized_max_pool2d(
        _packed(image, width), kernel=kernel, strides=strides, pad=pad, dilations=dilations
    )
    height, columns = shape[1:3]
    expected = np.full((*pooled.shape[:3], shape[-1]), -1)
    for n, y, x, c in np.ndindex(*expected.shape):
        for i, j in np.ndindex(*kernel):
            row = y * strides[0] - pad[0] + i * dilations[0]
            column = x * strides[1] - pad[2] + j * dilations[1]
            if 0 <= row < height and 0 <= column < columns:
                expected[n, y, x, c] = max(expected[n, y, x, c], image[n, row, column, c])
    np.testing.assert_array_equal(pooled, _packed(expected, width))
    span = (height + pad[0] + pad[1] - dilations[0] * (kernel[0] - 1) - 1) // strides[0] + 1
    assert pooled.shape[1] == max(span, 0)


def _tolerance(dtype):
    return {"float16": 1e-3, "bfloat16": 8e-3, "float32": 1e-6, "float64": 1e-12}[
        np.dtype(dtype).name
    ]


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(
    "sizes", [(2, 3, 4, 2, 3), (1, 1, 1, 1, 1), (0, 3, 2, 2, 2), (2, 3, 0, 2, 2)]
)
def test_capsule_predict(rng, dtype, sizes):
    batch, low, high, size, inner = sizes
    u = rng.standard_normal((batch, low, inner)).astype(dtype)
    w = rng.standard_normal((low, high, size, inner)).astype(dtype)
    u_hat = reference.capsule_predict(u, w)
    assert u_hat.dtype == dtype
    assert u_hat.shape == (batch, low, high, size)
    for b, i, j in np.ndindex(batch, low, high):
        expected = w[i, j].astype(float) @ u[b, i].astype(float)
        np.testing.assert_allclose(
            u_hat[b, i, j].astype(float), expected, rtol=_tolerance(dtype), atol=1e-12
        )


def _squash(vector, epsilon):
    n = sum(x * x for x in vector)
    if n == 0:
        return [0.0 for _ in vector]
    return [x * n / ((1 + n) * math.sqrt(n + epsilon)) for x in vector]


def _routing(u_hat, iterations, shared, epsilon):
    """Procedure 1 of Sabour et al., capsule by capsule."""
    batch, low, high, _ = u_hat.shape
    logits = np.zeros((batch, low, high))
    v = [[[0.0]]]
    for _ in range(iterations):
        coefficients = np.zeros((batch, low, high))
        for b, i in np.ndindex(batch, low):
            weights = [math.exp(a) for a in logits[b, i]]
            coefficients[b, i] = [w / sum(weights) for w in weights]
        v = [
            [
                _squash(sum(coefficients[b, i, j] * u_hat[b, i, j] for i in range(low)), epsilon)
                for j in range(high)
            ]
            for b in range(batch)
        ]
        for b, i, j in np.ndindex(batch, low, high):
            for other in range(batch) if shared else [b]:
                logits[b, i, j] += float(np.dot(u_hat[other, i, j], v[other][j]))
    return np.array(v)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("agreement", ["per_sample", "batch_shared"])
@pytest.mark.parametrize("iterations", [1, 2, 3, 5])
def test_capsule_routing(rng, dtype, agreement, iterations):
    u_hat = rng.standard_normal((3, 4, 2, 5)).astype(dtype)
    v = reference.capsule_routing(u_hat, iterations=iterations, agreement=agreement, epsilon=1e-7)
    assert v.dtype == dtype
    expected = _routing(u_hat.astype(float), iterations, agreement == "batch_shared", 1e-7)
    np.testing.assert_allclose(v.astype(float), expected, rtol=_tolerance(dtype), atol=1e-12)


def test_capsule_routing_agreements_differ(rng):
    u_hat = rng.standard_normal((3, 4, 2, 5)) * 3
    results = [
        reference.capsule_routing(u_hat, iterations=3, agreement=agreement)
        for agreement in ("per_sample", "batch_shared")
    ]
    assert not np.allclose(*results, atol=1e-3)
    alone = reference.capsule_routing(u_hat[:1], iterations=3, agreement="batch_shared")
    np.testing.assert_allclose(alone, results[0][:1])


@pytest.mark.parametrize("shape", [(0, 3, 2, 4), (2, 0, 2, 4), (2, 3, 0, 4), (2, 3, 2, 0)])
@pytest.mark.parametrize("agreement", ["per_sample", "batch_shared"])
def test_capsule_routing_of_nothing(shape, agreement):
    v = reference.capsule_routing(np.ones(shape, np.float32), iterations=2, agreement=agreement)
    assert v.shape == (shape[0], shape[2], shape[3])
    assert not v.any()


def test_capsule_routing_of_large_logits_stays_finite():
    v = reference.capsule_routing(np.full((1, 8, 3, 16), 100.0), iterations=4)
    assert np.isfinite(v).all()
    np.testing.assert_allclose(np.linalg.norm(v, axis=-1), 1.0, atol=1e-4)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("epsilon", [0.0, 1e-7, 0.5])
def test_squash(rng, dtype, epsilon):
    s = (rng.standard_normal((4, 3, 6)) * 10.0 ** rng.integers(-3, 2, (4, 3, 1))).astype(dtype)
    s[0, 0] = 0
    v = reference.squash(s, epsilon=epsilon)
    assert v.dtype == dtype
    for index in itertools.product(range(4), range(3)):
        expected = _squash([float(x) for x in s[index]], epsilon)
        np.testing.assert_allclose(
            v[index].astype(float), expected, rtol=_tolerance(dtype), atol=1e-6
        )


def test_squash_special_values():
    assert reference.squash(np.zeros((2, 0))).shape == (2, 0)
    assert not reference.squash(np.zeros(3), epsilon=0.0).any()
    mixed = reference.squash(np.array([[1.0, np.nan], [3.0, 4.0]]))
    assert np.isnan(mixed[0]).all()
    np.testing.assert_allclose(mixed[1], np.array([3, 4]) * 5 / 26, rtol=1e-6)


def test_bf16_is_rounded_once():
    """1 + 2^-8 + 2^-30 is above the tie; by way of float32 it would become the tie, then 1."""
    u = np.array([[[1.0, 2.0**-8, 2.0**-30]]], ml_dtypes.bfloat16)
    ones = np.ones((1, 1, 1, 3), ml_dtypes.bfloat16)
    assert float(reference.capsule_predict(u, ones)[0, 0, 0, 0]) == 1.0078125
    assert float(reference.capsule_predict(-u, ones)[0, 0, 0, 0]) == -1.0078125
    below = np.array([[[1.0, 2.0**-8, -(2.0**-30)]]], ml_dtypes.bfloat16)
    assert float(reference.capsule_predict(below, ones)[0, 0, 0, 0]) == 1.0
    wide = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-320, 3.5e38, 1e300])
    plain = rounded(wide, ml_dtypes.bfloat16).astype(np.float64)
    np.testing.assert_array_equal(plain, [np.nan, np.inf, -np.inf, 0, 0, 0, np.inf, np.inf])


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: reference.pack_bits(1.0), "x of rank 1 or more"),
        (lambda: reference.pack_bits(np.ones(3), word_width=16), "words of 32 or 64 bits"),
        (lambda: reference.unpack_bits(np.zeros((3, 0), np.int32), depth=-1), "depth >= 0"),
        (lambda: reference.binarized_matmul(_zeros(3), _zeros(2, 3), depth=96), "of rank 2"),
        (lambda: reference.binarized_matmul(_zeros(4, 2, 3), _zeros(1, 2, 3), depth=96), "batch"),
        (lambda: _conv((3, 3, 2), (3, 2, 2, 2)), "of rank 4"),
        (lambda: _conv((1, 3, 3, 2), (3, 2, 2, 1), groups=2), "groups that divide 64 channels"),
        (lambda: _conv((1, 3, 3, 2), (3, 2, 2, 2), pad_mode="two"), "pad_mode"),
        (lambda: reference.binarized_threshold(_zeros(4, 1), _zeros(5), _zeros(1)), "tau"),
        (lambda: _pool((3, 3, 2)), "input of rank 4"),
        (lambda: reference.capsule_predict(np.ones((2, 1, 3)), np.ones((5, 2, 2, 3))), "Din"),
        (lambda: reference.capsule_routing(np.ones((2, 3, 4)), iterations=1), "of rank 4"),
        (lambda: reference.capsule_routing(np.ones((1, 2, 3, 4)), iterations=0), "iterations"),
        (
            lambda: reference.capsule_routing(np.ones((1, 2, 3, 4)), iterations=1, agreement="no"),
            "agreement",
        ),
        (lambda: reference.squash(1.0), "s of rank 1 or more"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(call, text):
    """A size of 1 is not stretched, and no rank is guessed."""
    with pytest.raises(ValueError, match=f"expected .*{text}"):
        call()


def _zeros(*shape):
    return np.zeros(shape, np.int32)


def _conv(image, kernel, **options):
    return reference.binarized_conv2d(_zeros(*image), _zeros(*kernel), channels=64, **options)


def _pool(image):
    return reference.binarized_max_pool2d(_zeros(*image), kernel=(2, 2), strides=(1, 1))


def test_reference_of_names():
    assert reference.reference_of("fsa.squash") is reference.squash
    assert reference.reference_of("pack_bits") is reference.pack_bits
    with pytest.raises(KeyError):
        reference.reference_of("fsa.unknown")
