// softmax(0.125 x + mask) over rows.
#image = affine_map<(r, c) -> (r, c)>
#row = affine_map<(r, c) -> (r)>
func.func @main(%x: tensor<64x512xf32>, %mask: tensor<64x512xf32>) -> tensor<64x512xf32> {
  %eighth = arith.constant 0.125 : f32
  %low = arith.constant 0xFF800000 : f32
  %zero = arith.constant 0.0 : f32
  %image = tensor.empty() : tensor<64x512xf32>
  %column = tensor.empty() : tensor<64xf32>
  %scaled = linalg.generic {indexing_maps = [#image, #image, #image], iterator_types = ["parallel", "parallel"]}
    ins(%x, %mask : tensor<64x512xf32>, tensor<64x512xf32>) outs(%image : tensor<64x512xf32>) {
  ^bb0(%a: f32, %m: f32, %o: f32):
    %p = arith.mulf %a, %eighth : f32
    %s = arith.addf %p, %m : f32
    linalg.yield %s : f32
  } -> tensor<64x512xf32>
  %lowest = linalg.fill ins(%low : f32) outs(%column : tensor<64xf32>) -> tensor<64xf32>
  %max = linalg.generic {indexing_maps = [#image, #row], iterator_types = ["parallel", "reduction"]}
    ins(%scaled : tensor<64x512xf32>) outs(%lowest : tensor<64xf32>) {
  ^bb0(%a: f32, %m: f32):
    %s = arith.maximumf %a, %m : f32
    linalg.yield %s : f32
  } -> tensor<64xf32>
  %exp = linalg.generic {indexing_maps = [#image, #row, #image], iterator_types = ["parallel", "parallel"]}
    ins(%scaled, %max : tensor<64x512xf32>, tensor<64xf32>) outs(%image : tensor<64x512xf32>) {
  ^bb0(%a: f32, %m: f32, %o: f32):
    %d = arith.subf %a, %m : f32
    %e = math.exp %d : f32
    linalg.yield %e : f32
  } -> tensor<64x512xf32>
  %nothing = linalg.fill ins(%zero : f32) outs(%column : tensor<64xf32>) -> tensor<64xf32>
  %sum = linalg.generic {indexing_maps = [#image, #row], iterator_types = ["parallel", "reduction"]}
    ins(%exp : tensor<64x512xf32>) outs(%nothing : tensor<64xf32>) {
  ^bb0(%a: f32, %t: f32):
    %s = arith.addf %a, %t : f32
    linalg.yield %s : f32
  } -> tensor<64xf32>
  %y = linalg.generic {indexing_maps = [#image, #row, #image], iterator_types = ["parallel", "parallel"]}
    ins(%exp, %sum : tensor<64x512xf32>, tensor<64xf32>) outs(%image : tensor<64x512xf32>) {
  ^bb0(%a: f32, %t: f32, %o: f32):
    %q = arith.divf %a, %t : f32
    linalg.yield %q : f32
  } -> tensor<64x512xf32>
  return %y : tensor<64x512xf32>
}
