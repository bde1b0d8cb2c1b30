// RUN: fsa-opt %s --fsa-generalize-elementwise | FileCheck %s

// CHECK-LABEL: func.func @unary
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "parallel"]} ins(%{{.*}} : tensor<4x?xf32>) outs(%{{.*}} : tensor<4x?xf32>)
// CHECK: math.exp
// CHECK-NOT: linalg.exp
func.func @unary(%x: tensor<4x?xf32>, %e: tensor<4x?xf32>) -> tensor<4x?xf32> {
  %r = linalg.exp ins(%x : tensor<4x?xf32>) outs(%e : tensor<4x?xf32>) -> tensor<4x?xf32>
  return %r : tensor<4x?xf32>
}

// CHECK-LABEL: func.func @chain
// CHECK: arith.divui
// CHECK: arith.select
// CHECK-NOT: linalg.{{select|div_unsigned}}
func.func @chain(%c: tensor<3xi1>, %x: tensor<3xi32>, %y: tensor<3xi32>, %e: tensor<3xi32>) -> tensor<3xi32> {
  %q = linalg.div_unsigned ins(%x, %y : tensor<3xi32>, tensor<3xi32>) outs(%e : tensor<3xi32>) -> tensor<3xi32>
  %r = linalg.select ins(%c, %q, %y : tensor<3xi1>, tensor<3xi32>, tensor<3xi32>) outs(%e : tensor<3xi32>) -> tensor<3xi32>
  return %r : tensor<3xi32>
}

// A scalar has no loops, and other named ops stay.
// CHECK-LABEL: func.func @others
// CHECK: linalg.matmul
// CHECK: linalg.generic {{.*}}iterator_types = []}
func.func @others(%a: tensor<2x2xf32>, %s: tensor<f32>) -> (tensor<2x2xf32>, tensor<f32>) {
  %m = linalg.matmul ins(%a, %a : tensor<2x2xf32>, tensor<2x2xf32>) outs(%a : tensor<2x2xf32>) -> tensor<2x2xf32>
  %r = linalg.square ins(%s : tensor<f32>) outs(%s : tensor<f32>) -> tensor<f32>
  return %m, %r : tensor<2x2xf32>, tensor<f32>
}
