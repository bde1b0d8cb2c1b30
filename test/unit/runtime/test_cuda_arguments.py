"""Tensors on a GPU are shared where kernels may load vectors from them, else copied (no GPU)."""

import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from fsa.runtime import arguments, dlpack
from fsa.runtime.arguments import TensorArgument


class GpuTensor:
    """Stands for a tensor of torch on a GPU."""

    device = "cuda:0"

    def __init__(self, address: int, log: list[str]):
        self.address, self.log = address, log

    def contiguous(self) -> "GpuTensor":
        self.log.append("contiguous")
        return self

    def data_ptr(self) -> int:
        return self.address

    def clone(self) -> "GpuTensor":
        self.log.append("clone")
        return GpuTensor(512, self.log)

    def __dlpack__(self) -> "GpuTensor":
        assert self.log[-1] == "synchronize"  # also what copies it is done
        return self


@pytest.mark.parametrize(("address", "shared"), [(0, 0), (64, 64), (4, 512), (16, 512)])
def test_memory_that_begins_between_vectors_is_copied(
    address: int, shared: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[int] = []

    def share(tensor: Any) -> Any:
        taken.append(tensor.address)
        return SimpleNamespace(shape=(3,))

    log: list[str] = []
    stream = SimpleNamespace(synchronize=lambda: log.append("synchronize"))
    torch = SimpleNamespace(cuda=SimpleNamespace(current_stream=lambda _: stream))
    monkeypatch.setattr(dlpack, "framework_of", lambda _: "torch")
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setattr(arguments, "copier", lambda *_: None)
    spec = SimpleNamespace(element="f32", shape=(3,))
    device = SimpleNamespace(hal=SimpleNamespace(from_dlpack_capsule=share))
    argument: Any = TensorArgument("x", spec, device)  # pyright: ignore[reportArgumentType]
    assert np.prod(argument.import_cuda(GpuTensor(address, log)).shape) == 3
    assert taken == [shared]
