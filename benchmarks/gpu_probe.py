"""What an NVIDIA GPU is capable of: its copy rate, through PyTorch, and its multiprocessors."""

import ctypes
import importlib.util
import statistics
from typing import Any

COPY_BYTES = 1 << 30
_MULTIPROCESSOR_COUNT = 16  # of CUdevice_attribute, in the driver's API


def multiprocessors() -> int:
    """Return the number of multiprocessors of the first CUDA device; 0 where there is none."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return 0
    device, count = ctypes.c_int(), ctypes.c_int()
    asked = (
        lambda: driver.cuInit(0),
        lambda: driver.cuDeviceGet(ctypes.byref(device), 0),
        lambda: driver.cuDeviceGetAttribute(ctypes.byref(count), _MULTIPROCESSOR_COUNT, device),
    )
    return count.value if all(ask() == 0 for ask in asked) else 0


def copy_probe(rounds: int) -> list[dict[str, Any]]:
    """Measure a device-to-device copy of 1 GiB, bytes read plus bytes written a second.

    An empty list where no PyTorch with CUDA is at hand.
    """
    if importlib.util.find_spec("torch") is None:
        return []
    import torch

    cuda: Any = torch.cuda
    if not cuda.is_available():
        return []
    source = torch.ones(COPY_BYTES // 4, device="cuda")
    target = torch.empty_like(source)
    seconds: list[float] = []
    for _ in range(rounds + 1):
        began, ended = cuda.Event(enable_timing=True), cuda.Event(enable_timing=True)
        began.record()
        target.copy_(source)
        ended.record()
        cuda.synchronize()
        seconds.append(began.elapsed_time(ended) / 1e3)
    median = statistics.median(seconds[1:])  # the first one pays for the start
    amount = 2 * COPY_BYTES
    return [
        {
            "name": "copy",
            "unit": "bytes/s",
            "rate": amount / median,
            "median_seconds": median,
            "amount": amount,
        }
    ]
