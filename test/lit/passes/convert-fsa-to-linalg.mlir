// RUN: fsa-opt --convert-fsa-to-linalg --canonicalize --cse %s | FileCheck %s

// Packing: the depth is padded with a negative number to whole words, split into words, and the
// bits of each word are OR'ed together. The sign test is made on the bits of the float.

// CHECK-LABEL: func.func @pack_bits(
// CHECK-SAME:    %[[X:.*]]: tensor<3x37xf32>)
// CHECK-DAG:   %[[MASKS:.*]] = arith.constant dense<[1, 2, 4, 8, {{.*}}, 1073741824, -2147483648]> : tensor<32xi32>
// CHECK-DAG:   %[[INFINITY:.*]] = arith.constant 2139095040 : i32
// CHECK-DAG:   %[[MINUS_ZERO:.*]] = arith.constant -2147483648 : i32
// CHECK-DAG:   %[[FILLER:.*]] = arith.constant -1.000000e+00 : f32
// CHECK:       %[[PADDED:.*]] = tensor.pad %[[X]] low[0, 0] high[0, 27]
// CHECK:         tensor.yield %[[FILLER]] : f32
// CHECK:       %[[SPLIT:.*]] = tensor.expand_shape %[[PADDED]] {{\[\[}}0], [1, 2]] output_shape [3, 2, 32]
// CHECK:       linalg.generic
// CHECK-SAME:    iterator_types = ["parallel", "parallel", "reduction"]
// CHECK-SAME:    ins(%[[SPLIT]], %[[MASKS]] : tensor<3x2x32xf32>, tensor<32xi32>)
// CHECK:       ^bb0(%[[ELEMENT:.*]]: f32, %[[MASK:.*]]: i32, %[[BITS:.*]]: i32):
// CHECK:         %[[INTEGER:.*]] = arith.bitcast %[[ELEMENT]] : f32 to i32
// CHECK:         arith.cmpi ule, %[[INTEGER]], %[[INFINITY]] : i32
// CHECK:         arith.cmpi eq, %[[INTEGER]], %[[MINUS_ZERO]] : i32
// CHECK:         %[[BIT:.*]] = arith.select %{{.*}}, %[[MASK]], %{{.*}} : i32
// CHECK:         %[[WORD:.*]] = arith.ori %[[BITS]], %[[BIT]] : i32
// CHECK:         linalg.yield %[[WORD]] : i32
// CHECK-NOT:   fsa.
func.func @pack_bits(%x: tensor<3x37xf32>) -> tensor<3x2xi32> {
  %bits = "fsa.pack_bits"(%x) : (tensor<3x37xf32>) -> tensor<3x2xi32>
  return %bits : tensor<3x2xi32>
}

// A depth of whole words needs no padding.

// CHECK-LABEL: func.func @pack_bits_whole_words(
// CHECK-NOT:   tensor.pad
// CHECK:       tensor.expand_shape
func.func @pack_bits_whole_words(%x: tensor<3x64xf32>) -> tensor<3x2xi32> {
  %bits = "fsa.pack_bits"(%x) : (tensor<3x64xf32>) -> tensor<3x2xi32>
  return %bits : tensor<3x2xi32>
}

// What may be empty at run time is guarded; the guard gives the op's value for empty tensors.

// CHECK-LABEL: func.func @pack_bits_dynamic(
// CHECK-SAME:    %[[X:.*]]: tensor<?x37xf32>)
// CHECK-DAG:   %[[C0:.*]] = arith.constant 0 : index
// CHECK:       %[[ROWS:.*]] = tensor.dim %[[X]], %[[C0]]
// CHECK:       %[[EMPTY:.*]] = arith.cmpi eq, %[[ROWS]], %[[C0]] : index
// CHECK:       scf.if %[[EMPTY]] -> (tensor<?x2xi32>)
// CHECK-NOT:   linalg.generic
// CHECK:       linalg.fill
// CHECK:       else
// CHECK:       linalg.generic
func.func @pack_bits_dynamic(%x: tensor<?x37xf32>) -> tensor<?x2xi32> {
  %bits = "fsa.pack_bits"(%x) : (tensor<?x37xf32>) -> tensor<?x2xi32>
  return %bits : tensor<?x2xi32>
}

// What is known to be empty is decided here.

// CHECK-LABEL: func.func @pack_bits_empty(
// CHECK-NOT:   linalg.generic
// CHECK-NOT:   scf.if
// CHECK:       return
func.func @pack_bits_empty(%x: tensor<0x37xf32>) -> tensor<0x2xi32> {
  %bits = "fsa.pack_bits"(%x) : (tensor<0x37xf32>) -> tensor<0x2xi32>
  return %bits : tensor<0x2xi32>
}

// Unpacking: one element a bit, then the words are joined and cut to the depth.

// CHECK-LABEL: func.func @unpack_bits(
// CHECK-SAME:    %[[BITS:.*]]: tensor<3x2xi32>)
// CHECK-DAG:   %[[PLUS:.*]] = arith.constant 1.000000e+00 : bf16
// CHECK-DAG:   %[[MINUS:.*]] = arith.constant -1.000000e+00 : bf16
// CHECK:       %[[SIGNS:.*]] = linalg.generic
// CHECK-SAME:    ins(%[[BITS]], %{{.*}} : tensor<3x2xi32>, tensor<32xi32>)
// CHECK:         arith.select %{{.*}}, %[[PLUS]], %[[MINUS]] : bf16
// CHECK:       %[[JOINED:.*]] = tensor.collapse_shape %[[SIGNS]] {{.*}} into tensor<3x64xbf16>
// CHECK:       tensor.extract_slice %[[JOINED]][0, 0] [3, 37] [1, 1]
func.func @unpack_bits(%bits: tensor<3x2xi32>) -> tensor<3x37xbf16> {
  %x = "fsa.unpack_bits"(%bits) {depth = 37 : i64} : (tensor<3x2xi32>) -> tensor<3x37xbf16>
  return %x : tensor<3x37xbf16>
}

// Kernel launches and what is not of the dialect stay.

// CHECK-LABEL: func.func @others_stay(
// CHECK:       math.exp
// CHECK:       "fsa.launch"
func.func @others_stay(%x: tensor<4xf32>) -> tensor<4xf32> {
  %one = arith.constant 1 : index
  %0 = math.exp %x : tensor<4xf32>
  %1 = "fsa.launch"(%one, %one, %one, %0) {kernel = @copy, workgroup_size = array<i64: 1, 1, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (index, index, index, tensor<4xf32>) -> tensor<4xf32>
  return %1 : tensor<4xf32>
}
func.func private @copy(memref<4xf32>, memref<4xf32>, index, index, index) attributes {fsa.kernel = "cpu"}
