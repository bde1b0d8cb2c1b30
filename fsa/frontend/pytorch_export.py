"""Tracing of PyTorch models by `torch.export`, with errors that name the user's own line."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fsa.errors import InputError, reason_of
from fsa.frontend.pytorch_errors import WatchSizes, explain, first_line
from fsa.frontend.pytorch_places import whole_stacks


def export_module(model: Any, example_inputs: Any, dynamic_shapes: Any) -> Any:
    """Return the `ExportedProgram` of an `nn.Module`; see `read_pytorch` for the arguments."""
    import torch

    # What torch.compile returns wraps the module that can be exported.
    model = getattr(model, "_orig_mod", model)
    if isinstance(model, torch.jit.ScriptModule):
        raise InputError(
            "expected an nn.Module that torch.export can trace, found a TorchScript module: "
            "pass the module that it was made from"
        )
    if example_inputs is None:
        raise InputError(
            "expected example inputs with an nn.Module, which torch.export traces with them: "
            "fsa.compile(model, (x,))"
        )
    _check_weights([*model.named_parameters(), *model.named_buffers()])
    positional, named = _arguments(example_inputs)

    def trace() -> Any:
        return torch.export.export(model, positional, named, dynamic_shapes=dynamic_shapes)

    with _evaluation(model), torch.no_grad(), whole_stacks():
        try:
            return quietly(trace)
        except Exception as error:
            if isinstance(error, IndexError):
                _check_axes((positional, named), dynamic_shapes)
            reason = _reason(error, trace)
    raise InputError(f"torch.export cannot trace the model: {reason}")


def load_program(path: Any) -> Any:
    """Return the `ExportedProgram` in a `.pt2` file."""
    import torch

    name = os.fspath(path)
    if not name.endswith(".pt2"):
        raise InputError(
            f"expected a program of torch.export.save (.pt2), found {name}: for a checkpoint or "
            "TorchScript, load the model in PyTorch and pass the nn.Module"
        )
    try:
        return quietly(lambda: torch.export.load(Path(name)))
    except OSError as error:
        raise InputError(f"cannot read {name}: {reason_of(error)}") from None
    except Exception as error:
        raise InputError(
            f"expected a torch.export program in {name}: {first_line(error)}"
        ) from None


def check_program(program: Any) -> None:
    """Raise `InputError` when the weights of an `ExportedProgram` are no dense tensors."""
    import torch

    constants = [item for item in program.constants.items() if isinstance(item[1], torch.Tensor)]
    _check_weights([*program.state_dict.items(), *constants])


def quietly(action: Callable[[], Any]) -> Any:
    """Return what `action` returns, without what torch prints and logs on its way to an error."""
    disabled, text = logging.root.manager.disable, io.StringIO()
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stderr(text):
            warnings.simplefilter("ignore")
            result = action()
    finally:
        logging.disable(disabled)
    # What the model itself printed.
    sys.stderr.write(text.getvalue())
    return result


def _check_weights(weights: list[tuple[str, Any]]) -> None:
    import torch

    for name, tensor in weights:
        found = ""
        if tensor.is_quantized:
            found = "a quantized tensor"
        elif tensor.layout is not torch.strided:
            found = f"a {str(tensor.layout).removeprefix('torch.')} tensor"
        elif tensor.device.type == "meta":
            found = "a tensor without data (on the meta device)"
        if found:
            raise InputError(
                f"expected dense weights, found {found} of shape {list(tensor.shape)} as '{name}'"
            )


def _arguments(example_inputs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Split example inputs into positional and keyword arguments; arrays become tensors."""
    import numpy as np
    import torch
    from torch.utils._pytree import tree_map

    def tensor(leaf: Any) -> Any:
        return torch.from_numpy(np.array(leaf)) if isinstance(leaf, np.ndarray) else leaf

    given: Any = tree_map(tensor, example_inputs)
    if isinstance(given, dict):
        return (), dict(given)  # pyright: ignore[reportUnknownVariableType]
    return (tuple(given) if isinstance(given, tuple | list) else (given,)), {}


def _check_axes(given: tuple[tuple[Any, ...], dict[str, Any]], dynamic_shapes: Any) -> None:
    """Raise `InputError` for an axis in `dynamic_shapes` that its example input does not have."""
    import torch

    def check(example: Any, spec: Any, name: str) -> None:
        if isinstance(example, torch.Tensor) and isinstance(spec, dict):
            axes: list[Any] = list(spec)  # pyright: ignore[reportUnknownArgumentType]
            for axis in axes:
                if isinstance(axis, int) and not -example.dim() <= axis < example.dim():
                    raise InputError(
                        f"expected axes below {example.dim()} in dynamic_shapes of {name}, an "
                        f"example input of shape {list(example.shape)}, found {axis}"
                    )
        elif isinstance(example, list | tuple) and isinstance(spec, list | tuple):
            pairs: Any = zip(example, spec, strict=False)  # pyright: ignore[reportUnknownArgumentType]
            for index, (item, inner) in enumerate(pairs):
                check(item, inner, f"{name}[{index}]")
        elif isinstance(example, dict) and isinstance(spec, dict):
            items: dict[Any, Any] = example
            specs: dict[Any, Any] = spec
            for key in items.keys() & specs.keys():
                check(items[key], specs[key], f"{name}[{key!r}]")

    positional, named = given
    if isinstance(dynamic_shapes, dict) and positional:
        # By the names of the arguments of `forward`, in their order.
        dynamic_shapes = list(dynamic_shapes.values())  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    check(positional or named, dynamic_shapes, "inputs")


@contextmanager
def _evaluation(model: Any) -> Generator[None]:
    """Put `model` into evaluation mode, and each of its modules back into its own mode."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def _reason(error: Exception, trace: Callable[[], Any]) -> str:
    """Return why `trace` failed; where a dynamic size is fixed by the model, it runs again.

    Only then torch says where, and to a logger.
    """
    if "Constraints violated" not in str(error):
        return explain(error)
    with WatchSizes() as watch, contextlib.suppress(Exception), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trace()
    return explain(error, watch.place)
