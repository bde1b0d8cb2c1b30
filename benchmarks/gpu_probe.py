"""The limit of an NVIDIA GPU that bounds memory-bound kernels: its copy rate, through PyTorch."""

import importlib.util
import statistics
from typing import Any

COPY_BYTES = 1 << 30


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
