"""From an imported module to linalg: the bindings' own passes, rehearsed, with errors kept."""

from typing import Any

from fsa.errors import InputError
from fsa.frontend.failing_nodes import failing_nodes
from fsa.frontend.interface import mark_unsigned_results
from fsa.frontend.isolation import Crashed, run_isolated
from fsa.frontend.passes import run_passes
from fsa.frontend.torch_views import flatten_views


def lower_imported(module: Any, pipeline: str, what: str) -> None:
    """Lower `module` in place through `pipeline`; `what` names it in the error ("the ONNX graph").

    Raises `InputError` with all nodes that cannot be lowered, else with the errors of the passes.
    """
    from fsa.bindings import ir

    mark_unsigned_results(module, ir)
    flatten_views(module)
    try:
        errors = run_isolated(lambda: run_passes(module, pipeline))
    except Crashed as crash:
        errors = [f"torch-mlir crashed with {crash}"]
    except RuntimeError as error:
        errors = [str(error)]
    if not errors:
        errors = run_passes(module, pipeline)
        if not errors:
            return
        raise InputError(f"{what} cannot be lowered: {'; '.join(errors)}")
    found = failing_nodes(module, pipeline) or errors
    raise InputError(f"{what} cannot be lowered: {'; '.join(found)}")
