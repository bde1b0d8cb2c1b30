"""The parts of `fsa-opt`: command line, input, diagnostics, printing, timing, reproducers."""
