"""The launches of an `fsa.capsule_routing` on a CPU that takes several."""

from collections.abc import Callable, Sequence
from typing import Any

from fsa.bindings import ir
from fsa.passes.emitter import (
    Builder,
    Index,
    Kernel,
    KernelSpec,
    Value,
    emit_guarded_launch,
    grid_for,
    kernel,
)
from fsa.runtime.targets import Target

# The type of a result and its dimensions.
Result = tuple[Any, list[Index]]


class Launches:
    """Emits launches in place of `op`; a kernel that is launched several times is built once."""

    def __init__(self, module: Any, op: Any, accumulator: Any, target: Target) -> None:
        self.module = module
        self.op = op
        self.accumulator = accumulator
        self.target = target
        self._made: dict[str, Kernel] = {}

    def result(self, *dims: Index) -> Result:
        """Return a result in the accumulator type."""
        extents = [d if isinstance(d, int) else ir.ShapedType.get_dynamic_size() for d in dims]
        return ir.RankedTensorType.get(extents, self.accumulator), list(dims)

    def launch(
        self,
        name: str,
        emit: Callable[[Kernel], None],
        tasks: Callable[[Builder], Index],
        given: Sequence[Value],
        results: Sequence[Result],
    ) -> list[Value]:
        """Launch `tasks` workgroups of the kernel `name`, which `emit` fills the first time."""

        def make() -> Kernel:
            if name not in self._made:
                kinds = tuple(value.type for value in given)
                outputs = tuple(kind for kind, _ in results)
                spec = KernelSpec(f"{self.op.name}_{name}", kinds, outputs)
                with kernel(self.module, spec, self.target) as built:
                    emit(built)
                self._made[name] = built
            return self._made[name]

        return emit_guarded_launch(
            make, grid=lambda b: [grid_for(b, tasks(b))], inputs=given, results=results
        )
