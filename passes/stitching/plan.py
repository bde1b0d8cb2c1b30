"""What a plan says, and how it is written in attributes.

The region's attribute `plan` is a dictionary with `form` ("kernels", "portable", or "scheduled" for
a body that already has loops), `reason`, the
sizes of the region's dimensions and one dictionary a kernel (`KernelPlan`). Each node carries
`fsa.stitch` (`NodePlan`). A person may edit any of it; `rules` says what does not hold.
"""

from dataclasses import dataclass, fields, replace
from typing import Any, Literal, get_args

from fsa.bindings import ir

PLAN = "plan"
NODE = "fsa.stitch"

Mapping = Literal["row", "flat", "panel"]
Scheme = Literal["local", "regional", "global"]
Role = Literal["dominant", "sub_dominant", "local"]


class PlanError(Exception):
    """A plan does not have the form that this module describes."""


@dataclass(frozen=True)
class KernelPlan:
    """How one kernel of a region maps onto the device.

    `outer` are the dimensions spread over workgroups, `lane` the dimension along which vector
    lanes (CPU) or threads (GPU) lie, -1 for none. In a "row" mapping `lane` lies inside the row of
    one task; in a "flat" mapping it is one of `outer`, and each lane runs the rest of the space on
    its own, in registers. A "panel" (CPU) has it among `outer` too, but a task walks all of `chunk`
    positions for each step of a reduction, which adds rows of memory to a buffer of that length:
    memory is read in order.

    With `pack` > 1 so many rows run side by side: their reductions end in one vector, and what lies
    along the rows in memory instead of along the lanes is transposed in registers.
    """

    mapping: Mapping
    outer: tuple[int, ...]
    lane: int
    lanes: int  # elements of a vector; on a gpu those that a thread takes at once
    unroll: int  # row: vectors, each with its own accumulator, in one step of a loop;
    # panel: rows added up before they are added to the buffer
    rows: int  # rows that one workgroup runs: in turn on a cpu, side by side on a gpu
    threads: int  # gpu: threads along one row (a power of two), or of a flat workgroup; cpu: 0
    chunk: int  # flat, panel: elements of the lane dimension that one workgroup covers
    reason: str = ""
    stream: int = 0  # cpu: 1 to store results past the caches, where vectors are aligned
    ahead: int = 0  # cpu, row: 1 to ask memory for the next row while this one is worked on
    pack: int = 1  # cpu: rows that run side by side, neighbours along the last of `outer`


@dataclass(frozen=True)
class NodePlan:
    """How one node is computed.

    A "local" value is computed where it is used and lives in registers. A "regional" value is
    computed once a row and kept there (a register when it has one element a row, else a row
    buffer). A "global" value crosses to a later kernel through memory. `kernel` is where it is
    made, `group` the loop nest of that kernel; `dims` names its loops. `group`, `dims` and `role`
    follow from the rest and are there to be read.
    """

    kernel: int
    group: int
    dims: tuple[int, ...]
    role: Role
    scheme: Scheme
    reason: str = ""


@dataclass(frozen=True)
class RegionPlan:
    """The plan of a region; `portable` means: lower it to linalg, for `reason`.

    `scheduled` means that the loops in its body are the plan. `one_wave` (CUDA) runs all kernels
    in one launch of so many workgroups, which wait for each other; 0 launches one after another.
    """

    form: Literal["kernels", "portable", "scheduled"]
    reason: str = ""
    extents: tuple[int | None, ...] = ()
    kernels: tuple[KernelPlan, ...] = ()
    nodes: tuple[NodePlan, ...] = ()
    one_wave: int = 0


_UNSAID: dict[str, Any] = {"ahead": 0, "pack": 1}  # what an entry that is not written means


def _attribute(value: Any) -> Any:
    if isinstance(value, tuple):
        return ir.DenseI64ArrayAttr.get([-1 if v is None else v for v in value])
    if isinstance(value, int):
        return ir.IntegerAttr.get(ir.IntegerType.get_signless(64), value)
    return ir.StringAttr.get(value)


def _dictionary(plan: KernelPlan | NodePlan) -> Any:
    return ir.DictAttr.get(
        {
            f.name: _attribute(getattr(plan, f.name))
            for f in fields(plan)
            if getattr(plan, f.name) != _UNSAID.get(f.name, "")
        }
    )


def write(plan: RegionPlan, region: Any, node_ops: list[Any]) -> None:
    """Write a plan onto a region (an `ir.Operation`) and the ops of its nodes."""
    entries = {"form": _attribute(plan.form)}
    if plan.reason:
        entries["reason"] = _attribute(plan.reason)
    if plan.form == "kernels":
        entries["extents"] = _attribute(plan.extents)
        if plan.one_wave:
            entries["one_wave"] = _attribute(plan.one_wave)
        entries["kernels"] = ir.ArrayAttr.get([_dictionary(kernel) for kernel in plan.kernels])
    region.attributes[PLAN] = ir.DictAttr.get(entries)
    for op, node in zip(node_ops, plan.nodes, strict=True):
        op.attributes[NODE] = _dictionary(node)


def has_kernels(region: Any) -> bool:
    """Return whether a region (an `ir.Operation`) has a plan, and the plan says kernels."""
    if PLAN not in region.attributes or not isinstance(region.attributes[PLAN], ir.DictAttr):
        return False
    return _entries(region.attributes[PLAN], "plan").get("form") == "kernels"


def read_one_wave(region: Any) -> int:
    """Return the workgroups of a region's one launch, 0 for a launch a kernel."""
    found = _entries(region.attributes[PLAN], "plan").get("one_wave", 0)
    if not isinstance(found, int) or found < 0:
        raise PlanError(f"expected plan.one_wave to be a number from 0, found {found}")
    return found


def read_form(region: Any) -> tuple[str, str]:
    """Return `form` and `reason` of a region's plan; raise `PlanError` when they are malformed."""
    if PLAN not in region.attributes:
        raise PlanError("the region has no plan; run fsa-plan-stitching first")
    given = _entries(region.attributes[PLAN], "plan")
    form = given.get("form")
    if form not in ("kernels", "portable", "scheduled"):
        raise PlanError(
            f'expected plan.form to be "kernels", "portable" or "scheduled", found {form!r}'
        )
    return form, str(given.get("reason", ""))


def read_kernels(region: Any, defaults: tuple[KernelPlan, ...] = ()) -> tuple[KernelPlan, ...]:
    """Return the kernels that a region's plan gives; missing fields come from `defaults`."""
    given = _entries(region.attributes[PLAN], "plan").get("kernels", [])
    kernels: list[KernelPlan] = []
    for k, entry in enumerate(given):
        default = defaults[k] if k < len(defaults) else None
        kernels.append(_read(KernelPlan, entry, default, f"plan.kernels[{k}]"))
    return tuple(kernels)


def read_node(op: Any, default: NodePlan | None = None) -> NodePlan:
    """Return the plan of one node's op; missing fields come from `default`."""
    if NODE not in op.attributes:
        if default is None:
            raise PlanError(f"{op.name} has no {NODE} attribute; run fsa-plan-stitching first")
        return default
    return _read(NodePlan, op.attributes[NODE], default, f"{NODE} of {op.name}")


def _entries(attribute: Any, where: str) -> dict[str, Any]:
    if not isinstance(attribute, ir.DictAttr):
        raise PlanError(f"expected {where} to be a dictionary, found {attribute}")
    return {named.name: _value(named.attr) for named in attribute}


def _value(attribute: Any) -> Any:
    if isinstance(attribute, ir.DenseI64ArrayAttr):
        return tuple(attribute)
    if isinstance(attribute, ir.IntegerAttr | ir.StringAttr):
        return attribute.value
    if isinstance(attribute, ir.ArrayAttr):
        return list(attribute)
    return attribute


_CHOICES: dict[str, tuple[str, ...]] = {
    "mapping": get_args(Mapping),
    "scheme": get_args(Scheme),
    "role": get_args(Role),
}
_TUPLES = ("outer", "dims")
_TEXTS = ("mapping", "scheme", "role", "reason")


def _read(kind: Any, attribute: Any, default: Any, where: str) -> Any:
    given = _entries(attribute, where)
    known = {f.name for f in fields(kind)}
    for name, value in given.items():
        if name not in known:
            raise PlanError(f"{where} has the unknown entry {name!r}; expected {sorted(known)}")
        wanted = tuple if name in _TUPLES else str if name in _TEXTS else int
        if not isinstance(value, wanted):
            raise PlanError(f"expected {where}.{name} to be {wanted.__name__}, found {value!r}")
        if name in _CHOICES and value not in _CHOICES[name]:
            raise PlanError(
                f"expected {where}.{name} to be one of {_CHOICES[name]}, found {value!r}"
            )
    missing = known - set(given) - {"reason", "stream", *_UNSAID}
    if default is not None:
        unsaid = {name: value for name, value in _UNSAID.items() if name in known}
        return replace(default, **{**unsaid, **given})
    if missing:
        raise PlanError(f"{where} lacks {sorted(missing)}")
    return kind(**given)
