// RUN: fsa-opt %s --split-input-file --fsa-plan-binarized --fsa-binarized-to-gpu --canonicalize --cse | FileCheck %s

// Tiles lie in workgroup memory as 32-bit halves: no popcount and no loop-carried value is i64.
// CHECK-LABEL: func.func @matmul
// CHECK: "fsa.launch"
// CHECK-SAME: kernel = @kernels::@fsa_binarized_matmul_0
// CHECK-SAME: workgroup_size = array<i64: 128, 1, 1>
// CHECK: gpu.module @kernels
// CHECK: gpu.func @fsa_binarized_matmul_0(%{{.*}}: memref<?x9xi64>, %{{.*}}: memref<70x9xi64>, %{{.*}}: memref<?x70xi32>) workgroup(%{{.*}} : memref<{{[0-9]+}}xi32, #gpu.address_space<workgroup>>, %{{.*}} : memref<{{[0-9]+}}xi32, #gpu.address_space<workgroup>>) kernel
// CHECK: arith.trunci %{{.*}} : i64 to i32
// CHECK: gpu.barrier
// CHECK-NOT: math.ctpop %{{.*}} : i64
// CHECK: math.ctpop %{{.*}} : i32
// CHECK: gpu.barrier
module attributes {fsa.target = {kind = "vulkan", arch = "", max_workgroup_size = 128 : i64,
    workgroup_memory_bytes = 16384 : i64, has_i64 = false, has_f64 = false}} {
  func.func @matmul(%a: tensor<?x9xi64>, %b: tensor<70x9xi64>) -> tensor<?x70xi32> {
    %0 = "fsa.binarized_matmul"(%a, %b) {depth = 555 : i64}
        : (tensor<?x9xi64>, tensor<70x9xi64>) -> tensor<?x70xi32>
    return %0 : tensor<?x70xi32>
  }
}

// -----

// Neighbouring threads join their bits: through shuffles here, and two halves make a 64-bit word.
// CHECK-LABEL: gpu.func @fsa_pack_bits_0
// CHECK: arith.bitcast %{{.*}} : f64 to i64
// CHECK: gpu.shuffle  xor
// CHECK: arith.extui %{{.*}} : i32 to i64
// CHECK: arith.shli
module attributes {fsa.target = {kind = "cuda", arch = "sm_89", max_workgroup_size = 1024 : i64, has_shuffle = true}} {
  func.func @pack(%x: tensor<4x100xf64>) -> tensor<4x2xi64> {
    %0 = "fsa.pack_bits"(%x) : (tensor<4x100xf64>) -> tensor<4x2xi64>
    return %0 : tensor<4x2xi64>
  }
}

// -----

// Taps that count as +1 read a padding word, so no count is masked. What an image of no rows sums to
// is left to the portable lowering.
// CHECK-LABEL: func.func @conv
// CHECK: scf.if
// CHECK: "fsa.binarized_conv2d"
// CHECK-NOT: plan =
// CHECK: } else {
// CHECK: "fsa.launch"
// CHECK: gpu.func @fsa_binarized_conv2d_0
// CHECK: arith.select %{{.*}}, %{{.*}}, %{{.*}} : i64
// CHECK-NOT: arith.andi %{{.*}} : i32
// CHECK: gpu.return
module attributes {fsa.target = {kind = "vulkan", arch = "", max_workgroup_size = 128 : i64,
    workgroup_memory_bytes = 16384 : i64, has_i64 = false, has_f64 = false}} {
  func.func @conv(%x: tensor<1x?x8x2xi64>, %f: tensor<8x3x3x2xi64>) -> tensor<1x?x8x8xi32> {
    %0 = "fsa.binarized_conv2d"(%x, %f)
        {channels = 100 : i64, strides = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>, pad_mode = "one"}
        : (tensor<1x?x8x2xi64>, tensor<8x3x3x2xi64>) -> tensor<1x?x8x8xi32>
    return %0 : tensor<1x?x8x8xi32>
  }
}
