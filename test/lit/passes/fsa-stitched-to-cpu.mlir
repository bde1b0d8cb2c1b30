// RUN: fsa-opt %s --split-input-file --pass-pipeline='builtin.module(fsa-attach-target{target=cpu:znver4},fsa-form-stitched-regions{min-ops=1},fsa-plan-stitching,fsa-stitched-to-cpu,convert-fsa-to-linalg)' | FileCheck %s

// Vectors along the row with one masked tail; the exponentials wait in a row buffer.
// CHECK-LABEL: func.func @softmax
// CHECK: "fsa.launch"({{.*}}) {kernel = @fsa_stitched_region_0
// CHECK: func.func private @fsa_stitched_region_0(%[[X:.*]]: memref<3x7x153xf32>, %[[M:.*]]: memref<7x153xf32>, %[[Y:.*]]: memref<3x7x153xf32>, %{{.*}}: index, %{{.*}}: index, %{{.*}}: index) attributes {fsa.kernel = "cpu"}
// CHECK: %[[ROW:.*]] = memref.alloca() : memref<153xf32>
// CHECK: scf.for
// CHECK: vector.load %[[X]]
// CHECK: vector.load %[[M]]
// CHECK: arith.maximumf {{.*}} : vector<16xf32>
// CHECK: vector.maskedload %[[X]]
// CHECK: vector.reduction <maximumf>
// CHECK: arith.bitcast {{.*}} : vector<16xi32> to vector<16xf32>
// CHECK: vector.store {{.*}}, %[[ROW]]
// CHECK: vector.maskedstore %[[ROW]]
// CHECK: vector.reduction <add>
// CHECK: vector.load %[[ROW]]
// CHECK: arith.divf
// CHECK: vector.store {{.*}}, %[[Y]]
// CHECK: vector.maskedstore %[[Y]]
func.func @softmax(%x0: tensor<3x7x153xf32>, %x1: tensor<7x153xf32>) -> (tensor<3x7x153xf32>) {
  %v0 = tensor.empty() : tensor<3x7x153xf32>
  %v1 = tensor.empty() : tensor<3x7xf32>
  %v2 = tensor.empty() : tensor<3x7x153xf32>
  %v3 = arith.constant 0.125 : f32
  %v4 = arith.constant 0xFF800000 : f32
  %v5 = arith.constant 0.0 : f32
  %v6 = linalg.generic {indexing_maps=[affine_map<(a, b, c)->(a, b, c)>, affine_map<(a, b, c)->(b, c)>, affine_map<(a, b, c)->(a, b, c)>], iterator_types=["parallel", "parallel", "parallel"]} ins(%x0, %x1 : tensor<3x7x153xf32>, tensor<7x153xf32>) outs(%v0 : tensor<3x7x153xf32>) {
  ^bb0(%i6_0: f32, %i6_1: f32, %i6_2: f32):
    %v6000 = arith.mulf %i6_0, %v3 : f32
    %v6001 = arith.addf %v6000, %i6_1 : f32
    linalg.yield %v6001 : f32
  } -> tensor<3x7x153xf32>
  %v7 = linalg.fill ins(%v4 : f32) outs(%v1 : tensor<3x7xf32>) -> tensor<3x7xf32>
  %v8 = linalg.generic {indexing_maps=[affine_map<(a, b, c)->(a, b, c)>, affine_map<(a, b, c)->(a, b)>], iterator_types=["parallel", "parallel", "reduction"]} ins(%v6 : tensor<3x7x153xf32>) outs(%v7 : tensor<3x7xf32>) {
  ^bb0(%i8_0: f32, %i8_1: f32):
    %v8000 = arith.maximumf %i8_1, %i8_0 : f32
    linalg.yield %v8000 : f32
  } -> tensor<3x7xf32>
  %v9 = linalg.generic {indexing_maps=[affine_map<(a, b, c)->(a, b, c)>, affine_map<(a, b, c)->(a, b)>, affine_map<(a, b, c)->(a, b, c)>], iterator_types=["parallel", "parallel", "parallel"]} ins(%v6, %v8 : tensor<3x7x153xf32>, tensor<3x7xf32>) outs(%v0 : tensor<3x7x153xf32>) {
  ^bb0(%i9_0: f32, %i9_1: f32, %i9_2: f32):
    %v9000 = arith.subf %i9_0, %i9_1 : f32
    %v9001 = math.exp %v9000 : f32
    linalg.yield %v9001 : f32
  } -> tensor<3x7x153xf32>
  %v10 = linalg.fill ins(%v5 : f32) outs(%v1 : tensor<3x7xf32>) -> tensor<3x7xf32>
  %v11 = linalg.generic {indexing_maps=[affine_map<(a, b, c)->(a, b, c)>, affine_map<(a, b, c)->(a, b)>], iterator_types=["parallel", "parallel", "reduction"]} ins(%v9 : tensor<3x7x153xf32>) outs(%v10 : tensor<3x7xf32>) {
  ^bb0(%i11_0: f32, %i11_1: f32):
    %v11000 = arith.addf %i11_1, %i11_0 : f32
    linalg.yield %v11000 : f32
  } -> tensor<3x7xf32>
  %v12 = linalg.generic {indexing_maps=[affine_map<(a, b, c)->(a, b, c)>, affine_map<(a, b, c)->(a, b)>, affine_map<(a, b, c)->(a, b, c)>], iterator_types=["parallel", "parallel", "parallel"]} ins(%v9, %v11 : tensor<3x7x153xf32>, tensor<3x7xf32>) outs(%v2 : tensor<3x7x153xf32>) {
  ^bb0(%i12_0: f32, %i12_1: f32, %i12_2: f32):
    %v12000 = arith.divf %i12_0, %i12_1 : f32
    linalg.yield %v12000 : f32
  } -> tensor<3x7x153xf32>
  return %v12 : tensor<3x7x153xf32>
}

// -----

// A panel: four rows at a time are added to one another, then to a buffer; the 33rd by itself. No
// reduction across lanes, and no tail where the columns fill the vectors.
// CHECK-LABEL: func.func @columns
// CHECK: func.func private
// CHECK: memref.alloca() : memref<32xf32>
// CHECK: scf.for {{.*}} to %c32 step %c4
// CHECK: scf.for {{.*}} step %c16
// CHECK-COUNT-4: vector.load %arg0
// CHECK-COUNT-4: arith.addf {{.*}} : vector<16xf32>
// CHECK: vector.store
// CHECK-COUNT-1: vector.load %arg0
// CHECK-NOT: vector.reduction
// CHECK-NOT: masked
// CHECK: return
func.func @columns(%x0: tensor<33x32xf32>) -> (tensor<32xf32>) {
  %v0 = arith.constant 0.0 : f32
  %v1 = arith.constant 33.0 : f32
  %v2 = tensor.empty() : tensor<32xf32>
  %v3 = linalg.fill ins(%v0 : f32) outs(%v2 : tensor<32xf32>) -> tensor<32xf32>
  %v4 = linalg.generic {indexing_maps=[affine_map<(a, b)->(a, b)>, affine_map<(a, b)->(b)>], iterator_types=["reduction", "parallel"]} ins(%x0 : tensor<33x32xf32>) outs(%v3 : tensor<32xf32>) {
  ^bb0(%i4_0: f32, %i4_1: f32):
    %v4000 = arith.addf %i4_1, %i4_0 : f32
    linalg.yield %v4000 : f32
  } -> tensor<32xf32>
  return %v4 : tensor<32xf32>
}

// -----

// Sizes are read from the arguments; the tail is masked. With no columns the loops leave the initial values.
// CHECK-LABEL: func.func @rows_of_any_length
// CHECK-NOT: scf.if
// CHECK: "fsa.launch"
// CHECK: func.func private @fsa_stitched_region_0(%{{.*}}: memref<?x?xf32>, %{{.*}}: memref<?xf32>
// CHECK: memref.dim
// CHECK: vector.maskedload
func.func @rows_of_any_length(%x0: tensor<?x?xf32>) -> (tensor<?xf32>) {
  %v0 = arith.constant 0 : index
  %v1 = tensor.dim %x0, %v0 : tensor<?x?xf32>
  %v2 = arith.constant 0.0 : f32
  %v3 = tensor.empty(%v1) : tensor<?xf32>
  %v4 = linalg.fill ins(%v2 : f32) outs(%v3 : tensor<?xf32>) -> tensor<?xf32>
  %v5 = linalg.generic {indexing_maps=[affine_map<(a, b)->(a, b)>, affine_map<(a, b)->(a)>], iterator_types=["parallel", "reduction"]} ins(%x0 : tensor<?x?xf32>) outs(%v4 : tensor<?xf32>) {
  ^bb0(%i5_0: f32, %i5_1: f32):
    %v5000 = arith.addf %i5_1, %i5_0 : f32
    linalg.yield %v5000 : f32
  } -> tensor<?xf32>
  return %v5 : tensor<?xf32>
}

// -----

// A scalar crosses as a word.
// CHECK-LABEL: func.func @scalar_operand
// CHECK: %[[WORD:.*]] = arith.bitcast %{{.*}} : f32 to i32
// CHECK: "fsa.launch"({{.*}}%[[WORD]]
// CHECK: func.func private @fsa_stitched_region_0(%[[ARG:.*]]: i32,
// CHECK: arith.bitcast %[[ARG]] : i32 to f32
func.func @scalar_operand(%x0: tensor<3x5xf32>, %x1: f32) -> (tensor<3x5xf32>) {
  %v0 = tensor.empty() : tensor<3x5xf32>
  %v1 = linalg.generic {indexing_maps=[affine_map<(a, b)->(a, b)>, affine_map<(a, b)->(a, b)>], iterator_types=["parallel", "parallel"]} ins(%x0 : tensor<3x5xf32>) outs(%v0 : tensor<3x5xf32>) {
  ^bb0(%i1_0: f32, %i1_1: f32):
    %v1000 = arith.mulf %i1_0, %x1 : f32
    %v1001 = arith.addf %v1000, %x1 : f32
    linalg.yield %v1001 : f32
  } -> tensor<3x5xf32>
  return %v1 : tensor<3x5xf32>
}

// -----

// Short rows: sixteen sums are joined into one vector, which is negated and stored at once.
// CHECK-LABEL: func.func @short_rows
// CHECK: func.func private @fsa_stitched_region_0(%[[X:.*]]: memref<100x32xf32>, %[[Y:.*]]: memref<100xf32>
// CHECK-COUNT-32: vector.load %[[X]]
// CHECK-COUNT-30: vector.shuffle
// CHECK-NOT: vector.reduction
// CHECK: arith.negf {{.*}} : vector<16xf32>
// CHECK: vector.store {{.*}}, %[[Y]]
func.func @short_rows(%x: tensor<100x32xf32>) -> tensor<100xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<100xf32>
  %filled = linalg.fill ins(%zero : f32) outs(%empty : tensor<100xf32>) -> tensor<100xf32>
  %sum = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<100x32xf32>) outs(%filled : tensor<100xf32>) {
  ^bb0(%a: f32, %b: f32):
    %c = arith.addf %a, %b : f32
    linalg.yield %c : f32
  } -> tensor<100xf32>
  %negated = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]} ins(%sum : tensor<100xf32>) outs(%empty : tensor<100xf32>) {
  ^bb0(%a: f32, %b: f32):
    %c = arith.negf %a : f32
    linalg.yield %c : f32
  } -> tensor<100xf32>
  return %negated : tensor<100xf32>
}

// -----

// A transposed operand: tiles of sixteen columns become rows in registers.
// CHECK-LABEL: func.func @transposed
// CHECK: func.func private @fsa_stitched_region_0(%[[X:.*]]: memref<48x32xf32>, %[[Y:.*]]: memref<32x48xf32>, %[[Z:.*]]: memref<32x48xf32>
// CHECK-COUNT-16: vector.load %[[X]]
// CHECK-COUNT-64: vector.shuffle
// CHECK: vector.load %[[Y]]
// CHECK: vector.store {{.*}}, %[[Z]]
func.func @transposed(%x: tensor<48x32xf32>, %y: tensor<32x48xf32>) -> tensor<32x48xf32> {
  %empty = tensor.empty() : tensor<32x48xf32>
  %sum = linalg.generic {indexing_maps = [affine_map<(i, j) -> (j, i)>, affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]} ins(%x, %y : tensor<48x32xf32>, tensor<32x48xf32>) outs(%empty : tensor<32x48xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %c = arith.addf %a, %b : f32
    linalg.yield %c : f32
  } -> tensor<32x48xf32>
  return %sum : tensor<32x48xf32>
}

// -----

// Rows of a tensor beyond the second cache: while exponentials are added up, the next row is asked for.
// CHECK-LABEL: func.func @next_row
// CHECK: func.func private @fsa_stitched_region_0(%[[X:.*]]: memref<512x4096xf32>
// CHECK: %[[NEXT:.*]] = arith.addi %{{.*}}, %c1 : index
// CHECK: memref.prefetch %[[X]]{{\[}}%[[NEXT]], %{{.*}}], read
// CHECK: arith.mulf {{.*}} : vector<16xf32>
func.func @next_row(%x: tensor<512x4096xf32>) -> tensor<512xf32> {
  %zero = arith.constant 0.0 : f32
  %low = arith.constant 0xFF800000 : f32
  %empty = tensor.empty() : tensor<512xf32>
  %lowest = linalg.fill ins(%low : f32) outs(%empty : tensor<512xf32>) -> tensor<512xf32>
  %filled = linalg.fill ins(%zero : f32) outs(%empty : tensor<512xf32>) -> tensor<512xf32>
  %max = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<512x4096xf32>) outs(%lowest : tensor<512xf32>) {
  ^bb0(%a: f32, %b: f32):
    %c = arith.maximumf %a, %b : f32
    linalg.yield %c : f32
  } -> tensor<512xf32>
  %sum = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i)>], iterator_types = ["parallel", "reduction"]} ins(%x, %max : tensor<512x4096xf32>, tensor<512xf32>) outs(%filled : tensor<512xf32>) {
  ^bb0(%a: f32, %m: f32, %b: f32):
    %c = arith.subf %a, %m : f32
    %d = math.exp %c : f32
    %e = arith.addf %b, %d : f32
    linalg.yield %e : f32
  } -> tensor<512xf32>
  return %sum : tensor<512xf32>
}
