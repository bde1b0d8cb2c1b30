"""What the planner and the emitters assume of the cost of ops."""

from fsa.passes.stitching.graph import Graph

# Ops of a body that cost tens of cycles: worth keeping their result instead of computing it twice.
EXPENSIVE = frozenset(
    f"arith.{name}" for name in ("divf", "divsi", "divui", "remf", "remsi", "remui")
)
CHEAP_MATH = frozenset(
    f"math.{name}"
    for name in ("absf", "absi", "fma", "copysign", "ctpop", "floor", "ceil", "trunc", "round",
                 "roundeven")
)  # fmt: skip


def is_expensive(graph: Graph, n: int) -> bool:
    """Whether one element of node n costs much more than reading its operands."""
    block = graph.nodes[n].block
    names = [op.operation.name for op in block.operations] if block is not None else []
    return any(
        name in EXPENSIVE or (name.startswith("math.") and name not in CHEAP_MATH) for name in names
    )
