// RUN: rm -rf %t && fsa-opt %s -p 'builtin.module(fsa-check-absent{ops=none},func.func(cse,fsa-check-absent{ops=none}),symbol-dce)' --mlir-print-ir-after-all --mlir-print-ir-tree-dir=%t -o /dev/null
// RUN: FileCheck %s --check-prefix=FIRST < %t/builtin_module_no-symbol-name/0_fsa-check-absent.mlir
// RUN: FileCheck %s --check-prefix=CSE < %t/builtin_module_no-symbol-name/func_func_f/1_0_cse.mlir
// RUN: FileCheck %s --check-prefix=OURS < %t/builtin_module_no-symbol-name/func_func_f/1_1_fsa-check-absent.mlir
// RUN: FileCheck %s --check-prefix=LAST < %t/builtin_module_no-symbol-name/2_symbol-dce.mlir
// FIRST: IR Dump After CheckAbsent
// FIRST-NEXT: module {
// CSE: IR Dump After CSEPass: cse
// CSE-NEXT: func.func @f
// OURS: IR Dump After CheckAbsent
// OURS-NEXT: func.func @f
// LAST: IR Dump After SymbolDCEPass
// LAST-NEXT: module {
func.func @f() {
  return
}
