"""What the planner has chosen so far for the nodes of a region."""

from dataclasses import dataclass, replace
from typing import Any

from fsa.passes.stitching.dims import Space
from fsa.passes.stitching.graph import Graph
from fsa.passes.stitching.plan import KernelPlan, NodePlan
from fsa.passes.stitching.schedule import Kernel
from fsa.runtime.targets import Target


@dataclass
class Choices:
    """A region, its target, and a plan for each node (kernel -1 where that is open)."""

    graph: Graph
    space: Space
    target: Target
    outputs: frozenset[int]
    nodes: list[NodePlan]

    def choose(self, n: int, **choice: Any) -> None:
        """Change fields of the plan of node n."""
        self.nodes[n] = replace(self.nodes[n], **choice)

    def is_dominant(self, n: int) -> bool:
        """Whether node n is a reduction or an output of the region."""
        return self.graph.nodes[n].reduces or n in self.outputs

    def kernel(self, number: int, plan: KernelPlan) -> Kernel:
        """Return a kernel of the region as chosen so far; later choices show in its `nodes`."""
        return Kernel(self.graph, self.space, number, plan, self.nodes)


def undecided(graph: Graph, space: Space, target: Target) -> Choices:
    """Return a region of which nothing is chosen yet."""
    outputs = frozenset(ref.number for ref in graph.outputs if ref.kind == "node")
    nodes = [NodePlan(-1, 0, dims, "local", "local") for dims in space.dims]
    return Choices(graph, space, target, outputs, nodes)
