// RUN: fsa-opt %s --split-input-file --fsa-deduplicate-constants | FileCheck %s

// The two resources and the dense attribute have equal bytes; one is shorter, one is never used.
// CHECK-LABEL: func.func @equal
// CHECK: %[[A:.*]] = arith.constant dense_resource<a> : tensor<2xf32>
// CHECK-NOT: arith.constant
// CHECK: %[[S:.*]] = arith.constant dense_resource<short> : tensor<1xf32>
// CHECK-NOT: arith.constant
// CHECK: return %[[A]], %[[A]], %[[A]], %[[S]]
func.func @equal() -> (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<1xf32>) {
  %a = arith.constant dense_resource<a> : tensor<2xf32>
  %b = arith.constant dense_resource<b> : tensor<2xf32>
  %c = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %s = arith.constant dense_resource<short> : tensor<1xf32>
  %dead = arith.constant dense_resource<dead> : tensor<1xf32>
  return %a, %b, %c, %s : tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<1xf32>
}

// Another function has its own op, with the same resource.
// CHECK-LABEL: func.func @other
// CHECK: arith.constant dense_resource<a> : tensor<2xf32>
func.func @other() -> tensor<2xf32> {
  %b = arith.constant dense_resource<b> : tensor<2xf32>
  return %b : tensor<2xf32>
}
{-#
  dialect_resources: {
    builtin: {
      a: "0x040000000000803F00000040",
      b: "0x040000000000803F00000040",
      short: "0x040000000000803F",
      dead: "0x0400000000000000"
    }
  }
#-}

// -----

// 0.0 and -0.0, other types of the same bytes, and resources without bytes are not equal.
// CHECK-LABEL: func.func @different
// CHECK-COUNT-5: arith.constant dense_resource<
// CHECK-NOT: arith.constant
func.func @different() -> (tensor<1xf32>, tensor<1xf32>, tensor<1xi32>, tensor<2xf32>, tensor<2xf32>) {
  %a = arith.constant dense_resource<zero> : tensor<1xf32>
  %b = arith.constant dense_resource<minus> : tensor<1xf32>
  %c = arith.constant dense_resource<word> : tensor<1xi32>
  %d = arith.constant dense_resource<absent> : tensor<2xf32>
  %e = arith.constant dense_resource<missing> : tensor<2xf32>
  return %a, %b, %c, %d, %e : tensor<1xf32>, tensor<1xf32>, tensor<1xi32>, tensor<2xf32>, tensor<2xf32>
}
{-#
  dialect_resources: {
    builtin: {
      zero: "0x0400000000000000",
      minus: "0x0400000000000080",
      word: "0x0400000000000000"
    }
  }
#-}
