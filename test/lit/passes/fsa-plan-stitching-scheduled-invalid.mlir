// RUN: fsa-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(fsa-form-stitched-regions{min-ops=1},transform-interpreter,fsa-plan-stitching,fsa-stitched-to-cpu)'

module attributes {transform.with_named_sequence, fsa.target = {kind = "vulkan", arch = "ampere"}} {
  func.func @gpu(%x: tensor<64xf32>) -> tensor<64xf32> {
    %e = tensor.empty() : tensor<64xf32>
    // expected-error@+1 {{expected a region without a schedule for the target vulkan:ampere, found scf.forall in its body: loops become a kernel on a CPU only}}
    %y = linalg.exp ins(%x : tensor<64xf32>) outs(%e : tensor<64xf32>) -> tensor<64xf32>
    return %y : tensor<64xf32>
  }
  transform.named_sequence @__transform_main(%module: !transform.any_op {transform.readonly}) {
    %exp = transform.structured.match ops{["linalg.exp"]} in %module : (!transform.any_op) -> !transform.any_op
    %tile, %tasks = transform.structured.tile_using_forall %exp tile_sizes [8] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence, fsa.target = {kind = "cpu", arch = "znver4"}} {
  func.func @dynamic(%x: tensor<?xf32>) -> tensor<?xf32> {
    // expected-error@+1 {{expected a scheduled region to take and give tensors of static size of i8, i16, i32, i64, f16, bf16, f32, f64, found tensor<?xf32>}}
    %y = linalg.exp ins(%x : tensor<?xf32>) outs(%x : tensor<?xf32>) -> tensor<?xf32>
    return %y : tensor<?xf32>
  }
  transform.named_sequence @__transform_main(%module: !transform.any_op {transform.readonly}) {
    %exp = transform.structured.match ops{["linalg.exp"]} in %module : (!transform.any_op) -> !transform.any_op
    %tile, %loop = transform.structured.tile_using_for %exp tile_sizes [8] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence, fsa.target = {kind = "cpu", arch = "znver4"}} {
  func.func @large(%x: tensor<512x512xf32>) -> tensor<512x512xf32> {
    %e = tensor.empty() : tensor<512x512xf32>
    %s = linalg.exp ins(%x : tensor<512x512xf32>) outs(%e : tensor<512x512xf32>) -> tensor<512x512xf32>
    // expected-error@+1 {{expected the buffers of a scheduled region to take at most 262144 bytes, found one that is larger, or open: fuse producers into the loops that use them, or tile further}}
    %y = linalg.add ins(%s, %x : tensor<512x512xf32>, tensor<512x512xf32>) outs(%e : tensor<512x512xf32>) -> tensor<512x512xf32>
    return %y : tensor<512x512xf32>
  }
  transform.named_sequence @__transform_main(%module: !transform.any_op {transform.readonly}) {
    %add = transform.structured.match ops{["linalg.add"]} in %module : (!transform.any_op) -> !transform.any_op
    %tile, %tasks = transform.structured.tile_using_forall %add tile_sizes [8, 8] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}
