// An open cast breaks the promise, and the error stands at the cast.
// RUN: %verify-diag --fsa-to-linalg
func.func @open_cast(%x: i32) -> f32 {
  // expected-error@+1 {{expected no op fsa.* or builtin.unrealized_conversion_cast but fsa.launch after fsa-to-linalg, found 'builtin.unrealized_conversion_cast'}}
  %y = builtin.unrealized_conversion_cast %x : i32 to f32
  return %y : f32
}
