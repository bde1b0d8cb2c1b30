"""The ops of the dialect, one module each."""
