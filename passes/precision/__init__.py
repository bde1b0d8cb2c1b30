"""Floats wider than a model asked for: which values can be narrowed, and sums that stay exact."""
