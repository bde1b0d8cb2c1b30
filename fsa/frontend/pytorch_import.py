"""From an exported program to the `torch` dialect, with torch-mlir's importer.

Each op is located at the line of the user's code that it comes from, under the names of its FX node
and of the submodule, so that whatever a later pass has to say names them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fsa.dialects.fsa.argument_sizes import to_attribute
from fsa.dialects.fsa.markers import ARGUMENT_NAMES, ARGUMENT_SIZES, RESULT_NAMES
from fsa.errors import InputError
from fsa.frontend.pytorch_errors import explain
from fsa.frontend.pytorch_export import check_program, quietly
from fsa.frontend.pytorch_literals import Literals
from fsa.frontend.pytorch_places import describe, module_of_node, place_of_node
from fsa.frontend.pytorch_sizes import common_sizes
from fsa.locations import IN_MODULE


def import_program(program: Any) -> Any:
    """Return an `ExportedProgram` as an `ir.Module` in the torch dialect, with function `main`.

    The function carries the names of its arguments and results in the attributes
    `fsa.argument_names` and `fsa.result_names`, and in `fsa.argument_sizes` what is known of open
    sizes. Raises `InputError` for what has no form there.
    """
    from fsa.bindings import fx_decompositions, ir
    from fsa.frontend.torch_constants import pack_constants, program_constants
    from fsa.frontend.torch_custom_ops import decompositions
    from fsa.frontend.torch_decompositions import exact_decompositions
    from fsa.frontend.torch_operands import check_operand_types
    from fsa.frontend.torch_unsigned import widen_bytes

    check_program(program)
    check_operand_types(program.graph)
    table = {
        **fx_decompositions.get_decomposition_table(),
        **exact_decompositions(),
        **decompositions(),
    }
    try:
        program = quietly(lambda: program.run_decompositions(table))
    except Exception as error:
        raise InputError(f"the PyTorch graph cannot be decomposed: {explain(error)}") from None
    _refuse_effects(program)
    widen_bytes(program.graph)
    pack_constants(program.graph, program_constants(program))
    names = _names(program)
    sizes = common_sizes(program, names[0])
    _drop_none(program)
    module, function = import_with(
        lambda importer: importer.import_program(program, func_name="main")
    )
    with module.context:
        for key, values in zip((ARGUMENT_NAMES, RESULT_NAMES), names, strict=True):
            function.attributes[key] = ir.ArrayAttr.get([ir.StringAttr.get(v) for v in values])
        noted = to_attribute(sizes, ir)
        if noted is not None:
            function.attributes[ARGUMENT_SIZES] = noted
    return module


def import_with(action: Callable[[Any], Any]) -> tuple[Any, Any]:
    """Run `action` on an importer; return the module that it fills, and what `action` returns.

    The module lies in a new context with the dialects of fsa and torch. Raises `InputError` with
    the node that cannot be imported.
    """
    from fsa.bindings import fx_importer, load_extensions
    from fsa.dialects.fsa.dialect import new_context

    context = new_context()
    load_extensions(context, {"torch", "torch_c", "tm_tensor"})
    importer = fx_importer.FxImporter(context=context, graph_node_importer_cls=_node_importer())
    places = importer._cc = _context_cache()(context)
    try:
        returned = action(importer)
    except Exception as error:
        if isinstance(error, InputError):
            raise
        where = f" {describe(places.node)}" if places.node is not None else ""
        raise InputError(f"the PyTorch graph cannot be imported{where}: {_found(error)}") from None
    return importer.module, returned


def _found(error: Exception) -> str:
    """Return what the importer says, without the code that it quotes."""
    return str(error).splitlines()[0] if str(error).strip() else type(error).__name__


def _refuse_effects(program: Any) -> None:
    """Refuse programs with effects: what a call writes is lost, and no op here has others."""
    from torch.export.graph_signature import ConstantArgument, OutputKind

    signature = program.graph_signature
    changed = {
        **{name: f"buffer '{buffer}'" for name, buffer in signature.buffers_to_mutate.items()},
        **{name: f"input '{given}'" for name, given in signature.user_inputs_to_mutate.items()},
    }
    for node in program.graph.nodes:
        if node.name in changed:
            raise InputError(
                f"expected a PyTorch model that changes nothing, found one that changes its "
                f"{changed[node.name]} {describe(node)}: pass the state as an input, and return "
                "the new one"
            )
        if getattr(node.target, "__name__", "") == "with_effects":
            raise InputError(
                f"expected PyTorch ops without effects, found {node.args[1]} {describe(node)}"
            )
    for spec in signature.output_specs:
        value = spec.arg.value if isinstance(spec.arg, ConstantArgument) else None
        if spec.kind == OutputKind.USER_OUTPUT and isinstance(value, str):
            raise InputError(
                f"expected a PyTorch model that returns tensors and numbers, found the text "
                f"{value!r} among its outputs"
            )


def _names(program: Any) -> tuple[list[str], list[str]]:
    """Return the names of the tensors and numbers that the program takes and returns."""
    from torch.export.graph_signature import ConstantArgument, InputKind, OutputKind

    signature = program.graph_signature
    given = [
        spec.arg.name
        for spec in signature.input_specs
        if spec.kind == InputKind.USER_INPUT and not isinstance(spec.arg, ConstantArgument)
    ]
    paths = _result_paths(program)
    user = [spec for spec in signature.output_specs if spec.kind == OutputKind.USER_OUTPUT]
    returned = [
        paths[index] if index < len(paths) else f"result_{index}"
        for index, spec in enumerate(user)
        if not _is_none(spec.arg)
    ]
    return given, returned


def _result_paths(program: Any) -> list[str]:
    """Return where each output stands in what the model returns, such as `logits` or `1.0`."""
    from torch.utils._pytree import tree_flatten_with_path, tree_unflatten

    try:
        spec = program.call_spec.out_spec
        nested = tree_unflatten(list(range(spec.num_leaves)), spec)
        leaves, _ = tree_flatten_with_path(nested)
    except Exception:  # a class of the model's own that takes only tensors
        return []
    names: list[str] = []
    for path, _ in leaves:
        parts = [
            getattr(key, "key", getattr(key, "idx", getattr(key, "name", key))) for key in path
        ]
        names.append(".".join(map(str, parts)) or "result")
    return names


def _is_none(argument: Any) -> bool:
    from torch.export.graph_signature import ConstantArgument

    return isinstance(argument, ConstantArgument) and argument.value is None


def _drop_none(program: Any) -> None:
    """Take the outputs that are None out of a program's signature."""
    specs = program.graph_signature.output_specs
    specs[:] = [spec for spec in specs if not _is_none(spec.arg)]


def _context_cache() -> Any:
    """Return the class that gives nodes their location, made when torch-mlir may be imported."""
    from fsa.bindings import fx_importer, ir

    class NamedLocations(fx_importer.ContextCache):
        """Locates a node at the user's line under its own name, and remembers the last node."""

        node: Any = None

        def get_node_location(self, node: Any) -> Any:
            self.node = node
            place = place_of_node(node)
            module = module_of_node(node)
            child = ir.Location.unknown(self._c)
            if place is not None:
                child = ir.Location.file(place[0], place[1], 0, context=self._c)
            if module:
                child = ir.Location.name(f"{IN_MODULE}{module}", child, context=self._c)
            return ir.Location.name(node.name, child, context=self._c)

    return NamedLocations


def _node_importer() -> Any:
    """Return the class that imports nodes, made when torch-mlir may be imported."""
    import torch

    from fsa.bindings import fx_importer, ir

    class SharedLiterals(fx_importer.GraphNodeImporter):
        """Imports tensors as literals that share PyTorch's memory."""

        def __init__(self, *given: Any):
            super().__init__(*given)
            self.literals = Literals()

        def _import_literal(self, value: Any, info: Any = None) -> Any:
            if not isinstance(value, torch.Tensor):
                return super()._import_literal(value, info)
            return ir.Operation.create(
                "torch.vtensor.literal",
                results=[self._cc.tensor_to_vtensor_type(value)],
                attributes={"value": self.literals.attribute(value)},
            ).result

    return SharedLiterals
