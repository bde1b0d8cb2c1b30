// RUN: fsa-opt --convert-fsa-to-linalg --canonicalize --cse %s | FileCheck %s

// Sums of f16 and bf16 are formed in f32 and rounded once.

// CHECK-LABEL: func.func @predict(
// CHECK-SAME:    %[[U:.*]]: tensor<2x7x3xbf16>, %[[W:.*]]: tensor<7x4x5x3xbf16>)
// CHECK:       %[[SUMS:.*]] = linalg.generic
// CHECK-SAME:    iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]
// CHECK-SAME:    ins(%[[U]], %[[W]] : tensor<2x7x3xbf16>, tensor<7x4x5x3xbf16>)
// CHECK:         arith.extf
// CHECK:         arith.mulf {{.*}} : f32
// CHECK:         arith.addf {{.*}} : f32
// CHECK:       linalg.generic
// CHECK-SAME:    ins(%[[SUMS]] : tensor<2x7x4x5xf32>)
// CHECK:         arith.truncf {{.*}} : f32 to bf16
func.func @predict(%u: tensor<2x7x3xbf16>, %w: tensor<7x4x5x3xbf16>) -> tensor<2x7x4x5xbf16> {
  %u_hat = "fsa.capsule_predict"(%u, %w) : (tensor<2x7x3xbf16>, tensor<7x4x5x3xbf16>) -> tensor<2x7x4x5xbf16>
  return %u_hat : tensor<2x7x4x5xbf16>
}

// The squared length, then a scale that is 0 where the length is.

// CHECK-LABEL: func.func @squash(
// CHECK-SAME:    %[[S:.*]]: tensor<3x5xf32>)
// CHECK:       %[[LENGTHS:.*]] = linalg.generic
// CHECK:         arith.mulf
// CHECK:         arith.addf
// CHECK:       linalg.generic
// CHECK-SAME:    ins(%[[S]], %[[LENGTHS]] : tensor<3x5xf32>, tensor<3xf32>)
// CHECK:       ^bb0(%{{.*}}: f32, %[[N:.*]]: f32, %{{.*}}: f32):
// CHECK:         %[[RATIO:.*]] = arith.divf %[[N]]
// CHECK:         %[[ROOT:.*]] = math.sqrt
// CHECK:         %[[IS_ZERO:.*]] = arith.cmpf oeq, %[[N]]
// CHECK:         arith.divf %[[RATIO]], %[[ROOT]] : f32
// CHECK:         arith.select %[[IS_ZERO]]
func.func @squash(%s: tensor<3x5xf32>) -> tensor<3x5xf32> {
  %v = "fsa.squash"(%s) {epsilon = 1.0e-7 : f64} : (tensor<3x5xf32>) -> tensor<3x5xf32>
  return %v : tensor<3x5xf32>
}

// One iteration is a mean and a squash: there is no softmax in it.

// CHECK-LABEL: func.func @routing_once(
// CHECK-NOT:   math.exp
// CHECK:       return
func.func @routing_once(%u_hat: tensor<2x7x4x5xf32>) -> tensor<2x4x5xf32> {
  %v = "fsa.capsule_routing"(%u_hat) {iterations = 1 : i64, agreement = "per_sample", epsilon = 1.0e-7 : f64} : (tensor<2x7x4x5xf32>) -> tensor<2x4x5xf32>
  return %v : tensor<2x4x5xf32>
}

// The iterations are written out: three have two updates of the logits and two softmaxes, each of
// which takes the largest logit off first.

// CHECK-LABEL: func.func @routing(
// CHECK-NOT:   scf.for
// CHECK:       arith.maximumf
// CHECK:       math.exp
// CHECK:       arith.maximumf
// CHECK:       math.exp
// CHECK-NOT:   math.exp
// CHECK:       return
func.func @routing(%u_hat: tensor<2x7x4x5xf32>) -> tensor<2x4x5xf32> {
  %v = "fsa.capsule_routing"(%u_hat) {iterations = 3 : i64, agreement = "per_sample", epsilon = 1.0e-7 : f64} : (tensor<2x7x4x5xf32>) -> tensor<2x4x5xf32>
  return %v : tensor<2x4x5xf32>
}

// Logits to start with: one iteration has a softmax too.

// CHECK-LABEL: func.func @routing_from_logits(
// CHECK-SAME:    %{{.*}}: tensor<2x7x4x5xf32>, %[[LOGITS:.*]]: tensor<7x4xf32>)
// CHECK:       linalg.generic {{.*}} ins(%[[LOGITS]] : tensor<7x4xf32>) outs(%{{.*}} : tensor<2x7x4xf32>)
// CHECK:       math.exp
// CHECK-NOT:   math.exp
// CHECK:       return
func.func @routing_from_logits(%u_hat: tensor<2x7x4x5xf32>, %logits: tensor<7x4xf32>) -> tensor<2x4x5xf32> {
  %v = "fsa.capsule_routing"(%u_hat, %logits) {iterations = 1 : i64, agreement = "per_sample", epsilon = 1.0e-7 : f64} : (tensor<2x7x4x5xf32>, tensor<7x4xf32>) -> tensor<2x4x5xf32>
  return %v : tensor<2x4x5xf32>
}

// Shared logits have no batch dimension: the agreement is summed over the batch.

// CHECK-LABEL: func.func @routing_batch_shared(
// CHECK:       linalg.generic {{.*}} iterator_types = ["reduction", "parallel", "parallel", "reduction"]
// CHECK-SAME:    outs(%{{.*}} : tensor<7x4xf32>)
func.func @routing_batch_shared(%u_hat: tensor<2x7x4x5xf16>) -> tensor<2x4x5xf16> {
  %v = "fsa.capsule_routing"(%u_hat) {iterations = 2 : i64, agreement = "batch_shared", epsilon = 1.0e-7 : f64} : (tensor<2x7x4x5xf16>) -> tensor<2x4x5xf16>
  return %v : tensor<2x4x5xf16>
}

// The mean over a dynamic number of capsules divides by that number.

// CHECK-LABEL: func.func @routing_dynamic(
// CHECK-SAME:    %[[U:.*]]: tensor<?x7x?x5xf32>)
// CHECK:       scf.if
// CHECK:       arith.sitofp
// CHECK:       arith.divf
func.func @routing_dynamic(%u_hat: tensor<?x7x?x5xf32>) -> tensor<?x?x5xf32> {
  %v = "fsa.capsule_routing"(%u_hat) {iterations = 1 : i64, agreement = "per_sample", epsilon = 1.0e-7 : f64} : (tensor<?x7x?x5xf32>) -> tensor<?x?x5xf32>
  return %v : tensor<?x?x5xf32>
}
