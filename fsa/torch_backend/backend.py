"""The back end itself: one graph of TorchDynamo in, something that runs it out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from fsa.errors import FsaError, InputError
from fsa.torch_backend import graphs
from fsa.torch_backend.calls import CompiledGraph
from fsa.torch_backend.fallbacks import Fallback, note
from fsa.torch_backend.options import Options
from fsa.torch_backend.weights import Watched

NAME = "fsa"
_GROUP = "torch_dynamo_backends"


def compile_graph(
    module: Any,
    example_inputs: Sequence[Any],
    *,
    options: Mapping[str, Any] | None = None,
    mode: str | None = None,
) -> Callable[..., Any]:
    """Compile a graph that TorchDynamo captured; what `torch.compile(backend="fsa")` calls.

    `module` is the graph module and `example_inputs` what it is about to be called with; `options`
    are those of `Options`. Returns the compiled graph, or the graph as it was, with a
    `FallbackWarning`. Raises `InputError` for wrong options and, with the option `fallback` False,
    an `FsaError` for a graph that cannot be compiled.
    """
    chosen = Options.of(options)
    if mode not in (None, "default"):
        raise InputError(f"expected no mode with the back end fsa, found {mode!r}; use options")
    try:
        _refuse_training(example_inputs)
        return _compile(module, example_inputs, chosen)
    except FsaError as error:
        if not chosen.fallback:
            raise
        note(Fallback(str(error), graphs.place_of(module.graph)))
        return module.forward


def register() -> None:
    """Make the back end known to PyTorch by name where no installed entry point does."""
    from importlib.metadata import entry_points

    if NAME in entry_points(group=_GROUP).names:
        return
    from torch._dynamo.backends.registry import register_backend

    register_backend(compile_graph, name=NAME)


def _refuse_training(example_inputs: Sequence[Any]) -> None:
    recording = torch.is_grad_enabled() and any(
        isinstance(given, torch.Tensor) and given.requires_grad for given in example_inputs
    )
    if recording:
        raise InputError(
            "expected a graph without gradients, found inputs or parameters that require them: "
            "call the model under torch.no_grad() or torch.inference_mode()"
        )


def _compile(module: Any, example_inputs: Sequence[Any], options: Options) -> Callable[..., Any]:
    """Make the graph functional and compile it; what changes in place is written back after it."""
    from torch._dynamo.backends.common import aot_autograd
    from torch._subclasses.fake_tensor import unset_fake_temporarily

    from fsa.bindings import fx_decompositions
    from fsa.frontend.torch_custom_ops import decompositions

    def compile_functional(functional: Any, _: Sequence[Any]) -> Any:
        static = _static_inputs()
        # Constants are computed with real tensors, which the tracing mode around this refuses.
        with unset_fake_temporarily():
            return _FunctionalGraph(functional, example_inputs, static, options)

    table = {**fx_decompositions.get_decomposition_table(), **decompositions()}
    return aot_autograd(fw_compiler=compile_functional, decompositions=table)(
        module, example_inputs
    )


def _static_inputs() -> set[int]:
    """Return which inputs of the functional graph are parameters or buffers that do not change."""
    from torch._guards import TracingContext

    context = TracingContext.try_get()
    metadata = context.fw_metadata if context is not None else None
    if metadata is None:
        return set()
    return {
        index
        for index in metadata.static_input_indices or ()
        if not metadata.input_info[index].mutates_data
    }


class _FunctionalGraph:
    """A functional graph with its compiled form, which is made anew when a frozen input changes."""

    _boxed_call = True

    def __init__(
        self, module: Any, example_inputs: Sequence[Any], static: set[int], options: Options
    ):
        self._module = module
        self._options = options
        self._static = static
        graphs.refuse_unsuited(module.graph)
        self._count = sum(node.op == "placeholder" for node in module.graph.nodes)
        self._watched: dict[int, Watched] = {}
        self._run = self._compiled(example_inputs)

    def __call__(self, inputs: list[Any]) -> Any:
        for index, watched in self._watched.items():
            if not watched.unchanged(inputs[index]):
                self._run = self._compiled(inputs)
                break
        return self._run(inputs)

    def _compiled(self, inputs: Sequence[Any]) -> Any:
        """Compile the graph with the frozen inputs as they are in `inputs`."""
        import fsa

        target = self._options.target or graphs.target_of(self._module.graph)
        module, outputs = graphs.split_outputs(self._module)
        if not any(output.kind == "result" for output in outputs):
            return torch.fx.Interpreter(self._module).boxed_run
        frozen = self._frozen(inputs)
        graphs.freeze(module, frozen)
        imported = graphs.import_graph(module)
        compiled = fsa.compile(imported, target=target, pipeline=self._options.pipeline)
        self._watched = {index: Watched(tensor) for index, tensor in frozen.items()}
        passed = [index for index in range(self._count) if index not in frozen]
        return CompiledGraph(compiled, outputs, passed, self._static)

    def _frozen(self, inputs: Sequence[Any]) -> dict[int, Any]:
        """Return the inputs that become constants, by their index."""
        if not self._options.freeze or len(inputs) != self._count:
            return {}
        return {
            index: inputs[index]
            for index in self._static
            if isinstance(inputs[index], torch.Tensor) and not inputs[index].is_inference()
        }
