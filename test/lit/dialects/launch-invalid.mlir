// RUN: %verify-diag

// Every broken constraint of fsa.launch is reported with its label; the functions are named after it.

func.func @launch_c1(%n: index, %i: i32, %x: tensor<?x8xf32>) {
  // expected-error@+1 {{[launch_c1] expected grid and result_dims to be of type index, found i32}}
  %0 = "fsa.launch"(%n, %i, %n, %n, %x) {kernel = @k, workgroup_size = array<i64: 1, 1, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (index, i32, index, index, tensor<?x8xf32>) -> tensor<?x8xf32>
  return
}

// -----

func.func @launch_c2(%n: index, %i: i64, %x: tensor<?x8xf32>) {
  // expected-error@+1 {{[launch_c2] expected scalars of type i32, found i64}}
  %0 = "fsa.launch"(%n, %n, %n, %n, %i, %x) {kernel = @k, workgroup_size = array<i64: 1, 1, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (index, index, index, index, i64, tensor<?x8xf32>) -> tensor<?x8xf32>
  return
}

// -----

func.func @launch_c3(%n: index, %x: tensor<?x8xi1>) {
  // expected-error@+1 {{[launch_c3] expected inputs and outputs to be ranked dense tensors of i8, i16, i32, i64, f16, bf16, f32, f64, found tensor<?x8xi1>}}
  %0 = "fsa.launch"(%n, %n, %n, %n, %x) {kernel = @k, workgroup_size = array<i64: 1, 1, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (index, index, index, index, tensor<?x8xi1>) -> tensor<?x8xf32>
  return
}

// -----

func.func @launch_c3_output(%n: index, %x: tensor<?x8xf32>) {
  // expected-error@+1 {{[launch_c3] expected inputs and outputs to be ranked dense tensors of i8, i16, i32, i64, f16, bf16, f32, f64, found tensor<?x8xindex>}}
  %0 = "fsa.launch"(%n, %n, %n, %n, %x) {kernel = @k, workgroup_size = array<i64: 1, 1, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (index, index, index, index, tensor<?x8xf32>) -> tensor<?x8xindex>
  return
}

// -----

func.func @launch_c3_memref(%n: index, %x: memref<?x8xf32>) {
  // expected-error@+1 {{[launch_c3] expected inputs and outputs to be ranked dense tensors of i8, i16, i32, i64, f16, bf16, f32, f64, found memref<?x8xf32>}}
  %0 = "fsa.launch"(%n, %n, %n, %n, %x) {kernel = @k, workgroup_size = array<i64: 1, 1, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (index, index, index, index, memref<?x8xf32>) -> tensor<?x8xf32>
  return
}

// -----

func.func @launch_c4(%n: index, %x: tensor<?x8xf32>) {
  // expected-error@+1 {{[launch_c4] expected 1 result_dims, one for each ? of the results, found 0}}
  %0 = "fsa.launch"(%n, %n, %n, %x) {kernel = @k, workgroup_size = array<i64: 1, 1, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (index, index, index, tensor<?x8xf32>) -> tensor<?x8xf32>
  return
}

// -----

func.func @launch_c5(%n: index, %x: tensor<?x8xf32>) {
  // expected-error@+1 {{[launch_c5] expected workgroup_size to have positive sizes, found [64, 0, 1]}}
  %0 = "fsa.launch"(%n, %n, %n, %n, %x) {kernel = @k, workgroup_size = array<i64: 64, 0, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (index, index, index, index, tensor<?x8xf32>) -> tensor<?x8xf32>
  return
}

// -----

func.func @launch_c6(%n: index, %x: tensor<?x8xf32>) {
  %c = arith.constant 65536 : index
  // expected-error@+1 {{[launch_c6] expected grid sizes in [0, 65535], found 65536}}
  %0 = "fsa.launch"(%n, %n, %c, %n, %x) {kernel = @k, workgroup_size = array<i64: 1, 1, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (index, index, index, index, tensor<?x8xf32>) -> tensor<?x8xf32>
  return
}

// -----

func.func @launch_c7(%n: index, %x: tensor<?x8xf32>) {
  // expected-error@+1 {{[launch_c7] expected at least one output, found 0}}
  "fsa.launch"(%n, %n, %n, %x) {kernel = @k, workgroup_size = array<i64: 1, 1, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (index, index, index, tensor<?x8xf32>) -> ()
  return
}

// -----

func.func @kernel_kind(%n: index, %x: tensor<?x8xf32>) {
  // expected-error@+1 {{expected attribute kernel to be a symbol reference, found "k"}}
  %0 = "fsa.launch"(%n, %n, %n, %n, %x) {kernel = "k", workgroup_size = array<i64: 1, 1, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (index, index, index, index, tensor<?x8xf32>) -> tensor<?x8xf32>
  return
}

// -----

func.func @segment(%n: index, %x: tensor<?x8xf32>) {
  // expected-error@+1 {{expected the segment of grid_x to be 1, found 2}}
  %0 = "fsa.launch"(%n, %n, %n, %n, %x) {kernel = @k, workgroup_size = array<i64: 1, 1, 1>, operandSegmentSizes = array<i32: 2, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (index, index, index, index, tensor<?x8xf32>) -> tensor<?x8xf32>
  return
}
