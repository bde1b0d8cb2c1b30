// RUN: fsa-opt %s -p 'builtin.module(func.func(cse,fsa-check-absent{ops=none}),buffer-deallocation-pipeline)' --dump-pass-pipeline -o /dev/null 2>&1 | FileCheck %s
// CHECK: Pass Manager with
// CHECK-NEXT: builtin.module(
// CHECK-NEXT: {{^}}  func.func(
// CHECK-NEXT: {{^}}    cse,
// CHECK-NEXT: {{^}}    fsa-check-absent{ops=none}
// CHECK-NEXT: {{^}}  ),
// CHECK-NEXT: {{^}}  expand-realloc
