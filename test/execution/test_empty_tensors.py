"""Functions with several launches over tensors that may be empty, on every device.

One `scf.if` is right where its results share an allocation, several of equal conditions are not
merged, and what follows one does not overwrite what it came from.
"""

from typing import Any

import numpy as np
import pytest
import stitched_cases
from arrays import floats
from op_execution import CONFIGURATIONS, why_no_device

import fsa
from fsa.dialects.fsa import reference

SIZES = [(7, 7), (0, 0), (1, 7), (7, 0), (0, 7), (7, 1)]
CHAINS = """
func.func @main(%x: tensor<?x40xf32>, %y: tensor<?x40xf32>)
    -> (tensor<?x?xi32>, tensor<?x40xf32>, tensor<?x40xf32>, tensor<?x40xf32>, tensor<?x40xf32>) {
  %p = "fsa.pack_bits"(%x) : (tensor<?x40xf32>) -> tensor<?x2xi32>
  %q = "fsa.pack_bits"(%y) : (tensor<?x40xf32>) -> tensor<?x2xi32>
  %m = "fsa.binarized_matmul"(%p, %q) {depth = 40 : i64}
    : (tensor<?x2xi32>, tensor<?x2xi32>) -> tensor<?x?xi32>
  %u = "fsa.unpack_bits"(%q) {depth = 40 : i64} : (tensor<?x2xi32>) -> tensor<?x40xf32>
  %a = "fsa.squash"(%x) {epsilon = 1.0e-7 : f64} : (tensor<?x40xf32>) -> tensor<?x40xf32>
  %b = "fsa.squash"(%a) {epsilon = 1.0e-7 : f64} : (tensor<?x40xf32>) -> tensor<?x40xf32>
  %c = "fsa.squash"(%y) {epsilon = 1.0e-7 : f64} : (tensor<?x40xf32>) -> tensor<?x40xf32>
  return %m, %u, %b, %c, %a
    : tensor<?x?xi32>, tensor<?x40xf32>, tensor<?x40xf32>, tensor<?x40xf32>, tensor<?x40xf32>
}
func.func @sums(%u: tensor<?x?x3xf32>, %w: tensor<?x2x4x3xf32>)
    -> (tensor<?x2x4xf32>, tensor<?x?x2x4xf32>) {
  %h = "fsa.capsule_predict"(%u, %w)
    : (tensor<?x?x3xf32>, tensor<?x2x4x3xf32>) -> tensor<?x?x2x4xf32>
  %v = "fsa.capsule_routing"(%h)
    {iterations = 2 : i64, agreement = "per_sample", epsilon = 1.0e-7 : f64}
    : (tensor<?x?x2x4xf32>) -> tensor<?x2x4xf32>
  return %v, %h : tensor<?x2x4xf32>, tensor<?x?x2x4xf32>
}
"""


@pytest.mark.parametrize(
    "configuration",
    [
        pytest.param(c, id=str(c), marks=[pytest.mark.vulkan] if c.kind == "vulkan" else [])
        for c in CONFIGURATIONS
    ],
)
def test_chains(configuration: Any) -> None:
    reason = why_no_device(configuration.devices[0])
    if reason is not None:
        pytest.skip(reason)
    module = fsa.compile(CHAINS, target=configuration.kind, pipeline=configuration.pipeline)
    for rows, columns in SIZES:
        x, y = floats((rows, 40), np.float32, seed=1), floats((columns, 40), np.float32, seed=2)
        p, q = reference.pack_bits(x), reference.pack_bits(y)
        a = reference.squash(x, epsilon=1e-7)
        expected = [
            reference.binarized_matmul(p, q, depth=40),
            reference.unpack_bits(q, depth=40, dtype=np.float32),
            reference.squash(a, epsilon=1e-7),
            reference.squash(y, epsilon=1e-7),
            a,
        ]
        _compare(module.function("main")(x, y), expected)
        u, w = (floats(shape, np.float32) for shape in ((rows, columns, 3), (columns, 2, 4, 3)))
        h = reference.capsule_predict(u, w)
        v = reference.capsule_routing(h, iterations=2, agreement="per_sample", epsilon=1e-7)
        _compare(module.function("sums")(u, w), [v, h])


def _compare(found: Any, expected: Any) -> None:
    for got, want in zip(found, expected, strict=True):
        assert np.shape(got) == np.shape(want)
        np.testing.assert_allclose(np.asarray(got), want, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["cpu", pytest.param("vulkan", marks=pytest.mark.vulkan)])
def test_results_of_a_region(kind: str) -> None:
    if (reason := why_no_device(kind)) is not None:
        pytest.skip(reason)
    device = "cpu" if kind == "cpu" else "gpu"
    pipeline = "fsa-form-stitched-regions{min-ops=1},fsa-plan-stitching,"
    pipeline += f"fsa-stitched-to-{device},convert-fsa-to-linalg"
    case = stitched_cases.softmax((7, 5, 33), dynamic=(True, True, True), all_outputs=True)
    module = fsa.compile(case.text, target=kind, pipeline=pipeline)
    for shape in [(7, 5, 33), (0, 5, 33), (1, 1, 1), (2, 0, 7), (0, 0, 0)]:
        case = stitched_cases.softmax(shape, dynamic=(True, True, True), all_outputs=True)
        _compare(module(*case.arguments), case.expected)
    # Maxima and sums over nothing are not empty.
    case = stitched_cases.softmax((3, 2, 0), dynamic=(True, True, True), all_outputs=True)
    _compare(module(*case.arguments), case.expected)


TWO_SIZES = """
#all = affine_map<(r, c) -> (r, c)>
#column = affine_map<(r, c) -> (c)>
#id = affine_map<(c) -> (c)>
func.func @main(%x: tensor<?x40xf32>, %y: tensor<?x40xf32>)
    -> (tensor<40xf32>, tensor<40xf32>, tensor<40xf32>, tensor<?x40xf32>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %low = arith.constant -1.0 : f32
  %e = tensor.empty() : tensor<40xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<40xf32>) -> tensor<40xf32>
  %l = linalg.fill ins(%low : f32) outs(%e : tensor<40xf32>) -> tensor<40xf32>
  %s = linalg.generic {indexing_maps = [#all, #column], iterator_types = ["reduction", "parallel"]}
      ins(%x : tensor<?x40xf32>) outs(%z : tensor<40xf32>) {
  ^bb0(%a: f32, %o: f32):
    %v = arith.addf %o, %a : f32
    linalg.yield %v : f32
  } -> tensor<40xf32>
  %m = linalg.generic {indexing_maps = [#all, #column], iterator_types = ["reduction", "parallel"]}
      ins(%y : tensor<?x40xf32>) outs(%l : tensor<40xf32>) {
  ^bb0(%a: f32, %o: f32):
    %v = arith.maximumf %o, %a : f32
    linalg.yield %v : f32
  } -> tensor<40xf32>
  %d = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
      ins(%s, %m : tensor<40xf32>, tensor<40xf32>) outs(%e : tensor<40xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %v = arith.subf %a, %b : f32
    linalg.yield %v : f32
  } -> tensor<40xf32>
  %rows = tensor.dim %y, %c0 : tensor<?x40xf32>
  %f = tensor.empty(%rows) : tensor<?x40xf32>
  %n = linalg.generic {indexing_maps = [#all, #column, #all],
                       iterator_types = ["parallel", "parallel"]}
      ins(%y, %d : tensor<?x40xf32>, tensor<40xf32>) outs(%f : tensor<?x40xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %v = arith.mulf %a, %b : f32
    linalg.yield %v : f32
  } -> tensor<?x40xf32>
  return %s, %m, %d, %n : tensor<40xf32>, tensor<40xf32>, tensor<40xf32>, tensor<?x40xf32>
}
"""


@pytest.mark.parametrize("kind", ["cpu", pytest.param("vulkan", marks=pytest.mark.vulkan)])
def test_several_sizes_of_a_region_are_0(kind: str) -> None:
    if (reason := why_no_device(kind)) is not None:
        pytest.skip(reason)
    device = "cpu" if kind == "cpu" else "gpu"
    pipeline = f"fsa-attach-target{{target={kind}}},fsa-form-stitched-regions{{min-ops=1}},"
    pipeline += f"fsa-plan-stitching,fsa-stitched-to-{device},convert-fsa-to-linalg"
    module = fsa.compile(TWO_SIZES, target=kind, pipeline=pipeline)
    for rows, others in [(3, 4), (0, 4), (3, 0), (0, 0), (1, 1)]:
        x, y = floats((rows, 40), np.float32, seed=1), floats((others, 40), np.float32, seed=2)
        total, most = x.sum(0), np.maximum(y.max(0, initial=-1), -1)
        _compare(module(x, y), [total, most, total - most, y * (total - most)])


BRANCHES = """
#same = affine_map<(i) -> (i)>
func.func private @square(%x: tensor<?xf32>) -> tensor<?xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?xf32>
  %e = tensor.empty(%n) : tensor<?xf32>
  %r = linalg.generic {indexing_maps = [#same, #same], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf32>) outs(%e : tensor<?xf32>) {
  ^bb0(%p: f32, %o: f32):
    %t = arith.mulf %p, %p : f32
    linalg.yield %t : f32
  } -> tensor<?xf32>
  return %r : tensor<?xf32>
}
func.func @outside(%x: tensor<?xf32>, %y: tensor<2xf32>, %c: i1) -> (tensor<?xf32>, tensor<?xf32>) {
  %a = func.call @square(%x) : (tensor<?xf32>) -> tensor<?xf32>
  %r = scf.if %c -> (tensor<?xf32>) {
    scf.yield %x : tensor<?xf32>
  } else {
    scf.yield %a : tensor<?xf32>
  }
  %s = tensor.insert_slice %y into %r[0] [2] [1] : tensor<2xf32> into tensor<?xf32>
  return %s, %a : tensor<?xf32>, tensor<?xf32>
}
func.func @twice(%x: tensor<?xf32>, %y: tensor<2xf32>, %c: i1) -> (tensor<?xf32>, tensor<?xf32>) {
  %r:2 = scf.if %c -> (tensor<?xf32>, tensor<?xf32>) {
    %a = func.call @square(%x) : (tensor<?xf32>) -> tensor<?xf32>
    %b = func.call @square(%a) : (tensor<?xf32>) -> tensor<?xf32>
    scf.yield %b, %a : tensor<?xf32>, tensor<?xf32>
  } else {
    %a = func.call @square(%x) : (tensor<?xf32>) -> tensor<?xf32>
    %b = func.call @square(%x) : (tensor<?xf32>) -> tensor<?xf32>
    scf.yield %a, %b : tensor<?xf32>, tensor<?xf32>
  }
  %s = tensor.insert_slice %y into %r#0[0] [2] [1] : tensor<2xf32> into tensor<?xf32>
  return %s, %r#1 : tensor<?xf32>, tensor<?xf32>
}
"""


@pytest.mark.parametrize("kind", ["cpu", pytest.param("vulkan", marks=pytest.mark.vulkan)])
def test_branches_of_the_user(kind: str) -> None:
    if (reason := why_no_device(kind)) is not None:
        pytest.skip(reason)
    module = fsa.compile(BRANCHES, target=kind, pipeline="fsa-to-linalg")
    x, y = np.arange(2, 9, dtype=np.float32), np.array([-1, -2], np.float32)
    for taken in (True, False):
        first = x if taken else x**2
        _compare(module.function("outside")(x, y, taken), [[*y, *first[2:]], x**2])
        first = x**4 if taken else x**2
        _compare(module.function("twice")(x, y, taken), [[*y, *first[2:]], x**2])
