"""C++ passes on an imported module, with the errors that they report."""

import re
from typing import Any

from fsa.locations import describe_location


def run_passes(module: Any, pipeline: str) -> list[str]:
    """Run C++ passes on `module` in place; return the errors, none when they succeed."""
    from fsa.bindings import ir, passmanager

    errors: list[str] = []

    def record(found: Any) -> bool:
        if found.severity == ir.DiagnosticSeverity.ERROR:
            place = describe_location(str(found.location))
            errors.append(f"{_brief(str(found.message))}{f' at {place}' if place else ''}")
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


def _brief(message: str) -> str:
    """Return a message in one line, without the op that some passes print after it."""
    return re.sub(r": (%\S+ = )?\".*", "", " ".join(message.split()))
