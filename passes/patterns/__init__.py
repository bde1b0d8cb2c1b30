"""How each fsa op is written as linalg on tensors; one module an op."""
