// Dialects that are loaded when the input names them.
// RUN: fsa-opt %s | fsa-opt | FileCheck %s
// RUN: fsa-opt %s --mlir-print-op-generic | fsa-opt | FileCheck %s
// RUN: fsa-opt %s --emit-bytecode | fsa-opt | FileCheck %s
// CHECK-LABEL: func.func @torch
// CHECK: torch.aten.mm
// CHECK: torch_c.to_builtin_tensor
func.func @torch(%a: !torch.vtensor<[2,3],f32>, %b: !torch.vtensor<[3,4],f32>) -> tensor<2x4xf32> {
  %0 = torch.aten.mm %a, %b : !torch.vtensor<[2,3],f32>, !torch.vtensor<[3,4],f32> -> !torch.vtensor<[2,4],f32>
  %1 = torch_c.to_builtin_tensor %0 : !torch.vtensor<[2,4],f32> -> tensor<2x4xf32>
  return %1 : tensor<2x4xf32>
}
// CHECK-LABEL: func.func @stablehlo
// CHECK: stablehlo.add
// CHECK: chlo.tan
func.func @stablehlo(%a: tensor<2xf32>) -> tensor<2xf32> {
  %0 = stablehlo.add %a, %a : tensor<2xf32>
  %1 = chlo.tan %0 : tensor<2xf32> -> tensor<2xf32>
  return %1 : tensor<2xf32>
}
// CHECK-LABEL: func.func @tm_tensor
// CHECK: tm_tensor.scan
func.func @tm_tensor(%in: tensor<8xi32>, %out: tensor<8xi32>, %acc: tensor<i32>) -> (tensor<8xi32>, tensor<i32>) {
  %0:2 = tm_tensor.scan dimension(0) inclusive(true) ins(%in : tensor<8xi32>) outs(%out, %acc : tensor<8xi32>, tensor<i32>) {
  ^bb0(%x: i32, %y: i32):
    %1 = arith.addi %x, %y : i32
    tm_tensor.yield %1 : i32
  } -> tensor<8xi32>, tensor<i32>
  return %0#0, %0#1 : tensor<8xi32>, tensor<i32>
}
// CHECK-LABEL: vhlo.func_v1 @vhlo
vhlo.func_v1 @vhlo(%a: !vhlo.tensor_v1<2x!vhlo.f32_v1>) -> (!vhlo.tensor_v1<2x!vhlo.f32_v1>) {
  %0 = "vhlo.add_v1"(%a, %a) : (!vhlo.tensor_v1<2x!vhlo.f32_v1>, !vhlo.tensor_v1<2x!vhlo.f32_v1>) -> !vhlo.tensor_v1<2x!vhlo.f32_v1>
  "vhlo.return_v1"(%0) : (!vhlo.tensor_v1<2x!vhlo.f32_v1>) -> ()
} {arg_attrs = #vhlo.array_v1<[]>, res_attrs = #vhlo.array_v1<[]>, sym_visibility = #vhlo.string_v1<"">}
