"""What the compiler makes of a model, and why: the data behind `fsa explain`.

`explain` runs the pipeline and watches it, `data` says what comes out, `text` and `html` show it.
"""
