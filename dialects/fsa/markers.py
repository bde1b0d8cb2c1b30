"""Attributes that FSA puts on ops of other dialects; `docs/kernel-abi.md` says what they mean."""

# On a func.func: it is a kernel for this kind of device.
KERNEL_MARKER = "fsa.kernel"

# On a vector.store of a CPU kernel: past the caches, to an address that is a multiple of its size.
# The two libraries spell that differently in text, so it crosses as an attribute of ours.
STREAMING = "fsa.streaming"
# On a vector.load or vector.store of a GPU kernel: its address is a multiple of its size.
ALIGNED = "fsa.aligned"

# On an fsa.launch: how many of its first results hold zeros when the kernel begins.
ZEROED = "fsa.zeroed"

# On a declared func.func: the text of the function, with ops that only IREE has.
FOREIGN_BODY = "fsa.foreign_body"

# On a public func.func: what a front end knows of its interface and its type does not say. Names
# are arrays of strings; the indices of results whose integers are unsigned are an array of i64.
ARGUMENT_NAMES = "fsa.argument_names"
RESULT_NAMES = "fsa.result_names"
UNSIGNED_RESULTS = "fsa.unsigned_results"
# On a public func.func: sizes that its arguments have in common; see `argument_sizes`.
ARGUMENT_SIZES = "fsa.argument_sizes"
