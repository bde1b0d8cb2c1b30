"""Attributes that FSA puts on ops of other dialects; `docs/kernel-abi.md` says what they mean."""

# On a func.func: it is a kernel for this kind of device.
KERNEL_MARKER = "fsa.kernel"

# On a declared func.func: the text of the function, with ops that only IREE has.
FOREIGN_BODY = "fsa.foreign_body"
