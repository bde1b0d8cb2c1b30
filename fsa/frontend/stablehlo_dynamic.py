"""Dynamic shapes of StableHLO in the form that IREE's passes take; runs in IREE's context.

JAX decides when it traces whether a dimension broadcasts: one of symbolic size never does.
StableHLO says that in attributes that JAX leaves out, and without them a broadcast of an open size
has no lowering. A reshape to a computed shape is `tensor.reshape`.
"""

from __future__ import annotations

from typing import Any

from fsa.frontend.stablehlo_dots import lower_dynamic_dot

_POLYMORPHIC = "jax.uses_shape_polymorphism"


def prepare(module: Any) -> None:
    """Rewrite the ops of dynamic shape in `module` (IREE's `ir.Module`), in place."""
    from iree.compiler import ir

    found: list[Any] = []

    def visit(op: Any) -> Any:
        if op.name in _REWRITES:
            found.append(op)
        return ir.WalkResult.ADVANCE

    module.operation.walk(visit)
    from_jax = _POLYMORPHIC in module.operation.attributes
    for op in found:
        if from_jax or op.name != "stablehlo.dynamic_broadcast_in_dim":
            with ir.InsertionPoint(op), op.location:
                _REWRITES[op.name](op)


def _broadcast(op: Any) -> None:
    """Say which dimensions a broadcast repeats: those of size 1 that the result does not have."""
    from iree.compiler import ir

    given, result = (ir.RankedTensorType(value.type) for value in (op.operands[0], op.results[0]))
    axes = list(op.attributes["broadcast_dimensions"])
    repeated, kept = list[int](), list[int]()
    for axis, target in enumerate(axes):
        single = not given.is_dynamic_dim(axis) and given.get_dim_size(axis) == 1
        fits = not result.is_dynamic_dim(target) and result.get_dim_size(target) == 1
        (repeated if single and not fits else kept).append(axis)
    for name, values in (("expanding", repeated), ("nonexpanding", kept)):
        op.attributes[f"known_{name}_dimensions"] = ir.DenseI64ArrayAttr.get(values)


def _reshape(op: Any) -> None:
    """Replace the op by `tensor.reshape`, which takes a shape of signless integers."""
    from iree.compiler import ir

    reshaped = ir.Operation.create(
        "tensor.reshape", results=[op.results[0].type], operands=list(op.operands)
    )
    op.results[0].replace_all_uses_with(reshaped.results[0])
    op.erase()


_REWRITES = {
    "stablehlo.dynamic_broadcast_in_dim": _broadcast,
    "stablehlo.dynamic_reshape": _reshape,
    "stablehlo.dot_general": lower_dynamic_dot,
}
