"""Examples: trained networks built with FSA, and the numbered walks through it.

The modules of this package build the networks; the folders `NN-name` each hold a README and a
`run.py` that shows one thing.
"""

if __name__ != "fsa.examples":
    raise ImportError(f"import fsa.examples, not {__name__}")
