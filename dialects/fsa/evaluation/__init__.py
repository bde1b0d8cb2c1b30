"""Evaluation of tensor ops in NumPy: what `fsa.dialects.fsa.interpreter` is made of."""
