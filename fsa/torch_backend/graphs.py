"""Functional FX graphs: what cannot be compiled, their outputs, and their import."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from fsa.errors import InputError


@dataclass(frozen=True)
class Output:
    """One output of a graph: an input passed on, a constant, or a result of the module.

    `order` lists the dimensions of a result from the outermost in memory to the innermost, where
    PyTorch would not lay it out row by row.
    """

    kind: str  # "input", "constant" or "result"
    value: Any  # index of the input or the result, or the constant
    order: tuple[int, ...] | None = None


def place_of(graph: Any) -> str | None:
    """Return file and line of the user's code that the first op of a graph comes from."""
    from fsa.frontend.pytorch_places import place_of_node

    for node in graph.nodes:
        place = place_of_node(node) if node.op not in ("placeholder", "output") else None
        if place is not None:
            return f"{place[0]}:{place[1]}"
    return None


def refuse_unsuited(graph: Any) -> None:
    """Raise `InputError` for a graph that FSA would run with another meaning than PyTorch does."""
    for node in graph.nodes:
        tags = getattr(node.target, "tags", ())
        if node.op == "call_function" and torch.Tag.nondeterministic_seeded in tags:
            raise InputError(
                f"expected no random numbers, found {node.target} (node '{node.name}'): they would "
                "not follow PyTorch's generator; call eval() on a model with dropout"
            )
        value = node.meta.get("val")
        if node.op == "placeholder" and isinstance(value, torch.Tensor):
            if value.layout is not torch.strided:
                raise InputError(f"expected dense tensors, found an input of {value.layout}")


def target_of(graph: Any) -> str:
    """Return the kind of target that the inputs lie on; raise `InputError` when they differ."""
    devices = {
        node.meta["val"].device.type
        for node in graph.nodes
        if node.op == "placeholder" and isinstance(node.meta.get("val"), torch.Tensor)
    }
    if not devices <= {"cpu", "cuda"} or len(devices) > 1:
        found = ", ".join(sorted(devices))
        raise InputError(f"expected inputs that all lie on the CPU or on CUDA, found {found}")
    return next(iter(devices), "cpu")


def split_outputs(module: Any) -> tuple[Any, list[Output]]:
    """Return a copy of a graph module that returns its computed values, each once, and the outputs.

    What PyTorch's graph returns besides, such as None and its own inputs, needs no compilation.
    """
    (given,) = (node for node in module.graph.nodes if node.op == "output")
    placeholders = [node for node in module.graph.nodes if node.op == "placeholder"]
    results: list[Any] = []
    outputs: list[Output] = []
    for value in _flat(given.args[0]):
        if not isinstance(value, torch.fx.Node):
            outputs.append(Output("constant", value))
        elif value.op == "placeholder":
            outputs.append(Output("input", placeholders.index(value)))
        else:
            if value not in results:
                results.append(value)
            outputs.append(Output("result", results.index(value), _order(value.meta.get("val"))))
    graph = torch.fx.Graph()
    copies: dict[Any, Any] = {}
    graph.graph_copy(module.graph, copies)
    graph.output(tuple(copies[value] for value in results))
    graph.eliminate_dead_code()
    return torch.fx.GraphModule(module, graph), outputs


def freeze(module: Any, constants: dict[int, Any]) -> None:
    """Put tensors in the place of inputs, by their index; these inputs are gone."""
    placeholders = [node for node in module.graph.nodes if node.op == "placeholder"]
    for index, value in constants.items():
        node = placeholders[index]
        name = f"_fsa_frozen_{index}"
        module.register_buffer(name, value.detach(), persistent=False)
        with module.graph.inserting_before(node):
            attribute = module.graph.create_node("get_attr", name)
        attribute.meta = dict(node.meta)
        node.replace_all_uses_with(attribute)
        module.graph.erase_node(node)


def import_graph(module: Any) -> Any:
    """Return a functional graph module as an `ir.Module` of linalg and fsa ops, function `main`.

    Symbolic sizes among the inputs become i64 arguments. Raises `InputError`.
    """
    from fsa.frontend.pytorch import LOWERING
    from fsa.frontend.pytorch_import import import_with
    from fsa.frontend.torch_constants import pack_constants
    from fsa.frontend.torch_custom_ops import lower_torch
    from fsa.frontend.torch_unsigned import widen_bytes

    widen_bytes(module.graph)
    pack_constants(module.graph, {})
    imported, _ = import_with(
        lambda importer: importer.import_graph_module(module, func_name="main")
    )
    lower_torch(imported, LOWERING, "the PyTorch graph")
    return imported


def _flat(outputs: Any) -> list[Any]:
    if isinstance(outputs, tuple | list):
        return [leaf for output in outputs for leaf in _flat(output)]
    return [outputs]


def _order(value: Any) -> tuple[int, ...] | None:
    """Return the dimensions of a result from outermost to innermost; None where row by row."""
    if not isinstance(value, torch.Tensor) or value.layout is not torch.strided:
        return None
    strides = [_hint(stride) for stride in value.stride()]
    sizes = [_hint(size) for size in value.shape]
    if 0 in strides or 0 in sizes:
        return None
    # Dimensions of size 1 have no place of their own; a stable sort leaves them in theirs.
    order = sorted(range(len(sizes)), key=lambda dim: -strides[dim])
    real = [dim for dim in order if sizes[dim] != 1]
    return None if real == sorted(real) else tuple(order)


def _hint(size: Any) -> int:
    """Return a size, for a symbolic one the size that it was traced with."""
    return size if isinstance(size, int) else int(size.node.hint)
