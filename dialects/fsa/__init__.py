"""The ``fsa`` dialect: stitched regions, binarized ops, capsule ops and kernel launches.

`SPEC.md` beside this file is the specification; `reference` is its meaning in NumPy.
"""
