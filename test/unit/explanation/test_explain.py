"""The data of an explanation, on small models whose regions and kernels are known."""

import json

import numpy as np
import pytest

import fsa
from fsa.errors import InputError
from fsa.explanation.data import COUNTED
from fsa.frontend.mlir import read_mlir
from fsa.runtime.compile import lower
from fsa.runtime.targets import Target

CPU = "cpu:znver4"
STITCHED = (
    "builtin.module(fsa-form-stitched-regions{min-ops=1},"
    "fsa-attach-target{target=cpu:znver4},fsa-to-cpu)"
)
PLANNED = "builtin.module(fsa-form-stitched-regions{min-ops=1},fsa-plan-stitching)"

SOFTMAX = """
#row = affine_map<(r, c) -> (r, c)>
#col = affine_map<(r, c) -> (r)>
func.func @main(%x: tensor<4x64xf32>) -> tensor<4x64xf32> {
  %low = arith.constant 0xFF800000 : f32
  %zero = arith.constant 0.0 : f32
  %rows = tensor.empty() : tensor<4xf32>
  %all = tensor.empty() : tensor<4x64xf32>
  %m0 = linalg.fill ins(%low : f32) outs(%rows : tensor<4xf32>) -> tensor<4xf32>
  %m = linalg.generic {indexing_maps = [#row, #col], iterator_types = ["parallel", "reduction"]}
    ins(%x : tensor<4x64xf32>) outs(%m0 : tensor<4xf32>) {
  ^bb0(%a: f32, %b: f32):
    %c = arith.maximumf %a, %b : f32
    linalg.yield %c : f32
  } -> tensor<4xf32>
  %e = linalg.generic {indexing_maps = [#row, #col, #row],
    iterator_types = ["parallel", "parallel"]}
    ins(%x, %m : tensor<4x64xf32>, tensor<4xf32>) outs(%all : tensor<4x64xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %d = arith.subf %a, %b : f32
    %c = math.exp %d : f32
    linalg.yield %c : f32
  } -> tensor<4x64xf32>
  %s0 = linalg.fill ins(%zero : f32) outs(%rows : tensor<4xf32>) -> tensor<4xf32>
  %s = linalg.generic {indexing_maps = [#row, #col], iterator_types = ["parallel", "reduction"]}
    ins(%e : tensor<4x64xf32>) outs(%s0 : tensor<4xf32>) {
  ^bb0(%a: f32, %b: f32):
    %c = arith.addf %a, %b : f32
    linalg.yield %c : f32
  } -> tensor<4xf32>
  %y = linalg.generic {indexing_maps = [#row, #col, #row],
    iterator_types = ["parallel", "parallel"]}
    ins(%e, %s : tensor<4x64xf32>, tensor<4xf32>) outs(%all : tensor<4x64xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %c = arith.divf %a, %b : f32
    linalg.yield %c : f32
  } -> tensor<4x64xf32>
  return %y : tensor<4x64xf32>
}
"""

MATMUL = """
#all = affine_map<(r, c) -> (r, c)>
func.func @main(%x: tensor<8x32xf32>, %b: tensor<8x64xf32>) -> tensor<8x64xf32> {
  %w = arith.constant dense<0.5> : tensor<32x64xf32>
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<8x64xf32>
  %start = linalg.fill ins(%zero : f32) outs(%empty : tensor<8x64xf32>) -> tensor<8x64xf32>
  %m = linalg.matmul ins(%x, %w : tensor<8x32xf32>, tensor<32x64xf32>)
    outs(%start : tensor<8x64xf32>) -> tensor<8x64xf32>
  %y = linalg.generic {indexing_maps = [#all, #all, #all],
    iterator_types = ["parallel", "parallel"]}
    ins(%m, %b : tensor<8x64xf32>, tensor<8x64xf32>) outs(%empty : tensor<8x64xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %c = arith.addf %p, %q : f32
    linalg.yield %c : f32
  } -> tensor<8x64xf32>
  return %y : tensor<8x64xf32>
}
"""

GATHER = """
#id = affine_map<(r, c) -> (r)>
#out = affine_map<(r, c) -> (r, c)>
func.func @main(%table: tensor<1000x16xf32>, %ids: tensor<3xi64>) -> tensor<3x16xf32> {
  %empty = tensor.empty() : tensor<3x16xf32>
  %y = linalg.generic {indexing_maps = [#id, #out], iterator_types = ["parallel", "parallel"]}
    ins(%ids : tensor<3xi64>) outs(%empty : tensor<3x16xf32>) {
  ^bb0(%i: i64, %o: f32):
    %row = arith.index_cast %i : i64 to index
    %column = linalg.index 1 : index
    %v = tensor.extract %table[%row, %column] : tensor<1000x16xf32>
    linalg.yield %v : f32
  } -> tensor<3x16xf32>
  return %y : tensor<3x16xf32>
}
"""


@pytest.fixture(scope="module")
def softmax() -> fsa.explanation.data.Explanation:
    return fsa.explain(SOFTMAX, target=CPU, pipeline=STITCHED)


def test_a_softmax_is_one_region_and_one_kernel(softmax):
    (region,) = softmax.regions
    assert (region.form, region.kernels_before, region.kernels_after) == ("kernels", 4, 1)
    (kernel,) = softmax.kernels
    assert kernel.symbol == "fsa_stitched_region_0"
    assert kernel.family == "stitched_region"
    assert (kernel.region, kernel.replaces) == (0, region.ops)
    assert softmax.left_to_iree == ()


def test_a_plan_in_the_input_is_explained_as_one_made_here(softmax):
    text = str(lower(read_mlir(SOFTMAX), Target.parse(CPU), PLANNED))
    found = fsa.explain(text, target=CPU)
    assert found.cost_before == softmax.cost_before
    assert found.cost_after == softmax.cost_after
    assert found.regions[0].plan == softmax.regions[0].plan


def test_bytes_follow_the_rule(softmax):
    image, column = 4 * 64 * 4, 4 * 4
    # max reads x; exp reads x and the maxima; sum reads exp; div reads both.
    before = (image + column) + (2 * image + column) + (image + column) + (2 * image + column)
    assert softmax.cost_before.bytes == before == softmax.regions[0].bytes_before
    assert softmax.cost_after.bytes == 2 * image == softmax.regions[0].bytes_after


def test_every_value_has_a_scheme_and_leads_to_an_op_of_the_model(softmax):
    (region,) = softmax.regions
    labels = {op.id: op.label for op in softmax.before.ops}
    values = [value for value in region.values if value.label != "fill"]
    found = [(value.label, value.plan["scheme"]) for value in values]
    assert found == [
        ("max over 64", "regional"),
        ("sub, exp", "regional"),
        ("add over 64", "regional"),
        ("div", "local"),
    ]
    for value in values:
        assert [labels[n] for n in value.ops] == [value.label]
        assert value.plan["kernel"] == 0
    assert all(value.plan["reason"] for value in values[:3])
    assert region.plan["kernels"][0]["mapping"] == "row"
    assert "fsa.stitched_region" in region.text


def test_edges_are_values(softmax):
    graph = softmax.before
    edges = {(graph.ops[s].label, graph.ops[t].label) for s, t, _ in graph.edges}
    assert edges == {
        ("argument 0", "max over 64"),
        ("argument 0", "sub, exp"),
        ("max over 64", "sub, exp"),
        ("sub, exp", "add over 64"),
        ("sub, exp", "div"),
        ("add over 64", "div"),
        ("div", "result 0"),
    }
    assert [op.kind for op in softmax.after.ops] == ["input", "kernel", "output"]


def test_equal_regions_are_alike():
    twice = SOFTMAX.replace("@main", "@one") + SOFTMAX[SOFTMAX.index("func") :].replace(
        "@main", "@two"
    )
    found = fsa.explain(twice, target=CPU, pipeline=STITCHED)
    assert [(r.function, r.like) for r in found.regions] == [("one", 0), ("two", 0)]


def test_other_families_have_their_plan_and_what_they_took_in():
    found = fsa.explain(MATMUL, target=CPU)
    (kernel,) = found.kernels
    labels = [found.before.ops[n].label for n in kernel.replaces]
    assert (kernel.family, labels) == ("matmul", ["matmul 8x64x32", "add"])
    assert kernel.plan["form"] == "tables"  # weights of one magnitude
    assert "reasons" not in kernel.plan
    assert kernel.reasons
    assert (found.cost_before.kernels, found.cost_after.kernels) == (2, 1)
    assert {op.kernel for op in found.before.ops if op.kind in COUNTED} == {kernel.symbol}


def test_what_no_kernel_took_is_left_to_iree():
    found = fsa.explain(MATMUL, target=CPU, pipeline="fsa-to-linalg")
    assert [found.after.ops[n].label for n in found.left_to_iree] == ["matmul 8x64x32", "add"]
    assert not found.regions
    assert all(not kernel.symbol for kernel in found.kernels)


def test_a_gather_reads_what_it_picks():
    found = fsa.explain(GATHER, target=CPU, pipeline="fsa-to-linalg")
    picked, ids = 3 * 16 * 4, 3 * 8
    assert found.cost_before.bytes == 2 * picked + ids


def test_a_region_without_kernels_says_why():
    text = SOFTMAX.replace("64xf32", "64xf64").replace("tensor<4xf32>", "tensor<4xf64>")
    text = text.replace(": f32", ": f64").replace("0xFF800000", "0xFFF0000000000000")
    pipeline = STITCHED.replace("cpu:znver4", "vulkan").replace("fsa-to-cpu", "fsa-to-vulkan")
    found = fsa.explain(text, target="vulkan", pipeline=pipeline.replace("fsa-to-vulkan", FAMILY))
    (region,) = found.regions
    assert region.form == "portable"
    assert "f64" in region.reason
    (remark,) = [r for r in found.remarks if r.pass_name == "fsa-plan-stitching"]
    assert remark.message == f"no kernel for this region: {region.reason}"
    assert remark.ops


FAMILY = "fsa-plan-stitching,fsa-stitched-to-gpu,convert-fsa-to-linalg"


def test_what_a_region_does_not_take_says_why():
    text = GATHER.replace('"parallel"]}', '"parallel"], fsa.left_out = "it is alone"}')
    pipeline = "builtin.module(fsa-form-stitched-regions,fsa-plan-stitching,convert-fsa-to-linalg)"
    found = fsa.explain(text, target=CPU, pipeline=pipeline)
    (remark,) = [r for r in found.remarks if r.message == "it is alone"]
    assert [found.before.ops[n].name for n in remark.ops] == ["linalg.generic"]


BRANCH = """
#all = affine_map<(r, c) -> (r, c)>
func.func @main(%c: i1, %x: tensor<8x32xf32>) -> tensor<8x64xf32> {
  %w = arith.constant dense<0.5> : tensor<32x64xf32>
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<8x64xf32>
  %start = linalg.fill ins(%zero : f32) outs(%empty : tensor<8x64xf32>) -> tensor<8x64xf32>
  %y = scf.if %c -> tensor<8x64xf32> {
    %m = linalg.matmul ins(%x, %w : tensor<8x32xf32>, tensor<32x64xf32>)
      outs(%start : tensor<8x64xf32>) -> tensor<8x64xf32>
    scf.yield %m : tensor<8x64xf32>
  } else {
    %a = tensor.pad %x low[0, 0] high[0, 32] {
    ^bb0(%i: index, %j: index):
      tensor.yield %zero : f32
    } : tensor<8x32xf32> to tensor<8x64xf32>
    %s = math.exp %a : tensor<8x64xf32>
    scf.yield %s : tensor<8x64xf32>
  }
  return %y : tensor<8x64xf32>
}
"""


def test_the_same_side_of_a_branch_is_read_before_and_after():
    found = fsa.explain(BRANCH, target=CPU)
    computing = [op.label for op in found.before.ops if op.kind in COUNTED]
    assert computing == ["pad", "exp"]
    assert [found.after.ops[n].label for n in found.left_to_iree] == ["pad", "exp"]


def test_all_of_it_is_plain_data(softmax):
    data = json.loads(json.dumps(softmax.data()))
    assert data["schema"] == 1
    assert data["before"]["ops"][1]["label"] == "max over 64"
    assert data["target"] == CPU


def test_kernels_are_timed():
    found = fsa.explain(SOFTMAX, target="cpu", pipeline=STITCHED.replace("znver4", "host"),
                        measure=[np.ones((4, 64), np.float32)])  # fmt: skip
    assert [row.name for row in found.measured.after] == ["fsa_stitched_region_0"]
    assert found.measured.after[0].launches == 1
    assert all(row.seconds > 0 for row in (*found.measured.before, *found.measured.after))


def test_sizes_that_are_open_need_arguments():
    text = "func.func @main(%x: tensor<?xf32>) -> tensor<?xf32> {\n return %x : tensor<?xf32>\n}"
    with pytest.raises(InputError, match="expected static sizes to measure with, found argument 0"):
        fsa.explain(text, measure=True)


def test_arguments_are_counted():
    with pytest.raises(InputError, match="expected 1 arguments of @main, found 2"):
        fsa.explain(SOFTMAX, measure=[np.ones((4, 64), np.float32)] * 2)


def test_one_target_at_a_time():
    with pytest.raises(InputError, match="expected one target to explain, found 2"):
        fsa.explain(SOFTMAX, target="cpu,vulkan")
