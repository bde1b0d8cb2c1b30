// RUN: %verify-diag --fsa-attach-target=target=vulkan

// expected-error@below {{expected a module for vulkan, found fsa.target of cpu:host}}
module attributes {fsa.target = {kind = "cpu", arch = "host"}} {
}

// -----

// expected-error@below {{expected a target of kind cpu, vulkan or cuda, found 'cpx'; did you mean 'cpu'?}}
module attributes {fsa.target = {kind = "cpx", arch = "host"}} {
}

// -----

// expected-error@below {{expected cores of a target to be of type int, found 'many'}}
module attributes {fsa.target = {kind = "cpu", arch = "host", cores = "many"}} {
}

// -----

// expected-error@below {{expected fsa.target to describe a target with kind and arch}}
module attributes {fsa.target = 5 : i32} {
}
