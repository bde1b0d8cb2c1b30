"""How pipelines are read, resolved and run: options, text, nesting, failures, reproducers."""
