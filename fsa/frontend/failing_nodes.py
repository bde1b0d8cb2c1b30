"""Which nodes of an imported graph cannot be lowered.

A conversion stops at its first failure, or crashes without a word. To name all nodes that fail, the
graph is taken apart: each node stands in a function of its own, and groups of such functions are
lowered in child processes, halved where they fail.
"""

from __future__ import annotations

from typing import Any

from fsa.frontend.isolation import Crashed, run_isolated
from fsa.frontend.passes import run_passes
from fsa.locations import describe_location

# What says nothing by itself and goes along with the node that uses it.
_CARRIED = ("torch.constant.", "torch.prim.ListConstruct", "torch.vtensor.literal")
# As an argument or result of a function no pass takes these.
_INNER = ("!torch.list", "!torch.none", "!torch.str", "!torch.Device", "!torch.optional")


def failing_nodes(module: Any, pipeline: str, errors: list[str]) -> list[str]:
    """Return a phrase for each node of the first function of `module` that `pipeline` refuses.

    The phrase names the kind of the node, its name and its line, where it has them. `module` is not
    changed. Where every node can be lowered by itself, the phrases are for the nodes that `errors`
    of the whole are about; none where that cannot be told.
    """
    entry = module.body.operations[0].operation
    nodes = [op.operation for op in entry.regions[0].blocks[0].operations]
    # A copy of a node outside of its graph needs what it takes and gives to cross a function.
    alone = [index for index, node in enumerate(nodes) if _can_stand_alone(node)]
    found: list[str] = []
    groups = [alone] if alone else []
    while groups:
        group = groups.pop()
        refused = _errors([nodes[index] for index in group], entry, pipeline)
        if not refused:
            continue
        if len(group) == 1:
            found.append(describe_node(nodes[group[0]]) + _reason(refused))
        else:
            middle = len(group) // 2
            groups += [group[middle:], group[:middle]]
    return found or _blamed(nodes, errors)


def _blamed(nodes: list[Any], errors: list[str]) -> list[str]:
    """Return a phrase for each of `nodes` at whose place one of `errors` is."""
    found: list[str] = []
    for node in nodes:
        place = describe_location(str(node.location))
        reasons = [error for error in errors if place and error.endswith(f" at {place}")]
        if reasons and node.name != "func.return":
            found.append(describe_node(node) + _reason(reasons))
    return found


def describe_node(node: Any) -> str:
    """Return "kind (node 'name', file:line)" of an operation of an imported graph."""
    from fsa.bindings import ir

    kind = node.name.removeprefix("torch.")
    if node.name == "torch.operator":
        text = ir.StringAttr(node.attributes["name"]).value
        kind = text.removeprefix("onnx.").removeprefix("torch.")
    place = describe_location(str(node.location))
    return f"{kind} ({place})" if place else kind


def _can_stand_alone(node: Any) -> bool:
    if node.name == "func.return" or node.name.startswith(_CARRIED):
        return False
    results = [str(result.type) for result in node.results]
    return bool(results) and not any(text.startswith(_INNER) for text in results)


def _errors(nodes: list[Any], entry: Any, pipeline: str) -> list[str]:
    try:
        return run_isolated(lambda: run_passes(_apart(nodes, entry), pipeline))
    except Crashed as crash:
        return [f"torch-mlir crashed with {crash}"]
    except RuntimeError as error:
        return [str(error)]


def _apart(nodes: list[Any], entry: Any) -> Any:
    """Return a module with one function for each of `nodes`, with the attributes of `entry`."""
    from fsa.bindings import ir

    with entry.context, ir.Location.unknown():
        module = ir.Module.create()
        for attribute in entry.parent.attributes:
            module.operation.attributes[attribute] = entry.parent.attributes[attribute]
        for index, node in enumerate(nodes):
            _place(node, f"node_{index}", module, entry)
    return module


def _place(node: Any, name: str, module: Any, entry: Any) -> None:
    """Add a function `name` that holds a copy of `node` to `module`."""
    from fsa.bindings import func, ir

    taken = _taken(node)
    kinds = [value.type for value in taken]
    results = [result.type for result in node.results]
    with ir.InsertionPoint(module.body), node.location:
        function = func.FuncOp(name, (kinds, results))
    for attribute in entry.attributes:
        if attribute.startswith("torch."):
            function.attributes[attribute] = entry.attributes[attribute]
    block = function.add_entry_block()
    inside = dict(zip(taken, block.arguments, strict=True))
    with ir.InsertionPoint(block), node.location:
        func.ReturnOp(list(_copy(node, inside).results))


def _taken(node: Any) -> list[Any]:
    """Return the values that `node` and what it carries along take from elsewhere."""
    found: dict[Any, None] = {}
    for operand in node.operands:
        owner = _carried(operand)
        if owner is None:
            found[operand] = None
        else:
            found |= dict.fromkeys(_taken(owner))
    return list(found)


def _carried(value: Any) -> Any:
    """Return the operation that makes `value` when it goes along with its user, else None."""
    from fsa.bindings import ir

    if isinstance(value.owner, ir.Block):
        return None
    owner = value.owner.operation
    return owner if owner.name.startswith(_CARRIED) else None


def _copy(node: Any, inside: dict[Any, Any]) -> Any:
    """Copy `node` to the insertion point, and before it what it carries along."""
    operands: list[Any] = []
    for operand in node.operands:
        if operand not in inside:
            inside[operand] = _copy(operand.owner.operation, inside).results[0]
        operands.append(inside[operand])
    copy = node.clone()
    for index, operand in enumerate(operands):
        copy.operands[index] = operand
    return copy


def _reason(errors: list[str]) -> str:
    """Return ": what the passes say" where that says more than that there is no lowering."""
    first = errors[0].split(" at ")[0]
    if "failed to legalize" in first or "unsupported by backend contract" in first:
        return " is not supported"
    return f": {first}"
