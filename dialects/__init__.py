"""Dialects of FSA, one folder each."""

if __name__ != "fsa.dialects":
    raise ImportError(f"import fsa.dialects, not {__name__}: a second copy would register twice")
