// RUN: fsa-opt %s --fsa-balance-launches --canonicalize --cse | FileCheck %s

// 25 tasks are reservations of 8, 8, 8 and 1: two cores share 14 workgroups one by one instead. What
// the kernel allocates stays outside of the loop over the tasks. Few tasks are taken one by one
// already; a kernel that another launch runs on another grid is copied.

// CHECK-LABEL: func.func @uneven
// CHECK: %[[FEW:.*]] = arith.constant 14 : index
// CHECK: "fsa.launch"(%[[FEW]], %{{.*}}, %{{.*}}, %{{.*}}) {kernel = @rows
// CHECK-LABEL: func.func @few
// CHECK: %[[NINE:.*]] = arith.constant 9 : index
// CHECK: "fsa.launch"(%[[NINE]], {{.*}}) {kernel = @both
// CHECK-LABEL: func.func @more
// CHECK: %[[TWELVE:.*]] = arith.constant 12 : index
// CHECK: "fsa.launch"(%[[TWELVE]], {{.*}}) {kernel = @fsa_balanced_0

// CHECK: func.func private @rows(%[[X:[a-z0-9]+]]: memref<25xf32>, %[[Y:[a-z0-9]+]]: memref<25xf32>, %[[ID:[a-z0-9]+]]: index,
// CHECK-DAG: %[[C1:.*]] = arith.constant 1 : index
// CHECK-DAG: %[[TASKS:.*]] = arith.constant 25 : index
// CHECK-DAG: %[[GRID:.*]] = arith.constant 14 : index
// CHECK: memref.alloca
// CHECK: %[[A:.*]] = arith.muli %[[ID]], %[[TASKS]]
// CHECK: %[[FIRST:.*]] = arith.divui %[[A]], %[[GRID]]
// CHECK: %[[NEXT:.*]] = arith.addi %[[ID]], %[[C1]]
// CHECK: %[[B:.*]] = arith.muli %[[NEXT]], %[[TASKS]]
// CHECK: %[[LAST:.*]] = arith.divui %[[B]], %[[GRID]]
// CHECK: scf.for %[[TASK:.*]] = %[[FIRST]] to %[[LAST]]
// CHECK: memref.load %[[X]][%[[TASK]]]
// CHECK: memref.store %{{.*}}, %[[Y]][%[[TASK]]]

// CHECK: func.func private @fsa_balanced_0
// CHECK: scf.for
// CHECK: func.func private @both
// CHECK-NOT: scf.for
module attributes {fsa.target = {kind = "cpu", arch = "host", cores = 2 : i64}} {
func.func @uneven(%x: tensor<25xf32>) -> tensor<25xf32> {
  %c1 = arith.constant 1 : index
  %n = arith.constant 25 : index
  %y = "fsa.launch"(%n, %c1, %c1, %x) {kernel = @rows, workgroup_size = array<i64: 1, 1, 1>,
    operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>,
    resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (index, index, index, tensor<25xf32>) -> tensor<25xf32>
  return %y : tensor<25xf32>
}
func.func @few(%x: tensor<25xf32>) -> tensor<25xf32> {
  %c1 = arith.constant 1 : index
  %n = arith.constant 9 : index
  %y = "fsa.launch"(%n, %c1, %c1, %x) {kernel = @both, workgroup_size = array<i64: 1, 1, 1>,
    operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>,
    resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (index, index, index, tensor<25xf32>) -> tensor<25xf32>
  return %y : tensor<25xf32>
}
func.func @more(%x: tensor<25xf32>) -> tensor<25xf32> {
  %c1 = arith.constant 1 : index
  %n = arith.constant 24 : index
  %y = "fsa.launch"(%n, %c1, %c1, %x) {kernel = @both, workgroup_size = array<i64: 1, 1, 1>,
    operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>,
    resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (index, index, index, tensor<25xf32>) -> tensor<25xf32>
  return %y : tensor<25xf32>
}
func.func private @rows(%x: memref<25xf32>, %y: memref<25xf32>, %i: index, %j: index, %k: index) attributes {fsa.kernel = "cpu"} {
  %c0 = arith.constant 0 : index
  %held = memref.alloca() : memref<1xf32>
  %v = memref.load %x[%i] : memref<25xf32>
  memref.store %v, %held[%c0] : memref<1xf32>
  %w = memref.load %held[%c0] : memref<1xf32>
  memref.store %w, %y[%i] : memref<25xf32>
  return
}
func.func private @both(%x: memref<25xf32>, %y: memref<25xf32>, %i: index, %j: index, %k: index) attributes {fsa.kernel = "cpu"} {
  %c0 = arith.constant 0 : index
  %held = memref.alloca() : memref<1xf32>
  %v = memref.load %x[%i] : memref<25xf32>
  memref.store %v, %held[%c0] : memref<1xf32>
  %w = memref.load %held[%c0] : memref<1xf32>
  memref.store %w, %y[%i] : memref<25xf32>
  return
}
}
