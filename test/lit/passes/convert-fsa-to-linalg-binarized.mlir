// RUN: fsa-opt --convert-fsa-to-linalg --canonicalize --cse %s | FileCheck %s

// CHECK-DAG: #[[$BATCHED:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>
// CHECK-DAG: #[[$SHARED:.*]] = affine_map<(d0, d1, d2, d3) -> (d2, d3)>
// CHECK-DAG: #[[$GROUPED:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6, d7) -> (d0, d1 * 2 + d5, d2 + d6 * 3, d3 + d7)>

// The count of differing bits, then depth - 2 * count.

// CHECK-LABEL: func.func @matmul(
// CHECK-SAME:    %[[LHS:.*]]: tensor<5x2xi32>, %[[RHS:.*]]: tensor<7x2xi32>)
// CHECK-DAG:   %[[DEPTH:.*]] = arith.constant 50 : i32
// CHECK:       %[[DIFFERING:.*]] = linalg.generic
// CHECK-SAME:    iterator_types = ["parallel", "parallel", "reduction"]
// CHECK-SAME:    ins(%[[LHS]], %[[RHS]] : tensor<5x2xi32>, tensor<7x2xi32>)
// CHECK:       ^bb0(%[[A:.*]]: i32, %[[B:.*]]: i32, %[[COUNT:.*]]: i32):
// CHECK:         %[[XOR:.*]] = arith.xori %[[A]], %[[B]] : i32
// CHECK:         %[[ONES:.*]] = math.ctpop %[[XOR]] : i32
// CHECK:         %[[SUM:.*]] = arith.addi %[[COUNT]], %[[ONES]] : i32
// CHECK:         linalg.yield %[[SUM]] : i32
// CHECK:       linalg.generic
// CHECK-SAME:    ins(%[[DIFFERING]] : tensor<5x7xi32>)
// CHECK:         %[[TWICE:.*]] = arith.shli
// CHECK:         arith.subi %[[DEPTH]], %[[TWICE]] : i32
func.func @matmul(%lhs: tensor<5x2xi32>, %rhs: tensor<7x2xi32>) -> tensor<5x7xi32> {
  %acc = "fsa.binarized_matmul"(%lhs, %rhs) {depth = 50 : i64} : (tensor<5x2xi32>, tensor<7x2xi32>) -> tensor<5x7xi32>
  return %acc : tensor<5x7xi32>
}

// A shared right-hand side is not repeated for each batch.

// CHECK-LABEL: func.func @matmul_shared_rhs(
// CHECK:       linalg.generic {indexing_maps = [#[[$BATCHED]], #[[$SHARED]],
// CHECK-SAME:    iterator_types = ["parallel", "parallel", "parallel", "reduction"]
func.func @matmul_shared_rhs(%lhs: tensor<3x5x2xi32>, %rhs: tensor<7x2xi32>) -> tensor<3x5x7xi32> {
  %acc = "fsa.binarized_matmul"(%lhs, %rhs) {depth = 50 : i64} : (tensor<3x5x2xi32>, tensor<7x2xi32>) -> tensor<3x5x7xi32>
  return %acc : tensor<3x5x7xi32>
}

// With a depth of 0 every product is 0, whatever the shape of the result.

// CHECK-LABEL: func.func @matmul_no_depth(
// CHECK:       %[[ZERO:.*]] = arith.constant 0 : i32
// CHECK-NOT:   linalg.generic
// CHECK:       linalg.fill ins(%[[ZERO]] : i32)
func.func @matmul_no_depth(%lhs: tensor<5x0xi32>, %rhs: tensor<7x0xi32>) -> tensor<5x7xi32> {
  %acc = "fsa.binarized_matmul"(%lhs, %rhs) {depth = 0 : i64} : (tensor<5x0xi32>, tensor<7x0xi32>) -> tensor<5x7xi32>
  return %acc : tensor<5x7xi32>
}

// No frame: every tap counts, and the sums start at the number of bits compared (3 * 3 * 50).

// CHECK-LABEL: func.func @conv2d(
// CHECK-SAME:    %[[IMAGE:.*]]: tensor<1x9x9x2xi32>, %[[FILTER:.*]]: tensor<4x3x3x2xi32>)
// CHECK:       %[[COMPARED:.*]] = arith.constant 450 : i32
// CHECK-NOT:   tensor.insert_slice
// CHECK:       %[[START:.*]] = linalg.fill ins(%[[COMPARED]] : i32)
// CHECK:       linalg.generic
// CHECK-SAME:    iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]
// CHECK-SAME:    ins(%[[IMAGE]]
// CHECK:         arith.xori
// CHECK:         math.ctpop
// CHECK-NOT:     arith.cmpi
// CHECK:         arith.subi
// CHECK:       return
func.func @conv2d(%image: tensor<1x9x9x2xi32>, %filter: tensor<4x3x3x2xi32>) -> tensor<1x4x4x4xi32> {
  %acc = "fsa.binarized_conv2d"(%image, %filter) {channels = 50 : i64, strides = array<i64: 2, 2>, pad = array<i64: 0, 0, 0, 0>, pad_mode = "zero"} : (tensor<1x9x9x2xi32>, tensor<4x3x3x2xi32>) -> tensor<1x4x4x4xi32>
  return %acc : tensor<1x4x4x4xi32>
}

// A frame of zeros adds nothing: a mask says which taps are inside, and each of those adds the
// number of channels in its word (32, then 18) less twice the differing ones.

// CHECK-LABEL: func.func @conv2d_zero_frame(
// CHECK-SAME:    %[[IMAGE:.*]]: tensor<1x5x6x2xi32>
// CHECK:       %[[COUNTS:.*]] = arith.constant dense<[32, 18]> : tensor<2xi32>
// CHECK:       %[[FRAMED:.*]] = tensor.insert_slice %[[IMAGE]] into %{{.*}}[0, 1, 1, 0] [1, 5, 6, 2] [1, 1, 1, 1]
// CHECK:       %[[INSIDE:.*]] = tensor.insert_slice %{{.*}} into %{{.*}}[1, 1] [5, 6] [1, 1] : tensor<5x6xi32> into tensor<7x8xi32>
// CHECK:       linalg.generic
// CHECK-SAME:    ins(%[[FRAMED]], %{{.*}}, %[[INSIDE]], %[[COUNTS]] :
// CHECK-NOT:     linalg.index
// CHECK:         arith.andi
// CHECK:         arith.addi
func.func @conv2d_zero_frame(%image: tensor<1x5x6x2xi32>, %filter: tensor<4x3x3x2xi32>) -> tensor<1x5x6x4xi32> {
  %acc = "fsa.binarized_conv2d"(%image, %filter) {channels = 50 : i64, strides = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>, pad_mode = "zero"} : (tensor<1x5x6x2xi32>, tensor<4x3x3x2xi32>) -> tensor<1x5x6x4xi32>
  return %acc : tensor<1x5x6x4xi32>
}

// A frame of ones holds 50 ones a row: -1 is the full first word, 262143 has 18 ones.

// CHECK-LABEL: func.func @conv2d_one_frame(
// CHECK-SAME:    %[[IMAGE:.*]]: tensor<1x5x6x2xi32>
// CHECK-DAG:   %[[ONES:.*]] = arith.constant dense<[-1, 262143]> : tensor<2xi32>
// CHECK:       %[[FRAME:.*]] = linalg.generic
// CHECK-SAME:    ins(%[[ONES]] : tensor<2xi32>)
// CHECK:       tensor.insert_slice %[[IMAGE]] into %[[FRAME]][0, 1, 1, 0]
// CHECK:       linalg.generic
// CHECK-NOT:     linalg.index
// CHECK:       return
func.func @conv2d_one_frame(%image: tensor<1x5x6x2xi32>, %filter: tensor<4x3x3x2xi32>) -> tensor<1x5x6x4xi32> {
  %acc = "fsa.binarized_conv2d"(%image, %filter) {channels = 50 : i64, strides = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>, pad_mode = "one"} : (tensor<1x5x6x2xi32>, tensor<4x3x3x2xi32>) -> tensor<1x5x6x4xi32>
  return %acc : tensor<1x5x6x4xi32>
}

// Strides, dilations and groups are in the subscripts of the image.

// CHECK-LABEL: func.func @conv2d_groups(
// CHECK-SAME:    %{{.*}}, %[[FILTER:.*]]: tensor<6x3x3x1xi32>)
// CHECK:       tensor.expand_shape %[[FILTER]] {{.*}} into tensor<2x3x3x3x1xi32>
// CHECK:       linalg.generic {indexing_maps = [#[[$GROUPED]],
// CHECK:       tensor.collapse_shape {{.*}} into tensor<1x4x3x6xi32>
func.func @conv2d_groups(%image: tensor<1x9x9x2xi32>, %filter: tensor<6x3x3x1xi32>) -> tensor<1x4x3x6xi32> {
  %acc = "fsa.binarized_conv2d"(%image, %filter) {channels = 64 : i64, groups = 2 : i64, dilations = array<i64: 1, 3>, strides = array<i64: 2, 1>, pad = array<i64: 0, 0, 0, 0>, pad_mode = "zero"} : (tensor<1x9x9x2xi32>, tensor<6x3x3x1xi32>) -> tensor<1x4x3x6xi32>
  return %acc : tensor<1x4x3x6xi32>
}

// Bits past the last channel are 0, whatever the flips hold there: 31 has the ones of 5 channels.

// CHECK-LABEL: func.func @threshold(
// CHECK-SAME:    %[[ACC:.*]]: tensor<3x37xi32>, %[[TAU:.*]]: tensor<37xi32>, %[[FLIP:.*]]: tensor<2xi32>)
// CHECK-DAG:   %[[CHANNELS:.*]] = arith.constant dense<[-1, 31]> : tensor<2xi32>
// CHECK:       %[[FLIPS:.*]] = arith.andi %[[FLIP]], %[[CHANNELS]] : tensor<2xi32>
// CHECK:       tensor.pad %[[ACC]] low[0, 0] high[0, 27]
// CHECK:       tensor.pad %[[TAU]] low[0] high[27]
// CHECK:       linalg.generic
// CHECK-SAME:    %[[FLIPS]]
// CHECK:         arith.andi
// CHECK:         arith.cmpi sge
// CHECK:         arith.xori
// CHECK:         arith.ori
func.func @threshold(%acc: tensor<3x37xi32>, %tau: tensor<37xi32>, %flip: tensor<2xi32>) -> tensor<3x2xi32> {
  %bits = "fsa.binarized_threshold"(%acc, %tau, %flip) : (tensor<3x37xi32>, tensor<37xi32>, tensor<2xi32>) -> tensor<3x2xi32>
  return %bits : tensor<3x2xi32>
}

// CHECK-LABEL: func.func @max_pool2d(
// CHECK-SAME:    %[[IMAGE:.*]]: tensor<1x7x7x2xi64>)
// CHECK:       %[[FRAMED:.*]] = tensor.insert_slice %[[IMAGE]] into %{{.*}}[0, 1, 0, 0]
// CHECK:       linalg.generic
// CHECK-SAME:    ins(%[[FRAMED]], %{{.*}} : tensor<1x8x7x2xi64>, tensor<3x2xi64>)
// CHECK:         arith.ori
func.func @max_pool2d(%image: tensor<1x7x7x2xi64>) -> tensor<1x3x3x2xi64> {
  %pooled = "fsa.binarized_max_pool2d"(%image) {kernel = array<i64: 3, 2>, strides = array<i64: 2, 2>, pad = array<i64: 1, 0, 0, 0>} : (tensor<1x7x7x2xi64>) -> tensor<1x3x3x2xi64>
  return %pooled : tensor<1x3x3x2xi64>
}

// The extent of a dynamic side is computed, and what may be empty is guarded: the image apart from
// the result, as a frame around an empty image is convolved too.

// CHECK-LABEL: func.func @conv2d_dynamic(
// CHECK-SAME:    %[[IMAGE:.*]]: tensor<1x?x6x2xi32>
// CHECK:       tensor.dim %[[IMAGE]]
// CHECK:       scf.if
// CHECK:       linalg.fill
// CHECK:       else
// CHECK:       scf.if
// CHECK:       tensor.insert_slice %[[IMAGE]]
// CHECK:       linalg.generic
func.func @conv2d_dynamic(%image: tensor<1x?x6x2xi32>, %filter: tensor<4x3x3x2xi32>) -> tensor<1x?x6x4xi32> {
  %acc = "fsa.binarized_conv2d"(%image, %filter) {channels = 50 : i64, strides = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>, pad_mode = "zero"} : (tensor<1x?x6x2xi32>, tensor<4x3x3x2xi32>) -> tensor<1x?x6x4xi32>
  return %acc : tensor<1x?x6x4xi32>
}
