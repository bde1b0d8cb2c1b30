"""FSA: an MLIR compiler for small, memory-bound, binarized and capsule networks."""

__version__ = "0.1.0"
