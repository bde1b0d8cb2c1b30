"""Arithmetic on bytes (torch.uint8) becomes arithmetic on 32-bit integers.

torch-mlir reads the bits of a uint8 as a signed number in most ops, so that 200 / 2 gives -28, or
ends with a crash.
"""

from __future__ import annotations

import operator
from typing import Any

# What moves, selects or converts elements.
_SAFE = frozenset(
    "alias as_strided cat clone constant_pad_nd copy convert_element_type detach diagonal "
    "embedding expand flip gather getitem index index_select lift_fresh_copy permute repeat "
    "reshape roll scatter select select_scatter slice slice_scatter split split_with_sizes "
    "squeeze stack sym_numel sym_size t transpose unbind unfold unsqueeze view where _to_copy "
    "_unsafe_view new_zeros zeros_like ones_like full_like bitwise_and bitwise_not bitwise_or "
    "bitwise_xor".split()
)


def widen_bytes(graph: Any) -> None:
    """Compute in i32 what the nodes of an FX `graph` compute of uint8 tensors, in place."""
    for node in list(graph.nodes):
        if node.op != "call_function" or "val" not in node.meta or _name(node) in _SAFE:
            continue
        if any(_is_bytes(given.meta.get("val")) for given in node.all_input_nodes):
            _widen(graph, node)


def _name(node: Any) -> str:
    packet = getattr(node.target, "overloadpacket", node.target)
    return getattr(packet, "__name__", str(packet))


def _is_bytes(value: Any) -> bool:
    import torch

    return isinstance(value, torch.Tensor) and value.dtype is torch.uint8


def _widen(graph: Any, node: Any) -> None:
    """Convert the operands of `node` to i32, and its results back to what they were."""
    import torch

    for given in node.all_input_nodes:
        if _is_bytes(given.meta.get("val")):
            with graph.inserting_before(node):
                node.replace_input_with(given, _converted(graph, given, torch.int32))
    value = node.meta["val"]
    if not isinstance(value, tuple | list):
        _narrow(graph, node)
        return
    node.meta["val"] = [each.to(torch.int32) if _is_bytes(each) else each for each in value]
    for user in list(node.users):
        if user.target is operator.getitem:
            _narrow(graph, user)


def _narrow(graph: Any, node: Any) -> None:
    """Let `node`, whose value was uint8, give i32, and its users the uint8 of that."""
    import torch

    if not _is_bytes(node.meta["val"]):
        return
    node.meta["val"] = node.meta["val"].to(torch.int32)
    node.meta.pop("tensor_meta", None)
    users = list(node.users)
    with graph.inserting_after(node):
        narrow = _converted(graph, node, torch.uint8)
    for user in users:
        user.replace_input_with(node, narrow)
    # The program knows its results by name.
    name, node.name = node.name, f"{node.name}_wide"
    narrow.name = name


def _converted(graph: Any, node: Any, dtype: Any) -> Any:
    """Add a conversion of the value of `node` at the insertion point."""
    import torch

    target = torch.ops.prims.convert_element_type.default
    converted = graph.call_function(target, (node, dtype))
    converted.meta = {
        "val": node.meta["val"].to(dtype),
        "stack_trace": node.meta.get("stack_trace"),
    }
    return converted
