"""Each operator of torch.ops.fsa gives what the reference says, and PyTorch accepts its parts."""

from collections.abc import Iterator
from typing import Any

import float_bounds
import ml_dtypes
import numpy as np
import pytest
from arrays import floats, with_specials, words

torch = pytest.importorskip("torch")

from fsa.dialects.fsa import reference  # noqa: E402
from fsa.errors import CallError  # noqa: E402
from fsa.torch_ops import NAMES  # noqa: E402

OPS = torch.ops.fsa
torch.set_num_threads(1)
FLOATS = (np.float16, ml_dtypes.bfloat16, np.float32, np.float64)
WORDS = (np.int32, np.int64)
BF16 = np.dtype(ml_dtypes.bfloat16)


def to_torch(array: Any) -> Any:
    if array.dtype == BF16:
        return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(np.ascontiguousarray(array))


def to_numpy(tensor: Any) -> Any:
    if tensor.dtype == torch.bfloat16:
        return tensor.view(torch.int16).numpy().view(BF16)
    return tensor.numpy()


def exact_cases() -> Iterator[Any]:
    """Yield (op, operands, attributes) of the ops whose results are exact."""
    for dtype in FLOATS:
        for shape in ((1,), (0,), (5,), (3, 35), (2, 0, 7), (2, 3, 64), (4, 129)):
            for width in (32, 64):
                yield "pack_bits", [with_specials(shape, dtype)], {"word_width": width}
    for dtype in WORDS:
        for shape, depth in (((), 0), ((3,), 35), ((2, 3), 64), ((0,), 5), ((2,), 129)):
            yield "unpack_bits", [words(shape, depth, dtype)], {"depth": depth}
        for left, right, depth in (
            ((3,), (5,), 70),
            ((1,), (1,), 0),
            ((0,), (4,), 33),
            ((2, 3), (5,), 64),
            ((2, 3), (2, 5), 1),
        ):
            operands = [words(left, depth, dtype), words(right, depth, dtype, seed=1)]
            yield "binarized_matmul", operands, {"depth": depth}
        for channels in (1, 35, 70):
            flip = words((), channels, dtype, seed=3)
            acc = np.random.default_rng(0).integers(-9, 9, (2, 3, channels)).astype(np.int32)
            tau = np.random.default_rng(1).integers(-9, 9, channels).astype(np.int32)
            yield "binarized_threshold", [acc, tau, flip], {}
        yield from _window_cases(dtype)


def _window_cases(dtype: Any) -> Iterator[Any]:
    image = words((2, 6, 7), 35, dtype)
    for kernel in ((1, 1), (3, 2)):
        weights = words((5, *kernel), 35, dtype, seed=1)
        for options in (
            {},
            {"strides": (2, 1), "pad": (1, 0, 2, 1)},
            {"pad": (1, 2, 0, 1), "pad_mode": "one", "dilations": (2, 3)},
            {"dilations": (9, 1)},
        ):
            yield "binarized_conv2d", [image, weights], {"channels": 35, **options}
    grouped = [words((1, 4, 4), 128, dtype), words((4, 2, 2), 64, dtype, seed=1)]
    yield "binarized_conv2d", grouped, {"channels": 128, "groups": 2}
    for options in (
        {"kernel": (2, 2), "strides": (2, 2)},
        {"kernel": (3, 2), "strides": (1, 2), "pad": (2, 1, 0, 1), "dilations": (1, 3)},
        {"kernel": (9, 9), "strides": (1, 1)},
    ):
        yield "binarized_max_pool2d", [image], options


def test_exact_ops_equal_the_reference() -> None:
    for op, operands, attributes in exact_cases():
        expected = reference.reference_of(op)(*operands, **attributes)
        options = {k: list(v) if isinstance(v, tuple) else v for k, v in attributes.items()}
        found = getattr(OPS, op)(*map(to_torch, operands), **options).numpy()
        assert found.dtype == expected.dtype, (op, attributes)
        np.testing.assert_array_equal(found, expected, err_msg=f"{op} {attributes}")


@pytest.mark.parametrize("dtype", FLOATS, ids=lambda dtype: np.dtype(dtype).name)
def test_capsule_ops_are_within_the_bound_of_the_reference(dtype: Any) -> None:
    u, w = floats((3, 5, 4), dtype), floats((5, 2, 6, 4), dtype, seed=1)
    u_hat = floats((3, 5, 2, 6), dtype, scale=0.5)
    vectors = np.concatenate([floats((7, 5), dtype), np.zeros((1, 5), dtype)])
    cases = [
        ("capsule_predict", (u, w), {}),
        ("squash", (vectors,), {"epsilon": 1e-7}),
        ("squash", (vectors,), {"epsilon": 0.0}),
    ]
    for agreement in ("per_sample", "batch_shared"):
        options = {"iterations": 3, "agreement": agreement, "epsilon": 1e-7}
        cases.append(("capsule_routing", (u_hat,), options))
        with_coefficients = OPS.capsule_routing_with_coefficients
        found = with_coefficients(to_torch(u_hat), 3, agreement)
        wanted = reference.capsule_routing(u_hat, **options, coefficients=True)
        bounds = float_bounds.allowed(
            "capsule_routing", (u_hat,), {**options, "coefficients": True}, wanted
        )
        for one, other, bound in zip(found, wanted, bounds, strict=True):
            difference = to_numpy(one).astype(np.float64) - other.astype(np.float64)
            assert one.shape == other.shape
            assert (np.abs(difference) <= bound).all()
    for op, operands, attributes in cases:
        wide = [operand.astype(np.float64) for operand in operands]
        expected = reference.reference_of(op)(*wide, **attributes)
        found = to_numpy(getattr(OPS, op)(*map(to_torch, operands), **attributes))
        assert found.dtype == np.dtype(dtype)
        bound = getattr(float_bounds, op)(*operands, **attributes)
        rounding = float_bounds.unit_roundoff(dtype) * np.abs(expected)
        error = np.abs(found.astype(np.float64) - expected)
        assert (error <= bound + rounding + float(ml_dtypes.finfo(dtype).tiny)).all(), op


def signed(shape: tuple[int, ...], *, grad: bool = False, dtype: Any = None) -> Any:
    """Return values around and beyond +1 and -1, from the same generator each time."""
    generator = torch.Generator().manual_seed(sum(shape))
    values = torch.randn(shape, generator=generator, dtype=dtype or torch.float32) * 1.2
    return values.requires_grad_(grad)


def samples() -> dict[str, tuple[tuple[Any, ...], dict[str, Any]]]:
    """Return arguments for every op."""
    packed, image = torch.ones(3, 2, dtype=torch.int32), torch.ones(1, 4, 5, 2, dtype=torch.int64)
    return {
        "pack_bits": ((signed((3, 35)), 64), {}),
        "unpack_bits": ((packed, 35, torch.bfloat16), {}),
        "binarized_matmul": ((packed, packed, 35), {}),
        "binarized_conv2d": ((image, torch.ones(3, 2, 2, 2, dtype=torch.int64), 70), {}),
        "binarized_threshold": (
            (packed, torch.ones(2, dtype=torch.int32), torch.ones(1, dtype=torch.int32)),
            {},
        ),
        "binarized_max_pool2d": ((image, [2, 2], [2, 1], [1, 0, 0, 1]), {}),
        "capsule_predict": ((signed((2, 3, 4), grad=True), signed((3, 2, 5, 4), grad=True)), {}),
        "capsule_routing": (
            (signed((2, 3, 4, 5), grad=True), 2),
            {"agreement": "batch_shared", "logits": signed((3, 4), grad=True)},
        ),
        "capsule_routing_with_coefficients": ((signed((2, 3, 4, 5), grad=True), 3), {}),
        "squash": ((signed((3, 5), grad=True),), {"epsilon": 1e-3}),
        "sign": ((signed((3, 5), grad=True),), {}),
        "sign_linear": ((signed((2, 3, 5), grad=True), signed((4, 5), grad=True)), {}),
        "sign_conv2d": (
            (
                signed((2, 3, 5, 6), grad=True),
                signed((4, 3, 2, 3), grad=True),
                [1, 2],
                [1, 0, 2, 1],
            ),
            {"pad_mode": "one", "dilations": [1, 2]},
        ),
    }


def test_pytorch_accepts_every_op() -> None:
    given = samples()
    assert set(given) == set(NAMES)
    for name, (arguments, keywords) in given.items():
        torch.library.opcheck(getattr(OPS, name).default, arguments, keywords)


def test_real_gradients() -> None:
    double = torch.float64
    s = signed((3, 4), grad=True, dtype=double)
    for epsilon in (0.0, 1e-7, 0.5):
        assert torch.autograd.gradcheck(lambda x, e=epsilon: OPS.squash(x, e), (s,))
    u, w = signed((2, 3, 4), grad=True, dtype=double), signed((3, 2, 5, 4), grad=True, dtype=double)
    assert torch.autograd.gradcheck(OPS.capsule_predict, (u, w))
    u_hat = signed((2, 3, 2, 4), grad=True, dtype=double)
    logits = signed((3, 2), grad=True, dtype=double)
    for agreement in ("per_sample", "batch_shared"):
        for iterations in (1, 2, 4):
            assert torch.autograd.gradcheck(
                lambda x, i=iterations, a=agreement: OPS.capsule_routing(x, i, a, 1e-3), (u_hat,)
            )
            assert torch.autograd.gradcheck(
                lambda x, b, i=iterations, a=agreement: OPS.capsule_routing(x, i, a, 1e-3, b),
                (u_hat, logits),
            )
            assert torch.autograd.gradcheck(
                lambda x, b, i=iterations, a=agreement: OPS.capsule_routing_with_coefficients(
                    x, i, a, 1e-3, b
                ),
                (u_hat, logits),
            )
    assert torch.autograd.gradgradcheck(lambda x: OPS.capsule_routing(x, 2, "per_sample"), (u_hat,))
    zero = torch.zeros(1, 4, requires_grad=True)
    OPS.squash(zero, 0.0).sum().backward()
    assert zero.grad.tolist() == [[0.0] * 4]


def plain_sign(x: Any) -> Any:
    """Return the sign whose gradient autograd takes for that of a clipped identity."""
    clipped = x.clamp(-1, 1)
    return clipped + (torch.where(x >= 0, 1.0, -1.0) - clipped).detach()


def gradients(function: Any, *inputs: Any) -> list[Any]:
    leaves = [given.detach().clone().requires_grad_() for given in inputs]
    result = function(*leaves)
    weights = signed(tuple(result.shape))
    return [result.detach(), *torch.autograd.grad((result * weights).sum(), leaves)]


def test_straight_through_gradients() -> None:
    functional = torch.nn.functional
    x, weight = signed((2, 3, 35)), signed((5, 35))
    pairs = [
        (gradients(OPS.sign, x), gradients(plain_sign, x)),
        (
            gradients(OPS.sign_linear, x, weight),
            gradients(lambda a, b: functional.linear(plain_sign(a), plain_sign(b)), x, weight),
        ),
    ]
    image, filters = signed((2, 64, 5, 6)), signed((4, 32, 2, 3))
    for mode, value in (("zero", 0.0), ("one", 1.0)):
        pairs.append(
            (
                gradients(
                    lambda a, b, m=mode: OPS.sign_conv2d(a, b, [2, 1], [1, 0, 2, 1], m, [1, 2], 2),
                    image,
                    filters,
                ),
                gradients(
                    lambda a, b, v=value: functional.conv2d(
                        functional.pad(plain_sign(a), (2, 1, 1, 0), value=v),
                        plain_sign(b),
                        stride=(2, 1),
                        dilation=(1, 2),
                        groups=2,
                    ),
                    image,
                    filters,
                ),
            )
        )
    for found, expected in pairs:
        for one, other in zip(found, expected, strict=True):
            torch.testing.assert_close(one, other)


def test_layers_are_what_their_packed_form_gives() -> None:
    from fsa.torch_ops import DECOMPOSITIONS

    x, weight = torch.from_numpy(with_specials((3, 70), np.float32)), signed((5, 70))
    for rows in (x, x[0], x.half()):
        found = OPS.sign_linear(rows, weight)
        packed = DECOMPOSITIONS[OPS.sign_linear.default](rows, weight, 64)
        assert found.dtype == packed.dtype == rows.dtype
        assert torch.equal(found, packed)
    assert torch.equal(OPS.sign(x), DECOMPOSITIONS[OPS.sign.default](x))
    assert torch.equal(OPS.sign(x[0, 0]), DECOMPOSITIONS[OPS.sign.default](x[0, 0]))
    image, filters = signed((2, 64, 5, 6)), signed((4, 32, 2, 3))
    options = ([2, 1], [1, 0, 2, 1], "one", [1, 2], 2)
    packed = DECOMPOSITIONS[OPS.sign_conv2d.default](image, filters, *options)
    assert torch.equal(OPS.sign_conv2d(image, filters, *options), packed)


def test_results_are_row_by_row_whatever_the_layout_of_the_input() -> None:
    image = signed((2, 8, 5, 6)).to(memory_format=torch.channels_last)
    results = [
        OPS.sign(image),
        OPS.squash(image.mT),
        OPS.sign_linear(image.mT, signed((3, 5))),
        OPS.sign_conv2d(image, signed((4, 8, 3, 3)).to(memory_format=torch.channels_last)),
        OPS.capsule_routing(image.permute(0, 2, 3, 1), 2),
        OPS.capsule_predict(image[:, :, 0].mT, signed((6, 2, 4, 8)).mT.contiguous().mT),
    ]
    assert all(result.is_contiguous() for result in results)


def test_autocast_does_not_round_sums_of_signs() -> None:
    x, weight = torch.ones(1, 513), torch.ones(1, 513)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert OPS.sign_linear(x, weight).item() == 513.0
        packed = OPS.pack_bits(x)
        assert OPS.binarized_matmul(packed, packed, 513).item() == 513


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: OPS.pack_bits(torch.ones(3, dtype=torch.int32)), "x of float16, bfloat16"),
        (lambda: OPS.pack_bits(torch.ones(3), 16), "word_width 32 or 64, found 16"),
        (lambda: OPS.pack_bits(torch.tensor(1.0)), "rank 1 or more"),
        (lambda: OPS.unpack_bits(torch.ones(2, dtype=torch.int32), 65), "= 3 words"),
        (lambda: OPS.unpack_bits(torch.ones(2), 64), "int32 or int64 words"),
        (
            lambda: OPS.binarized_matmul(*[torch.ones(2, 2, dtype=torch.int32)] * 2, 65),
            "lhs with ceil(65 / 32) = 3 words",
        ),
        (
            lambda: OPS.sign_conv2d(torch.ones(1, 8, 4, 4), torch.ones(8, 1, 3, 3), groups=8),
            "groups of a multiple of 32 channels",
        ),
        (lambda: OPS.sign_linear(torch.ones(1, 8), torch.ones(4, 9)), "the 9 inputs of the weight"),
        (lambda: OPS.capsule_routing(torch.ones(1, 2, 3, 4), 0), "iterations in [1, 1000]"),
        (lambda: OPS.capsule_routing(torch.ones(1, 2, 3, 4), 3, "none"), "agreement"),
        (
            lambda: OPS.capsule_routing(torch.ones(1, 2, 3, 4), 3, logits=torch.ones(3, 2)),
            "logits of shape (2, 3)",
        ),
        (
            lambda: OPS.capsule_predict(torch.ones(1, 2, 3), torch.ones(2, 1, 1, 4)),
            "[L, H, D, Din]",
        ),
        (lambda: OPS.squash(torch.ones(3), -1.0), "epsilon finite"),
    ],
)
def test_wrong_arguments(call: Any, text: str) -> None:
    with pytest.raises(CallError) as found:
        call()
    assert text in str(found.value)
    assert "fsa::" in str(found.value)
