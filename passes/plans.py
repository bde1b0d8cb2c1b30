"""Plans: what a plan pass writes on an op and the emit pass reads back.

A plan is the discardable attribute `plan` of an op, a dictionary. A frozen dataclass names its
entries; a field of type int is an `i64`, bool a `bool`, str a string and tuple[int, ...] an
`array<i64>`. Beside them stands `reasons`, a list of short texts. A person may write any part of a
plan: a plan pass keeps what it finds, and the emit pass checks what it is given.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any, TypeVar

from fsa.bindings import ir
from fsa.passes.base import PassError
from fsa.runtime.targets import KINDS, Target

ATTRIBUTE = "plan"
REASONS = "reasons"
PlanT = TypeVar("PlanT")


def target_of(module: Any, *kinds: str) -> Target:
    """Return the target that `module` (an `ir.Operation`) carries.

    Raise `PassError` where it carries none, or one that is of none of `kinds` (default: any).
    """
    try:
        target = Target.of_module(module)
    except ValueError as error:
        raise PassError(module.location, str(error)) from None
    if target.kind not in (kinds or KINDS):
        raise PassError(
            module.location, f"expected a target of kind {' or '.join(kinds)}, found {target}"
        )
    return target


def ops_to_plan(module: Any, names: Collection[str]) -> list[Any]:
    """Return the ops in `module` (an `ir.Operation`) that are called one of `names`.

    Those inside an `fsa.stitched_region` are left out: a region is planned and lowered as a whole.
    """
    found: list[Any] = []

    def visit(op: Any) -> Any:
        if op.operation.name == "fsa.stitched_region":
            return ir.WalkResult.SKIP
        if op.operation.name in names:
            found.append(op.operation)
        return ir.WalkResult.ADVANCE

    module.walk(visit, ir.WalkOrder.PRE_ORDER)
    return found


def given_entries(op: Any, kind: type[Any]) -> dict[str, Any]:
    """Return the entries of the plan that `op` (an `ir.Operation`) carries, as Python values.

    Raise `PassError` where an entry is no field of the dataclass `kind` or not of its type.
    """
    if ATTRIBUTE not in op.attributes:
        return {}
    attribute = op.attributes[ATTRIBUTE]
    if not isinstance(attribute, ir.DictAttr):
        raise PassError(
            op.location, f"expected the plan of '{op.name}' to be a dictionary, found {attribute}"
        )
    expected = {field.name: field.type for field in fields(kind)}
    found: dict[str, Any] = {}
    for named in attribute:
        if named.name == REASONS:
            continue
        if named.name not in expected:
            raise PassError(
                op.location,
                f"expected a plan of '{op.name}' to have the entries {', '.join(expected)}, "
                f"found '{named.name}'",
            )
        found[named.name] = _value(op, named.name, named.attr, expected[named.name])
    return found


def write_plan(op: Any, plan: Any, reasons: Sequence[str]) -> None:
    """Write the dataclass instance `plan` and the `reasons` for it on `op`."""
    entries: Mapping[str, Any] = asdict(plan)
    attributes = {name: _attribute(value) for name, value in entries.items()}
    attributes[REASONS] = ir.ArrayAttr.get([ir.StringAttr.get(reason) for reason in reasons])
    op.attributes[ATTRIBUTE] = ir.DictAttr.get(attributes)


def read_plan(op: Any, kind: type[PlanT], planner: str) -> PlanT:
    """Return the plan of `op` as the dataclass `kind`.

    Raise `PassError` where entries are missing (it names the pass `planner` that writes them),
    unknown or of the wrong type.
    """
    found = given_entries(op, kind)
    missing = [field.name for field in fields(kind) if field.name not in found]  # pyright: ignore[reportArgumentType]
    if missing:
        raise PassError(
            op.location,
            f"expected '{op.name}' to carry a plan with {', '.join(missing)}, found none; "
            f"run {planner} first",
        )
    return kind(**found)


def require_plan(op: Any, holds: bool, text: str) -> None:
    """Raise `PassError` unless `holds`; `text` says what the plan was expected to have."""
    if not holds:
        raise PassError(
            op.location,
            f"expected the plan of '{op.name}' to have {text}, found {op.attributes[ATTRIBUTE]}",
        )


def _attribute(value: Any) -> Any:
    if isinstance(value, bool):
        return ir.BoolAttr.get(value)
    if isinstance(value, int):
        return ir.IntegerAttr.get(ir.IntegerType.get_signless(64), value)
    if isinstance(value, str):
        return ir.StringAttr.get(value)
    return ir.DenseI64ArrayAttr.get(list(value))


def _value(op: Any, name: str, attribute: Any, kind: Any) -> Any:
    if kind is bool and isinstance(attribute, ir.BoolAttr):
        return attribute.value
    if kind is int and isinstance(attribute, ir.IntegerAttr):
        return attribute.value
    if kind is str and isinstance(attribute, ir.StringAttr):
        return attribute.value
    if kind == tuple[int, ...] and isinstance(attribute, ir.DenseI64ArrayAttr):
        return tuple(attribute)
    names = {bool: "a bool", int: "an i64", str: "a string"}
    raise PassError(
        op.location,
        f"expected the plan entry '{name}' of '{op.name}' to be {names.get(kind, 'an array<i64>')}"
        f", found {attribute}",
    )
