"""`fsa compile`: a model becomes a file that runs on a device."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import click

from fsa.errors import InputError
from fsa.tools.commands import shapes
from fsa.tools.commands.model_options import model_options, target_option
from fsa.tools.commands.progress import progress

FORMS = ("vmfb", "mlir", "asm", "ptx", "spirv")
EPILOG = """\b
Examples:
  fsa compile model.mlir                                  writes model.vmfb for this machine
  fsa compile model.onnx --shape x=1x3x48x320             fixes what the file leaves open
  fsa compile model.onnx --shape x=batch,3,48,320         keeps a size dynamic
  fsa compile model.pt2 --target vulkan -o model-vk.vmfb
  fsa compile model.mlir --target cpu:x86-64-v3,cpu:generic,vulkan,cuda -o model.fsa
  fsa compile model.onnx --parameters model.irpa          weights in a file of their own
  fsa compile model.mlir --emit asm -o -                  assembly of the kernels to the terminal
  fsa compile model.mlir --pipeline fsa-to-linalg         the portable lowering
"""


@click.command(epilog=EPILOG)
@click.argument("source")
@click.option(
    "-o", "--output", help="The file to write, - for standard output [default: SOURCE's name]."
)
@target_option("; several with commas make one file with a variant for each (.fsa)")
@model_options
@click.option("--parameters", metavar="FILE", help="Put large constants into this archive (.irpa).")
@click.option("--no-cache", is_flag=True, help="Compile anew what was compiled before.")
@click.option(
    "--emit",
    default="vmfb",
    show_default=True,
    metavar="|".join(FORMS),
    help="What to write: the module; mlir, what FSA hands to IREE; asm, ptx or spirv, the kernels "
    "for a cpu, cuda or vulkan target.",
)
def command(
    source: str,
    output: str | None,
    target: str,
    shape_texts: tuple[str, ...],
    pipeline: str | None,
    skip: tuple[str, ...],
    parameters: str | None,
    no_cache: bool,
    emit: str,
) -> None:
    """Compile the model in the file SOURCE: ONNX, a saved torch.export program, or MLIR.

    The result is a .vmfb, which iree-run-module runs too, or one file for several targets (.fsa).
    """
    options: dict[str, Any] = {"target": target, "pipeline": pipeline, "skip": skip}
    given = shapes.parse_shapes(shape_texts)
    if emit not in FORMS:
        from fsa.suggestions import did_you_mean

        raise InputError(
            f"expected --emit to be {', '.join(FORMS[:-1])} or {FORMS[-1]}, found '{emit}'"
            f"{did_you_mean(emit, FORMS)}"
        )
    if emit != "vmfb":
        if parameters is not None:
            raise InputError(f"expected --parameters with --emit vmfb, found --emit {emit}")
        _emit(source, output, emit, given, options)
        return
    _compile(source, output, given, {**options, "parameters": parameters, "cache": not no_cache})


def _compile(source: str, output: str | None, given: Any, options: dict[str, Any]) -> None:
    import fsa
    from fsa.runtime.compile import parse_targets
    from fsa.runtime.package import SUFFIX

    began = time.perf_counter()
    several = len(parse_targets(options["target"])) > 1
    if several and output == "-":
        raise InputError("expected a file to write for several targets, found -")
    path = Path(output) if output else _beside(source, SUFFIX if several else ".vmfb")
    with progress(f"compiling {source} for {options['target']}"):
        module = fsa.compile(Path(source), shapes=given, **options)
    if output == "-":
        sys.stdout.buffer.write(module.data)
        return
    module.save(path)
    seconds = time.perf_counter() - began
    size = path.stat().st_size
    click.echo(f"{path}: {size:,} bytes for {module.target}, {seconds:.1f} s")
    if options["parameters"] is not None:
        archive = Path(options["parameters"])
        click.echo(f"{archive}: {archive.stat().st_size:,} bytes of weights")
    for signature in module.signatures.values():
        click.echo(f"  {signature}")


def _emit(source: str, output: str | None, form: str, given: Any, options: dict[str, Any]) -> None:
    """Write a listing of what is made of the model on the way to a module."""
    from fsa.runtime.emit import SUFFIXES, listing
    from fsa.runtime.files import write_file

    path = output or str(_beside(source, SUFFIXES[form]))
    with progress(f"compiling {source} for {options['target']}"):
        text = listing(Path(source), form, shapes=given, **options)
    if path == "-":
        click.echo(text, nl=False)
        return
    write_file(path, text.encode())
    click.echo(f"{path}: {len(text.encode()):,} bytes")


def _beside(source: str, suffix: str) -> Path:
    """Return the path of `source` with another ending; never `source` itself."""
    path = Path(source).with_suffix(suffix)
    return path if path != Path(source) else Path(source).with_suffix(f".lowered{suffix}")
