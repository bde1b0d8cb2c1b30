"""What was decided about the scope of regions, and how it is written in attributes.

A region carries the dictionary `scope`: how many ops it took, what it is expected to cost beside
what IREE's own kernels would (`Decision`), and the reason. A memory-bound op that no region took
carries the text `fsa.left_out`, which says why.
"""

from dataclasses import dataclass, fields
from typing import Any

from fsa.bindings import ir

SCOPE = "scope"
LEFT_OUT = "fsa.left_out"
UNKNOWN = -1


@dataclass(frozen=True)
class Decision:
    """Why a region took its ops; estimates are `UNKNOWN` where no cost model was asked.

    "Portable" counts what IREE's own kernels would do instead: how many, the bytes that they read
    and write, and nanoseconds.
    """

    ops: int
    reason: str
    kernels_portable: int = UNKNOWN
    bytes_portable: int = UNKNOWN
    bytes_stitched: int = UNKNOWN
    nanoseconds_portable: int = UNKNOWN
    nanoseconds_stitched: int = UNKNOWN


def write_decision(region: Any, decision: Decision) -> None:
    """Write a decision onto a region (an `ir.Operation`)."""
    i64 = ir.IntegerType.get_signless(64)
    entries: dict[str, Any] = {}
    for field in fields(decision):
        value = getattr(decision, field.name)
        text = isinstance(value, str)
        entries[field.name] = ir.StringAttr.get(value) if text else ir.IntegerAttr.get(i64, value)
    region.attributes[SCOPE] = ir.DictAttr.get(entries)


def write_left_out(op: Any, reason: str) -> None:
    """Write on an op (an `ir.Operation`) why no region took it."""
    op.attributes[LEFT_OUT] = ir.StringAttr.get(reason)
