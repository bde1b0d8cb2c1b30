"""Passes of FSA: one file a pass, its name the pass name; `registry` lists them."""

if __name__ != "fsa.passes":
    raise ImportError(f"import fsa.passes, not {__name__}: a second copy would register twice")
