"""ONNX models through the compiler give what ONNX's own evaluator gives."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from arrays import floats

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxslim")

from onnx.reference import ReferenceEvaluator  # noqa: E402

import fsa  # noqa: E402
from fsa.errors import CallError, InputError  # noqa: E402
from fsa.frontend.model import read_model  # noqa: E402
from fsa.runtime.devices import available  # noqa: E402

VULKAN = any(device.kind == "vulkan" for device in available())
OPSETS = (13, 15, 18, 21)
IR_VERSIONS = {13: 7, 15: 8, 18: 8, 21: 10}


def parse(text: str, opset: int = 17) -> Any:
    """Return the graph in `text` as a model."""
    ir_version = IR_VERSIONS.get(opset, 8)
    return onnx.parser.parse_model(f'<ir_version: {ir_version}, opset_import: ["":{opset}]>{text}')


def network(opset: int) -> Any:
    """Two heads on a convolution, with ops whose form depends on the operator set."""
    new = opset >= 18
    model = parse(
        f"""g (float[n,3,h,w] x) => (float[n,3] y, float[n,3] z) {{
            c = Conv<kernel_shape=[3,3], pads=[1,1,1,1], strides=[2,2]>(x, weight)
            r = {"HardSwish" if opset >= 14 else "HardSigmoid"}(c)
            m = ReduceMean<keepdims=0{"" if new else ", axes=[2,3]"}>(r{", axes" if new else ""})
            one, two = Split<axis=1{", num_outputs=2" if new else ""}>(m)
            y = {"LayerNormalization<axis=-1>(one, scale, shift)" if new else "Identity(one)"}
            s = ReduceSum<keepdims=1>(two, last)
            e = Mul(s, two)
            z = Softmax<axis=-1>(e)
        }}""",
        opset,
    )
    constants = {
        "weight": floats((6, 3, 3, 3), np.float32),
        "axes": np.array([2, 3], np.int64),
        "last": np.array([-1], np.int64),
        "scale": floats((3,), np.float32),
        "shift": floats((3,), np.float32),
    }
    used = {name for node in model.graph.node for name in node.input}
    for name, value in constants.items():
        if name in used:
            model.graph.initializer.append(onnx.numpy_helper.from_array(value, name))
    return model


def check(module: Any, model: Any, *inputs: np.ndarray) -> None:
    names = [value.name for value in model.graph.input]
    expected = ReferenceEvaluator(model).run(None, dict(zip(names, inputs, strict=True)))
    found = module(*inputs)
    for got, want in zip(found if isinstance(found, tuple) else (found,), expected, strict=True):
        assert got.dtype == want.dtype
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("opset", OPSETS)
def test_opsets_and_open_sizes(opset: int) -> None:
    """The file leaves batch, height and width open; all stay so in the odd cases."""
    model = network(opset)
    fixed = opset in (13, 18)
    shapes = {"x": (1, 3, 48, 320)} if fixed else {"x": ("batch", 3, 48, 320)}
    target = "vulkan" if VULKAN and opset == 21 else "cpu"
    module = fsa.compile(model, target=target, shapes=shapes, cache=False)
    assert module.signatures["main"].argument_names == ("x",)
    assert module.signatures["main"].result_names == ("y", "z")
    for batch in (1,) if fixed else (1, 3):
        check(module, model, floats((batch, 3, 48, 320), np.float32))


def test_symbolic_sizes_stay_dynamic() -> None:
    module = fsa.compile(network(18), cache=False)
    assert module.signatures["main"].arguments[0].shape == (None, 3, None, None)
    check(module, network(18), floats((2, 3, 9, 14), np.float32))
    with pytest.raises(CallError, match=r"argument 0 \(x\) of @main"):
        module(np.zeros((2, 4, 9, 14), np.float32))


def test_sizes_of_one_name_are_the_same() -> None:
    module = fsa.compile(
        parse("g (float[n,m] x, float[n,m] y) => (float[n,m] z) { z = Add(x, y) }")
    )
    ones = np.ones((2, 3), np.float32)
    np.testing.assert_array_equal(module(ones, ones), 2 * ones)
    with pytest.raises(CallError, match=r"\(y\) of @main expected size 2 .* argument 0 \(x\)"):
        module(ones, np.ones((3, 3), np.float32))


def external(folder: Path) -> Path:
    """Write a model whose weights lie in a file beside it."""
    model = parse("g (float[2,64] x) => (float[2,64] y) { y = MatMul(x, w) }")
    weight = onnx.numpy_helper.from_array(floats((64, 64), np.float32), "w")
    model.graph.initializer.append(weight)
    path = folder / "model.onnx"
    onnx.save(model, str(path), save_as_external_data=True, location="weights", size_threshold=0)
    return path


def test_external_data(tmp_path: Path) -> None:
    path = external(tmp_path)
    check(fsa.compile(path, cache=False), onnx.load(str(path)), floats((2, 64), np.float32))
    (tmp_path / "weights").write_bytes(b"short")
    with pytest.raises(InputError, match="expected an ONNX model"):
        read_model(path)
    (tmp_path / "weights").unlink()
    with pytest.raises(InputError, match="weights"):
        read_model(path)


def test_model_stays_as_it_was() -> None:
    model = network(13)
    before = model.SerializeToString()
    read_model(model, shapes={"x": (1, 3, 8, 8)})
    assert model.SerializeToString() == before


UNSUPPORTED = """g (float[1,8,4] x, int64[2] size, int64[2] block) => (float[1,2,4,2] y) {
    [first] a = Relu(x)
    [second] b = Col2Im(a, size, block)
    [third] c = Sigmoid(b)
    d = Col2Im(a, block, size)
    y = Add(c, d)
}"""


def test_unsupported_nodes_are_a_list() -> None:
    """All of them, by kind and name, or by the result of one that has no name."""
    with pytest.raises(InputError) as caught:
        read_model(parse(UNSUPPORTED, 18))
    assert str(caught.value) == (
        "the ONNX graph cannot be lowered: Col2Im (node 'second') is not supported; "
        "Col2Im (node 'd') is not supported"
    )


INVALID = {
    "an attribute that Softmax does not have": (
        "g (float[2,4] x) => (float[2,4] y) { [soft] y = Softmax<axes=1>(x) }",
        r"Softmax \(node 'soft'\): Unrecognized attribute: axes",
    ),
    "sizes that do not fit": (
        "g (float[2,4] x) => (float[2,2] y) { [mm] y = MatMul(x, x) }",
        "MatMul, node name: mm.*Incompatible dimensions",
    ),
    "a value that nothing makes": (
        "g (float[2,4] x) => (float[2,4] y) { [relu] y = Relu(q) }",
        r"Relu \(node 'relu'\) takes 'q', which no input, weight or node gives",
    ),
    "texts": (
        "g (string[2] x) => (string[2] y) { y = Identity(x) }",
        "of numbers of at least 8 bits as input 'x' .*, found elements of type string",
    ),
    "axes that are computed": (
        "g (float[2,4] x, int64[1] a) => (float[m,n] y) { [sum] y = ReduceSum(x, a) }",
        r"axes that are computed at run time at ReduceSum \(node 'sum'\)",
    ),
    "an op that ONNX does not have": (
        "g (float[2,4] x) => (float[2,4] y) { [what] y = Soft(x) }",
        r"Soft \(node 'what'\) is not supported",
    ),
}


@pytest.mark.parametrize("case", INVALID)
def test_invalid_models(case: str) -> None:
    text, expected = INVALID[case]
    with pytest.raises(InputError, match=expected):
        read_model(parse(text))


@pytest.mark.parametrize("opset", [12, 22])
def test_opsets_outside(opset: int) -> None:
    with pytest.raises(InputError, match=f"operator set 13 to 21, found {opset}"):
        read_model(parse("g (float[2] x) => (float[2] y) { y = Relu(x) }", opset))


DAMAGED: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "cut": lambda data: data[: len(data) // 2],
    "text": lambda _: b"this is no model\n" * 10,
    "zeros": lambda data: bytes(len(data)),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_damaged_files(damage: str, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(DAMAGED[damage](network(18).SerializeToString()))
    with pytest.raises(InputError, match="expected an ONNX model"):
        read_model(path)


@pytest.mark.parametrize(("name", "reason"), [("no", "No such file"), ("folder", "directory")])
def test_files_that_cannot_be_read(name: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "folder.onnx").mkdir()
    path = tmp_path / f"{name}.onnx"
    with pytest.raises(InputError, match=f"cannot read {path}: .*{reason}"):
        read_model(path)


SHAPES: dict[str, tuple[Any, str]] = {
    "another input": ({"z": (1, 4)}, "one of x, found 'z'"),
    "too many sizes": ({"x": (1, 4, 4)}, "2 sizes for input 'x', found 3"),
    "a fixed size": ({"x": (1, 5)}, "size 4 in input 'x', found 5"),
    "a negative size": ({"x": (-1, 4)}, "found -1"),
    "a fraction": ({"x": (1.5, 4)}, "found 1.5"),
    "no size": ({"x": (None, 4)}, "found None"),
    "a string": ({"x": "1x4"}, "a tuple of sizes for input 'x', found '1x4'"),
    "no dict": ((1, 4), r"a dict by input name.*found \(1, 4\)"),
}


@pytest.mark.parametrize("case", SHAPES)
def test_wrong_shapes(case: str) -> None:
    shapes, expected = SHAPES[case]
    with pytest.raises(InputError, match=expected):
        read_model(parse("g (float[n,4] x) => (float[n,4] y) { y = Relu(x) }"), shapes=shapes)


BYTES: dict[str, Callable[..., Any]] = {
    "Div": np.floor_divide,
    "Mod": np.remainder,
    "Max": np.maximum,
}


@pytest.mark.parametrize("kind", BYTES)
def test_bytes_have_no_sign(kind: str) -> None:
    source = parse(f"agraph (uint8[3] a, uint8[3] b) => (uint8[3] y) {{ y = {kind}(a, b) }}")
    a, b = np.array([200, 255, 7], np.uint8), np.array([7, 16, 130], np.uint8)
    found = fsa.compile(source)(a, b)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, BYTES[kind](a, b))


def test_division_of_uint64_is_refused() -> None:
    source = parse("agraph (uint64[3] a, uint64[3] b) => (uint64[3] y) { y = Div(a, b) }")
    with pytest.raises(InputError, match=r"Div \(node '.*'\).* uint64"):
        fsa.compile(source)


def test_reshape_merges_open_sizes() -> None:
    source = parse(
        "agraph (float[b,n,8] a) => (float[m,8] y) <int64[2] s = {-1, 8}> { y = Reshape(a, s) }"
    )
    x = np.arange(96, dtype=np.float32).reshape(3, 4, 8)
    np.testing.assert_array_equal(fsa.compile(source)(x), x.reshape(12, 8))


def test_gelu_by_tanh() -> None:
    """Close to the definition: the constant of torch-mlir is wrong in the fourth digit."""
    model = parse('g (float[9] x) => (float[9] y) { y = Gelu<approximate="tanh">(x) }', 20)
    x = np.linspace(-4, 4, 9, dtype=np.float32)
    want = 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    np.testing.assert_allclose(fsa.compile(model, cache=False)(x), want, rtol=2e-6, atol=1e-6)


DEQUANTIZED = {
    "a channel": "DequantizeLinear<axis=1>(x, s, z)",
    "a block": "DequantizeLinear<axis=1, block_size=2>(x, s, z)",
}


@pytest.mark.parametrize("case", DEQUANTIZED)
def test_unsigned_zero_points(case: str) -> None:
    """Zero points above 127, which read as signed numbers would be negative."""
    sizes = "[2,3]" if case == "a block" else "[3]"
    last = 5 if case == "a block" else 3
    model = parse(
        f"g (uint8[2,{last}] x, float{sizes} s, uint8{sizes} z) => (float[2,{last}] y) "
        f"{{ y = {DEQUANTIZED[case]} }}",
        21,
    )
    shape = (2, 3) if case == "a block" else (3,)
    x = np.arange(2 * last, dtype=np.uint8).reshape(2, last) * 25
    scale = floats(shape, np.float32)
    zero = np.resize(np.array([3, 130, 255], np.uint8), shape)
    check(fsa.compile(model, cache=False), model, x, scale, zero)


def test_results_whose_sizes_values_decide() -> None:
    """The file says [2, 7], and that stays open."""
    model = parse(
        "g (float[2,4] x, int64[4] pads) => (float[2,7] y) { y = Pad(x, pads) }",
        18,
    )
    module = fsa.compile(model, cache=False)
    assert module.signatures["main"].results[0].shape == (None, None)
    check(module, model, floats((2, 4), np.float32), np.array([0, 1, 0, 2], np.int64))


def test_unused_inputs_stay() -> None:
    model = parse("g (float[3] x, float16[1] kind) => (float16[3] y) { y = CastLike(x, kind) }")
    module = fsa.compile(model, cache=False)
    assert module.signatures["main"].argument_names == ("x", "kind")
    x = floats((3,), np.float32)
    np.testing.assert_array_equal(module(x, np.zeros(1, np.float16)), x.astype(np.float16))


def test_nodes_may_share_a_name() -> None:
    """Folded constants were wrong where they did."""
    model = parse(
        "g (float[3] x) => (float[3] y) <int32 n={10}> { [a] t = Constant<value_float=6.25>() "
        "[a] z = Constant<value_float=0.0>() [a] f = Cast<to=1>(n) [a] d = Div(t, f) "
        "[a] p = Mul(x, d) [a] y = Add(p, z) }"
    )
    x = np.array([1, 2, 4], np.float32)
    np.testing.assert_allclose(fsa.compile(model, cache=False)(x), 0.625 * x, rtol=1e-6)


def test_determinants_are_refused() -> None:
    """Without exchanges of rows that of [[0, 1], [1, 0]] is NaN."""
    model = parse("g (float[2,2] x) => (float y) { [det] y = Det(x) }")
    with pytest.raises(InputError, match=r"node 'det'.* leaves out determinants"):
        read_model(model)


WRONG = {
    "Split": "(float[4] x, int64[2] n) => (float[2] a, float[2] b) { [bad] a, b = Split(x, n) }",
    "GridSample": "(float[1,1,4,4] x, float[1,2,2,2] g) => (float[1,1,2,2] y) "
    "{ [bad] y = GridSample(x, g) }",
    "LSTM": "(float[1,3,2] x, float[1,12,2] w, float[1,12,3] r, float[1,9] p) => (float[1,3,3] h) "
    '{ [bad] s, h = LSTM<hidden_size=3>(x, w, r, "", "", "", "", p) }',
}


@pytest.mark.parametrize("kind", WRONG)
def test_wrong_lowerings_are_refused(kind: str) -> None:
    with pytest.raises(InputError, match=rf"{kind} \(node 'bad'\)"):
        read_model(parse(f"g {WRONG[kind]}"))


def test_transposed_convolutions_with_a_filter_a_channel() -> None:
    model = parse(
        """g (float[n,3,4,5] x) => (float[n,3,h,w] y, float[n,3,i,j] z) {
            y = ConvTranspose<group=3, strides=[2,1], pads=[1,0,1,0]>(x, weight, bias)
            z = ConvTranspose<group=3, strides=[2,2], output_padding=[1,1]>(x, weight)
        }"""
    )
    bias = floats((3,), np.float32)
    for name, value in {"weight": floats((3, 1, 3, 2), np.float32), "bias": bias}.items():
        model.graph.initializer.append(onnx.numpy_helper.from_array(value, name))
    x = floats((2, 3, 4, 5), np.float32)
    found = fsa.compile(model)(x)
    del model.graph.node[0].input[2]  # ONNX's own evaluator gives all groups the first bias
    expected: Any = ReferenceEvaluator(model).run(None, {"x": x})
    for ours, theirs, shift in zip(found, expected, (bias, np.zeros_like(bias)), strict=True):
        np.testing.assert_allclose(np.asarray(ours), theirs + shift[:, None, None], 0, 1e-5)
