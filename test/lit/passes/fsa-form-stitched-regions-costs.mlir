// RUN: fsa-opt %s --split-input-file --fsa-attach-target=target=cpu:znver4 --fsa-plan-matmul --fsa-form-stitched-regions="costs=true" | FileCheck %s
// RUN: fsa-opt %s --split-input-file --fsa-attach-target=target=cuda --fsa-form-stitched-regions="costs=true" | FileCheck %s --check-prefix=CUDA

// A GPU's datasheet says what bytes cost: a region forms there where it saves launches or bytes.
#row = affine_map<(a, b) -> (a)>
#all = affine_map<(a, b) -> (a, b)>

// Sums of rows cost IREE more than a stitched kernel: they become a region with what is around.
// CHECK-LABEL: func.func @centred
// CHECK: "fsa.stitched_region"(%arg0)
// CHECK: fsa.yield
// CHECK: scope = {bytes_portable = {{[0-9]+}} : i64, bytes_stitched = {{[0-9]+}} : i64, kernels_portable = 1 : i64
// CHECK-SAME: ops = 2 : i64, reason = "{{[0-9.]+}} us expected as one kernel, {{[0-9.]+}} us as 1 of IREE's"
// CUDA-LABEL: func.func @centred
// CUDA-NOT: fsa.stitched_region
// CUDA: fsa.left_out = "{{[0-9.]+}} us expected as one kernel, {{[0-9.]+}} us as 1 of IREE's"
func.func @centred(%x: tensor<128x384xf32>) -> tensor<128x384xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<128x384xf32>
  %r = tensor.empty() : tensor<128xf32>
  %z = linalg.fill ins(%zero : f32) outs(%r : tensor<128xf32>) -> tensor<128xf32>
  %s = linalg.reduce { arith.addf } ins(%x : tensor<128x384xf32>) outs(%z : tensor<128xf32>) dimensions = [1]
  %y = linalg.generic {indexing_maps = [#all, #row, #all], iterator_types = ["parallel", "parallel"]}
      ins(%x, %s : tensor<128x384xf32>, tensor<128xf32>) outs(%e : tensor<128x384xf32>) {
  ^bb0(%v: f32, %m: f32, %o: f32):
    %d = arith.subf %v, %m : f32
    linalg.yield %d : f32
  } -> tensor<128x384xf32>
  return %y : tensor<128x384xf32>
}

// -----

// IREE computes a chain of element-wise ops in one kernel as well.
// CHECK-LABEL: func.func @as_fast
// CHECK-NOT: fsa.stitched_region
// CHECK: arith.mulf {{.*}}fsa.left_out = "{{[0-9.]+}} us expected as one kernel, {{[0-9.]+}} us as 1 of IREE's"
// CHECK: arith.addf {{.*}}fsa.left_out
func.func @as_fast(%x: tensor<128x384xf32>) -> tensor<128x384xf32> {
  %y = arith.mulf %x, %x : tensor<128x384xf32>
  %z = arith.addf %y, %x : tensor<128x384xf32>
  return %z : tensor<128x384xf32>
}

// -----

// Behind a transpose the chain is slow in IREE, which reads it against its order. CUDA's stitched
// kernels read so themselves: the transpose stays outside.
// CHECK-LABEL: func.func @turned
// CHECK: "fsa.stitched_region"(%arg0)
// CHECK: arith.mulf
// CHECK: linalg.transpose
// CHECK: fsa.yield
// CUDA-LABEL: func.func @turned
// CUDA: linalg.transpose
// CUDA-SAME: fsa.left_out = "reads its input against the order of its result"
func.func @turned(%x: tensor<128x384xf32>) -> tensor<384x128xf32> {
  %y = arith.mulf %x, %x : tensor<128x384xf32>
  %z = arith.addf %y, %x : tensor<128x384xf32>
  %e = tensor.empty() : tensor<384x128xf32>
  %t = linalg.transpose ins(%z : tensor<128x384xf32>) outs(%e : tensor<384x128xf32>) permutation = [1, 0]
  return %t : tensor<384x128xf32>
}

// Images of 8 columns have too few neighbours for a tile: their channels are moved outside.
// CHECK-LABEL: func.func @narrow
// CHECK: linalg.transpose
// CHECK-SAME: fsa.left_out = "reads its input against the order of its result"
// CHECK: "fsa.stitched_region"
#pixel = affine_map<(a, b, c) -> (a, b)>
#image = affine_map<(a, b, c) -> (a, b, c)>
func.func @narrow(%x: tensor<384x8x8xf32>) -> tensor<8x8x384xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8x8x384xf32>
  %t = linalg.transpose ins(%x : tensor<384x8x8xf32>) outs(%e : tensor<8x8x384xf32>) permutation = [1, 2, 0]
  %r = tensor.empty() : tensor<8x8xf32>
  %z = linalg.fill ins(%zero : f32) outs(%r : tensor<8x8xf32>) -> tensor<8x8xf32>
  %s = linalg.reduce { arith.addf } ins(%t : tensor<8x8x384xf32>) outs(%z : tensor<8x8xf32>) dimensions = [2]
  %y = linalg.generic {indexing_maps = [#image, #pixel, #image], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%t, %s : tensor<8x8x384xf32>, tensor<8x8xf32>) outs(%e : tensor<8x8x384xf32>) {
  ^bb0(%v: f32, %m: f32, %o: f32):
    %d = arith.subf %v, %m : f32
    linalg.yield %d : f32
  } -> tensor<8x8x384xf32>
  return %y : tensor<8x8x384xf32>
}

// -----

#all = affine_map<(a, b) -> (a, b)>
#row = affine_map<(a, b) -> (a)>

// The planned kernel of the matmul computes both additions, the residual one too.
// CHECK-LABEL: func.func @residual
// CHECK: linalg.matmul {{.*}}epilogue = 2
// CHECK: linalg.generic
// CHECK-SAME: fsa.left_out = "computed by the kernel of linalg.matmul"
// CHECK: %[[SUM:.*]] = linalg.generic
// CHECK-SAME: fsa.left_out = "computed by the kernel of linalg.matmul"
// CHECK: "fsa.stitched_region"(%[[SUM]])
func.func @residual(%x: tensor<128x384xf32>, %w: tensor<384x384xf32>, %b: tensor<128xf32>)
    -> tensor<128x384xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<128x384xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<128x384xf32>) -> tensor<128x384xf32>
  %mm = linalg.matmul ins(%x, %w : tensor<128x384xf32>, tensor<384x384xf32>)
      outs(%z : tensor<128x384xf32>) -> tensor<128x384xf32>
  %h = linalg.generic {indexing_maps = [#all, #row, #all], iterator_types = ["parallel", "parallel"]}
      ins(%mm, %b : tensor<128x384xf32>, tensor<128xf32>) outs(%e : tensor<128x384xf32>) {
  ^bb0(%v: f32, %m: f32, %o: f32):
    %d = arith.addf %v, %m : f32
    linalg.yield %d : f32
  } -> tensor<128x384xf32>
  %k = linalg.generic {indexing_maps = [#all, #all, #all], iterator_types = ["parallel", "parallel"]}
      ins(%h, %x : tensor<128x384xf32>, tensor<128x384xf32>) outs(%e : tensor<128x384xf32>) {
  ^bb0(%v: f32, %m: f32, %o: f32):
    %d = arith.addf %v, %m : f32
    linalg.yield %d : f32
  } -> tensor<128x384xf32>
  %r = tensor.empty() : tensor<128xf32>
  %rz = linalg.fill ins(%zero : f32) outs(%r : tensor<128xf32>) -> tensor<128xf32>
  %s = linalg.reduce { arith.addf } ins(%k : tensor<128x384xf32>) outs(%rz : tensor<128xf32>) dimensions = [1]
  %y = linalg.generic {indexing_maps = [#all, #row, #all], iterator_types = ["parallel", "parallel"]}
      ins(%k, %s : tensor<128x384xf32>, tensor<128xf32>) outs(%e : tensor<128x384xf32>) {
  ^bb0(%v: f32, %m: f32, %o: f32):
    %d = arith.subf %v, %m : f32
    linalg.yield %d : f32
  } -> tensor<128x384xf32>
  return %y : tensor<128x384xf32>
}

// -----

// Two gates that do not depend on one another share a kernel: a launch is most of what they take.
// CHECK-LABEL: func.func @gates
// CHECK: %[[BOTH:.*]]:2 = "fsa.stitched_region"(%arg0, %arg1)
// CHECK: scope = {{.*}}kernels_portable = 2 : i64
// CHECK: return %[[BOTH]]#0, %[[BOTH]]#1
// CUDA-LABEL: func.func @gates
// CUDA: "fsa.stitched_region"(%arg0, %arg1)
// CUDA: kernels_portable = 2 : i64
func.func @gates(%x: tensor<4x8xf32>, %y: tensor<4x8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>) {
  %a = math.exp %x : tensor<4x8xf32>
  %b = math.tanh %y : tensor<4x8xf32>
  return %a, %b : tensor<4x8xf32>, tensor<4x8xf32>
}

// -----

// Slices read their parts, together at most the whole (196608 bytes), and one that is a result is
// written (98304), as is the other result.
// CHECK-LABEL: func.func @halves
// CHECK: "fsa.stitched_region"(%arg0)
// CHECK: scope = {bytes_portable = {{[0-9]+}} : i64, bytes_stitched = 393216 : i64
#row = affine_map<(a, b) -> (a)>
#all = affine_map<(a, b) -> (a, b)>
func.func @halves(%x: tensor<128x384xf32>) -> (tensor<64x384xf32>, tensor<64x384xf32>) {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<64x384xf32>
  %r = tensor.empty() : tensor<64xf32>
  %z = linalg.fill ins(%zero : f32) outs(%r : tensor<64xf32>) -> tensor<64xf32>
  %a = tensor.extract_slice %x[0, 0] [64, 384] [1, 1] : tensor<128x384xf32> to tensor<64x384xf32>
  %b = tensor.extract_slice %x[64, 0] [64, 384] [1, 1] : tensor<128x384xf32> to tensor<64x384xf32>
  %p = arith.mulf %a, %b : tensor<64x384xf32>
  %s = linalg.reduce { arith.addf } ins(%p : tensor<64x384xf32>) outs(%z : tensor<64xf32>) dimensions = [1]
  %y = linalg.generic {indexing_maps = [#all, #row, #all], iterator_types = ["parallel", "parallel"]}
      ins(%p, %s : tensor<64x384xf32>, tensor<64xf32>) outs(%e : tensor<64x384xf32>) {
  ^bb0(%v: f32, %m: f32, %o: f32):
    %d = arith.subf %v, %m : f32
    linalg.yield %d : f32
  } -> tensor<64x384xf32>
  return %a, %y : tensor<64x384xf32>, tensor<64x384xf32>
}
