// RUN: fsa-opt %s --fsa-attach-target=target=cpu:znver4 --fsa-form-stitched-regions=min-ops=1 --fsa-plan-stitching --fsa-stitched-to-cpu | FileCheck %s
// RUN: fsa-opt %s --fsa-attach-target=target=cpu:haswell --fsa-form-stitched-regions=min-ops=1 --fsa-plan-stitching --fsa-stitched-to-cpu | FileCheck %s --check-prefix=OLD

#id = affine_map<(d0) -> (d0)>

// A vector of f32 becomes bf16 in one instruction where the processor has it.
// CHECK-LABEL: func.func @main
// CHECK: llvm.call_intrinsic "llvm.x86.avx512bf16.cvtneps2bf16.512"
// OLD-LABEL: func.func @main
// OLD-NOT: cvtneps2bf16
// OLD: arith.truncf {{.*}} : vector<8xf32> to vector<8xbf16>
func.func @main(%x: tensor<64xbf16>) -> tensor<64xbf16> {
  %e = tensor.empty() : tensor<64xbf16>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<64xbf16>) outs(%e : tensor<64xbf16>) {
  ^bb0(%a: bf16, %o: bf16):
    %v = arith.mulf %a, %a : bf16
    linalg.yield %v : bf16
  } -> tensor<64xbf16>
  return %y : tensor<64xbf16>
}
