"""From an imported module to linalg: the bindings' own passes, rehearsed, with errors kept."""

from collections.abc import Callable
from typing import Any

from fsa.errors import InputError
from fsa.frontend.isolation import Crashed, run_isolated


def run_passes(module: Any, pipeline: str) -> list[str]:
    """Run C++ passes on `module` in place; return the errors, none when they succeed."""
    from fsa.bindings import ir, passmanager

    errors: list[str] = []

    def record(found: Any) -> bool:
        if found.severity == ir.DiagnosticSeverity.ERROR:
            errors.append(f"{' '.join(str(found.message).split())} at {found.location}")
        return True

    context = module.context
    with context:
        context.emit_error_diagnostics = True
        handler = context.attach_diagnostic_handler(record)
        try:
            passmanager.PassManager.parse(pipeline).run(module.operation)
        except ir.MLIRError as error:
            return errors or [" ".join(str(error).split())]
        finally:
            handler.detach()
            context.emit_error_diagnostics = False
    return []


def lower_imported(
    module: Any, pipeline: str, what: str, explain: Callable[[], list[str]] = list
) -> None:
    """Lower `module` in place through `pipeline`; `what` names it in the error ("the ONNX graph").

    Raises `InputError` with what `explain` finds in the module as it was, else with the errors of
    the passes.
    """
    try:
        errors = run_isolated(lambda: run_passes(module, pipeline))
    except Crashed as crash:
        errors = [f"torch-mlir crashed with {crash}"]
    if not errors:
        errors = run_passes(module, pipeline)
    if not errors:
        return
    raise InputError(f"{what} cannot be lowered: {'; '.join(explain() or errors)}")
