// RUN: %verify-diag --fsa-check-absent='ops=arith.*,math.exp allowed=arith.constant after=some-pipeline'

func.func @allowed() -> i32 {
  %0 = arith.constant 1 : i32
  return %0 : i32
}

// -----

func.func @found(%a: i32) -> i32 {
  // expected-error@+1 {{expected no op arith.* or math.exp but arith.constant after some-pipeline, found 'arith.addi'}}
  %0 = arith.addi %a, %a : i32
  return %0 : i32
}

// -----

func.func @exact(%a: f32) -> f32 {
  // expected-error@below {{found 'math.exp'}}
  %0 = math.exp %a : f32
  %1 = math.exp2 %0 : f32
  return %1 : f32
}
