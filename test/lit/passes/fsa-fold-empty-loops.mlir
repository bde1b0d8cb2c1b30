// RUN: fsa-opt --fsa-fold-empty-loops %s | FileCheck %s

// The position of a maximum of nothing.
// CHECK-LABEL: func.func @reduction(
// CHECK-SAME:    %{{.*}}: tensor<5x0xf32>, %[[M:[a-z0-9]+]]: tensor<5xf32>, %[[P:[a-z0-9]+]]: tensor<5xi32>
// CHECK-NOT:     linalg.generic
// CHECK:         return %[[M]], %[[P]]
func.func @reduction(%x: tensor<5x0xf32>, %m: tensor<5xf32>, %p: tensor<5xi32>) -> (tensor<5xf32>, tensor<5xi32>) {
  %0:2 = linalg.generic {
    indexing_maps = [affine_map<(a, b) -> (a, b)>, affine_map<(a, b) -> (a)>, affine_map<(a, b) -> (a)>],
    iterator_types = ["parallel", "reduction"]
  } ins(%x : tensor<5x0xf32>) outs(%m, %p : tensor<5xf32>, tensor<5xi32>) {
  ^bb0(%in: f32, %max: f32, %at: i32):
    %i = linalg.index 1 : index
    %j = arith.index_cast %i : index to i32
    %more = arith.cmpf ogt, %in, %max : f32
    %v = arith.select %more, %in, %max : f32
    %q = arith.select %more, %j, %at : i32
    linalg.yield %v, %q : f32, i32
  } -> (tensor<5xf32>, tensor<5xi32>)
  return %0#0, %0#1 : tensor<5xf32>, tensor<5xi32>
}

// CHECK-LABEL: func.func @no_element(
// CHECK-SAME:    %{{.*}}: tensor<?xf32>, %[[O:[a-z0-9]+]]: tensor<?x0xf32>
// CHECK:         return %[[O]]
func.func @no_element(%x: tensor<?xf32>, %o: tensor<?x0xf32>) -> tensor<?x0xf32> {
  %0 = linalg.broadcast ins(%x : tensor<?xf32>) outs(%o : tensor<?x0xf32>) dimensions = [1]
  return %0 : tensor<?x0xf32>
}

// Elements there may be.
// CHECK-LABEL: func.func @dynamic(
// CHECK:         linalg.reduce
func.func @dynamic(%x: tensor<5x?xf32>, %o: tensor<5xf32>) -> tensor<5xf32> {
  %0 = linalg.reduce { arith.addf } ins(%x : tensor<5x?xf32>) outs(%o : tensor<5xf32>) dimensions = [1]
  return %0 : tensor<5xf32>
}
