"""Results of a kernel: the epilogue on each vector, then the store."""

from fsa.passes.convolution.epilogue import Epilogue, Operand, emit_epilogue
from fsa.passes.emitter import Index, Kernel, Value


class Results:
    """Stores vectors of neighbouring pixels of one channel through an epilogue.

    `operands` are the kernel's inputs for the operands of the epilogue, in their order.
    """

    def __init__(self, k: Kernel, epilogue: Epilogue, operands: list[Value]):
        self.k, self.epilogue = k, epilogue
        self.buffers = [k.flatten(given) for given in operands]
        self.out = k.flatten(k.outputs[0])
        self.element = self.out.type.element_type

    def store(self, vector: Value, at: Index, channel: Index, count: int) -> None:
        """Store the first `count` lanes of `vector`, pixels from flat position `at` on."""
        k = self.k
        lanes = vector.type.shape[0]

        def read(operand: Operand) -> Value:
            known = [one.value == operand.value for one in self.epilogue.operands]
            buffer = self.buffers[known.index(True)]
            if operand.over == "pixels":
                return k.vector_load(buffer, [at], lanes, count)
            return k.splat(k.load(buffer, [channel if operand.over == "channels" else 0]), lanes)

        made = emit_epilogue(k, self.epilogue, vector, read, lanes)
        k.vector_store(made, self.out, [at], count)
