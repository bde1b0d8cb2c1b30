"""Targets, devices, the hand-over to IREE, compilation and loaded modules."""

if __name__ != "fsa.runtime":
    raise ImportError(f"import fsa.runtime, not {__name__}: a second copy would register twice")
