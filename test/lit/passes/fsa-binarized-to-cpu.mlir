// RUN: fsa-opt %s --split-input-file --fsa-plan-binarized --fsa-binarized-to-cpu --canonicalize --cse | FileCheck %s

// A dynamic batch needs no guard on a CPU, and the kernel shares tasks out over the grid.
// CHECK-LABEL: func.func @matmul
// CHECK-NOT: scf.if
// CHECK: "fsa.launch"
// CHECK-SAME: kernel = @fsa_binarized_matmul_0
// CHECK: func.func private @fsa_binarized_matmul_0(
// CHECK-SAME: memref<?x64xi64>, %{{.*}}: memref<40x64xi64>, %{{.*}}: memref<?x40xi32>, %{{.*}}: index, %{{.*}}: index, %{{.*}}: index) attributes {fsa.kernel = "cpu"}
// CHECK: memref.alloca() {{.*}}: memref<64x8xi64>
// CHECK: scf.for {{.*}} step %c65535
// CHECK: vector.shuffle
// CHECK: scf.for {{.*}} iter_args
// CHECK: math.ctpop %{{.*}} : vector<8xi64>
// CHECK: vector.store %{{.*}} : memref<?x40xi32>, vector<8xi32>
module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 512 : i64, has_vector_popcount = true, cores = 1 : i64}} {
  func.func @matmul(%a: tensor<?x64xi64>, %b: tensor<40x64xi64>) -> tensor<?x40xi32> {
    %0 = "fsa.binarized_matmul"(%a, %b) {depth = 4096 : i64}
        : (tensor<?x64xi64>, tensor<40x64xi64>) -> tensor<?x40xi32>
    return %0 : tensor<?x40xi32>
  }
}

// -----

// One row: lanes along the depth, the tail masked, lanes summed at the end.
// CHECK-LABEL: func.func @vector
// CHECK-NOT: scf.if
// CHECK: func.func private @fsa_binarized_matmul_0
// CHECK: vector.maskedload
// CHECK: math.ctpop %{{.*}} : vector<8xi64>
// CHECK: vector.reduction <add>
module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 512 : i64, has_vector_popcount = true, cores = 1 : i64}} {
  func.func @vector(%a: tensor<1x13xi64>, %b: tensor<40x13xi64>) -> tensor<1x40xi32> {
    %0 = "fsa.binarized_matmul"(%a, %b) {depth = 800 : i64}
        : (tensor<1x13xi64>, tensor<40x13xi64>) -> tensor<1x40xi32>
    return %0 : tensor<1x40xi32>
  }
}

// -----

// Sizes that are 0 need no kernel.
// CHECK-LABEL: func.func @empty
// CHECK-NOT: fsa
// CHECK: linalg.fill
// CHECK-NOT: fsa
// CHECK: return
module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 512 : i64, has_vector_popcount = true}} {
  func.func @empty(%a: tensor<3x0xi64>, %b: tensor<4x0xi64>) -> tensor<3x4xi32> {
    %0 = "fsa.binarized_matmul"(%a, %b) {depth = 0 : i64}
        : (tensor<3x0xi64>, tensor<4x0xi64>) -> tensor<3x4xi32>
    return %0 : tensor<3x4xi32>
  }
}

// -----

// Signs come from the bits of floats; a word is one vector of conditions; flips past the channels
// are masked.
// CHECK-LABEL: func.func @bits
// CHECK: func.func private @fsa_pack_bits_0
// CHECK: vector.maskedload {{.*}} vector<32xf16>
// CHECK: arith.bitcast {{.*}} : vector<32xf16> to vector<32xi16>
// CHECK: arith.cmpi ule
// CHECK: vector.bitcast %{{.*}} : vector<32xi1> to vector<1xi32>
// CHECK: func.func private @fsa_binarized_threshold_0
// CHECK: arith.cmpi sge, %{{.*}} : vector<64xi32>
// CHECK: arith.andi
// CHECK: arith.xori
// CHECK: func.func private @fsa_unpack_bits_0
// CHECK: vector.bitcast %{{.*}} : vector<1xi32> to vector<32xi1>
// CHECK: vector.maskedstore {{.*}} vector<32xbf16>
module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 512 : i64, has_vector_popcount = true}} {
  func.func @bits(%x: tensor<9x20xf16>, %acc: tensor<2x?x70xi32>, %tau: tensor<70xi32>, %flip: tensor<2xi64>)
      -> (tensor<9x1xi32>, tensor<2x?x2xi64>, tensor<9x20xbf16>) {
    %0 = "fsa.pack_bits"(%x) : (tensor<9x20xf16>) -> tensor<9x1xi32>
    %1 = "fsa.binarized_threshold"(%acc, %tau, %flip)
        : (tensor<2x?x70xi32>, tensor<70xi32>, tensor<2xi64>) -> tensor<2x?x2xi64>
    %2 = "fsa.unpack_bits"(%0) {depth = 20 : i64} : (tensor<9x1xi32>) -> tensor<9x20xbf16>
    return %0, %1, %2 : tensor<9x1xi32>, tensor<2x?x2xi64>, tensor<9x20xbf16>
  }
}

// -----

// Inside the image no tap is masked; without a frame there is no other path. A plan of the form
// "portable" leaves its op.
// CHECK-LABEL: func.func @windows
// CHECK: "fsa.binarized_conv2d"
// CHECK-SAME: plan = {{{.*}}form = "portable"
// CHECK-NOT: "fsa.binarized_conv2d"
// CHECK: func.func private @fsa_binarized_conv2d_0
// CHECK: scf.if %{{.*}} -> (vector<8xi64>
// CHECK: } else {
// CHECK: arith.andi %{{.*}} : vector<8xi64>
// CHECK: func.func private @fsa_binarized_max_pool2d_0
// CHECK: arith.ori %{{.*}} : vector<2xi64>
module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 512 : i64, has_vector_popcount = true, cores = 1 : i64}} {
  func.func @windows(%x: tensor<1x8x20x2xi64>, %f: tensor<8x3x3x2xi64>)
      -> (tensor<1x8x20x8xi32>, tensor<1x4x10x2xi64>, tensor<1x6x18x8xi32>) {
    %0 = "fsa.binarized_conv2d"(%x, %f)
        {channels = 128 : i64, strides = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>, pad_mode = "zero"}
        : (tensor<1x8x20x2xi64>, tensor<8x3x3x2xi64>) -> tensor<1x8x20x8xi32>
    %1 = "fsa.binarized_max_pool2d"(%x)
        {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, pad = array<i64: 0, 0, 0, 0>}
        : (tensor<1x8x20x2xi64>) -> tensor<1x4x10x2xi64>
    %2 = "fsa.binarized_conv2d"(%x, %f)
        {channels = 128 : i64, strides = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, pad_mode = "zero",
         plan = {form = "portable"}}
        : (tensor<1x8x20x2xi64>, tensor<8x3x3x2xi64>) -> tensor<1x6x18x8xi32>
    return %0, %1, %2 : tensor<1x8x20x8xi32>, tensor<1x4x10x2xi64>, tensor<1x6x18x8xi32>
  }
}

// -----

// Ops that differ in their operands only share a kernel; another depth is another kernel.
// CHECK-LABEL: func.func @shared
// CHECK-COUNT-2: kernel = @fsa_binarized_matmul_0
// CHECK: kernel = @fsa_binarized_matmul_1
// CHECK: func.func private @fsa_binarized_matmul_0
// CHECK: func.func private @fsa_binarized_matmul_1
// CHECK-NOT: func.func
module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 512 : i64, has_vector_popcount = true, cores = 1 : i64}} {
  func.func @shared(%a: tensor<9x2xi64>, %b: tensor<9x2xi64>)
      -> (tensor<9x9xi32>, tensor<9x9xi32>, tensor<9x9xi32>) {
    %0 = "fsa.binarized_matmul"(%a, %b) {depth = 128 : i64}
        : (tensor<9x2xi64>, tensor<9x2xi64>) -> tensor<9x9xi32>
    %1 = "fsa.binarized_matmul"(%b, %a) {depth = 128 : i64}
        : (tensor<9x2xi64>, tensor<9x2xi64>) -> tensor<9x9xi32>
    %2 = "fsa.binarized_matmul"(%b, %a) {depth = 127 : i64}
        : (tensor<9x2xi64>, tensor<9x2xi64>) -> tensor<9x9xi32>
    return %0, %1, %2 : tensor<9x9xi32>, tensor<9x9xi32>, tensor<9x9xi32>
  }
}

// -----

// Constant weights come in turned, two blocks of 4 vectors, and the threshold is a part of the kernel.
// CHECK-LABEL: func.func @fused
// CHECK: %[[W:.*]] = arith.constant dense<{{.*}}> : tensor<1x2x64xi32>
// CHECK: %[[BITS:.*]] = "fsa.launch"({{.*}}, %[[W]], %{{.*}}, %{{.*}})
// CHECK-NOT: fsa.
// CHECK: return %[[BITS]]
// CHECK: func.func private @fsa_binarized_matmul_0(%{{.*}}: memref<?x2xi32>, %{{.*}}: memref<1x2x64xi32>, %{{.*}}: memref<40xi32>, %{{.*}}: memref<2xi32>, %{{.*}}: memref<?x2xi32>
// CHECK-NOT: memref.alloca
// CHECK: math.ctpop %{{.*}} : vector<16xi32>
// CHECK: arith.cmpi sge, %{{.*}}, %{{.*}} : vector<16xi32>
// CHECK: vector.bitcast %{{.*}} : vector<16xi1> to vector<1xi16>
// CHECK: memref.store %{{.*}} : memref<?x2xi32>
module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 512 : i64, has_vector_popcount = true, cores = 1 : i64}} {
  func.func @fused(%a: tensor<?x2xi32>, %tau: tensor<40xi32>, %flip: tensor<2xi32>) -> tensor<?x2xi32> {
    %w = arith.constant dense<7> : tensor<40x2xi32>
    %0 = "fsa.binarized_matmul"(%a, %w) {depth = 64 : i64}
        : (tensor<?x2xi32>, tensor<40x2xi32>) -> tensor<?x40xi32>
    %1 = "fsa.binarized_threshold"(%0, %tau, %flip)
        : (tensor<?x40xi32>, tensor<40xi32>, tensor<2xi32>) -> tensor<?x2xi32>
    return %1 : tensor<?x2xi32>
  }
}

// -----

// Bytes are counted and added up as bytes, carries of two words at a time.
// CHECK-LABEL: func.func @bytes
// CHECK: func.func private @fsa_binarized_matmul_0
// CHECK: math.ctpop %{{.*}} : vector<32xi8>
// CHECK: arith.addi %{{.*}} : vector<32xi8>
// CHECK: math.ctpop %{{.*}} : vector<8xi32>
module attributes {fsa.target = {kind = "cpu", arch = "haswell", vector_bits = 256 : i64, cores = 1 : i64}} {
  func.func @bytes(%a: tensor<64x8xi32>, %b: tensor<64x8xi32>) -> tensor<64x64xi32> {
    %0 = "fsa.binarized_matmul"(%a, %b) {depth = 256 : i64}
        : (tensor<64x8xi32>, tensor<64x8xi32>) -> tensor<64x64xi32>
    return %0 : tensor<64x64xi32>
  }
}
