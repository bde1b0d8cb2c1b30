"""Benchmarks: cases, peers and probes of the machine's limits, run in turns by `fsa bench`."""

if __name__ != "fsa.benchmarks":
    raise ImportError(f"import fsa.benchmarks, not {__name__}")
