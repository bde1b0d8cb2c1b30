"""The interpreter of stitched regions against NumPy written by hand."""
# ruff: noqa: E501 (MLIR text)

import math
from collections.abc import Sequence

import ml_dtypes
import numpy as np
import pytest

from fsa.bindings import ir
from fsa.dialects.fsa import interpreter, reference
from fsa.dialects.fsa.dialect import new_context


def _run(text: str, *inputs: object, rounded: bool = False) -> list[np.ndarray]:
    with new_context():
        module = ir.Module.parse(text)
        function = list(module.body.operations)[-1]
        return interpreter.run_function(function, *inputs, rounded=rounded)


def _segments(count: int, ones: int) -> str:
    return ", ".join(["1"] * ones + ["0"] * (count - ones))


def _region(types: Sequence[str], results: Sequence[str], arguments: str, body: str) -> str:
    """Return a function with one stitched region over its arguments."""
    signature = ", ".join(f"%x{i}: {type}" for i, type in enumerate(types))
    names = ", ".join(f"%x{i}" for i in range(len(types)))
    outputs = ", ".join(results)
    values = ", ".join(f"%r#{i}" for i in range(len(results)))
    return f"""
func.func @f({signature}) -> ({outputs}) {{
  %r:{len(results)} = "fsa.stitched_region"({names}) ({{
  ^bb0({arguments}):
    {body.replace("YIELD", f"operandSegmentSizes = array<i32: {_segments(32, len(results))}>")}
  }}) {{operandSegmentSizes = array<i32: {_segments(32, len(types))}>,
       resultSegmentSizes = array<i32: {_segments(16, len(results))}>}}
    : ({", ".join(types)}) -> ({outputs})
  return {values} : {outputs}
}}"""


SOFTMAX = _region(
    ["tensor<?x?xf32>", "tensor<?xf32>", "f32"],
    ["tensor<?x?xf32>", "tensor<?xf32>"],
    "%x: tensor<?x?xf32>, %mask: tensor<?xf32>, %scale: f32",
    """
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %low = arith.constant 0xFF800000 : f32
    %zero = arith.constant 0.0 : f32
    %m = tensor.dim %x, %c0 : tensor<?x?xf32>
    %n = tensor.dim %x, %c1 : tensor<?x?xf32>
    %full = tensor.empty(%m, %n) : tensor<?x?xf32>
    %rows = tensor.empty(%m) : tensor<?xf32>
    %s = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>,
        affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
        ins(%x, %mask : tensor<?x?xf32>, tensor<?xf32>) outs(%full : tensor<?x?xf32>) {
    ^bb1(%a: f32, %b: f32, %o: f32):
      %p = arith.mulf %a, %scale : f32
      %q = arith.addf %p, %b : f32
      linalg.yield %q : f32
    } -> tensor<?x?xf32>
    %lows = linalg.fill ins(%low : f32) outs(%rows : tensor<?xf32>) -> tensor<?xf32>
    %top = linalg.reduce {arith.maximumf} ins(%s : tensor<?x?xf32>) outs(%lows : tensor<?xf32>)
        dimensions = [1]
    %tops = linalg.broadcast ins(%top : tensor<?xf32>) outs(%full : tensor<?x?xf32>)
        dimensions = [1]
    %d = arith.subf %s, %tops : tensor<?x?xf32>
    %e = math.exp %d : tensor<?x?xf32>
    %zeros = linalg.fill ins(%zero : f32) outs(%rows : tensor<?xf32>) -> tensor<?xf32>
    %sum = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>],
        iterator_types = ["parallel", "reduction"]} ins(%e : tensor<?x?xf32>)
        outs(%zeros : tensor<?xf32>) {
    ^bb1(%a: f32, %o: f32):
      %p = arith.addf %o, %a : f32
      linalg.yield %p : f32
    } -> tensor<?xf32>
    %sums = linalg.broadcast ins(%sum : tensor<?xf32>) outs(%full : tensor<?x?xf32>)
        dimensions = [1]
    %y = arith.divf %e, %sums : tensor<?x?xf32>
    "fsa.yield"(%y, %top) {YIELD} : (tensor<?x?xf32>, tensor<?xf32>) -> ()
""",
)


@pytest.mark.parametrize("shape", [(3, 5), (1, 1), (0, 4), (4, 0), (33, 65)])
def test_softmax(rng, shape):
    x = rng.standard_normal(shape).astype(np.float32)
    mask = np.where(rng.random(shape[1]) < 0.2, -np.inf, 0).astype(np.float32)
    if shape[1]:
        mask[0] = 0
    y, top = _run(SOFTMAX, x, mask, np.float32(0.125))
    assert (y.dtype, top.dtype) == (np.float32, np.float32)
    s = x.astype(float) * 0.125 + mask
    np.testing.assert_array_equal(top, s.max(1, initial=-np.inf).astype(np.float32))
    if shape[1]:
        e = np.exp(s - s.max(1, keepdims=True))
        np.testing.assert_allclose(y, e / e.sum(1, keepdims=True), rtol=1e-6)


def test_region_of_other_ops_is_its_reference(rng):
    with new_context():
        module = ir.Module.parse(SOFTMAX)
        function = next(iter(module.body.operations))
        region = next(iter(function.regions[0].blocks[0].operations))
        before = str(module)
        x = rng.standard_normal((2, 3)).astype(np.float32)
        zeros = np.zeros(3, np.float32)
        direct = reference.reference_of("fsa.stitched_region")(region, x, zeros, 1.0)
        through = interpreter.run_function(function, x, zeros, 1.0)
        assert str(module) == before
    for left, right in zip(direct, through, strict=True):
        np.testing.assert_array_equal(left, right)


def test_fsa_ops_in_a_region(rng):
    text = _region(
        ["tensor<?x70xf16>", "tensor<5x3xi32>"],
        ["tensor<?x5xi32>", "tensor<?x70xf16>"],
        "%x: tensor<?x70xf16>, %w: tensor<5x3xi32>",
        """
        %b = "fsa.pack_bits"(%x) : (tensor<?x70xf16>) -> tensor<?x3xi32>
        %acc = "fsa.binarized_matmul"(%b, %w) {depth = 70 : i64}
            : (tensor<?x3xi32>, tensor<5x3xi32>) -> tensor<?x5xi32>
        %v = "fsa.squash"(%x) {epsilon = 1.0e-7 : f64} : (tensor<?x70xf16>) -> tensor<?x70xf16>
        "fsa.yield"(%acc, %v) {YIELD} : (tensor<?x5xi32>, tensor<?x70xf16>) -> ()
        """,
    )
    x = rng.standard_normal((4, 70)).astype(np.float16)
    weights = np.sign(rng.standard_normal((5, 70)))
    acc, v = _run(text, x, reference.pack_bits(weights))
    np.testing.assert_array_equal(acc, np.where(x >= 0, 1, -1) @ weights.T)
    np.testing.assert_array_equal(v, reference.squash(x, epsilon=1e-7))


def test_floats_are_wide_unless_rounded():
    text = """
    func.func @f(%x: tensor<1xf16>) -> tensor<1xf16> {
      %big = arith.constant dense<2048.0> : tensor<1xf16>
      %a = arith.addf %x, %big : tensor<1xf16>
      %b = arith.subf %a, %big : tensor<1xf16>
      return %b : tensor<1xf16>
    }"""
    x = np.array([0.5], np.float16)
    assert _run(text, x)[0] == 0.5
    assert _run(text, x, rounded=True)[0] == 0.0


def test_casts_round_where_they_stand():
    text = """
    func.func @f(%x: tensor<2xf32>) -> tensor<2xf32> {
      %n = arith.truncf %x : tensor<2xf32> to tensor<2xbf16>
      %w = arith.extf %n : tensor<2xbf16> to tensor<2xf32>
      return %w : tensor<2xf32>
    }"""
    x = np.array([1.0009765625, 3.14159], np.float32)
    expected = x.astype(ml_dtypes.bfloat16).astype(np.float32)
    np.testing.assert_array_equal(_run(text, x)[0], expected)


def _elementwise(op: str, types: Sequence[str], result: str, *inputs: object) -> np.ndarray:
    arguments = ", ".join(f"%x{i}: {type}" for i, type in enumerate(types))
    names = ", ".join(f"%x{i}" for i in range(len(types)))
    text = f"""
    func.func @f({arguments}) -> {result} {{
      %r = {op.replace("ARGS", names)}
      return %r : {result}
    }}"""
    return _run(text, *inputs)[0]


SPECIAL = np.array(
    [-np.inf, -2.5, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 2.5, np.inf, np.nan], np.float32
)


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("math.absf", np.abs),
        ("math.ceil", np.ceil),
        ("math.cos", np.cos),
        ("math.erf", np.vectorize(math.erf)),
        ("math.exp", np.exp),
        ("math.expm1", np.expm1),
        ("math.floor", np.floor),
        ("math.log", np.log),
        ("math.log1p", np.log1p),
        ("math.round", lambda x: np.trunc(x + np.copysign(0.5, x))),
        ("math.roundeven", np.rint),
        ("math.rsqrt", lambda x: 1 / np.sqrt(x)),
        ("math.sin", np.sin),
        ("math.sqrt", np.sqrt),
        ("math.tanh", np.tanh),
        ("math.trunc", np.trunc),
        ("arith.negf", np.negative),
    ],
)
def test_float_functions(name, function):
    type = f"tensor<{len(SPECIAL)}xf32>"
    with np.errstate(all="ignore"):
        expected = function(SPECIAL.astype(float)).astype(np.float32)
        np.testing.assert_array_equal(
            _elementwise(f"{name} ARGS : {type}", [type], type, SPECIAL), expected
        )


@pytest.mark.parametrize(
    ("predicate", "expected"),
    [
        ("oeq", [0, 1, 0, 0]),
        ("ogt", [0, 0, 1, 0]),
        ("olt", [1, 0, 0, 0]),
        ("one", [1, 0, 1, 0]),
        ("ord", [1, 1, 1, 0]),
        ("ueq", [0, 1, 0, 1]),
        ("uge", [0, 1, 1, 1]),
        ("ult", [1, 0, 0, 1]),
        ("une", [1, 0, 1, 1]),
        ("uno", [0, 0, 0, 1]),
        ("true", [1, 1, 1, 1]),
        ("false", [0, 0, 0, 0]),
    ],
)
def test_float_comparisons(predicate, expected):
    a, b = np.array([1, 2, 3, np.nan], np.float32), np.full(4, 2, np.float32)
    found = _elementwise(
        f"arith.cmpf {predicate}, ARGS : tensor<4xf32>", ["tensor<4xf32>"] * 2, "tensor<4xi1>", a, b
    )
    assert found.astype(int).tolist() == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("maximumf", [np.nan, np.nan, 2.0]),
        ("maxnumf", [1.0, 1.0, 2.0]),
        ("minimumf", [np.nan, np.nan, 1.0]),
        ("minnumf", [1.0, 1.0, 1.0]),
    ],
)
def test_maxima_and_nan(name, expected):
    a = np.array([np.nan, 1.0, 1.0], np.float32)
    b = np.array([1.0, np.nan, 2.0], np.float32)
    type = "tensor<3xf32>"
    found = _elementwise(f"arith.{name} ARGS : {type}", [type] * 2, type, a, b)
    np.testing.assert_array_equal(found, expected)


INTEGERS = [(7, 2), (-7, 2), (7, -2), (-7, -2), (2**31 - 1, 1), (-(2**31), 3), (0, 5)]


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("addi", lambda a, b: a + b),
        ("subi", lambda a, b: a - b),
        ("muli", lambda a, b: a * b),
        ("divsi", lambda a, b: math.trunc(a / b)),
        ("remsi", lambda a, b: a - b * math.trunc(a / b)),
        ("floordivsi", lambda a, b: a // b),
        ("ceildivsi", lambda a, b: -(-a // b)),
        ("divui", lambda a, b: (a % 2**32) // (b % 2**32)),
        ("remui", lambda a, b: (a % 2**32) % (b % 2**32)),
        ("andi", lambda a, b: a & b),
        ("xori", lambda a, b: a ^ b),
        ("maxsi", max),
        ("minui", lambda a, b: min(a % 2**32, b % 2**32)),
        ("shli", lambda a, b: a << b if 0 <= b < 32 else 0),
        ("shrsi", lambda a, b: a >> b if 0 <= b < 32 else 0),
        ("shrui", lambda a, b: (a % 2**32) >> b if 0 <= b < 32 else 0),
    ],
)
def test_integers_wrap(name, function):
    a, b = (np.array(column, np.int32) for column in zip(*INTEGERS, strict=True))
    type = f"tensor<{len(INTEGERS)}xi32>"
    found = _elementwise(f"arith.{name} ARGS : {type}", [type] * 2, type, a, b)
    expected = [(function(x, y) + 2**31) % 2**32 - 2**31 for x, y in INTEGERS]
    assert found.tolist() == expected


@pytest.mark.parametrize(
    ("op", "source", "target", "given", "expected"),
    [
        ("arith.extui", "i8", "i32", [-1, 3], [255, 3]),
        ("arith.extsi", "i8", "i32", [-1, 3], [-1, 3]),
        ("arith.extui", "i1", "i32", [True, False], [1, 0]),
        ("arith.extsi", "i1", "i32", [True, False], [-1, 0]),
        ("arith.trunci", "i32", "i8", [300, -1], [44, -1]),
        ("arith.trunci", "i32", "i1", [3, 2], [True, False]),
        ("arith.sitofp", "i32", "f32", [-3, 4], [-3.0, 4.0]),
        ("arith.uitofp", "i8", "f32", [-1, 4], [255.0, 4.0]),
        ("arith.uitofp", "i1", "f32", [True, False], [1.0, 0.0]),
        ("arith.fptosi", "f32", "i32", [-2.7, 2.7], [-2, 2]),
        ("arith.fptoui", "f32", "i8", [200.5, 2.7], [-56, 2]),
        ("arith.bitcast", "f32", "i32", [1.0, -0.0], [0x3F800000, -(2**31)]),
        ("arith.bitcast", "i16", "bf16", [0x3F80, 0x4000], [1.0, 2.0]),
        ("arith.index_cast", "i32", "index", [-1, 5], [-1, 5]),
    ],
)
def test_casts(op, source, target, given, expected):
    types = {"i1": np.bool_, "f32": np.float32, "i8": np.int8, "i16": np.int16, "i32": np.int32}
    found = _elementwise(
        f"{op} ARGS : tensor<2x{source}> to tensor<2x{target}>",
        [f"tensor<2x{source}>"],
        f"tensor<2x{target}>",
        np.array(given, types[source]),
    )
    assert found.tolist() == expected


def test_arithmetic_on_single_bits():
    a, b = np.array([0, 0, 1, 1], bool), np.array([0, 1, 0, 1], bool)
    for name, expected in {
        "addi": [0, 1, 1, 0],
        "subi": [0, 1, 1, 0],
        "muli": [0, 0, 0, 1],
        "ori": [0, 1, 1, 1],
        "maxsi": [0, 0, 0, 1],  # 1 is -1
        "maxui": [0, 1, 1, 1],
    }.items():
        type = "tensor<4xi1>"
        found = _elementwise(f"arith.{name} ARGS : {type}", [type] * 2, type, a, b)
        assert found.astype(int).tolist() == expected, name


def test_bit_counts():
    given = np.array([0, 1, -1, 40, -(2**31)], np.int32)
    type = "tensor<5xi32>"
    for name, expected in {
        "ctpop": [0, 1, 32, 2, 1],
        "ctlz": [32, 31, 0, 26, 0],
        "cttz": [32, 0, 0, 3, 31],
    }.items():
        assert _elementwise(f"math.{name} ARGS : {type}", [type], type, given).tolist() == expected


def test_reshapes_and_slices(rng):
    text = """
    func.func @f(%x: tensor<?x6xf32>, %n: index) -> (tensor<?x2x3xf32>, tensor<?xf32>, tensor<2x3xf32>,
        tensor<3xf32>, tensor<?x6xf32>, tensor<?x9xf32>, tensor<?x6xf32>) {
      %c0 = arith.constant 0 : index
      %pad = arith.constant 7.0 : f32
      %d = tensor.dim %x, %c0 : tensor<?x6xf32>
      %e = tensor.expand_shape %x [[0], [1, 2]] output_shape [%d, 2, 3]
          : tensor<?x6xf32> into tensor<?x2x3xf32>
      %c = tensor.collapse_shape %x [[0, 1]] : tensor<?x6xf32> into tensor<?xf32>
      %s = tensor.extract_slice %x[%n, 1] [2, 3] [1, 2] : tensor<?x6xf32> to tensor<2x3xf32>
      %r = tensor.extract_slice %x[1, 0] [1, 3] [1, 1] : tensor<?x6xf32> to tensor<3xf32>
      %i = tensor.insert_slice %s into %x[0, 3] [2, 3] [1, 1] : tensor<2x3xf32> into tensor<?x6xf32>
      %p = tensor.pad %x low[%n, 1] high[0, 2] {
      ^bb0(%a: index, %b: index):
        tensor.yield %pad : f32
      } : tensor<?x6xf32> to tensor<?x9xf32>
      %k = tensor.concat dim(0) %x, %i : (tensor<?x6xf32>, tensor<?x6xf32>) -> tensor<?x6xf32>
      return %e, %c, %s, %r, %i, %p, %k : tensor<?x2x3xf32>, tensor<?xf32>, tensor<2x3xf32>,
          tensor<3xf32>, tensor<?x6xf32>, tensor<?x9xf32>, tensor<?x6xf32>
    }"""
    x = rng.standard_normal((4, 6)).astype(np.float32)
    expanded, collapsed, slice_, row, inserted, padded, joined = _run(text, x, 1)
    np.testing.assert_array_equal(expanded, x.reshape(4, 2, 3))
    np.testing.assert_array_equal(collapsed, x.reshape(-1))
    np.testing.assert_array_equal(slice_, x[1:3, 1:6:2])
    np.testing.assert_array_equal(row, x[1, :3])
    expected = x.copy()
    expected[:2, 3:] = slice_
    np.testing.assert_array_equal(inserted, expected)
    np.testing.assert_array_equal(padded, np.pad(x, ((1, 0), (1, 2)), constant_values=7.0))
    np.testing.assert_array_equal(joined, np.concatenate([x, expected]))


def test_generic_with_windows_and_indices(rng):
    # A depthwise 1-D convolution, plus the index of each output: no op combines two dimensions.
    text = """
    func.func @f(%x: tensor<8xf32>, %w: tensor<3xf32>, %o: tensor<6xf32>) -> (tensor<6xf32>, tensor<6xindex>) {
      %y = linalg.generic {indexing_maps = [affine_map<(i, k) -> (i + k)>, affine_map<(i, k) -> (k)>,
          affine_map<(i, k) -> (i)>], iterator_types = ["parallel", "reduction"]}
          ins(%x, %w : tensor<8xf32>, tensor<3xf32>) outs(%o : tensor<6xf32>) {
      ^bb0(%a: f32, %b: f32, %c: f32):
        %p = arith.mulf %a, %b : f32
        %q = arith.addf %p, %c : f32
        linalg.yield %q : f32
      } -> tensor<6xf32>
      %e = tensor.empty() : tensor<6xindex>
      %i = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
          outs(%e : tensor<6xindex>) {
      ^bb0(%c: index):
        %n = linalg.index 0 : index
        %m = affine.apply affine_map<(i) -> (i * 2 + 1)>(%n)
        linalg.yield %m : index
      } -> tensor<6xindex>
      return %y, %i : tensor<6xf32>, tensor<6xindex>
    }"""
    x, w, o = (rng.standard_normal(n).astype(np.float32) for n in (8, 3, 6))
    y, i = _run(text, x, w, o)
    expected = o + np.array([np.dot(x[n : n + 3].astype(float), w) for n in range(6)])
    np.testing.assert_allclose(y, expected, rtol=1e-6)
    assert i.tolist() == [1, 3, 5, 7, 9, 11]


def test_generic_that_no_single_op_reduces(rng):
    # The running maximum and its index: two results, and each reads both accumulators.
    text = """
    func.func @f(%x: tensor<4x5xf32>, %v: tensor<4xf32>, %i: tensor<4xi32>) -> (tensor<4xf32>, tensor<4xi32>) {
      %r:2 = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>,
          affine_map<(i, j) -> (i)>], iterator_types = ["parallel", "reduction"]}
          ins(%x : tensor<4x5xf32>) outs(%v, %i : tensor<4xf32>, tensor<4xi32>) {
      ^bb0(%a: f32, %best: f32, %at: i32):
        %j = linalg.index 1 : index
        %k = arith.index_cast %j : index to i32
        %gt = arith.cmpf ogt, %a, %best : f32
        %p = arith.select %gt, %a, %best : f32
        %q = arith.select %gt, %k, %at : i32
        linalg.yield %p, %q : f32, i32
      } -> (tensor<4xf32>, tensor<4xi32>)
      return %r#0, %r#1 : tensor<4xf32>, tensor<4xi32>
    }"""
    x = rng.standard_normal((4, 5)).astype(np.float32)
    best, at = _run(text, x, np.full(4, -np.inf, np.float32), np.zeros(4, np.int32))
    np.testing.assert_array_equal(best, x.max(1))
    np.testing.assert_array_equal(at, x.argmax(1))


def test_named_ops(rng):
    text = """
    func.func @f(%a: tensor<3x4xf32>, %b: tensor<4x5xf32>) -> (tensor<3x5xf32>, tensor<4x3xf32>, tensor<3x4xf32>) {
      %zero = arith.constant 0.0 : f32
      %e = tensor.empty() : tensor<3x5xf32>
      %f = linalg.fill ins(%zero : f32) outs(%e : tensor<3x5xf32>) -> tensor<3x5xf32>
      %m = linalg.matmul ins(%a, %b : tensor<3x4xf32>, tensor<4x5xf32>) outs(%f : tensor<3x5xf32>) -> tensor<3x5xf32>
      %g = tensor.empty() : tensor<4x3xf32>
      %t = linalg.transpose ins(%a : tensor<3x4xf32>) outs(%g : tensor<4x3xf32>) permutation = [1, 0]
      %h = tensor.empty() : tensor<3x4xf32>
      %s = linalg.softmax dimension(1) ins(%a : tensor<3x4xf32>) outs(%h : tensor<3x4xf32>) -> tensor<3x4xf32>
      %w = linalg.map {arith.mulf} ins(%s, %a : tensor<3x4xf32>, tensor<3x4xf32>) outs(%h : tensor<3x4xf32>)
      return %m, %t, %w : tensor<3x5xf32>, tensor<4x3xf32>, tensor<3x4xf32>
    }"""
    a = rng.standard_normal((3, 4)).astype(np.float32)
    b = rng.standard_normal((4, 5)).astype(np.float32)
    product, transposed, weighted = _run(text, a, b)
    np.testing.assert_allclose(product, a.astype(float) @ b, rtol=1e-6)
    np.testing.assert_array_equal(transposed, a.T)
    e = np.exp(a.astype(float))
    np.testing.assert_allclose(weighted, e / e.sum(1, keepdims=True) * a, rtol=1e-6)


def test_reading_an_uninitialised_tensor_shows():
    text = """
    func.func @f() -> tensor<2xf32> {
      %e = tensor.empty() : tensor<2xf32>
      %r = arith.addf %e, %e : tensor<2xf32>
      return %r : tensor<2xf32>
    }"""
    assert np.isnan(_run(text)[0]).all()


def test_constants_of_every_type():
    text = """
    func.func @f() -> (tensor<2xbf16>, tensor<2xi1>, tensor<0x3xf16>, index, i64, complex<f64>, f64) {
      %a = arith.constant dense<[1.5, -2.0]> : tensor<2xbf16>
      %b = arith.constant dense<[true, false]> : tensor<2xi1>
      %c = arith.constant dense<> : tensor<0x3xf16>
      %d = index.constant 5
      %e = arith.constant -7 : i64
      %g = complex.constant [1.0, -1.0] : complex<f64>
      %h = arith.constant 0.1 : f64
      return %a, %b, %c, %d, %e, %g, %h : tensor<2xbf16>, tensor<2xi1>, tensor<0x3xf16>, index, i64, complex<f64>, f64
    }"""
    a, b, c, d, e, g, h = _run(text)
    assert a.dtype == ml_dtypes.bfloat16
    assert a.astype(float).tolist() == [1.5, -2.0]
    assert b.tolist() == [True, False]
    assert c.shape == (0, 3)
    assert (int(d), int(e), complex(g), float(h)) == (5, -7, 1 - 1j, 0.1)


def test_inputs_that_do_not_fit_are_refused():
    zeros = np.zeros((2, 3), np.float32)
    with pytest.raises(ValueError, match="expected 3 inputs, found 1"):
        _run(SOFTMAX, zeros)
    with pytest.raises(ValueError, match=r"expected input 1 to be a tensor<\?xf32>, found shape"):
        _run(SOFTMAX, zeros, zeros, 1.0)


def test_unknown_op_is_named():
    text = """
    func.func @f(%x: vector<4xf32>) -> f32 {
      %r = vector.reduction <add>, %x : vector<4xf32> into f32
      return %r : f32
    }"""
    with pytest.raises(interpreter.Unsupported, match=r"found vector\.reduction"):
        _run(text, 0.0)
