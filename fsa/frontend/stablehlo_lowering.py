"""StableHLO to linalg, in IREE's context; runs in a process of its own.

What IREE's passes leave in dialects that only IREE has (sorts, scatters, scans, transforms) goes
into functions whose text crosses as an attribute: `foreign_ops`.
"""

from __future__ import annotations

import io
import re
from typing import Any

from fsa.frontend.foreign_ops import outline_foreign_ops
from fsa.frontend.stablehlo_erf import keep_erf
from fsa.locations import describe_location

PIPELINE = (
    "builtin.module(func.func(chlo-legalize-to-stablehlo),"
    "iree-stablehlo-input-transformation-pipeline,canonicalize,cse)"
)
_SPLIT = ("mhlo.num_partitions", "mhlo.num_replicas")


def lower_to_linalg(forms: list[bytes]) -> bytes:
    """Return the bytecode of a StableHLO module, lowered to linalg; it holds `fsa.` attributes.

    `forms` are texts or bytecodes of the same module; the first that IREE reads is taken. Raises
    RuntimeError with what is wrong and where.
    """
    from iree.compiler import ir, passmanager

    with ir.Context() as context, ir.Location.unknown():
        module = _read(forms)
        _check_whole(module)
        keep_erf(module)
        names = _names(module)
        errors: list[str] = []

        def record(found: Any) -> bool:
            if found.severity == ir.DiagnosticSeverity.ERROR:
                errors.append(_phrase(found.message, found.location))
            return True

        context.emit_error_diagnostics = True
        handler = context.attach_diagnostic_handler(record)
        try:
            passmanager.PassManager.parse(PIPELINE).run(module.operation)
        except ir.MLIRError as error:
            raise RuntimeError("; ".join(errors) or _line(error)) from None
        finally:
            handler.detach()
        outline_foreign_ops(module)
        _set_names(module, names)
        bytecode = io.BytesIO()
        module.operation.write_bytecode(bytecode)
        return bytecode.getvalue()


def _read(forms: list[bytes]) -> Any:
    """Return the module, read from the first form that can be read."""
    from iree.compiler import ir

    for index, form in enumerate(forms):
        try:
            return ir.Module.parse(form)
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


def _names(module: Any) -> dict[str, list[str]]:
    """Return the names of the arguments of each function, as far as all have one."""
    from iree.compiler import ir

    found: dict[str, list[str]] = {}
    for op in module.body.operations:
        if op.operation.name != "func.func" or not len(op.operation.regions[0].blocks):
            continue
        arguments = op.operation.regions[0].blocks[0].arguments
        names = [re.match(r'loc\("((?:[^"\\]|\\.)*)"(?!:\d)', str(a.location)) for a in arguments]
        if all(names):
            symbol = ir.StringAttr(op.operation.attributes["sym_name"]).value
            found[symbol] = [name[1] for name in names if name is not None]
    return found


def _set_names(module: Any, names: dict[str, list[str]]) -> None:
    from iree.compiler import ir

    for op in module.body.operations:
        if op.operation.name != "func.func":
            continue
        given = names.get(ir.StringAttr(op.operation.attributes["sym_name"]).value)
        inputs = ir.FunctionType(op.operation.attributes["function_type"].value).inputs
        if given is not None and len(given) == len(inputs):
            values = [ir.StringAttr.get(name) for name in given]
            op.operation.attributes["fsa.argument_names"] = ir.ArrayAttr.get(values)


def _phrase(message: Any, location: Any) -> str:
    text = re.sub(r": (%\S+ = )?\".*", "", " ".join(str(message).split()))
    place = describe_location(str(location))
    return f"{text} ({place})" if place else text


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
