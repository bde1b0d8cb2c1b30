"""What the planner and the emitters assume of the cost of ops."""

from typing import Any

from fsa.bindings import ir
from fsa.passes.stitching.graph import Graph, Node

# Ops of a body that cost tens of cycles: worth keeping their result instead of computing it twice.
EXPENSIVE = frozenset(
    f"arith.{name}" for name in ("divf", "divsi", "divui", "remf", "remsi", "remui")
)
CHEAP_MATH = frozenset(
    f"math.{name}"
    for name in "absf absi fma copysign ctpop floor ceil trunc round roundeven".split()
)
# Loads that an element needs from which on keeping it (one store, one load) is cheaper.
MANY_LOADS = 3


def is_expensive(graph: Graph, n: int) -> bool:
    """Whether one element of node n costs much more than reading its operands.

    Only ops that vary with every loop of the node count: others are computed outside some loop.
    """
    if n not in graph.expensive:
        graph.expensive[n] = _is_expensive(graph.nodes[n])
    return graph.expensive[n]


def _is_expensive(node: Node) -> bool:
    if node.block is None:
        return False
    varies: dict[Any, frozenset[int]] = {}
    for number, argument in enumerate(node.block.arguments):
        varies[argument] = _loops_of(node, number)
    everything = frozenset(range(len(node.extents)))
    for op in node.block.operations:
        operation = op.operation
        loops = frozenset[int]()
        for operand in operation.operands:
            loops |= varies.get(operand, frozenset())
        if operation.name == "linalg.index":
            loops = node.loops[ir.IntegerAttr(operation.attributes["dim"]).value].loops
        for result in operation.results:
            varies[result] = loops
        if _is_slow(operation.name) and loops == everything:
            return True
    return False


def is_heavy(kernel: Any, nest: Any) -> bool:
    """Whether each element of a nest of a `Kernel` costs tens of instructions.

    What varies with none of the loops of the nest, such as the quotient that is a mean, is computed
    before them.
    """
    inside = set(nest.dims)
    inline = [touch.ref.number for touch in kernel.touches(nest) if touch.kind == "inline"]
    return any(
        is_expensive(kernel.graph, n) and not inside.isdisjoint(kernel.space.dims[n])
        for n in (*nest.reductions, *inline)
    )


def computes(graph: Graph, n: int) -> bool:
    """Whether node n does more than pass elements on."""
    block = graph.nodes[n].block
    return block is not None and len(list(block.operations)) > 1


def _is_slow(name: str) -> bool:
    return name in EXPENSIVE or (name.startswith("math.") and name not in CHEAP_MATH)


def _loops_of(node: Node, argument: int) -> frozenset[int]:
    """Return the loops with which a block argument of a node varies."""
    accesses = [*node.inputs, *node.inits]
    return frozenset(d for e in accesses[argument].index for d in e.loops)
