// RUN: fsa-opt --fsa-canonicalize %s | FileCheck %s
// RUN: fsa-opt --fsa-canonicalize="max-elements=3" %s | FileCheck %s --check-prefix=SMALL

// Weights are packed at compile time: 35 values are two words, and -0.0 is +1.
// CHECK-LABEL: func.func @packed_weights(
// CHECK-NEXT:    %[[W:.*]] = arith.constant dense<{{\[\[}}1, 6], [-1, 7]]> : tensor<2x2xi32>
// CHECK-NEXT:    return %[[W]]
// SMALL-LABEL: func.func @packed_weights(
// SMALL-NEXT:    arith.constant dense<{{\[\[}}1, 6], [-1, 7]]> : tensor<2x2xi32>
func.func @packed_weights() -> tensor<2x2xi32> {
  %w = arith.constant dense<[
    [2.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0,
     -1.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0, -0.0, 1.0],
    [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0,
     1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
  ]> : tensor<2x35xf32>
  %bits = "fsa.pack_bits"(%w) : (tensor<2x35xf32>) -> tensor<2x2xi32>
  return %bits : tensor<2x2xi32>
}

// Splats, 64-bit words and bf16, which is compared as what it is.
// CHECK-LABEL: func.func @packed_splat(
// CHECK:         arith.constant dense<[-1, 1]> : tensor<2xi64>
func.func @packed_splat() -> tensor<2xi64> {
  %w = arith.constant dense<0.5> : tensor<65xbf16>
  %bits = "fsa.pack_bits"(%w) : (tensor<65xbf16>) -> tensor<2xi64>
  return %bits : tensor<2xi64>
}

// A resource is read as well as a dense constant.
// CHECK-LABEL: func.func @packed_resource(
// CHECK:         arith.constant dense<5> : tensor<1xi32>
func.func @packed_resource() -> tensor<1xi32> {
  %w = arith.constant dense_resource<weights> : tensor<3xf32>
  %bits = "fsa.pack_bits"(%w) : (tensor<3xf32>) -> tensor<1xi32>
  return %bits : tensor<1xi32>
}

// A resource whose bytes are elsewhere stays.
// CHECK-LABEL: func.func @absent_resource(
// CHECK:         "fsa.pack_bits"
func.func @absent_resource() -> tensor<1xi32> {
  %w = arith.constant dense_resource<elsewhere> : tensor<3xf32>
  %bits = "fsa.pack_bits"(%w) : (tensor<3xf32>) -> tensor<1xi32>
  return %bits : tensor<1xi32>
}

// The whole chain is constant: (3 + 2) ones differ in 2 places over depth 5.
// CHECK-LABEL: func.func @constant_chain(
// CHECK-NEXT:    %[[C:.*]] = arith.constant dense<1> : tensor<1x1xi32>
// CHECK-NEXT:    return %[[C]]
func.func @constant_chain() -> tensor<1x1xi32> {
  %a = arith.constant dense<[[1.0, 1.0, 1.0, -1.0, -1.0]]> : tensor<1x5xf32>
  %b = arith.constant dense<31> : tensor<1x1xi32>
  %bits = "fsa.pack_bits"(%a) : (tensor<1x5xf32>) -> tensor<1x1xi32>
  %acc = "fsa.binarized_matmul"(%bits, %b) {depth = 5 : i64} : (tensor<1x1xi32>, tensor<1x1xi32>) -> tensor<1x1xi32>
  return %acc : tensor<1x1xi32>
}

// What folding would make larger is bounded.
// CHECK-LABEL: func.func @unpacked_constant(
// CHECK:         arith.constant dense<[1.000000e+00, -1.000000e+00, 1.000000e+00, 1.000000e+00]> : tensor<4xf16>
// SMALL-LABEL: func.func @unpacked_constant(
// SMALL:         "fsa.unpack_bits"
func.func @unpacked_constant() -> tensor<4xf16> {
  %bits = arith.constant dense<13> : tensor<1xi32>
  %x = "fsa.unpack_bits"(%bits) {depth = 4 : i64} : (tensor<1xi32>) -> tensor<4xf16>
  return %x : tensor<4xf16>
}

// CHECK-LABEL: func.func @squash_of_zero(
// CHECK:         arith.constant dense<0.000000e+00> : tensor<2x3xf32>
func.func @squash_of_zero() -> tensor<2x3xf32> {
  %s = arith.constant dense<0.0> : tensor<2x3xf32>
  %v = "fsa.squash"(%s) {epsilon = 0.0 : f64} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return %v : tensor<2x3xf32>
}

// CHECK-LABEL: func.func @pack_of_unpack(
// CHECK-SAME:    %[[BITS:.*]]: tensor<?x3xi32>
// CHECK-NEXT:    return %[[BITS]]
func.func @pack_of_unpack(%bits: tensor<?x3xi32>) -> tensor<?x3xi32> {
  %x = "fsa.unpack_bits"(%bits) {depth = 70 : i64} : (tensor<?x3xi32>) -> tensor<?x70xf32>
  %again = "fsa.pack_bits"(%x) : (tensor<?x70xf32>) -> tensor<?x3xi32>
  return %again : tensor<?x3xi32>
}

// Other words are not the same words.
// CHECK-LABEL: func.func @pack_of_unpack_widens(
// CHECK:         fsa.pack_bits
func.func @pack_of_unpack_widens(%bits: tensor<?x3xi32>) -> tensor<?x2xi64> {
  %x = "fsa.unpack_bits"(%bits) {depth = 70 : i64} : (tensor<?x3xi32>) -> tensor<?x70xf32>
  %again = "fsa.pack_bits"(%x) : (tensor<?x70xf32>) -> tensor<?x2xi64>
  return %again : tensor<?x2xi64>
}

// By the bits: devices that flush denormals to zero would take a negative one for 0.
// CHECK-LABEL: func.func @unpack_of_pack(
// CHECK-SAME:    %[[X:.*]]: tensor<4x70xf32>
// CHECK:         %[[Y:.*]] = linalg.generic {{.*}} ins(%[[X]] : tensor<4x70xf32>)
// CHECK:           %[[BITS:.*]] = arith.bitcast %{{.*}} : f32 to i32
// CHECK-NOT:       arith.cmpf
// CHECK:           arith.select %{{.*}}, %{{.*}}, %{{.*}} : f16
// CHECK-NOT:     fsa.
// CHECK:         return %[[Y]]
func.func @unpack_of_pack(%x: tensor<4x70xf32>) -> tensor<4x70xf16> {
  %bits = "fsa.pack_bits"(%x) : (tensor<4x70xf32>) -> tensor<4x3xi32>
  %y = "fsa.unpack_bits"(%bits) {depth = 70 : i64} : (tensor<4x3xi32>) -> tensor<4x70xf16>
  return %y : tensor<4x70xf16>
}

// linalg has no guard against a tensor that is empty at run time.
// CHECK-LABEL: func.func @unpack_of_pack_dynamic(
// CHECK:         fsa.pack_bits
// CHECK:         fsa.unpack_bits
func.func @unpack_of_pack_dynamic(%x: tensor<?x70xf32>) -> tensor<?x70xf32> {
  %bits = "fsa.pack_bits"(%x) : (tensor<?x70xf32>) -> tensor<?x3xi32>
  %y = "fsa.unpack_bits"(%bits) {depth = 70 : i64} : (tensor<?x3xi32>) -> tensor<?x70xf32>
  return %y : tensor<?x70xf32>
}

// Fewer values than were packed are not x.
// CHECK-LABEL: func.func @unpack_of_pack_less(
// CHECK:         fsa.unpack_bits
func.func @unpack_of_pack_less(%x: tensor<4x70xf32>) -> tensor<4x69xf32> {
  %bits = "fsa.pack_bits"(%x) : (tensor<4x70xf32>) -> tensor<4x3xi32>
  %y = "fsa.unpack_bits"(%bits) {depth = 69 : i64} : (tensor<4x3xi32>) -> tensor<4x69xf32>
  return %y : tensor<4x69xf32>
}

// CHECK-LABEL: func.func @pool_of_pixels(
// CHECK-SAME:    %[[IMAGE:.*]]: tensor<?x8x8x2xi64>
// CHECK-NEXT:    return %[[IMAGE]]
func.func @pool_of_pixels(%image: tensor<?x8x8x2xi64>) -> tensor<?x8x8x2xi64> {
  %y = "fsa.binarized_max_pool2d"(%image) {kernel = array<i64: 1, 1>, strides = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, dilations = array<i64: 3, 3>} : (tensor<?x8x8x2xi64>) -> tensor<?x8x8x2xi64>
  return %y : tensor<?x8x8x2xi64>
}

// CHECK-LABEL: func.func @plain_convolution(
// CHECK:         "fsa.binarized_conv2d"(%{{.*}}, %{{.*}}) {channels = 70 : i64, pad = array<i64: 0, 0, 0, 0>, pad_mode = "zero", strides = array<i64: 1, 1>}
func.func @plain_convolution(%image: tensor<2x8x9x3xi32>, %filter: tensor<5x3x3x3xi32>) -> tensor<2x6x7x5xi32> {
  %acc = "fsa.binarized_conv2d"(%image, %filter) {channels = 70 : i64, strides = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, pad_mode = "one", dilations = array<i64: 1, 1>, groups = 1 : i64} : (tensor<2x8x9x3xi32>, tensor<5x3x3x3xi32>) -> tensor<2x6x7x5xi32>
  return %acc : tensor<2x6x7x5xi32>
}

// CHECK-LABEL: func.func @one_sample(
// CHECK:         agreement = "per_sample"
func.func @one_sample(%u_hat: tensor<1x6x3x4xf32>) -> tensor<1x3x4xf32> {
  %v = "fsa.capsule_routing"(%u_hat) {iterations = 3 : i64, agreement = "batch_shared", epsilon = 1.0e-7 : f64} : (tensor<1x6x3x4xf32>) -> tensor<1x3x4xf32>
  return %v : tensor<1x3x4xf32>
}

// CHECK-LABEL: func.func @any_batch(
// CHECK:         agreement = "batch_shared"
func.func @any_batch(%u_hat: tensor<?x6x3x4xf32>) -> tensor<?x3x4xf32> {
  %v = "fsa.capsule_routing"(%u_hat) {iterations = 3 : i64, agreement = "batch_shared", epsilon = 1.0e-7 : f64} : (tensor<?x6x3x4xf32>) -> tensor<?x3x4xf32>
  return %v : tensor<?x3x4xf32>
}

// CHECK-LABEL: func.func @unused(
// CHECK-NEXT:    return
func.func @unused(%x: tensor<4x70xf32>, %n: index) {
  %bits = "fsa.pack_bits"(%x) : (tensor<4x70xf32>) -> tensor<4x3xi32>
  %acc = "fsa.binarized_matmul"(%bits, %bits) {depth = 70 : i64} : (tensor<4x3xi32>, tensor<4x3xi32>) -> tensor<4x4xi32>
  %y = "fsa.stitched_region"(%x) ({
  ^bb0(%a: tensor<4x70xf32>):
    %v = "fsa.squash"(%a) {epsilon = 0.0 : f64} : (tensor<4x70xf32>) -> tensor<4x70xf32>
    "fsa.yield"(%v) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<4x70xf32>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<4x70xf32>) -> tensor<4x70xf32>
  return
}

// The region keeps x once, computes one result, and forwards the others; the scalar moves inside.
// CHECK-LABEL: func.func @region(
// CHECK-SAME:    %[[X:.*]]: tensor<4xf32>, %[[Y:.*]]: tensor<4xf32>
// CHECK:         %[[OUT:.*]] = "fsa.stitched_region"(%[[X]]) ({
// CHECK-NEXT:    ^bb0(%[[A:.*]]: tensor<4xf32>):
// CHECK-NEXT:      %[[C:.*]] = arith.constant 2.000000e+00 : f32
// CHECK-NEXT:      %[[S:.*]] = tensor.splat %[[C]]
// CHECK-NEXT:      %[[P:.*]] = arith.mulf %[[A]], %[[A]]
// CHECK-NEXT:      %[[Q:.*]] = arith.mulf %[[P]], %[[S]]
// CHECK-NEXT:      "fsa.yield"(%[[Q]]) {operandSegmentSizes = array<i32: 1, 0,
// CHECK-NEXT:    }) {keep = 1 : i64, operandSegmentSizes = array<i32: 1, 0,
// CHECK-SAME:    : (tensor<4xf32>) -> tensor<4xf32>
// CHECK:         return %[[OUT]], %[[OUT]], %[[X]]
func.func @region(%x: tensor<4xf32>, %y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %two = arith.constant 2.0 : f32
  %r:4 = "fsa.stitched_region"(%y, %x, %x, %two) ({
  ^bb0(%a: tensor<4xf32>, %b: tensor<4xf32>, %c: tensor<4xf32>, %d: f32):
    %s = tensor.splat %d : tensor<4xf32>
    %p = arith.mulf %b, %c : tensor<4xf32>
    %q = arith.mulf %p, %s : tensor<4xf32>
    %unused = math.exp %a : tensor<4xf32>
    "fsa.yield"(%q, %unused, %q, %c) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> ()
  }) {keep = 1 : i64, operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, f32) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>)
  return %r#0, %r#2, %r#3 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// A region that computes nothing goes.
// CHECK-LABEL: func.func @empty_region(
// CHECK-SAME:    %[[X:.*]]: tensor<4xf32>
// CHECK-NEXT:    return %[[X]]
func.func @empty_region(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = "fsa.stitched_region"(%x) ({
  ^bb0(%a: tensor<4xf32>):
    "fsa.yield"(%a) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<4xf32>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// Coefficients that nothing uses are no result; those that are used keep the shape that their agreement has.
// CHECK-LABEL: func.func @coefficients(
// CHECK:         "fsa.capsule_routing"(%{{.*}}) {{.*}}agreement = "per_sample"{{.*}} -> tensor<1x3x4xf32>
// CHECK:         "fsa.capsule_routing"(%{{.*}}) {{.*}}agreement = "batch_shared"{{.*}} -> (tensor<1x3x4xf32>, tensor<2x3xf32>)
func.func @coefficients(%u: tensor<1x2x3x4xf32>) -> (tensor<1x3x4xf32>, tensor<1x3x4xf32>, tensor<2x3xf32>) {
  %v:2 = "fsa.capsule_routing"(%u) {iterations = 3 : i64, agreement = "batch_shared", epsilon = 1.0e-7 : f64} : (tensor<1x2x3x4xf32>) -> (tensor<1x3x4xf32>, tensor<2x3xf32>)
  %w:2 = "fsa.capsule_routing"(%u) {iterations = 2 : i64, agreement = "batch_shared", epsilon = 1.0e-7 : f64} : (tensor<1x2x3x4xf32>) -> (tensor<1x3x4xf32>, tensor<2x3xf32>)
  return %v#0, %w#0, %w#1 : tensor<1x3x4xf32>, tensor<1x3x4xf32>, tensor<2x3xf32>
}

// The numbers in a plan must stay true.
// CHECK-LABEL: func.func @planned_region(
// CHECK:         "fsa.stitched_region"(%{{.*}}, %{{.*}}) ({
func.func @planned_region(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = "fsa.stitched_region"(%x, %x) ({
  ^bb0(%a: tensor<4xf32>, %b: tensor<4xf32>):
    %e = math.exp %a : tensor<4xf32>
    "fsa.yield"(%e) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<4xf32>) -> ()
  }) {plan = {}, operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

{-# dialect_resources: { builtin: { weights: "0x040000000000803F000080BF00000000" } } #-}

// The bindings have no class for the attribute of complex elements; such a constant stays outside.
// CHECK-LABEL: func.func @complex_splat(
// CHECK:         %[[C:.*]] = arith.constant dense<(1.000000e+00,2.000000e+00)>
// CHECK:         "fsa.stitched_region"(%[[C]])
func.func @complex_splat() -> f32 {
  %c = arith.constant dense<(1.0, 2.0)> : tensor<4xcomplex<f32>>
  %y = "fsa.stitched_region"(%c) ({
  ^bb0(%a: tensor<4xcomplex<f32>>):
    %c0 = arith.constant 0 : index
    %first = tensor.extract %a[%c0] : tensor<4xcomplex<f32>>
    %re = complex.re %first : complex<f32>
    "fsa.yield"(%re) {
      operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>
    } : (f32) -> ()
  }) {
    operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>,
    resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>
  } : (tensor<4xcomplex<f32>>) -> f32
  return %y : f32
}
