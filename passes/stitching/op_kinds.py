"""What the ops of a function are to stitching: members, views, leaves, compute-bound, others."""

from typing import Any

from fsa.bindings import ir
from fsa.passes.stitching.pieces import PIECES, is_static_assembly

ELEMENTWISE = frozenset(
    f"linalg.{name}"
    for name in (
        "abs add broadcast ceil copy div div_unsigned elementwise erf exp floor log map max "
        "min mul negf powf reciprocal round rsqrt select sqrt square sub tanh transpose"
    ).split()
)
VIEWS = frozenset({"tensor.expand_shape", "tensor.collapse_shape"})
SLICE = "tensor.extract_slice"
LEAVES = frozenset({"arith.constant", "linalg.fill", "tensor.empty"})


def is_member(op: Any) -> bool:
    """Whether an op is memory-bound and can be stitched."""
    if not op.results or not all(isinstance(r.type, ir.RankedTensorType) for r in op.results):
        return False
    if op.name in PIECES:
        return is_static_assembly(op)
    if op.name == SLICE:
        return is_static_slice(op)
    if op.name in ELEMENTWISE or op.name in VIEWS or op.name == "linalg.reduce":
        return True
    if op.name == "linalg.generic":
        return not _contracts(op) and _has_plain_body(op)
    return op.name.partition(".")[0] in ("arith", "math") and op.name not in LEAVES


def is_static_slice(op: Any) -> bool:
    """Whether a slice takes elements that are known when compiling."""
    numbers = (n for name in ("offsets", "sizes") for n in op.attributes[f"static_{name}"])
    strides = list(op.attributes["static_strides"])
    dynamic = ir.ShapedType.get_dynamic_size()
    return dynamic not in [*numbers, *strides] and all(stride > 0 for stride in strides)


def moves(op: Any) -> bool:
    """Whether an op only moves elements: a view, a slice, or pieces put together."""
    return op.name in VIEWS or op.name == SLICE or op.name in PIECES


def is_compute(op: Any) -> bool:
    """Whether an op is a matmul, a convolution or another contraction."""
    if op.name == "linalg.generic":
        return _contracts(op)
    plain = op.name in LEAVES or is_member(op)
    return op.name.startswith("linalg.") and not plain and bool(op.results)


def reduces(op: Any) -> bool:
    """Whether an op of linalg reduces along some loop."""
    if op.name == "linalg.reduce":
        return True
    return op.name == "linalg.generic" and "reduction" in str(op.attributes["iterator_types"])


def _contracts(op: Any) -> bool:
    """Whether a generic reduces a product of operands none of which covers all of its loops."""
    if not reduces(op):
        return False
    maps = [attribute.value for attribute in op.attributes["indexing_maps"]]
    inputs = maps[: len(maps) - len(op.results)]
    tensors = [
        m for m, value in zip(inputs, op.operands, strict=False)
        if isinstance(value.type, ir.RankedTensorType)
    ]  # fmt: skip
    covering = [m for m in tensors if _loops_of(m) == m.n_dims]
    return len(tensors) > 1 and not covering


def _loops_of(map_: Any) -> int:
    """Count the loops that appear in an affine map as plain results."""
    return len({r.position for r in map_.results if isinstance(r, ir.AffineDimExpr)})


def _has_plain_body(op: Any) -> bool:
    names = [inner.operation.name for inner in op.regions[0].blocks[0].operations]
    dialects = ("arith", "math")
    return all(
        name in ("linalg.yield", "linalg.index") or name.partition(".")[0] in dialects
        for name in names
    )
