"""Folds of fsa ops, used by `fsa-canonicalize`."""
