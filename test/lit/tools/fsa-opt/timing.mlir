// RUN: fsa-opt %s -p 'builtin.module(func.func(cse,fsa-check-absent{ops=none}),symbol-dce)' --mlir-timing -o /dev/null 2>&1 | FileCheck %s
// RUN: fsa-opt %s -p 'builtin.module(func.func(cse,fsa-check-absent{ops=none}),symbol-dce)' --mlir-timing --mlir-timing-display=list -o /dev/null 2>&1 | FileCheck %s --check-prefix=LIST
// CHECK: Execution time report
// CHECK: Total Execution Time: {{[0-9.]+}} seconds
// CHECK: ----Wall Time----  ----Name----
// CHECK-NEXT: {{[0-9.]+}} ({{ *[0-9.]+}}%)  Parser
// CHECK-NEXT: {{\)  'func.func' Pipeline}}
// CHECK-NEXT: {{\)    CSEPass}}
// CHECK-NEXT: {{\)    CheckAbsent}}
// CHECK-NEXT: {{\)  SymbolDCEPass}}
// CHECK-NEXT: {{\)  Output}}
// CHECK-NEXT: {{\)  Rest}}
// CHECK-NEXT: (100.0%)  Total
// LIST: Execution time report
// LIST-DAG: CSEPass
// LIST-DAG: Parser
// LIST: (100.0%)  Total
func.func @f() {
  return
}
