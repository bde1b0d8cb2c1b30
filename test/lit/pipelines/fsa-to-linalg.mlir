// RUN: fsa-opt %s --fsa-to-linalg | FileCheck %s
// RUN: fsa-opt %s -p 'builtin.module(fsa-to-linalg)' | FileCheck %s
// RUN: fsa-opt %s -p 'builtin.module(fsa-to-linalg,func.func(cse))' --mlir-timing -o /dev/null 2>&1 | FileCheck %s --check-prefix=TIMING
// RUN: not fsa-opt %s -p 'builtin.module(func.func(fsa-to-linalg))' 2>&1 | FileCheck %s --check-prefix=NESTED
// RUN: not fsa-opt %s --fsa-to-linalg=x=1 2>&1 | FileCheck %s --check-prefix=OPTION

// TIMING: ConvertFsaToLinalg
// TIMING: CheckAbsent
// NESTED: error: pipeline 'fsa-to-linalg' runs on builtin.module, found it nested in func.func
// OPTION: error: pipeline 'fsa-to-linalg': unknown option 'x'; it takes skip

// One pack_bits for two equal ones, and the size comes from the argument.
// CHECK-LABEL: func.func @dynamic
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x37xf32>
// CHECK-NOT: "fsa.
// CHECK: tensor.dim %[[X]]
// CHECK: linalg.generic
// CHECK: math.ctpop
// CHECK: return
func.func @dynamic(%x: tensor<?x37xf32>, %w: tensor<5x2xi32>) -> (tensor<?x5xi32>, tensor<?x2xi32>, index) {
  %c0 = arith.constant 0 : index
  %p = "fsa.pack_bits"(%x) : (tensor<?x37xf32>) -> tensor<?x2xi32>
  %q = "fsa.pack_bits"(%x) : (tensor<?x37xf32>) -> tensor<?x2xi32>
  %y = "fsa.binarized_matmul"(%q, %w) {depth = 37 : i64} : (tensor<?x2xi32>, tensor<5x2xi32>) -> tensor<?x5xi32>
  %d = tensor.dim %y, %c0 : tensor<?x5xi32>
  return %y, %p, %d : tensor<?x5xi32>, tensor<?x2xi32>, index
}

// CHECK-LABEL: func.func @capsules
// CHECK-NOT: "fsa.
// CHECK: return
func.func @capsules(%u: tensor<2x6x3x5xf32>) -> tensor<2x3x5xf32> {
  %v = "fsa.capsule_routing"(%u) {iterations = 3 : i64, agreement = "per_sample", epsilon = 1.0e-7 : f64}
    : (tensor<2x6x3x5xf32>) -> tensor<2x3x5xf32>
  return %v : tensor<2x3x5xf32>
}

// A dead op leaves nothing.
// CHECK-LABEL: func.func @dead
// CHECK-NEXT: return
func.func @dead(%x: tensor<4x8xf32>) {
  %s = "fsa.squash"(%x) {epsilon = 1.0e-7 : f64} : (tensor<4x8xf32>) -> tensor<4x8xf32>
  return
}
