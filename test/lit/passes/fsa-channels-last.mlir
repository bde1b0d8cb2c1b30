// RUN: fsa-opt %s --split-input-file --fsa-channels-last | FileCheck %s

// A residual block between two transposes: element-wise ops, padding, pooling, a convolution and a
// concatenation lose both. The argument is turned instead, which is smaller.
// CHECK-LABEL: func.func @block
// CHECK-SAME: (%[[SUMS:.*]]: tensor<2x8x8x4xi32>, %[[IMAGE:.*]]: tensor<2x3x8x8xf32>
// CHECK: %[[TURNED:.*]] = linalg.transpose ins(%[[IMAGE]] : tensor<2x3x8x8xf32>){{.*}}permutation = [0, 2, 3, 1]
// CHECK: %[[REAL:.*]] = linalg.generic
// CHECK-SAME: ins(%[[SUMS]], %{{.*}} : tensor<2x8x8x4xi32>, tensor<4x1x1xf32>)
// CHECK: %[[PADDED:.*]] = tensor.pad %[[TURNED]] low[0, 1, 1, 0] high[0, 1, 1, 0]
// CHECK: %[[FILTER:.*]] = linalg.transpose ins(%{{.*}} : tensor<4x3x3x3xf32>){{.*}}permutation = [0, 2, 3, 1]
// CHECK: %[[START:.*]] = linalg.broadcast{{.*}}dimensions = [0, 1, 2]
// CHECK: %[[FIRST:.*]] = linalg.conv_2d_nhwc_fhwc
// CHECK-SAME: ins(%[[PADDED]], %[[FILTER]]
// CHECK: %[[POOLED:.*]] = linalg.pooling_nhwc_sum
// CHECK: %[[JOINED:.*]] = tensor.concat dim(3) %[[POOLED]], %[[POOLED]]
// CHECK: return %[[JOINED]] : tensor<2x4x4x8xf32>
#id = affine_map<(n, c, h, w) -> (n, c, h, w)>
#channel = affine_map<(n, c, h, w) -> (c, 0, 0)>
func.func @block(%sums: tensor<2x8x8x4xi32>, %image: tensor<2x3x8x8xf32>, %bias: tensor<4xf32>, %scale: tensor<4x1x1xf32>, %w: tensor<4x3x3x3xf32>)
    -> tensor<2x4x4x8xf32> {
  %zero = arith.constant 0.0 : f32
  %e0 = tensor.empty() : tensor<2x4x8x8xi32>
  %first = linalg.transpose ins(%sums : tensor<2x8x8x4xi32>) outs(%e0 : tensor<2x4x8x8xi32>) permutation = [0, 3, 1, 2]
  %e1 = tensor.empty() : tensor<2x4x8x8xf32>
  %real = linalg.generic {indexing_maps = [#id, #channel, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%first, %scale : tensor<2x4x8x8xi32>, tensor<4x1x1xf32>) outs(%e1 : tensor<2x4x8x8xf32>) {
  ^bb0(%a: i32, %b: f32, %o: f32):
    %r = arith.sitofp %a : i32 to f32
    %s = arith.mulf %r, %b : f32
    linalg.yield %s : f32
  } -> tensor<2x4x8x8xf32>
  %padded = tensor.pad %image low[0, 0, 1, 1] high[0, 0, 1, 1] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %zero : f32
  } : tensor<2x3x8x8xf32> to tensor<2x3x10x10xf32>
  %start = linalg.broadcast ins(%bias : tensor<4xf32>) outs(%e1 : tensor<2x4x8x8xf32>) dimensions = [0, 2, 3]
  %conv = linalg.conv_2d_nchw_fchw ins(%padded, %w : tensor<2x3x10x10xf32>, tensor<4x3x3x3xf32>) outs(%start : tensor<2x4x8x8xf32>) -> tensor<2x4x8x8xf32>
  %added = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%real, %conv : tensor<2x4x8x8xf32>, tensor<2x4x8x8xf32>) outs(%e1 : tensor<2x4x8x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<2x4x8x8xf32>
  %window = tensor.empty() : tensor<2x2xf32>
  %e2 = tensor.empty() : tensor<2x4x4x4xf32>
  %zeros = linalg.fill ins(%zero : f32) outs(%e2 : tensor<2x4x4x4xf32>) -> tensor<2x4x4x4xf32>
  %pooled = linalg.pooling_nchw_sum {strides = dense<2> : tensor<2xi64>} ins(%added, %window : tensor<2x4x8x8xf32>, tensor<2x2xf32>) outs(%zeros : tensor<2x4x4x4xf32>) -> tensor<2x4x4x4xf32>
  %joined = tensor.concat dim(1) %pooled, %pooled : (tensor<2x4x4x4xf32>, tensor<2x4x4x4xf32>) -> tensor<2x8x4x4xf32>
  %e3 = tensor.empty() : tensor<2x4x4x8xf32>
  %last = linalg.transpose ins(%joined : tensor<2x8x4x4xf32>) outs(%e3 : tensor<2x4x4x8xf32>) permutation = [0, 2, 3, 1]
  return %last : tensor<2x4x4x8xf32>
}
func.func private @bits(%x: tensor<4x8xf32>) -> tensor<4x1xi32> {
  %bits = "fsa.pack_bits"(%x) : (tensor<4x8xf32>) -> tensor<4x1xi32>
  return %bits : tensor<4x1xi32>
}

// -----

// Sizes that are open stay so; what others use with the channels first is turned for them.
// CHECK-LABEL: func.func @open
// CHECK: %[[TANH:.*]] = linalg.generic
// CHECK-SAME: ins(%{{.*}} : tensor<?x8x4xf32>)
// CHECK: %[[FIRST:.*]] = linalg.transpose ins(%[[TANH]]
// CHECK-SAME: permutation = [0, 2, 1]
// CHECK: return %[[TANH]], %[[FIRST]] : tensor<?x8x4xf32>, tensor<?x4x8xf32>
#row = affine_map<(n, c, w) -> (n, c, w)>
func.func @open(%x: tensor<?x8x4xf32>, %e: tensor<?x4x8xf32>, %f: tensor<?x8x4xf32>) -> (tensor<?x8x4xf32>, tensor<?x4x8xf32>) {
  %first = linalg.transpose ins(%x : tensor<?x8x4xf32>) outs(%e : tensor<?x4x8xf32>) permutation = [0, 2, 1]
  %y = linalg.generic {indexing_maps = [#row, #row], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%first : tensor<?x4x8xf32>) outs(%e : tensor<?x4x8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %t = math.tanh %a : f32
    linalg.yield %t : f32
  } -> tensor<?x4x8xf32>
  %last = linalg.transpose ins(%y : tensor<?x4x8xf32>) outs(%f : tensor<?x8x4xf32>) permutation = [0, 2, 1]
  return %last, %y : tensor<?x8x4xf32>, tensor<?x4x8xf32>
}
func.func private @bits(%x: tensor<4x8xf32>) -> tensor<4x1xi32> {
  %bits = "fsa.pack_bits"(%x) : (tensor<4x8xf32>) -> tensor<4x1xi32>
  return %bits : tensor<4x1xi32>
}

// -----

// A network with the channels first throughout stays as it is: nothing would be saved.
// CHECK-LABEL: func.func @first
// CHECK-NOT: linalg.transpose
// CHECK: linalg.pooling_nchw_max
func.func @first(%x: tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32> {
  %low = arith.constant 0xFF800000 : f32
  %window = tensor.empty() : tensor<2x2xf32>
  %e = tensor.empty() : tensor<1x4x4x4xf32>
  %i = linalg.fill ins(%low : f32) outs(%e : tensor<1x4x4x4xf32>) -> tensor<1x4x4x4xf32>
  %y = linalg.pooling_nchw_max {strides = dense<2> : tensor<2xi64>} ins(%x, %window : tensor<1x4x8x8xf32>, tensor<2x2xf32>) outs(%i : tensor<1x4x4x4xf32>) -> tensor<1x4x4x4xf32>
  return %y : tensor<1x4x4x4xf32>
}
func.func private @bits(%x: tensor<4x8xf32>) -> tensor<4x1xi32> {
  %bits = "fsa.pack_bits"(%x) : (tensor<4x8xf32>) -> tensor<4x1xi32>
  return %bits : tensor<4x1xi32>
}

// -----

// There is no binarized op.
// CHECK-LABEL: func.func @unrelated
// CHECK-COUNT-2: linalg.transpose
#row = affine_map<(n, c, w) -> (n, c, w)>
func.func @unrelated(%x: tensor<?x8x4xf32>, %e: tensor<?x4x8xf32>, %f: tensor<?x8x4xf32>) -> tensor<?x8x4xf32> {
  %first = linalg.transpose ins(%x : tensor<?x8x4xf32>) outs(%e : tensor<?x4x8xf32>) permutation = [0, 2, 1]
  %y = linalg.generic {indexing_maps = [#row, #row], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%first : tensor<?x4x8xf32>) outs(%e : tensor<?x4x8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %t = math.tanh %a : f32
    linalg.yield %t : f32
  } -> tensor<?x4x8xf32>
  %last = linalg.transpose ins(%y : tensor<?x4x8xf32>) outs(%f : tensor<?x8x4xf32>) permutation = [0, 2, 1]
  return %last : tensor<?x8x4xf32>
}

// -----

// Two neighbourhoods with a transpose between them: the first erases it.
// CHECK-LABEL: func.func @joined
// CHECK-SAME: (%[[IMAGE:.*]]: tensor<1x8x8x64xf32>)
// CHECK: %[[POOLED:.*]] = linalg.pooling_nhwc_max
// CHECK-SAME: ins(%[[IMAGE]],
// CHECK: %[[NEGATED:.*]] = linalg.generic
// CHECK-SAME: ins(%[[POOLED]] :
// CHECK: "fsa.pack_bits"(%[[NEGATED]])
#joined = affine_map<(a,b,c,d)->(a,b,c,d)>
func.func @joined(%s: tensor<1x8x8x64xf32>) -> tensor<1x6x6x2xi32> {
  %el = tensor.empty() : tensor<1x8x8x64xf32>
  %e = tensor.empty() : tensor<1x64x8x8xf32>
  %t = linalg.transpose ins(%s : tensor<1x8x8x64xf32>) outs(%e : tensor<1x64x8x8xf32>) permutation = [0, 3, 1, 2]
  %ninf = arith.constant 0xFF800000 : f32
  %win = tensor.empty() : tensor<3x3xf32>
  %po = tensor.empty() : tensor<1x64x6x6xf32>
  %pi = linalg.fill ins(%ninf: f32) outs(%po : tensor<1x64x6x6xf32>) -> tensor<1x64x6x6xf32>
  %a = linalg.pooling_nchw_max {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>} ins(%t, %win : tensor<1x64x8x8xf32>, tensor<3x3xf32>) outs(%pi : tensor<1x64x6x6xf32>) -> tensor<1x64x6x6xf32>
  %el6 = tensor.empty() : tensor<1x6x6x64xf32>
  %t2 = linalg.transpose ins(%a : tensor<1x64x6x6xf32>) outs(%el6 : tensor<1x6x6x64xf32>) permutation = [0, 2, 3, 1]
  %b = linalg.generic {indexing_maps=[#joined,#joined], iterator_types=["parallel","parallel","parallel","parallel"]} ins(%t2: tensor<1x6x6x64xf32>) outs(%el6: tensor<1x6x6x64xf32>) {
   ^bb0(%x: f32, %o: f32):
     %y = arith.negf %x : f32
     linalg.yield %y : f32 } -> tensor<1x6x6x64xf32>
  %k = "fsa.pack_bits"(%b) : (tensor<1x6x6x64xf32>) -> tensor<1x6x6x2xi32>
  return %k : tensor<1x6x6x2xi32>
}

// -----

// The transposes are read by others as well, so that none would be saved.
// CHECK-LABEL: func.func @still_read
// CHECK-COUNT-2: linalg.transpose
// CHECK-NOT: linalg.transpose
// CHECK: return %{{.*}} : tensor<1x64x8x8xf32>
#kept = affine_map<(a,b,c,d)->(a,b,c,d)>
func.func @still_read(%p: tensor<1x8x8x2xi32>, %f: tensor<64x3x3x2xi32>) -> (tensor<1x64x8x8xf32>, tensor<1x64x64xf32>, tensor<1x64x64xf32>) {
  %s = "fsa.binarized_conv2d"(%p, %f) {channels = 64 : i64, strides = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>, pad_mode = "zero"} : (tensor<1x8x8x2xi32>, tensor<64x3x3x2xi32>) -> tensor<1x8x8x64xi32>
  %el = tensor.empty() : tensor<1x8x8x64xf32>
  %fl = linalg.generic {indexing_maps=[#kept,#kept], iterator_types=["parallel","parallel","parallel","parallel"]} ins(%s: tensor<1x8x8x64xi32>) outs(%el: tensor<1x8x8x64xf32>) {
   ^bb0(%x: i32, %o: f32):
     %y = arith.sitofp %x : i32 to f32
     linalg.yield %y : f32 } -> tensor<1x8x8x64xf32>
  %fm = linalg.generic {indexing_maps=[#kept,#kept], iterator_types=["parallel","parallel","parallel","parallel"]} ins(%s: tensor<1x8x8x64xi32>) outs(%el: tensor<1x8x8x64xf32>) {
   ^bb0(%x: i32, %o: f32):
     %y = arith.sitofp %x : i32 to f32
     %y2 = arith.addf %y, %y : f32
     linalg.yield %y2 : f32 } -> tensor<1x8x8x64xf32>
  %e = tensor.empty() : tensor<1x64x8x8xf32>
  %t = linalg.transpose ins(%fl : tensor<1x8x8x64xf32>) outs(%e : tensor<1x64x8x8xf32>) permutation = [0, 3, 1, 2]
  %u = linalg.transpose ins(%fm : tensor<1x8x8x64xf32>) outs(%e : tensor<1x64x8x8xf32>) permutation = [0, 3, 1, 2]
  %c = tensor.collapse_shape %t [[0],[1],[2,3]] : tensor<1x64x8x8xf32> into tensor<1x64x64xf32>
  %d = tensor.collapse_shape %u [[0],[1],[2,3]] : tensor<1x64x8x8xf32> into tensor<1x64x64xf32>
  %b = linalg.generic {indexing_maps=[#kept,#kept,#kept], iterator_types=["parallel","parallel","parallel","parallel"]} ins(%u, %t: tensor<1x64x8x8xf32>, tensor<1x64x8x8xf32>) outs(%e: tensor<1x64x8x8xf32>) {
   ^bb0(%x: f32, %z: f32, %o: f32):
     %y = arith.addf %x, %z : f32
     linalg.yield %y : f32 } -> tensor<1x64x8x8xf32>
  return %b, %c, %d : tensor<1x64x8x8xf32>, tensor<1x64x64xf32>, tensor<1x64x64xf32>
}

// -----

// No op is binarized, but a kernel of this CPU has lanes along the 16 channels of a depthwise
// convolution: it takes the images as they are, with the op behind it. The dense convolution stays.
// CHECK-LABEL: func.func @depthwise
// CHECK-SAME: (%[[X:.*]]: tensor<1x8x8x16xf32>
// CHECK: %[[PADDED:.*]] = tensor.pad %[[X]] low[0, 1, 1, 0] high[0, 1, 1, 0]
// CHECK: %[[FILTER:.*]] = linalg.transpose ins(%{{.*}} : tensor<16x3x3xf32>){{.*}}permutation = [1, 2, 0]
// CHECK: %[[SUMS:.*]] = linalg.depthwise_conv_2d_nhwc_hwc ins(%[[PADDED]], %[[FILTER]] : tensor<1x10x10x16xf32>, tensor<3x3x16xf32>)
// CHECK: %[[Y:.*]] = linalg.generic
// CHECK-SAME: ins(%[[SUMS]] : tensor<1x8x8x16xf32>)
// CHECK: return %[[Y]]
// CHECK-LABEL: func.func @dense
// CHECK: linalg.conv_2d_nchw_fchw
// CHECK-LABEL: func.func @narrow
// CHECK: linalg.depthwise_conv_2d_nchw_chw
#all = affine_map<(n, c, h, w) -> (n, c, h, w)>
module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 512 : i64, cores = 2 : i64}} {
func.func @depthwise(%x: tensor<1x8x8x16xf32>) -> tensor<1x8x8x16xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<2.0> : tensor<16x3x3xf32>
  %e = tensor.empty() : tensor<1x16x8x8xf32>
  %t = linalg.transpose ins(%x : tensor<1x8x8x16xf32>) outs(%e : tensor<1x16x8x8xf32>) permutation = [0, 3, 1, 2]
  %p = tensor.pad %t low[0, 0, 1, 1] high[0, 0, 1, 1] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %zero : f32
  } : tensor<1x16x8x8xf32> to tensor<1x16x10x10xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<1x16x8x8xf32>) -> tensor<1x16x8x8xf32>
  %c = linalg.depthwise_conv_2d_nchw_chw ins(%p, %w : tensor<1x16x10x10xf32>, tensor<16x3x3xf32>) outs(%z : tensor<1x16x8x8xf32>) -> tensor<1x16x8x8xf32>
  %r = linalg.generic {indexing_maps = [#all, #all], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%c : tensor<1x16x8x8xf32>) outs(%e : tensor<1x16x8x8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %m = arith.maximumf %a, %zero : f32
    linalg.yield %m : f32
  } -> tensor<1x16x8x8xf32>
  %e2 = tensor.empty() : tensor<1x8x8x16xf32>
  %y = linalg.transpose ins(%r : tensor<1x16x8x8xf32>) outs(%e2 : tensor<1x8x8x16xf32>) permutation = [0, 2, 3, 1]
  return %y : tensor<1x8x8x16xf32>
}
func.func @dense(%x: tensor<1x8x8x16xf32>) -> tensor<1x8x8x16xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<2.0> : tensor<16x16x1x1xf32>
  %e = tensor.empty() : tensor<1x16x8x8xf32>
  %t = linalg.transpose ins(%x : tensor<1x8x8x16xf32>) outs(%e : tensor<1x16x8x8xf32>) permutation = [0, 3, 1, 2]
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<1x16x8x8xf32>) -> tensor<1x16x8x8xf32>
  %c = linalg.conv_2d_nchw_fchw ins(%t, %w : tensor<1x16x8x8xf32>, tensor<16x16x1x1xf32>) outs(%z : tensor<1x16x8x8xf32>) -> tensor<1x16x8x8xf32>
  %e2 = tensor.empty() : tensor<1x8x8x16xf32>
  %y = linalg.transpose ins(%c : tensor<1x16x8x8xf32>) outs(%e2 : tensor<1x8x8x16xf32>) permutation = [0, 2, 3, 1]
  return %y : tensor<1x8x8x16xf32>
}
func.func @narrow(%x: tensor<1x8x8x4xf32>) -> tensor<1x8x8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<2.0> : tensor<4x1x1xf32>
  %e = tensor.empty() : tensor<1x4x8x8xf32>
  %t = linalg.transpose ins(%x : tensor<1x8x8x4xf32>) outs(%e : tensor<1x4x8x8xf32>) permutation = [0, 3, 1, 2]
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
  %c = linalg.depthwise_conv_2d_nchw_chw ins(%t, %w : tensor<1x4x8x8xf32>, tensor<4x1x1xf32>) outs(%z : tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
  %e2 = tensor.empty() : tensor<1x8x8x4xf32>
  %y = linalg.transpose ins(%c : tensor<1x4x8x8xf32>) outs(%e2 : tensor<1x8x8x4xf32>) permutation = [0, 2, 3, 1]
  return %y : tensor<1x8x8x4xf32>
}
}
