// A pipeline of the bindings is printed pass by pass, ours beside it.
// RUN: fsa-opt %s -p 'builtin.module(fsa-check-absent{ops=none},buffer-deallocation-pipeline)' --mlir-print-ir-after-all -o /dev/null 2>&1 | FileCheck %s
// CHECK: IR Dump After CheckAbsent
// CHECK: IR Dump After {{.*}}: expand-realloc
// CHECK: IR Dump After {{.*}}: ownership-based-buffer-deallocation
// CHECK: IR Dump After {{.*}}: cse
func.func @f() {
  return
}
