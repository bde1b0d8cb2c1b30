"""Write a pass, register it, and run it in a pipeline with an option."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from fsa.bindings import ir
from fsa.diagnostics import Diagnostics
from fsa.dialects.fsa.ops.capsule_routing import capsule_routing
from fsa.examples import graph
from fsa.passes.base import Pass
from fsa.passes.registry import PASSES
from fsa.runtime.compile import lower
from fsa.runtime.targets import Target


@dataclass(frozen=True)
class CapRouting(Pass):
    """Lower the iterations of each `fsa.capsule_routing` to at most `iterations`.

    Routing converges fast; whoever runs this pass accepts the difference.
    """

    name: ClassVar[str] = "example-cap-routing"
    summary: ClassVar[str] = "Cap the iterations of capsule routing"

    iterations: int = field(default=2, metadata={"help": "the most iterations that stay"})

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Rewrite the attribute in place; the op itself stays, so no handle goes stale."""

        def visit(found: Any) -> Any:
            if found.name == "fsa.capsule_routing":
                given = found.attributes["iterations"]
                if given.value > self.iterations:
                    found.attributes["iterations"] = ir.IntegerAttr.get(given.type, self.iterations)
                    diagnostics.remark(found.location, f"{given.value} iterations capped")
            return ir.WalkResult.ADVANCE

        op.walk(visit)


def main() -> None:
    """Run the example."""
    PASSES[CapRouting.name] = f"{__name__}:CapRouting"
    module = graph.function(
        "main",
        [([1, 6, 2, 4], "f32")],
        lambda u_hat: capsule_routing(u_hat, iterations=5),
    )
    pipeline = "builtin.module(example-cap-routing{iterations=3},func.func(canonicalize))"
    lowered = str(lower(module, Target.parse("cpu"), pipeline))
    assert "iterations = 3" in lowered
    print(lowered)


if __name__ == "__main__":
    main()
