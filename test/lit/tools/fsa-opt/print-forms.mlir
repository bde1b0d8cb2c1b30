// RUN: fsa-opt %s --mlir-print-op-generic | FileCheck %s --check-prefix=GENERIC
// RUN: fsa-opt %s --mlir-print-debuginfo | FileCheck %s --check-prefix=DEBUG
// RUN: fsa-opt %s --mlir-print-debuginfo --mlir-print-local-scope | FileCheck %s --check-prefix=LOCAL
// RUN: fsa-opt %s --mlir-pretty-debuginfo | FileCheck %s --check-prefix=PRETTY
// RUN: fsa-opt %s --mlir-elide-elementsattrs-if-larger=2 | FileCheck %s --check-prefix=ELIDE
// RUN: fsa-opt %s --mlir-elide-elementsattrs-if-larger=4 | FileCheck %s --check-prefix=FULL
// RUN: fsa-opt %s --mlir-print-skip-regions | FileCheck %s --check-prefix=SKIP
// RUN: fsa-opt %s -mlir-use-nameloc-as-prefix | FileCheck %s --check-prefix=NAMES
// GENERIC: "func.func"() <{
// GENERIC: "func.return"
// DEBUG: arith.constant dense<[1, 2, 3]> : tensor<3xi32> loc(#[[LOC:loc[0-9]*]])
// DEBUG: #[[LOC]] = loc("{{.*}}print-forms.mlir":21:8)
// LOCAL: arith.constant dense<[1, 2, 3]> : tensor<3xi32> loc("{{.*}}print-forms.mlir":21:8)
// PRETTY: arith.constant dense<[1, 2, 3]> : tensor<3xi32> {{.*}}print-forms.mlir:21:8
// ELIDE: dense_resource<__elided__> : tensor<3xi32>
// FULL: dense<[1, 2, 3]> : tensor<3xi32>
// SKIP-NOT: func.return
// NAMES: %weights = arith.constant
// NAMES-NOT: loc
func.func @f() -> (tensor<3xi32>, i32) {
  %0 = arith.constant dense<[1, 2, 3]> : tensor<3xi32>
  %1 = arith.constant 7 : i32 loc("weights")
  return %0, %1 : tensor<3xi32>, i32
}
