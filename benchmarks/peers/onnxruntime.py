"""ONNX Runtime on its CPU provider."""

import numpy as np

from fsa.benchmarks.case import Case
from fsa.benchmarks.peers.base import Peer, Prepared, form_of, require


class OnnxRuntime(Peer):
    """ONNX Runtime with one thread, inputs and outputs bound beforehand."""

    name = "onnxruntime"
    label = "ONNX Runtime"

    def prepare(self, case: Case, target: str) -> Prepared:
        """Load and run the case's ONNX model."""
        form = form_of(case, "onnx")
        require("onnx", "onnx")
        runtime = require("onnxruntime", "onnx")
        model, feeds = form(case.inputs())
        options = runtime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        binding = session.io_binding()
        for name, array in feeds.items():
            binding.bind_cpu_input(name, array)
        for output in session.get_outputs():
            binding.bind_output(output.name)

        def call() -> object:
            return session.run_with_iobinding(binding)

        call()
        return Prepared(call, np.asarray(binding.copy_outputs_to_cpu()[0]))
