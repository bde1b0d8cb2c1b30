"""What a target can hold and compute of a region: types, and bytes of row buffers."""

from collections.abc import Iterable

from fsa.bindings import ir
from fsa.passes.stitching.graph import Graph, Unsupported, element_type
from fsa.runtime.targets import STACK_BYTES, Target

# Where a target does not say how large its caches and its workgroup memory are.
DEFAULT_BUFFER_BYTES = 8192


def buffer_budget(target: Target) -> int:
    """Return the bytes that the row buffers of a workgroup may take.

    On a GPU that is half of the workgroup memory (reduction trees need some too). On a CPU they may
    lie in the second-level cache, which is faster than to compute again, but they are on the stack.
    """
    if target.kind == "cpu":
        second = min(target.l2_bytes // 8, STACK_BYTES // 2)
        return max(second, target.l1_bytes // 2, DEFAULT_BUFFER_BYTES)
    return max(target.workgroup_memory_bytes // 2, DEFAULT_BUFFER_BYTES)


def check_target(graph: Graph, target: Target) -> None:
    """Raise `Unsupported` for a region without tensors, or with types that a target has not."""
    if not graph.nodes:
        raise Unsupported("the body makes no tensor")
    names = {str(element_type(type_)) for type_ in graph.argument_types}
    for op in graph.ops:
        names |= {str(element_type(result.type)) for result in op.results}
    for node in graph.nodes:
        for op in node.block.operations if node.block is not None else []:
            names |= {str(result.type) for result in op.operation.results}
    has = {"f16": target.has_f16, "f64": target.has_f64, "i64": target.has_i64}
    for name, available in has.items():
        if name in names and not available:
            raise Unsupported(f"the body computes in {name}, which {target} does not have")
    if any(isinstance(t, ir.IndexType) for t in map(element_type, _tensor_types(graph))) and (
        not target.has_i64
    ):
        raise Unsupported(f"index tensors cross as i64, which {target} does not have")


def _tensor_types(graph: Graph) -> Iterable[object]:
    types = [*graph.argument_types, *(r.type for op in graph.ops for r in op.results)]
    return [type_ for type_ in types if isinstance(type_, ir.RankedTensorType)]
