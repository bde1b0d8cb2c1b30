"""What a model of the zoo is, and what it is at one size."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

SEED = 20260417


@dataclass(frozen=True)
class Instance:
    """A model at one size: what a compiler reads, and what it is called with.

    `source` is an `nn.Module` in eval mode, called as `source(*inputs)` with torch tensors, or the
    path of an ONNX file, whose inputs are NumPy arrays in the order of `input_names`. PyTorch
    takes `dynamic_shapes` where sizes stay open, an ONNX file the `shapes` of its inputs.
    """

    source: Any
    inputs: tuple[Any, ...]
    input_names: tuple[str, ...] = ()
    dynamic_shapes: Any = None
    shapes: Mapping[str, tuple[int | str, ...]] | None = None

    @property
    def is_onnx(self) -> bool:
        """Whether the model is an ONNX file."""
        return isinstance(self.source, Path)

    def options(self) -> dict[str, Any]:
        """Return what `fsa.compile` and `read_model` take beside `source`."""
        if self.is_onnx:
            return {"shapes": self.shapes}
        return {"example_inputs": self.inputs, "dynamic_shapes": self.dynamic_shapes}

    def arrays(self) -> list[Any]:
        """Return the inputs as NumPy arrays."""
        return [value if self.is_onnx else value.numpy() for value in self.inputs]


@dataclass(frozen=True)
class Model:
    """One architecture of the zoo.

    `create(config)` makes the source with seeded weights, `inputs(config, batch)` its seeded
    inputs. `sizes` names the configurations: `small` for tests, those in `table` for the table in
    docs/models.md; each has a `batch`. `batch_axes` gives the batch dimension of each input, None
    for an input without one; it is empty where the batch is fixed.
    """

    name: str
    kind: str
    summary: str
    sizes: Mapping[str, Any]
    create: Callable[[Any], Any]
    inputs: Callable[[Any, int], tuple[Any, ...]]
    batch_axes: tuple[int | None, ...] = ()
    input_names: tuple[str, ...] = ()
    table: tuple[str, ...] = ("full",)
    requires: tuple[str, ...] = ("torch",)

    def missing(self) -> str | None:
        """Return what is not installed and how to get it, None when the model can be built."""
        absent = [name for name in self.requires if importlib.util.find_spec(name) is None]
        if not absent:
            return None
        packages = " ".join(name.replace("_", "-") for name in absent)
        return f"{', '.join(absent)} not installed; run `pip install {packages}`"

    def build(self, size: str, *, batch: int | None = None, dynamic: bool = False) -> Instance:
        """Return the model at `size`; with `dynamic` its batch dimension stays open.

        Raises KeyError for an unknown size and ValueError where the batch is fixed.
        """
        config = self.sizes[size]
        if (dynamic or batch is not None) and not self.batch_axes:
            raise ValueError(f"expected {self.name} at its own batch, which is fixed")
        source = self.create(config)
        # torch.export takes a dimension of size 1 for a constant, also one that is named dynamic.
        default = max(config.batch, 2) if dynamic else config.batch
        inputs = self.inputs(config, batch or default)
        found = Instance(source, inputs, self.input_names)
        if found.is_onnx:
            return replace(found, shapes=self._onnx_shapes(inputs, dynamic))
        return replace(found, dynamic_shapes=self._torch_shapes()) if dynamic else found

    def inputs_of(self, size: str, batch: int) -> tuple[Any, ...]:
        """Return seeded inputs of the model at `size` for another batch."""
        return self.inputs(self.sizes[size], batch)

    def _torch_shapes(self) -> tuple[Any, ...]:
        from torch.export import Dim

        batch = Dim("batch", min=1, max=64)
        return tuple(None if axis is None else {axis: batch} for axis in self.batch_axes)

    def _onnx_shapes(
        self, inputs: tuple[Any, ...], dynamic: bool
    ) -> dict[str, tuple[int | str, ...]]:
        """Return the sizes of all inputs, the batch dimension by name where it stays open."""
        given = zip(self.input_names, self.batch_axes, inputs, strict=True)
        return {
            name: tuple(
                "batch" if dynamic and place == axis else size
                for place, size in enumerate(value.shape)
            )
            for name, axis, value in given
        }
