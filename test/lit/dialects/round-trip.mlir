// RUN: %roundtrip | FileCheck %s
// RUN: %generic-roundtrip | FileCheck %s
// RUN: fsa-opt --emit-bytecode %s -o %t.mlirbc && fsa-opt %t.mlirbc | FileCheck %s

// What is printed parses again, as text, in generic form and as bytecode; optional attributes stay.

// CHECK-LABEL: func.func @binarized(
// CHECK:         %[[X:.*]] = "fsa.pack_bits"(%{{.*}}) : (tensor<?x4x4x70xbf16>) -> tensor<?x4x4x2xi64>
// CHECK:         %[[A:.*]] = "fsa.binarized_conv2d"(%[[X]], %{{.*}}) {channels = 70 : i64, dilations = array<i64: 1, 2>, groups = 1 : i64, pad = array<i64: 1, 1, 2, 2>, pad_mode = "one", plan = {rows = 4 : i64}, strides = array<i64: 1, 1>} : (tensor<?x4x4x2xi64>, tensor<5x3x3x2xi64>) -> tensor<?x4x4x5xi32>
// CHECK:         %[[T:.*]] = "fsa.binarized_threshold"(%[[A]], %{{.*}}, %{{.*}}) : (tensor<?x4x4x5xi32>, tensor<5xi32>, tensor<1xi64>) -> tensor<?x4x4x1xi64>
// CHECK:         %[[P:.*]] = "fsa.binarized_max_pool2d"(%[[T]]) {dilations = array<i64: 1, 1>, kernel = array<i64: 2, 2>, pad = array<i64: 0, 0, 0, 0>, strides = array<i64: 2, 2>} : (tensor<?x4x4x1xi64>) -> tensor<?x2x2x1xi64>
// CHECK:         %[[M:.*]] = "fsa.binarized_matmul"(%[[P]], %{{.*}}) {depth = 5 : i64} : (tensor<?x2x2x1xi64>, tensor<7x1xi64>) -> tensor<?x2x2x7xi32>
// CHECK:         "fsa.unpack_bits"(%[[P]]) {depth = 5 : i64} : (tensor<?x2x2x1xi64>) -> tensor<?x2x2x5xf64>
func.func @binarized(%x: tensor<?x4x4x70xbf16>, %filter: tensor<5x3x3x2xi64>, %tau: tensor<5xi32>, %flip: tensor<1xi64>, %w: tensor<7x1xi64>) -> (tensor<?x2x2x7xi32>, tensor<?x2x2x5xf64>) {
  %bits = "fsa.pack_bits"(%x) : (tensor<?x4x4x70xbf16>) -> tensor<?x4x4x2xi64>
  %acc = "fsa.binarized_conv2d"(%bits, %filter) {channels = 70 : i64, strides = array<i64: 1, 1>, pad = array<i64: 1, 1, 2, 2>, pad_mode = "one", dilations = array<i64: 1, 2>, groups = 1 : i64, plan = {rows = 4 : i64}} : (tensor<?x4x4x2xi64>, tensor<5x3x3x2xi64>) -> tensor<?x4x4x5xi32>
  %t = "fsa.binarized_threshold"(%acc, %tau, %flip) : (tensor<?x4x4x5xi32>, tensor<5xi32>, tensor<1xi64>) -> tensor<?x4x4x1xi64>
  %p = "fsa.binarized_max_pool2d"(%t) {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, pad = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<?x4x4x1xi64>) -> tensor<?x2x2x1xi64>
  %m = "fsa.binarized_matmul"(%p, %w) {depth = 5 : i64} : (tensor<?x2x2x1xi64>, tensor<7x1xi64>) -> tensor<?x2x2x7xi32>
  %u = "fsa.unpack_bits"(%p) {depth = 5 : i64} : (tensor<?x2x2x1xi64>) -> tensor<?x2x2x5xf64>
  return %m, %u : tensor<?x2x2x7xi32>, tensor<?x2x2x5xf64>
}

// CHECK-LABEL: func.func @capsules(
// CHECK:         %[[U:.*]] = "fsa.capsule_predict"(%{{.*}}, %{{.*}}) : (tensor<?x6x8xf16>, tensor<6x?x4x8xf16>) -> tensor<?x6x?x4xf16>
// CHECK:         %[[V:.*]] = "fsa.capsule_routing"(%[[U]]) {agreement = "batch_shared", epsilon = 0.000000e+00 : f64, iterations = 1 : i64, layout = "bhdl"} : (tensor<?x6x?x4xf16>) -> tensor<?x?x4xf16>
// CHECK:         "fsa.squash"(%[[V]]) {epsilon = 5.000000e-01 : f64} : (tensor<?x?x4xf16>) -> tensor<?x?x4xf16>
func.func @capsules(%u: tensor<?x6x8xf16>, %w: tensor<6x?x4x8xf16>) -> tensor<?x?x4xf16> {
  %u_hat = "fsa.capsule_predict"(%u, %w) : (tensor<?x6x8xf16>, tensor<6x?x4x8xf16>) -> tensor<?x6x?x4xf16>
  %v = "fsa.capsule_routing"(%u_hat) {iterations = 1 : i64, agreement = "batch_shared", epsilon = 0.0 : f64, layout = "bhdl"} : (tensor<?x6x?x4xf16>) -> tensor<?x?x4xf16>
  %s = "fsa.squash"(%v) {epsilon = 0.5 : f64} : (tensor<?x?x4xf16>) -> tensor<?x?x4xf16>
  return %s : tensor<?x?x4xf16>
}

// CHECK-LABEL: func.func @regions_and_launches(
// CHECK:         %[[Y:.*]]:2 = "fsa.stitched_region"(%{{.*}}, %{{.*}}) ({
// CHECK-NEXT:    ^bb0(%[[A:.*]]: tensor<?x8xf32>, %[[B:.*]]: f32):
// CHECK:           "fsa.yield"(%[[A]], %[[B]])
// CHECK:         }) {operandSegmentSizes = array<i32: 1, 1, 0,{{.*}}, plan = {scheme = "local"}, resultSegmentSizes = array<i32: 1, 1, 0,
// CHECK-SAME:    (tensor<?x8xf32>, f32) -> (tensor<?x8xf32>, f32)
// CHECK:         "fsa.launch"(%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %[[Y]]#0) {kernel = @kernels::@k,
// CHECK-SAME:    workgroup_size = array<i64: 64, 2, 1>} : (index, index, index, index, i32, tensor<?x8xf32>) -> tensor<?x8xf16>
func.func @regions_and_launches(%n: index, %s: i32, %x: tensor<?x8xf32>, %f: f32) -> (f32, tensor<?x8xf16>) {
  %y:2 = "fsa.stitched_region"(%x, %f) ({
  ^bb0(%a: tensor<?x8xf32>, %b: f32):
    "fsa.yield"(%a, %b) {operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x8xf32>, f32) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, plan = {scheme = "local"}} : (tensor<?x8xf32>, f32) -> (tensor<?x8xf32>, f32)
  %z = "fsa.launch"(%n, %n, %n, %n, %s, %y#0) {kernel = @kernels::@k, workgroup_size = array<i64: 64, 2, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (index, index, index, index, i32, tensor<?x8xf32>) -> tensor<?x8xf16>
  return %y#1, %z : f32, tensor<?x8xf16>
}
