"""Attributes that FSA puts on ops of other dialects; `docs/kernel-abi.md` says what they mean."""

# On a func.func: it is a kernel for this kind of device.
KERNEL_MARKER = "fsa.kernel"
