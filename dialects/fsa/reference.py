"""The meaning of every fsa op in NumPy.

Each function takes and returns arrays and states the op's result exactly; tests, the portable
lowering and the kernels are held against it. Floats (f16, bf16 as `ml_dtypes.bfloat16`, f32, f64)
are computed in float64 and rounded once at the end. Words are int32 or int64 arrays. Any size may
be 0. Shapes are those of SPEC.md; an array that does not fit raises ValueError.
"""

from collections.abc import Callable
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from fsa.dialects.fsa.packed_arrays import (
    Array,
    expect_words,
    pack,
    popcount,
    same_words,
    tap,
    unpack,
    window_extents,
    word_width_of,
)
from fsa.dialects.fsa.rounding import rounded

Agreement = Literal["per_sample", "batch_shared"]
PadMode = Literal["zero", "one"]


def pack_bits(x: ArrayLike, *, word_width: int = 32) -> Array:
    """Pack the bit `x >= 0` of [..., K] floats into [..., ceil(K / word_width)] words.

    NaN gives bit 0 and -0.0 gives bit 1. Bit k is bit k mod W of word k div W; the bits past K in
    the last word are 0.
    """
    values = np.asarray(x)
    _expect(values.ndim >= 1, "x of rank 1 or more", values.shape)
    with np.errstate(invalid="ignore"):  # ml_dtypes warns when it compares NaN
        return pack(values >= 0, word_width)


def unpack_bits(bits: ArrayLike, *, depth: int, dtype: DTypeLike = np.float32) -> Array:
    """Return +1 where a bit is 1 and -1 where it is 0: [..., Kw] words to [..., depth] floats."""
    words = np.asarray(bits)
    _expect(words.ndim >= 1 and depth >= 0, "bits of rank 1 or more and depth >= 0", words.shape)
    expect_words("the last dimension of bits", words.shape[-1], depth, word_width_of(words))
    ones = unpack(words, depth)
    return np.where(ones, 1.0, -1.0).astype(dtype)


def binarized_matmul(lhs: ArrayLike, rhs: ArrayLike, *, depth: int) -> Array:
    """Return the int32 dot products `depth - 2 * popcount(a xor b)` of packed +1 / -1 rows.

    `lhs` is [..., M, Kw], `rhs` [..., N, Kw] with the same leading dimensions or none; the result
    is [..., M, N].
    """
    a, b = np.asarray(lhs), np.asarray(rhs)
    _expect(min(a.ndim, b.ndim) >= 2, "lhs and rhs of rank 2 or more", a.shape, b.shape)
    a, b = same_words("lhs", a, "rhs", b)
    expect_words("the last dimension of lhs", a.shape[-1], depth, word_width_of(a))
    if b.ndim != 2 and b.shape[:-2] != a.shape[:-2]:
        raise ValueError(f"expected rhs batch {a.shape[:-2]} or none, found {b.shape[:-2]}")
    shape = (*a.shape[:-1], b.shape[-2])
    differing = np.zeros(shape, np.int32)
    for word in range(a.shape[-1]):
        differing += popcount(a[..., :, None, word] ^ b[..., None, :, word])
    return (np.int32(depth) - 2 * differing).astype(np.int32)


def binarized_conv2d(
    input: ArrayLike,
    filter: ArrayLike,
    *,
    channels: int,
    strides: tuple[int, int] = (1, 1),
    pad: tuple[int, int, int, int] = (0, 0, 0, 0),
    pad_mode: PadMode = "zero",
    dilations: tuple[int, int] = (1, 1),
    groups: int = 1,
) -> Array:
    """Convolve packed NHWC `input` with packed OHWI `filter`; the result is int32 NHWC.

    `input` is [N, H, W, ceil(C / Wb)] for C = `channels` and words of Wb bits, `filter`
    [O, Kh, Kw, ceil(C / groups / Wb)], `pad` top, bottom, left, right. Taps outside the frame add
    nothing ("zero") or count as an input of +1 in every channel ("one").
    """
    image, kernel = np.asarray(input), np.asarray(filter)
    _expect(image.ndim == kernel.ndim == 4, "input and filter of rank 4", image.shape, kernel.shape)
    _expect(pad_mode in get_args(PadMode), 'pad_mode "zero" or "one"', pad_mode)
    image, kernel = same_words("input", image, "filter", kernel, last=False)
    _expect(
        groups >= 1 and channels % groups == kernel.shape[0] % groups == 0,
        f"groups that divide {channels} channels and {kernel.shape[0]} filters",
        groups,
    )
    width, depth = word_width_of(image), channels // groups
    expect_words("the last dimension of input", image.shape[-1], channels, width)
    expect_words("the last dimension of filter", kernel.shape[-1], depth, width)
    count, out_h, out_w = window_extents(image, kernel.shape[1:3], strides, pad, dilations)
    out_channels, words = kernel.shape[0], kernel.shape[-1]
    ones = pack(np.ones((1, channels), bool), width)[0]
    acc = np.zeros((count, out_h, out_w, out_channels), np.int32)
    for y, x in np.ndindex(*kernel.shape[1:3]):
        taps, inside = tap(image, (y, x), (out_h, out_w), strides, pad, dilations, fill=ones)
        for out in range(out_channels):
            group = out // (out_channels // groups)
            part = taps[..., group * words : (group + 1) * words]
            product = depth - 2 * popcount(part ^ kernel[out, y, x]).sum(-1, dtype=np.int32)
            acc[..., out] += product if pad_mode == "one" else np.where(inside, product, 0)
    return acc


def binarized_threshold(acc: ArrayLike, tau: ArrayLike, flip: ArrayLike) -> Array:
    """Pack the bits `(acc >= tau) xor flip` of int32 [..., C] into [..., ceil(C / W)] words.

    `tau` is int32 [C]; `flip` holds C packed bits, and its word type is the result's.
    """
    values, limits, flips = np.asarray(acc), np.asarray(tau), np.asarray(flip)
    _expect(
        values.shape[-1:] == limits.shape and flips.ndim == 1,
        "acc [..., C], tau [C] and flip of rank 1",
        values.shape,
        limits.shape,
        flips.shape,
    )
    expect_words("flip", flips.shape[0], limits.shape[0], word_width_of(flips))
    return pack((values >= limits) ^ unpack(flips, limits.shape[0]), word_width_of(flips))


def binarized_max_pool2d(
    input: ArrayLike,
    *,
    kernel: tuple[int, int],
    strides: tuple[int, int],
    pad: tuple[int, int, int, int] = (0, 0, 0, 0),
    dilations: tuple[int, int] = (1, 1),
) -> Array:
    """OR the words of every window of packed NHWC `input`; taps outside the frame add nothing."""
    image = np.asarray(input)
    _expect(image.ndim == 4, "input of rank 4", image.shape)
    count, out_h, out_w = window_extents(image, kernel, strides, pad, dilations)
    result = np.zeros((count, out_h, out_w, image.shape[-1]), image.dtype)
    nothing = np.zeros(image.shape[-1], image.dtype)
    for position in np.ndindex(*kernel):
        taps, _ = tap(image, position, (out_h, out_w), strides, pad, dilations, fill=nothing)
        result |= taps
    return result


def capsule_predict(u: ArrayLike, w: ArrayLike) -> Array:
    """Return u_hat[b, l, h] = w[l, h] u[b, l] for u [B, L, Din] and w [L, H, D, Din]."""
    vectors, matrices = np.asarray(u), np.asarray(w)
    _expect(
        (vectors.ndim, matrices.ndim) == (3, 4)
        and vectors.shape[1:] == (matrices.shape[0], matrices.shape[3]),
        "u [B, L, Din] and w [L, H, D, Din]",
        vectors.shape,
        matrices.shape,
    )
    wide = np.einsum("bli,lhdi->blhd", vectors.astype(np.float64), matrices.astype(np.float64))
    return rounded(wide, vectors.dtype)


def capsule_routing(
    u_hat: ArrayLike,
    logits: ArrayLike | None = None,
    *,
    iterations: int,
    agreement: Agreement = "per_sample",
    epsilon: float = 1e-7,
    coefficients: bool = False,
) -> Any:
    """Route predictions [B, L, H, D] to capsules [B, H, D] (Sabour et al. 2017, Procedure 1).

    "batch_shared" keeps one set of logits for the whole batch and adds the agreement of all
    samples to it (PIM-CapsNet, HPCA 2020); "per_sample" keeps one each. Logits start at `logits`
    [L, H], or at zero.
    The logits after the last iteration are not used, so they are not updated. With `coefficients`
    those of the last iteration are returned as well: [B, L, H], [L, H] where they are shared.
    """
    given = np.asarray(u_hat)
    _expect(given.ndim == 4, "u_hat of rank 4", given.shape)
    _expect(iterations >= 1, "iterations >= 1", iterations)
    _expect(agreement in get_args(Agreement), 'agreement "per_sample" or "batch_shared"', agreement)
    wide = given.astype(np.float64)
    batch, low, high, size = wide.shape
    summed = np.zeros((1 if agreement == "batch_shared" else batch, low, high))
    if logits is not None:
        start = np.asarray(logits, np.float64)
        _expect(start.shape == (low, high), f"logits of shape {(low, high)}", start.shape)
        summed += start
    v = np.zeros((batch, high, size))
    c = summed
    with np.errstate(all="ignore"):
        for iteration in range(iterations):
            c = _softmax(summed)
            s = np.einsum("blh,blhd->bhd", np.broadcast_to(c, wide.shape[:3]), wide)
            v = _squash(s, epsilon)
            if iteration + 1 < iterations:
                agreed = np.einsum("blhd,bhd->blh", wide, v)
                summed += agreed.sum(0, keepdims=True) if agreement == "batch_shared" else agreed
    if not coefficients:
        return rounded(v, given.dtype)
    of_all = c[0] if agreement == "batch_shared" else c
    return rounded(v, given.dtype), rounded(of_all, given.dtype)


def squash(s: ArrayLike, *, epsilon: float = 1e-7) -> Array:
    """Return s * n / ((1 + n) * sqrt(n + epsilon)), n the squared length over the last dimension.

    The result is 0 where n is 0, also with epsilon 0.
    """
    given = np.asarray(s)
    _expect(given.ndim >= 1, "s of rank 1 or more", given.shape)
    return rounded(_squash(given.astype(np.float64), epsilon), given.dtype)


def reference_of(name: str) -> Callable[..., Any]:
    """Return the function that states the meaning of the op `name` ("fsa.squash" or "squash").

    It takes the operands as arrays and the attributes as keywords. An optional result is one too
    (`coefficients=True`); the results are then a tuple. That of a stitched region takes
    the op, then the operands, and returns a list. Raise KeyError for other names, `fsa.launch` and
    `fsa.yield` among them: they mean nothing by themselves.
    """
    if name.removeprefix("fsa.") == "stitched_region":
        # It needs MLIR, which the other references do without.
        from fsa.dialects.fsa import interpreter

        return interpreter.stitched_region
    functions: dict[str, Callable[..., Any]] = {
        function.__name__: function
        for function in (
            pack_bits,
            unpack_bits,
            binarized_matmul,
            binarized_conv2d,
            binarized_threshold,
            binarized_max_pool2d,
            capsule_predict,
            capsule_routing,
            squash,
        )
    }
    return functions[name.removeprefix("fsa.")]


def _expect(holds: bool, expected: str, *found: object) -> None:
    if not holds:
        raise ValueError(f"expected {expected}, found {', '.join(map(str, found))}")


def _squash(s: Array, epsilon: float) -> Array:
    n = np.sum(s * s, axis=-1, keepdims=True)
    with np.errstate(all="ignore"):
        scaled = s * (n / ((1.0 + n) * np.sqrt(n + epsilon)))
    return np.where(n == 0.0, 0.0, scaled)


def _softmax(logits: Array) -> Array:
    if logits.size == 0:
        return logits
    exponentials = np.exp(logits - logits.max(-1, keepdims=True))
    return exponentials / exponentials.sum(-1, keepdims=True)
