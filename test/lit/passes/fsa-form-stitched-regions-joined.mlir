// RUN: fsa-opt %s --split-input-file --fsa-plan-binarized --fsa-form-stitched-regions="min-ops=1 costs=true" | FileCheck %s

// An op beside a binarized layer of one workgroup will run in its kernel, so it costs no launch.
// CHECK-LABEL: func.func @one
// CHECK: "fsa.stitched_region"
// CHECK: expected in the kernel of a neighbour
// CHECK: "fsa.pack_bits"
module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 512 : i64, has_vector_popcount = true, cores = 1 : i64, l2_bytes = 1048576 : i64}} {
  func.func @one(%x: tensor<1x8x8xf32>) -> tensor<1x2xi32> {
    %c = arith.constant 3.0e-01 : f32
    %v = tensor.collapse_shape %x [[0], [1, 2]] : tensor<1x8x8xf32> into tensor<1x64xf32>
    %e = tensor.empty() : tensor<1x64xf32>
    %d = linalg.generic {
        indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
        iterator_types = ["parallel", "parallel"]}
        ins(%v : tensor<1x64xf32>) outs(%e : tensor<1x64xf32>) {
    ^bb0(%a: f32, %o: f32):
      %s = arith.subf %a, %c : f32
      linalg.yield %s : f32
    } -> tensor<1x64xf32>
    %b = "fsa.pack_bits"(%d) : (tensor<1x64xf32>) -> tensor<1x2xi32>
    return %b : tensor<1x2xi32>
  }
}

// -----

// Many workgroups do not merge: an addition alone is left to IREE.
// CHECK-LABEL: func.func @many
// CHECK-NOT: "fsa.stitched_region"
// CHECK: fsa.left_out
module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 512 : i64, has_vector_popcount = true, cores = 1 : i64, l2_bytes = 1048576 : i64}} {
  func.func @many(%x: tensor<4096x64xf32>) -> tensor<4096x2xi32> {
    %c = arith.constant 3.0e-01 : f32
    %e = tensor.empty() : tensor<4096x64xf32>
    %d = linalg.generic {
        indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
        iterator_types = ["parallel", "parallel"]}
        ins(%x : tensor<4096x64xf32>) outs(%e : tensor<4096x64xf32>) {
    ^bb0(%a: f32, %o: f32):
      %s = arith.subf %a, %c : f32
      linalg.yield %s : f32
    } -> tensor<4096x64xf32>
    %b = "fsa.pack_bits"(%d) : (tensor<4096x64xf32>) -> tensor<4096x2xi32>
    return %b : tensor<4096x2xi32>
  }
}
