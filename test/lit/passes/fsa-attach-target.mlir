// RUN: fsa-opt %s --split-input-file --fsa-attach-target=target=cpu:znver4 | FileCheck %s --check-prefix=ZNVER4
// RUN: fsa-opt %s --split-input-file --fsa-attach-target='target=cpu:haswell override' | FileCheck %s --check-prefix=OVERRIDE

// ZNVER4: module attributes {fsa.target = {arch = "znver4"
// ZNVER4-SAME: has_f64 = true
// ZNVER4-SAME: has_i64 = true
// ZNVER4-SAME: has_vector_popcount = true
// ZNVER4-SAME: kind = "cpu"
// ZNVER4-SAME: l1_bytes = 32768 : i64
// ZNVER4-SAME: l2_bytes = 1048576 : i64
// ZNVER4-SAME: vector_bits = 512 : i64
// OVERRIDE: arch = "haswell"
// OVERRIDE-SAME: vector_bits = 256 : i64
func.func @fresh() {
  return
}

// -----

// What a person wrote stands.
// ZNVER4: module attributes {fsa.target = {arch = "host", cores = 3 : i64, kind = "cpu"}}
// OVERRIDE: arch = "haswell"
module attributes {fsa.target = {kind = "cpu", arch = "host", cores = 3 : i64}} {
}
