"""Convolution and pooling kernels on CPUs, against sums over taps in float64."""

import itertools
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

import fsa
from fsa.frontend.mlir import read_mlir
from fsa.runtime.compile import lower
from fsa.runtime.targets import Target

IDENTITY = "affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>"
PARALLEL = ", ".join(['"parallel"'] * 4)
CHANNEL = "affine_map<(d0, d1, d2, d3) -> (d1, 0, 0)>"
LAST_CHANNEL = "affine_map<(d0, d1, d2, d3) -> (0, 0, d3)>"


@dataclass(frozen=True)
class Case:
    """A window operation on images [batch, groups * channels, *size], weights by group."""

    name: str
    size: tuple[int, int]
    channels: int = 1
    filters: int = 1
    groups: int = 1
    batch: int = 2
    kernel: tuple[int, int] = (3, 3)
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    pad: tuple[int, int, int, int] = (1, 1, 1, 1)  # top, left, bottom, right
    spread: int = 1
    kind: str = "dense"
    dynamic: bool = False
    residual: bool = False
    last: bool = False  # channels
    initial: bool = False  # sums begin with the second input

    @property
    def padded(self) -> tuple[int, int]:
        top, left, bottom, right = self.pad
        height, width = ((size - 1) * self.spread + 1 for size in self.size)
        return height + top + bottom, width + left + right

    @property
    def out(self) -> tuple[int, int]:
        return self._windows(0), self._windows(1)

    def _windows(self, axis: int) -> int:
        reach = (self.kernel[axis] - 1) * self.dilation[axis] + 1
        return (self.padded[axis] - reach) // self.stride[axis] + 1

    @property
    def weight_shape(self) -> tuple[int, ...]:
        return (self.groups, self.filters, self.channels, *self.kernel)

    def images(self, seed: int) -> np.ndarray:
        shape = (self.batch, self.groups * self.channels, *self.size)
        return np.random.default_rng(seed).standard_normal(shape, np.float32)

    def weights(self) -> np.ndarray:
        return np.random.default_rng(7).standard_normal(self.weight_shape, np.float32)


CASES = [
    Case("plain", (9, 11), 5, 24, residual=True),
    Case("dynamic_batch", (9, 30), 3, 40, dynamic=True, residual=True),
    Case("stride", (13, 33), 3, 16, kernel=(7, 7), stride=(2, 2), pad=(3, 3, 3, 3)),
    Case("dilated", (13, 17), 3, 16, dilation=(3, 2), pad=(2, 5, 0, 1)),
    Case("pointwise", (7, 9), 33, 40, kernel=(1, 1), pad=(0, 0, 0, 0)),
    Case("pointwise_stride", (7, 9), 8, 17, kernel=(1, 1), stride=(2, 2), pad=(0, 0, 0, 0)),
    Case("groups", (7, 7), 8, 16, groups=3),
    Case("frame_beyond_kernel", (3, 4), 2, 16, kernel=(2, 2), pad=(3, 4, 4, 3)),
    Case("transposed", (5, 7), 6, 16, kernel=(4, 4), pad=(2, 2, 2, 2), spread=2),
    Case("transposed_odd", (5, 7), 6, 16, pad=(1, 1, 2, 2), spread=2),
    Case(
        "transposed_dynamic", (4, 5), 6, 16, kernel=(4, 4), pad=(2, 2, 2, 2), spread=2, dynamic=True
    ),
    Case("transposed_3", (4, 5), 2, 16, kernel=(2, 5), pad=(1, 0, 2, 3), spread=3, initial=True),
    Case("long_window", (1, 120), 2, 16, kernel=(1, 63), pad=(0, 31, 0, 31)),
    Case("one_pixel", (1, 1), 4, 16, batch=1),
    Case("few_filters", (14, 18), 20, 3, residual=True),
    Case("few_transposed", (6, 19), 20, 3, kernel=(4, 4), pad=(2, 2, 2, 2), spread=2),
    Case("depthwise", (20, 40), groups=3, dynamic=True),
    Case("depthwise_stride", (37, 41), groups=3, stride=(2, 2), residual=True),
    Case("depthwise_dilated", (14, 14), groups=2, kernel=(5, 5), dilation=(2, 2), pad=(4, 4, 4, 4)),
    Case("depthwise_large", (7, 8), groups=2, kernel=(7, 7), pad=(3, 3, 3, 3)),
    Case("max", (14, 17), groups=3, stride=(2, 2), kind="max"),
    Case(
        "max_whole", (34, 37), groups=2, kernel=(2, 2), stride=(2, 2), pad=(0, 0, 0, 0), kind="max"
    ),
    Case("sum", (11, 33), groups=3, kind="sum", dynamic=True),
    # The last tap of a row reads one element, for the first of two windows.
    Case("sum_cut", (4, 4), stride=(2, 2), pad=(0, 0, 1, 1), kind="sum"),
    Case("depthwise_cut", (4, 4), groups=2, stride=(2, 2), pad=(0, 0, 1, 1)),
    Case("initial", (5, 6), 3, 16, initial=True, dynamic=True),
    Case("initial_few", (5, 6), 3, 2, initial=True),
    Case("last", (9, 11), 5, 24, residual=True, last=True),
    Case("last_stride", (13, 33), 3, 40, kernel=(5, 3), stride=(2, 2), last=True, dynamic=True),
    Case("last_pointwise", (7, 9), 33, 40, kernel=(1, 1), pad=(0, 0, 0, 0), last=True),
    Case("last_transposed", (5, 7), 6, 16, kernel=(4, 4), pad=(2, 2, 2, 2), spread=2, last=True),
    Case("last_initial", (5, 6), 3, 16, initial=True, last=True),
    Case("last_depthwise", (9, 20), groups=19, residual=True, last=True),
    Case("last_depthwise_stride", (14, 21), groups=32, stride=(2, 2), dynamic=True, last=True),
    Case("last_max", (14, 17), groups=21, stride=(2, 2), kind="max", last=True),
    Case("last_sum", (6, 7), groups=3, kind="sum", last=True),
]


def tensor(*sizes: object) -> str:
    return f"tensor<{'x'.join(str(size) for size in sizes)}xf32>"


def images_type(case: Case, channels: int, size: tuple[int, int]) -> str:
    """Return the type of images of `channels`, in the layout of the case."""
    batch = "?" if case.dynamic else case.batch
    return tensor(batch, *size, channels) if case.last else tensor(batch, channels, *size)


def placed(case: Case, outer: int, size: tuple[int, int]) -> str:
    """Return `size` for the spatial dimensions and `outer` for the other two."""
    return (
        f"[{outer}, {size[0]}, {size[1]}, {outer}]"
        if case.last
        else (f"[{outer}, {outer}, {size[0]}, {size[1]}]")
    )


def function(case: Case) -> str:
    """Return a function of the case: padding, the op, and for `residual` x + y * scale + relu."""
    batch = "?" if case.dynamic else case.batch
    channels, outputs = case.groups * case.channels, case.groups * case.filters
    source, padded = (images_type(case, channels, size) for size in (case.size, case.padded))
    out = images_type(case, outputs, case.out)
    top, left, bottom, right = case.pad
    fill = "0xFF800000" if case.kind == "max" else "0.0"
    windows = (
        f"{{dilations = dense<{list(case.dilation)}> : vector<2xi64>, "
        f"strides = dense<{list(case.stride)}> : vector<2xi64>}}"
    )
    sizes = "%n" if case.dynamic else ""
    lines = [
        f"func.func @{case.name}(%x: {source}, %r: {out}) -> {out} {{",
        f"  %fill = arith.constant {fill} : f32",
        "  %c0 = arith.constant 0 : index",
        f"  %n = tensor.dim %x, %c0 : {source}",
        f"  %e = tensor.empty({sizes}) : {out}",
        f"  %init = linalg.fill ins(%fill : f32) outs(%e : {out}) -> {out}",
    ]
    if case.initial:
        lines[-1] = f"  %init = tensor.cast %r : {out} to {out}"
    if case.spread > 1:
        lines += [
            f"  %pe = tensor.empty({sizes}) : {padded}",
            f"  %pf = linalg.fill ins(%fill : f32) outs(%pe : {padded}) -> {padded}",
            f"  %p = tensor.insert_slice %x into %pf{placed(case, 0, (top, left))} "
            f"{source[7:-5].split('x')} {placed(case, 1, (case.spread, case.spread))} "
            f": {source} into {padded}".replace("'", "").replace("[?", "[%n"),
        ]
    else:
        lines += [
            f"  %p = tensor.pad %x low{placed(case, 0, (top, left))} "
            f"high{placed(case, 0, (bottom, right))} {{",
            "  ^bb0(%i: index, %j: index, %k: index, %l: index):",
            "    tensor.yield %fill : f32",
            f"  }} : {source} to {padded}",
        ]
    lines += _op(case, windows, batch, padded, out)
    result = "%y"
    if case.residual:
        scale = tensor(1, 1, outputs) if case.last else tensor(outputs, 1, 1)
        lines += [
            f"  %scale = arith.constant dense<0.5> : {scale}",
            f"  %z = linalg.generic {{indexing_maps = [{IDENTITY}, {IDENTITY}, "
            f"{LAST_CHANNEL if case.last else CHANNEL}, "
            f"{IDENTITY}], iterator_types = [{PARALLEL}]}} "
            f"ins(%y, %r, %scale : {out}, {out}, {scale}) outs(%e : {out}) {{",
            "  ^bb0(%a: f32, %b: f32, %s: f32, %o: f32):",
            "    %m = arith.mulf %b, %s : f32",
            "    %t = arith.addf %a, %m : f32",
            "    %u = arith.maximumf %t, %fill : f32",
            "    linalg.yield %u : f32",
            f"  }} -> {out}",
        ]
        result = "%z"
    return "\n".join([*lines, f"  return {result} : {out}", "}"])


def _op(case: Case, windows: str, batch: object, padded: str, out: str) -> list[str]:
    layout = "nhwc" if case.last else "nchw"
    if case.kind != "dense":
        kernel = tensor(*case.kernel)
        return [
            f"  %w = tensor.empty() : {kernel}",
            f"  %y = linalg.pooling_{layout}_{case.kind} {windows} "
            f"ins(%p, %w : {padded}, {kernel}) outs(%init : {out}) -> {out}",
        ]
    weights = case.weights()
    if case.groups == 1:
        name, weights = f"conv_2d_{layout}_fchw", weights[0]
        if case.last:
            name, weights = f"conv_2d_{layout}_hwcf", weights.transpose(2, 3, 1, 0)
    elif case.channels == case.filters == 1:
        name, weights = f"depthwise_conv_2d_{layout}_chw", weights[:, 0, 0]
        if case.last:
            name, weights = f"depthwise_conv_2d_{layout}_hwc", weights.transpose(1, 2, 0)
    else:
        return _grouped(case, windows, batch, padded, out)
    kind = tensor(*weights.shape)
    return [
        f"  %w = arith.constant dense<{weights.tolist()}> : {kind}",
        f"  %y = linalg.{name} {windows} ins(%p, %w : {padded}, {kind}) "
        f"outs(%init : {out}) -> {out}",
    ]


def _grouped(case: Case, windows: str, batch: object, padded: str, out: str) -> list[str]:
    weights = case.weights()
    kind = tensor(*weights.shape)
    split_in = [batch, case.groups, case.channels, *case.padded]
    split_out = [batch, case.groups, case.filters, *case.out]
    groups = "[[0], [1, 2], [3], [4]]"
    return [
        f"  %w = arith.constant dense<{weights.tolist()}> : {kind}",
        f"  %ps = tensor.expand_shape %p {groups} output_shape {split_in} : {padded} into "
        f"{tensor(*split_in)}",
        f"  %is = tensor.expand_shape %init {groups} output_shape {split_out} : {out} into "
        f"{tensor(*split_out)}",
        f"  %ys = linalg.conv_2d_ngchw_gfchw {windows} ins(%ps, %w : {tensor(*split_in)}, {kind}) "
        f"outs(%is : {tensor(*split_out)}) -> {tensor(*split_out)}",
        f"  %y = tensor.collapse_shape %ys {groups} : {tensor(*split_out)} into {out}",
    ]


def expected(case: Case, x: np.ndarray, residual: np.ndarray) -> np.ndarray:
    """Return the results in float64, tap by tap."""
    fill = -np.inf if case.kind == "max" else 0.0
    padded = np.full((case.batch, case.groups * case.channels, *case.padded), fill)
    top, left, _, _ = case.pad
    rows, columns = ((size - 1) * case.spread + 1 for size in case.size)
    padded[:, :, top : top + rows : case.spread, left : left + columns : case.spread] = x
    split = padded.reshape(case.batch, case.groups, case.channels, *case.padded)
    sums = np.full((case.batch, case.groups, case.filters, *case.out), fill)
    weights = case.weights().astype(np.float64)
    for i, j in itertools.product(*(range(taps) for taps in case.kernel)):
        seen = split
        for axis, tap in ((3, i), (4, j)):
            first = tap * case.dilation[axis - 3]
            last = first + (case.out[axis - 3] - 1) * case.stride[axis - 3] + 1
            seen = np.take(seen, range(first, last, case.stride[axis - 3]), axis)
        if case.kind == "max":
            sums = np.maximum(sums, seen)
        elif case.kind == "sum":
            sums = sums + seen
        else:
            sums += np.einsum("ngcyx,gfc->ngfyx", seen, weights[..., i, j])
    result = sums.reshape(case.batch, case.groups * case.filters, *case.out)
    result = result + residual if case.initial else result
    return np.maximum(result + 0.5 * residual, 0.0) if case.residual else result


def run(module: fsa.Module, case: Case, x: np.ndarray, residual: np.ndarray) -> np.ndarray:
    """Call the function of a case with images whose channels come second."""
    function = module.function(case.name)
    if not case.last:
        return np.asarray(function(x, residual))
    turned = (np.ascontiguousarray(a.transpose(0, 2, 3, 1)) for a in (x, residual))
    return np.asarray(function(*turned)).transpose(0, 3, 1, 2)


TEXT = "\n".join(function(case) for case in CASES)


@pytest.fixture(scope="module", params=["cpu", "cpu:haswell", "cpu:generic"])
def module(request: pytest.FixtureRequest) -> fsa.Module:
    if request.param == "cpu:haswell" and not {"avx2", "fma"} <= set(_host_features()):
        pytest.skip("needs AVX2")
    return fsa.compile(TEXT, target=request.param)


def _host_features() -> set[str]:
    from fsa.runtime import host

    return set(host.features())


def test_every_case_has_a_kernel() -> None:
    """No case may be left to IREE, which would make the others pass."""
    for target in ("cpu:znver4", "cpu:haswell", "cpu:generic"):
        lowered = str(lower(read_mlir(TEXT), Target.parse(target)))
        assert lowered.count('"fsa.launch"') == len(CASES)
        assert "linalg." not in lowered.replace("linalg.fill", "")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_agrees_with_float64(module: fsa.Module, case: Case) -> None:
    x = case.images(1)
    residual = np.random.default_rng(2).standard_normal(
        (case.batch, case.groups * case.filters, *case.out), np.float32
    )
    found = run(module, case, x, residual)
    want = expected(case, x, residual)
    assert found.shape == want.shape
    np.testing.assert_allclose(found, want, rtol=1e-5, atol=1e-5 * np.abs(want).max())


@pytest.mark.parametrize("name", ["dynamic_batch", "depthwise", "sum", "last_stride"])
@pytest.mark.parametrize("batch", [0, 1, 3])
def test_any_batch(module: fsa.Module, name: str, batch: int) -> None:
    case = replace(next(case for case in CASES if case.name == name), batch=batch)
    x = case.images(3)
    residual = np.ones((batch, case.groups * case.filters, *case.out), np.float32)
    found = run(module, case, x, residual)
    assert found.shape == residual.shape
    want = expected(case, x, residual)
    np.testing.assert_allclose(found, want, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize(
    "name", ["plain", "depthwise_stride", "few_filters", "max", "sum", "last_max"]
)
def test_special_numbers(module: fsa.Module, name: str) -> None:
    """A NaN or an infinity reaches exactly the windows that read it."""
    case = replace(next(case for case in CASES if case.name == name), residual=False)
    x = case.images(4)
    x[0, 0, 4, 5], x[1, -1, 0, 0], x[0, -1, -1, -1] = np.nan, np.inf, -np.inf
    residual = np.zeros((case.batch, case.groups * case.filters, *case.out), np.float32)
    found = run(module, case, x, residual)
    with np.errstate(invalid="ignore"):
        want = expected(case, x, residual)
    original = next(case for case in CASES if case.name == name)
    want = np.maximum(want, 0.0) if original.residual else want
    np.testing.assert_allclose(found, want, rtol=1e-5, atol=1e-4)


def test_threads_agree(module: fsa.Module, tmp_path: Path) -> None:
    """Tasks on threads give the same bits as one after the other."""
    path = tmp_path / "module.vmfb"
    module.save(path)
    threads, alone = fsa.load(path, "cpu:task"), fsa.load(path, "cpu:sync")
    for case in CASES:
        x = case.images(5)
        residual = np.zeros((case.batch, case.groups * case.filters, *case.out), np.float32)
        first, second = (run(loaded, case, x, residual) for loaded in (threads, alone))
        np.testing.assert_array_equal(first, second)


def test_transposed_in_phases() -> None:
    """Where no kernel takes a transposed convolution, one convolution a phase gives its results."""
    cases = [case for case in CASES if case.spread > 1 and not case.last]
    text = "\n".join(function(case) for case in cases).replace("f32", "f64")
    lowered = str(lower(read_mlir(text), Target.parse("cpu")))
    assert "@fsa_convolution" not in lowered
    assert lowered.count("= linalg.conv_2d_nchw_fchw") > 3 * len(cases)
    module = fsa.compile(text, target="cpu")
    for case in cases:
        x = case.images(6).astype(np.float64)
        residual = np.random.default_rng(8).standard_normal(
            (case.batch, case.groups * case.filters, *case.out)
        )
        found = run(module, case, x, residual)
        np.testing.assert_allclose(found, expected(case, x, residual), rtol=1e-10, atol=1e-10)
