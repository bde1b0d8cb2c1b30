"""The capsule ops of a module, and what their plan and emit passes ask of them."""

from collections.abc import Sequence
from typing import Any

from fsa.bindings import ir
from fsa.passes.plans import ops_to_plan

PLANNER = "fsa-plan-capsule-routing"  # writes the plans that the emit passes read
CAPSULE_OPS = ("fsa.capsule_predict", "fsa.capsule_routing", "fsa.squash")


def capsule_ops(module: Any) -> list[Any]:
    """Return the capsule ops in `module` (an `ir.Operation`) outside of stitched regions."""
    return ops_to_plan(module, CAPSULE_OPS)


def element_name(op: Any) -> str:
    """Return the element type of the op's first operand as MLIR prints it."""
    return str(op.operands[0].type.element_type)


def accumulator_type(op: Any) -> Any:
    """Return the type that sums of `op` are kept in: f64 for f64, else f32."""
    return ir.F64Type.get() if element_name(op) == "f64" else ir.F32Type.get()


def is_power_of_two(number: int) -> bool:
    """Say whether `number` is 1, 2, 4, ...."""
    return number > 0 and number & (number - 1) == 0


def predict_sizes(u: Sequence[Any], w: Sequence[Any]) -> tuple[Any, Any, Any, Any, Any]:
    """Return B, L, H, D, Din from the sizes of u [B, L, Din] and w [L, H, D, Din].

    Where both name a dimension, the one known at compile time is taken.
    """
    batch, low, inner = u
    matrices, high, depth, columns = w
    low = matrices if isinstance(matrices, int) else low
    inner = columns if isinstance(columns, int) else inner
    return batch, low, high, depth, inner
