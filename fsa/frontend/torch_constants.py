"""Weights of binarized layers are packed before the import: one bit each, from there on.

A layer packs its float weights in its graph. Where they are constants of the program, what packs
them is computed here, and the floats never leave PyTorch.
"""

from __future__ import annotations

from typing import Any


def program_constants(program: Any) -> dict[str, Any]:
    """Return the tensors that an `ExportedProgram` holds, by the name of their placeholder.

    Those that a call changes are none.
    """
    signature = program.graph_signature
    changed = set(signature.buffers_to_mutate.values())
    names = {
        **signature.inputs_to_parameters,
        **signature.inputs_to_buffers,
        **signature.inputs_to_lifted_tensor_constants,
    }
    # Non-persistent buffers are not in the state dict.
    held = {**program.constants, **program.state_dict}
    return {
        placeholder: held[name]
        for placeholder, name in names.items()
        if held.get(name) is not None and name not in changed
    }


def pack_constants(graph: Any, constants: dict[str, Any]) -> int:
    """Replace each `fsa::pack_bits` of constants in an FX `graph` by its result; return how many.

    `constants` are tensors by the name of their placeholder. Attributes of the graph's module are
    constants too, and so is what is computed from constants alone.
    """
    import torch

    module = graph.owning_module
    known = _Constants(constants, module)
    packed: list[Any] = [
        node
        for node in graph.nodes
        if node.op == "call_function"
        and node.target is torch.ops.fsa.pack_bits.default
        and known.holds(node)
    ]
    values = [known.value(node) for node in packed]
    for index, (node, value) in enumerate(zip(packed, values, strict=True)):
        name = f"_fsa_packed_{index}"
        module.register_buffer(name, value, persistent=False)
        with graph.inserting_before(node):
            attribute = graph.create_node("get_attr", name)
        attribute.meta = dict(node.meta)
        node.replace_all_uses_with(attribute)
    graph.eliminate_dead_code()
    return len(packed)


class _Constants:
    """Which nodes of a graph are constants, and their values, computed when asked for."""

    def __init__(self, constants: dict[str, Any], module: Any):
        self._constants = constants
        self._module = module
        self._held: dict[Any, bool] = {}

    def holds(self, node: Any) -> bool:
        """Return whether the value of `node` depends on constants alone."""
        # Graphs are deeper than Python's stack; nodes that feed others come first.
        pending = [node]
        while pending:
            found = pending[-1]
            unknown = [given for given in found.all_input_nodes if given not in self._held]
            if found in self._held:
                pending.pop()
            elif unknown and found.op == "call_function":
                pending.extend(unknown)
            else:
                self._held[found] = self._decide(found)
                pending.pop()
        return self._held[node]

    def value(self, node: Any) -> Any:
        """Compute the value of `node`, for which `holds`."""
        import torch

        if node.op == "placeholder":
            return self._constants[node.name].detach()
        if node.op == "get_attr":
            return getattr(self._module, node.target)
        arguments = torch.fx.map_arg(node.args, self.value)
        keywords = torch.fx.map_arg(node.kwargs, self.value)
        with torch.no_grad():
            return node.target(*arguments, **keywords)

    def _decide(self, node: Any) -> bool:
        import torch

        if node.op == "placeholder":
            return node.name in self._constants
        if node.op == "get_attr":
            return isinstance(getattr(self._module, node.target, None), torch.Tensor)
        # Operators of PyTorch's dispatcher have tags; other functions may do anything.
        tags = getattr(node.target, "tags", None)
        if node.op != "call_function" or tags is None:
            return False
        if torch.Tag.nondeterministic_seeded in tags:
            return False
        return all(self._held[given] for given in node.all_input_nodes)
