"""The commands of `fsa`, one module each; `fsa.tools.main` lists them."""
