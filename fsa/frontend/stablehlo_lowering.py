"""StableHLO to linalg, in IREE's context; runs in a process of its own.

What IREE's passes leave in dialects that only IREE has (sorts, scatters, scans, transforms) goes
into functions whose text crosses as an attribute: `foreign_ops`.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from fsa.dialects.fsa.argument_sizes import to_attribute
from fsa.dialects.fsa.markers import ARGUMENT_NAMES, ARGUMENT_SIZES, UNSIGNED_RESULTS
from fsa.frontend.foreign_ops import outline_foreign_ops
from fsa.frontend.interface import unsigned_results
from fsa.frontend.stablehlo_assertions import lower_assertions
from fsa.frontend.stablehlo_dynamic import prepare
from fsa.frontend.stablehlo_erf import keep_erf
from fsa.locations import describe_location

# Inlining and folding make dynamic broadcasts anew, so they come before what is said of those.
MERGE = "builtin.module(inline,func.func(chlo-legalize-to-stablehlo,iree-stablehlo-canonicalize))"
LOWER = "builtin.module(iree-stablehlo-input-transformation-pipeline,canonicalize,cse)"
# In the folder that the process is given: the module in its forms, and what becomes of it.
FORM, RESULT, ERROR = ".form", "linalg.mlirbc", "error.txt"
_NAMED = re.compile(r'loc\("((?:[^"\\]|\\.)*)"(?!:\d)')
_REFUSED = re.compile(r"failed to legalize operation '([\w.]+)'")
_SIZE = "jax.global_constant"
_SPLIT = ("mhlo.num_partitions", "mhlo.num_replicas")


def main() -> None:
    """Lower the module in the folder that the command line names, or the file after it."""
    folder = Path(sys.argv[1])
    try:
        forms = [Path(path) for path in sys.argv[2:]] or sorted(folder.glob(f"*{FORM}"))
        lower_to_linalg(forms, folder / RESULT)
    except Exception as error:
        (folder / ERROR).write_text(str(error) or type(error).__name__)


def lower_to_linalg(forms: list[Path], result: Path) -> None:
    """Write a StableHLO module, lowered to linalg, as bytecode to `result`.

    `forms` are files with texts or bytecodes of the same module; the first that IREE reads is
    taken. Raises RuntimeError with what is wrong and where.
    """
    from iree.compiler import ir

    with ir.Context(), ir.Location.unknown():
        module = _read(forms)
        _check_whole(module)
        _check_sizes(module)
        interfaces = _interfaces(module)
        keep_erf(module)
        _run(MERGE, module)
        for name, sizes in lower_assertions(module).items():
            noted = to_attribute(sizes, ir)
            if noted is not None and name in interfaces:
                interfaces[name][ARGUMENT_SIZES] = noted
        prepare(module)
        _run(LOWER, module)
        outline_foreign_ops(module)
        _note(module, interfaces)
        module.operation.write_bytecode(str(result))


def _run(pipeline: str, module: Any) -> None:
    """Run passes on `module` in place; raise RuntimeError with all that they report."""
    from iree.compiler import ir, passmanager

    called = _custom_calls(module)
    errors: list[str] = []

    def record(found: Any) -> bool:
        if found.severity == ir.DiagnosticSeverity.ERROR:
            target = called.get(str(found.location))
            errors.append(_phrase(found.message, found.location, target))
        return True

    context = module.context
    context.emit_error_diagnostics = True
    handler = context.attach_diagnostic_handler(record)
    try:
        passmanager.PassManager.parse(pipeline).run(module.operation)
    except ir.MLIRError as error:
        raise RuntimeError("; ".join(errors) or _line(error)) from None
    finally:
        handler.detach()


def _custom_calls(module: Any) -> dict[str, str]:
    """Return the targets of custom calls by their location."""
    from iree.compiler import ir

    found: dict[str, str] = {}

    def visit(op: Any) -> Any:
        if op.name == "stablehlo.custom_call":
            found[str(op.location)] = op.attributes["call_target_name"].value
        return ir.WalkResult.ADVANCE

    module.operation.walk(visit)
    return found


def _read(forms: list[Path]) -> Any:
    """Return the module, read from the first form that can be read."""
    from iree.compiler import ir

    for index, form in enumerate(forms):
        try:
            # A text from memory has no file that its locations could name.
            inner = form.suffix == FORM
            return ir.Module.parse(form.read_bytes()) if inner else ir.Module.parseFile(str(form))
        except ir.MLIRError as error:
            if index == len(forms) - 1:
                found = [_phrase(item.message, item.location) for item in error.error_diagnostics]
                raise RuntimeError("; ".join(found) or _line(error)) from None
    raise RuntimeError("it is empty")


def _check_whole(module: Any) -> None:
    """Refuse a module that is split over several devices."""
    for name in _SPLIT:
        attributes = module.operation.attributes
        if name in attributes and attributes[name].value != 1:
            raise RuntimeError(
                f"expected a program for one device, found {attributes[name].value} "
                f"{name.removeprefix('mhlo.num_')}"
            )


def _check_sizes(module: Any) -> None:
    """Refuse a public function that takes symbolic sizes beside the arrays that have them."""
    for op in module.body.operations:
        attributes = op.operation.attributes
        private = "sym_visibility" in attributes and attributes["sym_visibility"].value == "private"
        if op.operation.name != "func.func" or private or "arg_attrs" not in attributes:
            continue
        for given in attributes["arg_attrs"]:
            if _SIZE in given and given[_SIZE].value:
                raise RuntimeError(
                    f"expected a function of arrays, found an argument for the size "
                    f"'{given[_SIZE].value}': pass jax.export.export(jax.jit(f))(*arguments)"
                )


def _interfaces(module: Any) -> dict[str, dict[str, Any]]:
    """Return what each function with a body says of its interface, as attributes."""
    from iree.compiler import ir

    found: dict[str, dict[str, Any]] = {}
    for op in module.body.operations:
        if op.operation.name != "func.func" or not len(op.operation.regions[0].blocks):
            continue
        attributes = op.operation.attributes
        noted: dict[str, Any] = {}
        arguments = op.operation.regions[0].blocks[0].arguments
        names = [_NAMED.match(str(argument.location)) for argument in arguments]
        if names and all(names):
            texts = [ir.StringAttr.get(name[1]) for name in names if name is not None]
            noted[ARGUMENT_NAMES] = ir.ArrayAttr.get(texts)
        unsigned = unsigned_results(ir.FunctionType(attributes["function_type"].value))
        if unsigned:
            noted[UNSIGNED_RESULTS] = ir.DenseI64ArrayAttr.get(unsigned)
        found[attributes["sym_name"].value] = noted
    return found


def _note(module: Any, interfaces: dict[str, dict[str, Any]]) -> None:
    """Give the functions the attributes that the passes dropped with their types."""
    for op in module.body.operations:
        attributes = op.operation.attributes
        if op.operation.name != "func.func":
            continue
        # The visibility that is the default is not written elsewhere.
        if "sym_visibility" in attributes and attributes["sym_visibility"].value == "public":
            del attributes["sym_visibility"]
        for name, value in interfaces.get(attributes["sym_name"].value, {}).items():
            attributes[name] = value


def _phrase(message: Any, location: Any, target: str | None = None) -> str:
    """Return a message in one line, with its place; `target` is what a custom call there calls."""
    text = re.sub(r": (%\S+ = )?\".*", "", " ".join(str(message).split()))
    refused = _REFUSED.match(text)
    if refused is not None:
        called = f" of {target}" if target and refused[1] == "stablehlo.custom_call" else ""
        text = f"{refused[1]}{called} is not supported"
    place = describe_location(str(location))
    return f"{text} ({place})" if place else text


def _line(error: Exception) -> str:
    return " ".join(str(error).split())


if __name__ == "__main__":
    main()
