"""A matmul of +1 / -1 matrices, [1024, 4096] by [1024, 4096] transposed.

FSA gets packed bits. The peers get what is best for them: f32 for NumPy's BLAS and XLA, int8 for
torch and ONNX Runtime, which have no binary matmul.
"""

from typing import Any

import numpy as np

from fsa.benchmarks.case import Array, Case, Expressed, Inputs, Work
from fsa.dialects.fsa import reference

ROWS, COLUMNS, DEPTH = 1024, 1024, 4096
WORD = 32


def _inputs() -> Inputs:
    draw = np.random.RandomState(0)
    words = (DEPTH + WORD - 1) // WORD
    bits = [draw.randint(-(2**31), 2**31, (n, words), dtype=np.int64) for n in (ROWS, COLUMNS)]
    return bits[0].astype(np.int32), bits[1].astype(np.int32)


def _reference(lhs: Array, rhs: Array) -> Array:
    return reference.binarized_matmul(lhs, rhs, depth=DEPTH)


def _module() -> Any:
    from fsa.dialects.fsa.ops.binarized_matmul import binarized_matmul
    from fsa.examples import graph

    words = (DEPTH + WORD - 1) // WORD
    return graph.function(
        "main",
        [((ROWS, words), "i32"), ((COLUMNS, words), "i32")],
        lambda lhs, rhs: binarized_matmul(lhs, rhs, depth=DEPTH),
    )


def _unpacked(inputs: Inputs, dtype: Any) -> tuple[Array, Array]:
    lhs, rhs = (reference.unpack_bits(a, depth=DEPTH).astype(dtype) for a in inputs)
    return lhs, np.ascontiguousarray(rhs.T)


def _numpy(inputs: Inputs) -> Expressed:
    return Expressed(np.matmul, _unpacked(inputs, np.float32))


def _torch(inputs: Inputs) -> Expressed:
    import torch

    lhs, rhs = _unpacked(inputs, np.int8)
    multiply: Any = getattr(torch, "_int_mm")  # noqa: B009 (torch keeps its int8 matmul private)
    return Expressed(multiply, (torch.from_numpy(lhs), torch.from_numpy(rhs)))


def _jax(inputs: Inputs) -> Expressed:
    import jax

    arguments = tuple(jax.numpy.asarray(a) for a in _unpacked(inputs, np.float32))
    return Expressed(jax.numpy.matmul, arguments)


def _onnx(inputs: Inputs) -> tuple[bytes, dict[str, Array]]:
    from onnx import TensorProto, helper

    info = helper.make_tensor_value_info
    described = helper.make_graph(
        [helper.make_node("MatMulInteger", ["lhs", "rhs"], ["y"])],
        "binarized_matmul",
        [
            info("lhs", TensorProto.INT8, (ROWS, DEPTH)),
            info("rhs", TensorProto.INT8, (DEPTH, COLUMNS)),
        ],
        [info("y", TensorProto.INT32, (ROWS, COLUMNS))],
    )
    model = helper.make_model(described, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model.SerializeToString(), dict(
        zip(("lhs", "rhs"), _unpacked(inputs, np.int8), strict=True)
    )


def cases() -> dict[str, Case]:
    """Return this module's cases by name."""
    case = Case(
        name="binarized-matmul",
        family="binarized",
        summary=f"binarized matmul {ROWS}x{COLUMNS}x{DEPTH}",
        inputs=_inputs,
        module=_module,
        reference=_reference,
        work=Work(
            bytes=(ROWS + COLUMNS) * DEPTH // 8 + 4 * ROWS * COLUMNS,
            popcounts=ROWS * COLUMNS * DEPTH // 64,
        ),
        tolerance=0.0,
        numpy=_numpy,
        torch=_torch,
        jax=_jax,
        onnx=_onnx,
    )
    return {case.name: case}
