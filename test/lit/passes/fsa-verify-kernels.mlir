// RUN: fsa-opt %s --split-input-file --fsa-verify-kernels --verify-diagnostics

// Launches and kernels that fit, on CPU and GPU.
func.func private @k(%s: i32, %x: memref<?x8xf32>, %y: memref<?x8xf16>, %i: index, %j: index, %l: index) attributes {fsa.kernel = "cpu"} {
  return
}

func.func @cpu(%n: index, %s: i32, %x: tensor<?x8xf32>) -> tensor<?x8xf16> {
  %y = "fsa.launch"(%n, %n, %n, %n, %s, %x) {kernel = @k, workgroup_size = array<i64: 64, 1, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (index, index, index, index, i32, tensor<?x8xf32>) -> tensor<?x8xf16>
  return %y : tensor<?x8xf16>
}

// -----

gpu.module @kernels {
  gpu.func @k(%s: i32, %x: memref<?x8xf32>, %y: memref<?x8xf16>) workgroup(%b: memref<64xf32, #gpu.address_space<workgroup>>) kernel {
    gpu.return
  }
}

func.func @gpu(%n: index, %s: i32, %x: tensor<?x8xf32>) -> tensor<?x8xf16> {
  %y = "fsa.launch"(%n, %n, %n, %n, %s, %x) {kernel = @kernels::@k, workgroup_size = array<i64: 64, 1, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (index, index, index, index, i32, tensor<?x8xf32>) -> tensor<?x8xf16>
  return %y : tensor<?x8xf16>
}

// -----

func.func @no_kernel(%n: index, %s: i32, %x: tensor<?x8xf32>) -> tensor<?x8xf16> {
  // expected-error@+1 {{expected kernel @k to be in the module, found none}}
  %y = "fsa.launch"(%n, %n, %n, %n, %s, %x) {kernel = @k, workgroup_size = array<i64: 64, 1, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (index, index, index, index, i32, tensor<?x8xf32>) -> tensor<?x8xf16>
  return %y : tensor<?x8xf16>
}

// -----

gpu.module @kernels {
  gpu.func @k(%s: i32, %x: memref<?x8xf32>, %y: memref<?x8xf16>) workgroup(%b: memref<64xf32, #gpu.address_space<workgroup>>) kernel {
    gpu.return
  }
}

func.func @no_kernel_in_module(%n: index, %s: i32, %x: tensor<?x8xf32>) -> tensor<?x8xf16> {
  // expected-error@+1 {{expected kernel @kernels::@other to be in the module, found none}}
  %y = "fsa.launch"(%n, %n, %n, %n, %s, %x) {kernel = @kernels::@other, workgroup_size = array<i64: 64, 1, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (index, index, index, index, i32, tensor<?x8xf32>) -> tensor<?x8xf16>
  return %y : tensor<?x8xf16>
}

// -----

func.func private @k(%s: i32, %x: memref<?x8xf32>, %y: memref<?x8xf16>, %i: index, %j: index, %l: index) attributes {fsa.kernel = "cpu"} {
  return
}

func.func @no_module(%n: index, %s: i32, %x: tensor<?x8xf32>) -> tensor<?x8xf16> {
  // expected-error@+1 {{expected kernel @k::@k to be in the module, found none}}
  %y = "fsa.launch"(%n, %n, %n, %n, %s, %x) {kernel = @k::@k, workgroup_size = array<i64: 64, 1, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (index, index, index, index, i32, tensor<?x8xf32>) -> tensor<?x8xf16>
  return %y : tensor<?x8xf16>
}

// -----

memref.global @k : memref<4xf32>

func.func @no_function(%n: index, %s: i32, %x: tensor<?x8xf32>) -> tensor<?x8xf16> {
  // expected-error@+1 {{expected kernel @k to be a func.func or gpu.func, found memref.global}}
  %y = "fsa.launch"(%n, %n, %n, %n, %s, %x) {kernel = @k, workgroup_size = array<i64: 64, 1, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (index, index, index, index, i32, tensor<?x8xf32>) -> tensor<?x8xf16>
  return %y : tensor<?x8xf16>
}

// -----

func.func private @k(%s: i32, %x: memref<?x8xf32>, %y: memref<?x8xf16>, %i: index, %j: index, %l: index) {
  return
}

func.func @not_marked(%n: index, %s: i32, %x: tensor<?x8xf32>) -> tensor<?x8xf16> {
  // expected-error@+1 {{expected kernel @k to be marked fsa.kernel = "cpu", found no such mark}}
  %y = "fsa.launch"(%n, %n, %n, %n, %s, %x) {kernel = @k, workgroup_size = array<i64: 64, 1, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (index, index, index, index, i32, tensor<?x8xf32>) -> tensor<?x8xf16>
  return %y : tensor<?x8xf16>
}

// -----

gpu.module @kernels {
  gpu.func @k(%s: i32, %x: memref<?x8xf32>, %y: memref<?x8xf16>) workgroup(%b: memref<64xf32, #gpu.address_space<workgroup>>) {
    gpu.return
  }
}

func.func @not_marked_gpu(%n: index, %s: i32, %x: tensor<?x8xf32>) -> tensor<?x8xf16> {
  // expected-error@+1 {{expected @kernels::@k to be a gpu.func marked kernel, found no such mark}}
  %y = "fsa.launch"(%n, %n, %n, %n, %s, %x) {kernel = @kernels::@k, workgroup_size = array<i64: 64, 1, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (index, index, index, index, i32, tensor<?x8xf32>) -> tensor<?x8xf16>
  return %y : tensor<?x8xf16>
}

// -----

func.func private @k(i32, memref<?x8xf32>, memref<?x8xf16>, index, index, index) attributes {fsa.kernel = "cpu"}

func.func @declaration(%n: index, %s: i32, %x: tensor<?x8xf32>) -> tensor<?x8xf16> {
  // expected-error@+1 {{expected kernel @k to have a body, found a declaration}}
  %y = "fsa.launch"(%n, %n, %n, %n, %s, %x) {kernel = @k, workgroup_size = array<i64: 64, 1, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (index, index, index, index, i32, tensor<?x8xf32>) -> tensor<?x8xf16>
  return %y : tensor<?x8xf16>
}

// -----

func.func private @k(%s: i32, %x: memref<?x8xf32>, %y: memref<?x8xf32>, %i: index, %j: index, %l: index) attributes {fsa.kernel = "cpu"} {
  return
}

func.func @element_type(%n: index, %s: i32, %x: tensor<?x8xf32>) -> tensor<?x8xf16> {
  // expected-error@+1 {{expected kernel @k to take (i32, memref<?x8xf32>, memref<?x8xf16>, index, index, index), found (i32, memref<?x8xf32>, memref<?x8xf32>, index, index, index)}}
  %y = "fsa.launch"(%n, %n, %n, %n, %s, %x) {kernel = @k, workgroup_size = array<i64: 64, 1, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (index, index, index, index, i32, tensor<?x8xf32>) -> tensor<?x8xf16>
  return %y : tensor<?x8xf16>
}

// -----

func.func private @k(%s: i32, %x: memref<?x8xf32>, %y: memref<?x8xf16>, %i: index, %j: index) attributes {fsa.kernel = "cpu"} {
  return
}

func.func @workgroup_ids(%n: index, %s: i32, %x: tensor<?x8xf32>) -> tensor<?x8xf16> {
  // expected-error@+1 {{expected kernel @k to take (i32, memref<?x8xf32>, memref<?x8xf16>, index, index, index), found (i32, memref<?x8xf32>, memref<?x8xf16>, index, index)}}
  %y = "fsa.launch"(%n, %n, %n, %n, %s, %x) {kernel = @k, workgroup_size = array<i64: 64, 1, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (index, index, index, index, i32, tensor<?x8xf32>) -> tensor<?x8xf16>
  return %y : tensor<?x8xf16>
}

// -----

func.func private @k(%s: i32, %x: memref<?x8xf32, strided<[16, 1]>>, %y: memref<?x8xf16>, %i: index, %j: index, %l: index) attributes {fsa.kernel = "cpu"} {
  return
}

func.func @layout(%n: index, %s: i32, %x: tensor<?x8xf32>) -> tensor<?x8xf16> {
  // expected-error@+1 {{expected kernel @k to take (i32, memref<?x8xf32>, memref<?x8xf16>, index, index, index), found (i32, memref<?x8xf32, strided<[16, 1]>>, memref<?x8xf16>, index, index, index)}}
  %y = "fsa.launch"(%n, %n, %n, %n, %s, %x) {kernel = @k, workgroup_size = array<i64: 64, 1, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (index, index, index, index, i32, tensor<?x8xf32>) -> tensor<?x8xf16>
  return %y : tensor<?x8xf16>
}

// -----

func.func private @k(%s: i32, %x: memref<?x8xf32>, %y: memref<?x8xf16>, %i: index, %j: index, %l: index) -> index attributes {fsa.kernel = "cpu"} {
  return %i : index
}

func.func @results(%n: index, %s: i32, %x: tensor<?x8xf32>) -> tensor<?x8xf16> {
  // expected-error@+1 {{expected kernel @k to return nothing, found 1 results}}
  %y = "fsa.launch"(%n, %n, %n, %n, %s, %x) {kernel = @k, workgroup_size = array<i64: 64, 1, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (index, index, index, index, i32, tensor<?x8xf32>) -> tensor<?x8xf16>
  return %y : tensor<?x8xf16>
}
