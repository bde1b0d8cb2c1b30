"""Command-line tools: `fsa-opt` and `fsa`."""
