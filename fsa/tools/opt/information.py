"""What `fsa-opt` can say about itself: versions, passes, pipelines, dialects."""

import dataclasses
import re
from typing import Any

from fsa import __version__
from fsa.bindings import BINDINGS_DISTRIBUTION, LAZY_DIALECTS, bindings_version


def version() -> str:
    """Return the versions of FSA and of the MLIR bindings."""
    return f"fsa-opt {__version__} (MLIR bindings: {BINDINGS_DISTRIBUTION} {bindings_version()})"


def list_passes() -> str:
    """Return every pass with its summary; ours with their options."""
    from fsa.passes.driver.upstream import upstream_passes
    from fsa.passes.registry import PASSES, pass_class

    lines = ["Passes of FSA:"]
    for name in sorted(PASSES):
        found = pass_class(name)
        lines += [f"  --{name:<44} {found.summary}", *option_lines(found)]
    lines.append("Passes of the bindings:")
    for name, entry in upstream_passes().items():
        if not entry["pipeline"]:
            lines.append(f"  --{name:<44} {entry['summary']}".rstrip())
    return "\n".join(lines)


def list_pipelines() -> str:
    """Return every named pipeline with its options and phases."""
    from fsa.passes.driver.upstream import upstream_passes
    from fsa.pipelines.registry import PIPELINES, make_pipeline, pipeline_class

    lines = ["Pipelines of FSA:"]
    for name in sorted(PIPELINES):
        found = pipeline_class(name)
        lines += [f"  --{name:<44} {found.summary}", *option_lines(found)]
        for phase in make_pipeline(name).all_phases():
            lines.append(f"      phase {phase.name}: {phase.passes}")
    lines.append("Pipelines of the bindings:")
    for name, entry in upstream_passes().items():
        if entry["pipeline"]:
            lines.append(f"  --{name:<44} {entry['summary']}".rstrip())
    return "\n".join(lines)


def option_lines(found: type[Any]) -> list[str]:
    """Return one line for each option of a pass or pipeline class."""
    from fsa.passes.driver.options import option_fields, option_type, print_value

    lines: list[str] = []
    for name, field in option_fields(found).items():
        default = ""
        if field.default is not dataclasses.MISSING:
            default = f" (default: {print_value(field.default) or 'empty'})"
        text = f"{name}={option_type(found, field.name)}"
        lines.append(f"      {text:<42} {field.metadata.get('help', '')}{default}")
    return lines


def dialects() -> list[str]:
    """Return the names of all dialects that can be read."""
    from fsa.bindings import ir
    from fsa.dialects.fsa.dialect import new_context

    names: list[str] = []

    def collect(diagnostic: Any) -> bool:
        # The bindings list the dialects only in the note of this error.
        for note in diagnostic.notes:
            found = re.match(r"Available dialects: ([^(;]*(?:\(\*\)[^(;]*)*)", note.message)
            if found is not None:
                names.extend(re.findall(r"\w+", found[1]))
        return True

    context = new_context()
    context.emit_error_diagnostics = True
    handler = context.attach_diagnostic_handler(collect)
    try:
        ir.Module.parse("no_such_dialect.op", context)
    except ir.MLIRError:
        pass
    finally:
        handler.detach()
    return sorted({*names, *LAZY_DIALECTS})


def emit_irdl() -> str:
    """Return the fsa dialect as an IRDL module."""
    from fsa.dialects.fsa import irdl

    return irdl.emit_irdl()


def show_dialects() -> str:
    """Return the line that mlir-opt prints for --show-dialects."""
    return f"Available Dialects: {','.join(dialects())}"
