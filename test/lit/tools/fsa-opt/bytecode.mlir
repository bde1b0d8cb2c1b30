// RUN: fsa-opt %s --emit-bytecode -o %t.mlirbc
// RUN: fsa-opt %t.mlirbc | FileCheck %s
// RUN: fsa-opt < %t.mlirbc --cse | FileCheck %s --check-prefix=CSE
// RUN: fsa-opt %s --emit-bytecode | fsa-opt | FileCheck %s
// RUN: fsa-opt %s --emit-bytecode --emit-bytecode-version=5 | fsa-opt | FileCheck %s
// RUN: fsa-opt %s --verify-roundtrip | FileCheck %s
// CHECK-LABEL: func.func @f
// CHECK: arith.addi
// CHECK: "fsa.pack_bits"
// CHECK: torch.aten.relu
// CSE-NOT: arith.addi
func.func @f(%a: i32, %x: tensor<2x40xf32>, %t: !torch.vtensor<[2],f32>) -> tensor<2x2xi32> {
  %0 = arith.addi %a, %a : i32
  %1 = "fsa.pack_bits"(%x) : (tensor<2x40xf32>) -> tensor<2x2xi32>
  %2 = torch.aten.relu %t : !torch.vtensor<[2],f32> -> !torch.vtensor<[2],f32>
  return %1 : tensor<2x2xi32>
}
