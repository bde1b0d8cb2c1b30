"""Products of tensors of two element types, which PyTorch refuses when it runs them.

torch.export lets them pass, since it looks at shapes only.
"""

from __future__ import annotations

from typing import Any

from fsa.errors import InputError
from fsa.frontend.pytorch_places import describe

_PRODUCTS = frozenset("linear addmm mm bmm baddbmm matmul convolution addmv mv dot".split())


def check_operand_types(graph: Any) -> None:
    """Raise `InputError` for a product in an exported `graph` whose operands differ in type."""
    for node in graph.nodes:
        packet = getattr(node.target, "overloadpacket", node.target)
        if getattr(packet, "__name__", "") not in _PRODUCTS:
            continue
        values = [given.meta.get("val") for given in node.args if hasattr(given, "meta")]
        kinds = {str(v.dtype).removeprefix("torch.") for v in values if hasattr(v, "dtype")}
        if len(kinds) > 1:
            raise InputError(
                f"expected operands of one element type, found {' and '.join(sorted(kinds))} "
                f"{describe(node)}"
            )
