"""Binarized matmuls, convolutions and networks as they are measured on a GPU.

The rivals are f16: cuBLAS for matmuls, cuDNN for convolutions, through PyTorch, on the same +1 / -1
values. References are f32 products of whole numbers, rounded: a library may transform them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np

from fsa.benchmarks.case import Expressed
from fsa.dialects.fsa import reference

Array = np.ndarray[Any, Any]

MATMULS = (
    *((size, size, size) for size in (64, 256, 512, 1024, 2048, 4096, 8192)),
    *((1, size, size) for size in (1024, 4096, 8192)),
    (64, 1024, 1024),
    (1024, 1024, 4096),
    (1000, 777, 4097),
)
CHANNELS = (64, 128, 256, 384, 512, 640)
IMAGE = 64
BATCHES = (1, 64)
# Latencies of SBNN-64-Fine on a V100, in seconds: BSTC (A. Li et al., SC'19).
PUBLISHED = {
    "mlp": 0.04e-3,
    "vgg": 0.466e-3,
    "alexnet": 0.979e-3,
    "resnet14": 1.027e-3,
    "resnet18": 1.906e-3,
}
# Throughputs of the same, in images a second; there is none for ResNet-14.
PUBLISHED_THROUGHPUT = {"mlp": 8.98e6, "vgg": 5.78e4, "alexnet": 4400.0, "resnet18": 2880.0}


@dataclass(frozen=True)
class BinarizedCase:
    """A binarized computation; `half` is the same in f16 for PyTorch."""

    name: str
    inputs: Callable[[], tuple[Array, ...]]
    module: Callable[[], Any]
    reference: Callable[[Sequence[Array]], list[Array]]
    half: Callable[[Sequence[Array]], Expressed]
    library_label: str
    tolerance: float = 0.0
    depth: int = 0
    published: float | None = None
    note: str = ""


def _bits(seed: int, *shape: int) -> Array:
    """Return random packed rows of `shape[-1]` bits, padding bits 0."""
    signs = np.random.default_rng(seed).integers(0, 2, shape).astype(np.float32) - 0.5
    return reference.pack_bits(signs)


def _signs(packed: Array, depth: int) -> Any:
    """Return packed rows as f32 values of +1 and -1 in torch, on the GPU if there is one."""
    import torch

    tensor = torch.from_numpy(reference.unpack_bits(packed, depth=depth))
    return tensor.cuda() if torch.cuda.is_available() else tensor


# Matmuls.


def matmuls() -> Iterator[BinarizedCase]:
    """Yield a case for each of `MATMULS`: rows, columns, depth."""
    for sizes in MATMULS:
        rows, columns, depth = sizes
        yield BinarizedCase(
            name=f"binarized-matmul-{rows}x{columns}x{depth}",
            inputs=partial(_matmul_inputs, *sizes),
            module=partial(_matmul_module, *sizes),
            reference=partial(_matmul_reference, depth),
            half=partial(_half_matmul, depth),
            library_label="cuBLAS f16",
            depth=depth,
        )


def _matmul_inputs(rows: int, columns: int, depth: int) -> tuple[Array, ...]:
    return _bits(0, rows, depth), _bits(1, columns, depth)


def _matmul_module(rows: int, columns: int, depth: int) -> Any:
    from fsa.dialects.fsa.ops.binarized_matmul import binarized_matmul
    from fsa.examples import graph

    words = -(-depth // 32)
    return graph.function(
        "main",
        [((rows, words), "i32"), ((columns, words), "i32")],
        lambda lhs, rhs: binarized_matmul(lhs, rhs, depth=depth),
    )


def _matmul_reference(depth: int, arrays: Sequence[Array]) -> list[Array]:
    lhs, rhs = (_signs(array, depth) for array in arrays)
    return [(lhs @ rhs.T).round().cpu().numpy()]


def _half_matmul(depth: int, arrays: Sequence[Array]) -> Expressed:
    import torch

    lhs, rhs = (_signs(array, depth).half() for array in arrays)
    return Expressed(torch.matmul, (lhs, rhs.T.contiguous()))


# Convolutions.


def convolutions() -> Iterator[BinarizedCase]:
    """Yield convolutions of 3x3 over an image of 64x64, as many channels out as in."""
    for channels in CHANNELS:
        yield BinarizedCase(
            name=f"binarized-conv2d-{channels}",
            inputs=partial(_conv2d_inputs, channels),
            module=partial(_conv2d_module, channels),
            reference=partial(_conv2d_reference, channels),
            half=partial(_half_conv2d, channels),
            library_label="cuDNN f16",
        )


def _conv2d_inputs(channels: int) -> tuple[Array, ...]:
    return _bits(0, 1, IMAGE, IMAGE, channels), _bits(1, channels, 3, 3, channels)


def _conv2d_module(channels: int) -> Any:
    from fsa.dialects.fsa.ops.binarized_conv2d import binarized_conv2d
    from fsa.examples import graph

    words = -(-channels // 32)
    return graph.function(
        "main",
        [((1, IMAGE, IMAGE, words), "i32"), ((channels, 3, 3, words), "i32")],
        lambda image, kernel: binarized_conv2d(
            image, kernel, channels=channels, strides=(1, 1), pad=(1, 1, 1, 1), pad_mode="zero"
        ),
    )


def _conv2d_arguments(channels: int, arrays: Sequence[Array]) -> tuple[Any, ...]:
    return tuple(_signs(array, channels).permute(0, 3, 1, 2) for array in arrays)


def _conv2d_reference(channels: int, arrays: Sequence[Array]) -> list[Array]:
    import torch

    image, kernel = _conv2d_arguments(channels, arrays)
    found = torch.nn.functional.conv2d(image, kernel, padding=1)
    return [found.round().permute(0, 2, 3, 1).cpu().numpy()]


def _half_conv2d(channels: int, arrays: Sequence[Array]) -> Expressed:
    import torch

    arguments = tuple(value.half() for value in _conv2d_arguments(channels, arrays))

    def function(image: Any, kernel: Any) -> Any:
        return torch.nn.functional.conv2d(image, kernel, padding=1).permute(0, 2, 3, 1)

    return Expressed(function, arguments)


# Networks.


def networks() -> Iterator[BinarizedCase]:
    """Yield the networks of BSTC's table with random weights, a sample and a batch of each."""
    for name, published in PUBLISHED.items():
        for batch in BATCHES:
            yield BinarizedCase(
                name=f"binarized-{name}-b{batch}",
                inputs=partial(_images, name, batch),
                module=partial(_network_module, name, batch),
                reference=partial(_network_reference, name),
                half=partial(_half_network, name),
                library_label="PyTorch f16",
                tolerance=1e-3,
                published=published if batch == 1 else _at_throughput(name, batch),
                note=f"SBNN-64-Fine on a V100, {'latency' if batch == 1 else 'throughput'}",
            )


def _at_throughput(name: str, batch: int) -> float | None:
    """Return what a batch takes at the published throughput, in seconds."""
    rate = PUBLISHED_THROUGHPUT.get(name)
    return None if rate is None else batch / rate


@cache
def _network(name: str) -> Any:
    """Return a network by name and its torch module, with random weights."""
    import torch

    from fsa.examples.binarized_networks import NETWORKS, randomized

    (found,) = (network for network in NETWORKS if network.name == name)
    torch.manual_seed(0)
    return found, randomized(found.build())


def _images(name: str, batch: int) -> tuple[Array, ...]:
    shape = (batch, *_network(name)[0].image)
    return (np.random.default_rng(0).standard_normal(shape, dtype=np.float32),)


def _network_module(name: str, batch: int) -> Any:
    import torch

    from fsa.frontend.model import read_model

    (images,) = _images(name, batch)
    return read_model(_network(name)[1], (torch.from_numpy(images),))


def _network_reference(name: str, arrays: Sequence[Array]) -> list[Array]:
    import torch

    with torch.no_grad():
        return [_network(name)[1](torch.from_numpy(arrays[0])).numpy()]


def _half_network(name: str, arrays: Sequence[Array]) -> Expressed:
    import copy

    import torch

    model = copy.deepcopy(_network(name)[1]).half()
    images = torch.from_numpy(arrays[0]).half()
    if torch.cuda.is_available():
        model, images = model.cuda(), images.cuda()
    return Expressed(model, (images,))
