"""Larq Compute Engine's convolution, timed in a process of its own for `binarized_peers`.

It stands alone: the Python that runs it has NumPy 1, `larq-compute-engine` and `flatbuffers`, and
need not have FSA. Only the compiled interpreter and the model schema of that package are loaded,
neither its Python code nor TensorFlow. A TensorFlow Lite model of one convolution, stride 1, zero
padding to the image's size, and one of several on the same image are written here; the difference
of the two, by what the one has more, is the time of a convolution without a call and its copies.
The indirect kernel is used, which is the faster one on x86.

Run with the path of an `.npz` file: `image` i32 [1, H, W, Cw], `filters` i32 [O, Kh, Kw, Cw],
packed as FSA packs them, `channels` and `result`, the path for the f32 result [1, H, W, O]. It
writes that, prints a line, and then for each line that it reads a line with the seconds (processor
time) of one convolution.
"""

from __future__ import annotations

import importlib.util
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import flatbuffers
import numpy as np
from flatbuffers import flexbuffers

COPIES = 1  # convolutions that the longer model has more

Array = np.ndarray[Any, Any]


def _module(name: str, path: Path) -> ModuleType:
    """Return the Python module in the file `path`, without the package that it lies in."""
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"expected a Python module in {path}")
    made = importlib.util.module_from_spec(spec)
    sys.modules[name] = made
    spec.loader.exec_module(made)
    return made


def _negative(packed: Array, depth: int) -> Array:
    """Return bits that mean -1 where they are 1, as Larq has them; padding bits stay 0."""
    flipped = ~packed
    if depth % 32:
        flipped[..., -1] &= np.int32((1 << depth % 32) - 1)
    return flipped


def _conv_model(schema: Any, image: Array, filters: Array, channels: int, copies: int) -> bytes:
    """Return a TensorFlow Lite model of `copies` convolutions of one packed image."""
    outputs = filters.shape[0]
    ones, zeros = np.ones(outputs, np.float32), np.zeros(outputs, np.float32)
    constants = (_negative(filters, channels), ones, zeros)
    shapes = [image.shape, *(constant.shape for constant in constants)]
    shapes += [(*image.shape[:3], outputs)] * copies
    kinds = [schema.TensorType.INT32] * 2 + [schema.TensorType.FLOAT32] * (2 + copies)

    def buffer(data: bytes | None) -> Any:
        made = schema.BufferT()
        made.data = None if data is None else np.frombuffer(data, np.uint8)
        return made

    def tensor(number: int) -> Any:
        made = schema.TensorT()
        made.shape, made.type, made.name = list(shapes[number]), kinds[number], f"t{number}"
        made.buffer = number if 1 <= number <= len(constants) else 0
        return made

    options = flexbuffers.Dumps(
        {
            "channels_in": channels,
            "stride_height": 1,
            "stride_width": 1,
            "dilation_height_factor": 1,
            "dilation_width_factor": 1,
            "padding": schema.Padding.SAME,
            "pad_values": 0,
            "fused_activation_function": schema.ActivationFunctionType.NONE,
        }
    )

    def operator(number: int) -> Any:
        made = schema.OperatorT()
        made.inputs, made.outputs = [0, 1, 2, 3, -1], [4 + number]
        made.customOptions = np.frombuffer(bytes(options), np.uint8)
        return made

    code = schema.OperatorCodeT()
    code.deprecatedBuiltinCode = code.builtinCode = schema.BuiltinOperator.CUSTOM
    code.customCode = "LceBconv2d"
    graph = schema.SubGraphT()
    graph.tensors = [tensor(number) for number in range(len(shapes))]
    graph.inputs, graph.outputs = [0], [3 + copies]
    graph.operators = [operator(number) for number in range(copies)]
    model = schema.ModelT()
    model.version, model.operatorCodes, model.subgraphs = 3, [code], [graph]
    model.buffers = [buffer(None), *(buffer(constant.tobytes()) for constant in constants)]
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def _spent(interpreter: Any, given: list[Array]) -> float:
    start = time.thread_time()
    interpreter.predict(given)
    return time.thread_time() - start


def main() -> None:
    """Write the result, then answer each line with the seconds of one convolution."""
    given = np.load(sys.argv[1])
    image, filters, channels = given["image"], given["filters"], int(given["channels"])
    spec = importlib.util.find_spec("larq_compute_engine")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("larq_compute_engine is not installed")
    folder = Path(spec.submodule_search_locations[0])
    (library,) = (folder / "tflite" / "python").glob("interpreter_wrapper_lite*.so")
    wrapper: Any = _module("interpreter_wrapper_lite", library)
    schema: Any = _module("tflite_schema", folder / "mlir" / "python" / "tflite_schema.py")
    models = [_conv_model(schema, image, filters, channels, n) for n in (1, 1 + COPIES)]
    once, several = (
        # One thread; neither the reference nor XNNPack, but the indirect kernel.
        wrapper.LiteInterpreter(m, 1, False, True, False)
        for m in models
    )
    bits = [_negative(image, channels)]
    result = once.predict(bits)[0]
    same = np.array_equal(several.predict(bits)[0], result)
    np.save(str(given["result"]), result)
    print("ready" if same else "the convolutions of one image differ", flush=True)
    for _ in sys.stdin:
        print((_spent(several, bits) - _spent(once, bits)) / COPIES, flush=True)


if __name__ == "__main__":
    main()
