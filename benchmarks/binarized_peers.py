"""Other projects' binarized kernels for x86, where they are installed: bnn-lab and Larq.

bnn-lab's C library multiplies packed matrices, with AVX-512 VPOPCNTDQ where the machine has it.
`pip install --no-deps bnn-lab` installs it; only the library is loaded, nothing that needs PyTorch.

Larq Compute Engine convolves; its fast kernels are for ARM, and on x86 it runs its portable ones.
Its library was built for NumPy 1, so it runs in a process of its own (`larq_worker`), by the Python
that the environment variable `LARQ_PYTHON` names:

    python -m venv larq
    larq/bin/pip install numpy==1.26.4
    larq/bin/pip install --no-deps larq-compute-engine flatbuffers
    export LARQ_PYTHON=$PWD/larq/bin/python
"""

from __future__ import annotations

import atexit
import ctypes
import importlib.util
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np

from fsa.benchmarks.peers.base import Unavailable

Array = np.ndarray[Any, Any]
Call = Callable[[], Any]
WORKER = Path(__file__).with_name("larq_worker.py")


@dataclass
class Clock:
    """Seconds of processor time: of this thread, and of other processes that worked for it."""

    elsewhere: float = field(default=0.0)

    def __call__(self) -> float:
        """Return the seconds spent."""
        return time.thread_time() + self.elsewhere


def bnn_lab_matmul(left: Array, weights: Array, depth: int) -> Call:
    """Return a call of bnn-lab's matmul on one thread, whose result is f32 [rows, columns].

    `left` i32 [rows, words] and `weights` i32 [columns, words] are packed; the library reads whole
    64-bit words. Raises `Unavailable`.
    """
    spec = importlib.util.find_spec("bnn")
    folders = list(spec.submodule_search_locations or []) if spec is not None else []
    found = [path for at in folders for path in Path(at).glob("kernels/_binary_gemm_native*.so")]
    if not found:
        raise Unavailable("bnn-lab is not installed; run `pip install --no-deps bnn-lab`")
    library = ctypes.CDLL(str(found[0]))
    library.binary_gemm_set_num_threads(1)
    a, b = _whole_words(left), _whole_words(weights)
    out = np.empty((a.shape[0], b.shape[0]), np.float32)
    pointer, number = ctypes.c_void_p, ctypes.c_int
    sizes = [number(n) for n in (a.shape[0], b.shape[0], a.shape[1], depth)]

    def call() -> Array:
        places = [pointer(array.ctypes.data) for array in (a, b, out)]
        library.binary_gemm_u64(*places, *sizes)
        return out

    return call


def _whole_words(packed: Array) -> Array:
    words = packed.shape[1]
    padded = np.zeros((packed.shape[0], words + words % 2), np.int32)
    padded[:, :words] = packed
    return padded.view(np.uint64)


def larq_conv2d(image: Array, filters: Array, channels: int, clock: Clock) -> tuple[Call, Array]:
    """Return a call of Larq's convolution on one thread, and its result f32 [1, H, W, O].

    `image` i32 [1, H, W, Cw] and `filters` i32 [O, Kh, Kw, Cw] are packed; stride 1, zeros around.
    The call costs `clock` the processor time of one convolution in a model, without calls and
    copies. Raises `Unavailable`.
    """
    python = os.environ.get("LARQ_PYTHON")
    if python is None:
        raise Unavailable("the environment variable LARQ_PYTHON is not set, see binarized_peers")
    with tempfile.TemporaryDirectory() as folder:
        path, result = Path(folder) / "operands.npz", Path(folder) / "result.npy"
        numbers, place = np.array(channels), np.array(str(result))
        np.savez(path, image=image, filters=filters, channels=numbers, result=place)
        try:
            worker = subprocess.Popen(
                [python, str(WORKER), str(path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        except OSError as error:
            raise Unavailable(f"LARQ_PYTHON names no Python that can be run: {error}") from None
        atexit.register(worker.kill)
        asked, answers = worker.stdin, worker.stdout
        if asked is None or answers is None or answers.readline() != "ready\n":
            raise Unavailable(f"{python} could not run Larq Compute Engine")
        computed: Array = np.load(result)
    return (lambda: _ask(asked, answers, clock)), computed


def _ask(asked: IO[str], answers: IO[str], clock: Clock) -> None:
    """Have the worker convolve, and charge `clock` what it reports instead of the asking."""
    start = time.thread_time()
    asked.write("\n")
    asked.flush()
    seconds = float(answers.readline())
    clock.elsewhere += seconds - (time.thread_time() - start)
