"""Results of a kernel: the epilogue on each vector, then the store."""

from fsa.passes.convolution.epilogue import Epilogue, Operand, emit_epilogue
from fsa.passes.emitter import Index, Kernel, Value


class Results:
    """Stores vectors of results through an epilogue.

    `operands` are the kernel's inputs for the operands of the epilogue, in their order; one more is
    a tensor like the results that is added first.
    """

    def __init__(self, k: Kernel, epilogue: Epilogue, operands: list[Value]):
        self.k, self.epilogue = k, epilogue
        self.buffers = [k.flatten(given) for given in operands]
        self.has_initial = len(operands) > len(epilogue.operands)
        self.out = k.flatten(k.outputs[0])
        self.element = self.out.type.element_type

    def store(
        self, vector: Value, at: Index, channel: Index, count: Index, *, along: str = "pixels"
    ) -> None:
        """Store the first `count` lanes of `vector` from flat position `at` on.

        Lanes are neighbouring pixels of `channel`, or `along` "channels" those from `channel` on.
        """
        k = self.k
        lanes = vector.type.shape[0]
        if self.has_initial:
            vector = k.add(vector, k.vector_load(self.buffers[-1], [at], lanes, count))

        def read(operand: Operand) -> Value:
            known = [one.value == operand.value for one in self.epilogue.operands]
            buffer = self.buffers[known.index(True)]
            if operand.over == "pixels":
                return k.vector_load(buffer, [at], lanes, count)
            if operand.over == "channels" and along == "channels":
                return k.vector_load(buffer, [channel], lanes, count)
            return k.splat(k.load(buffer, [channel if operand.over == "channels" else 0]), lanes)

        made = emit_epilogue(k, self.epilogue, vector, read, lanes)
        k.vector_store(made, self.out, [at], count)
