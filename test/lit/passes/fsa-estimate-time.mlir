// RUN: fsa-opt %s --split-input-file --fsa-estimate-time | FileCheck %s

// 1048576 sums at 0.01 ns, and 8 MiB that come in and go out at 0.012 ns a byte.
// CHECK: module attributes {fsa.nanoseconds = 111149 : i64}
#id = affine_map<(i) -> (i)>
module {
  func.func @sum(%x: tensor<1048576xf32>) -> tensor<1048576xf32> {
    %e = tensor.empty() : tensor<1048576xf32>
    %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
        ins(%x : tensor<1048576xf32>) outs(%e : tensor<1048576xf32>) {
    ^bb0(%a: f32, %o: f32):
      %s = arith.addf %a, %a : f32
      linalg.yield %s : f32
    } -> tensor<1048576xf32>
    return %y : tensor<1048576xf32>
  }
}

// -----

// CHECK: module {
// CHECK-NEXT: func.func @open
module {
  func.func @open(%x: tensor<?xf32>) -> tensor<?xf32> {
    return %x : tensor<?xf32>
  }
}
