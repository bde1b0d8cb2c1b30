// RUN: fsa-opt %s --allow-unregistered-dialect | FileCheck %s
// RUN: fsa-opt %s -allow-unregistered-dialect -p 'builtin.module(func.func(fsa-check-absent{ops=none},cse),my.container(cse))' | FileCheck %s
// RUN: not fsa-opt %s 2>&1 | FileCheck %s --check-prefix=REFUSED
// CHECK: "my.op"(){{.*}}!my.type
// REFUSED: error: {{.*}}unregistered dialect
func.func @f() {
  %0 = "my.op"() : () -> !my.type
  return
}
