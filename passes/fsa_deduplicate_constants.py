"""The pass `fsa-deduplicate-constants`."""

import hashlib
from dataclasses import dataclass
from typing import Any, ClassVar

from fsa.bindings import ir
from fsa.diagnostics import Diagnostics
from fsa.dialects.fsa.constants import array_of, is_resource, value_attribute
from fsa.dialects.fsa.resources import resource_bytes
from fsa.passes.base import Pass


@dataclass(frozen=True)
class FsaDeduplicateConstants(Pass):
    """Make constant tensors of equal type and content one, and drop those without use.

    MLIR itself sees that two `dense` attributes are equal, but a `dense_resource` has an identity:
    weights that a model uses twice, such as embeddings tied to the last layer, may come as two.
    Contents are compared by a cryptographic hash of their bytes, so 0.0 and -0.0 differ. Equal
    constants of one block become one op, those of other blocks and functions share the attribute.
    """

    name: ClassVar[str] = "fsa-deduplicate-constants"
    summary: ClassVar[str] = "Make equal constants one, drop unused ones"
    anchor: ClassVar[str] = "any"

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Merge the constants inside `op`."""
        groups: dict[Any, list[Any]] = {}
        for constant in _constants(op):
            if not list(constant.results[0].uses):
                constant.erase()
            elif isinstance(constant.results[0].type, ir.RankedTensorType):
                groups.setdefault(constant.results[0].type, []).append(constant)
        for group in groups.values():
            if len(group) > 1 and any(is_resource(value_attribute(op)) for op in group):
                _merge(group)


def _constants(root: Any) -> list[Any]:
    """Return the constants inside `root` whose value the bindings can read, in their order."""
    found: list[Any] = []

    def visit(op: Any) -> Any:
        op = op.operation
        if op.name == "arith.constant" and value_attribute(op) is not None:
            found.append(op)
        return ir.WalkResult.ADVANCE

    root.walk(visit, ir.WalkOrder.PRE_ORDER)
    return found


def _merge(group: list[Any]) -> None:
    """Give equal constants out of `group`, which have one type, the first one's attribute."""
    attributes: dict[bytes, Any] = {}
    leaders: dict[tuple[bytes, Any], Any] = {}
    for op in group:
        digest = _digest(op)
        if digest is None:
            continue
        attribute = attributes.setdefault(digest, value_attribute(op))
        leader = leaders.setdefault((digest, op.block), op)
        if leader != op:
            op.results[0].replace_all_uses_with(leader.results[0])
            op.erase()
        elif value_attribute(op) != attribute:
            op.attributes["value"] = attribute


def _digest(op: Any) -> bytes | None:
    """Return a hash of the bytes of a constant tensor, None where they cannot be read."""
    type, attribute = op.results[0].type, value_attribute(op)
    if is_resource(attribute):
        data: Any = resource_bytes(attribute, type)
    else:
        try:
            array = array_of(attribute, type)
        except ValueError:  # no NumPy type has such elements
            return None
        data = None if array is None else array.tobytes()
    return None if data is None else hashlib.blake2b(data).digest()
