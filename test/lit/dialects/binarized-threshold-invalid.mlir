// RUN: %verify-diag

// Every broken constraint of fsa.binarized_threshold is reported with its label; the functions are named after it.

func.func @binarized_threshold_c1(%acc: tensor<4x?xi32>, %tau: tensor<70xi32>, %flip: tensor<3xi32>) {
  // expected-error@+1 {{[binarized_threshold_c1] expected acc to have a static last dimension, found tensor<4x?xi32>}}
  %0 = "fsa.binarized_threshold"(%acc, %tau, %flip) : (tensor<4x?xi32>, tensor<70xi32>, tensor<3xi32>) -> tensor<?x3xi32>
  return
}

// -----

func.func @binarized_threshold_c1_rank(%acc: tensor<i32>, %tau: tensor<70xi32>, %flip: tensor<3xi32>) {
  // expected-error@+1 {{[binarized_threshold_c1] expected acc to have a static last dimension, found tensor<i32>}}
  %0 = "fsa.binarized_threshold"(%acc, %tau, %flip) : (tensor<i32>, tensor<70xi32>, tensor<3xi32>) -> tensor<?x3xi32>
  return
}

// -----

func.func @binarized_threshold_c2(%acc: tensor<?x70xi32>, %tau: tensor<71xi32>, %flip: tensor<3xi32>) {
  // expected-error@+1 {{[binarized_threshold_c2] expected tau to have shape 70, found 71}}
  %0 = "fsa.binarized_threshold"(%acc, %tau, %flip) : (tensor<?x70xi32>, tensor<71xi32>, tensor<3xi32>) -> tensor<?x3xi32>
  return
}

// -----

func.func @binarized_threshold_c2_rank(%acc: tensor<?x70xi32>, %tau: tensor<1x70xi32>, %flip: tensor<3xi32>) {
  // expected-error@+1 {{[binarized_threshold_c2] expected tau to have shape 70, found 1x70}}
  %0 = "fsa.binarized_threshold"(%acc, %tau, %flip) : (tensor<?x70xi32>, tensor<1x70xi32>, tensor<3xi32>) -> tensor<?x3xi32>
  return
}

// -----

func.func @binarized_threshold_c3(%acc: tensor<?x70xi32>, %tau: tensor<70xi32>, %flip: tensor<2xi32>) {
  // expected-error@+1 {{[binarized_threshold_c3] expected flip to have shape 3, found 2}}
  %0 = "fsa.binarized_threshold"(%acc, %tau, %flip) : (tensor<?x70xi32>, tensor<70xi32>, tensor<2xi32>) -> tensor<?x3xi32>
  return
}

// -----

func.func @binarized_threshold_c4(%acc: tensor<?x70xi32>, %tau: tensor<70xi32>, %flip: tensor<3xi32>) {
  // expected-error@+1 {{[binarized_threshold_c4] expected the result to have shape ?x3, found ?x70}}
  %0 = "fsa.binarized_threshold"(%acc, %tau, %flip) : (tensor<?x70xi32>, tensor<70xi32>, tensor<3xi32>) -> tensor<?x70xi32>
  return
}

// -----

func.func @acc_type(%acc: tensor<?x70xi64>, %tau: tensor<70xi32>, %flip: tensor<3xi32>) {
  // expected-error@+1 {{expected acc to have elements of type i32, found i64}}
  %0 = "fsa.binarized_threshold"(%acc, %tau, %flip) : (tensor<?x70xi64>, tensor<70xi32>, tensor<3xi32>) -> tensor<?x3xi32>
  return
}
