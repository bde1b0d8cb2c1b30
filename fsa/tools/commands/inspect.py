"""`fsa inspect`: what a compiled file holds."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from fsa.errors import InputError

if TYPE_CHECKING:
    from fsa.runtime.module import Module

EPILOG = """\b
Examples:
  fsa inspect model.vmfb
  fsa inspect model.fsa      a file for several targets
  fsa inspect model.irpa     a parameter archive
"""


@click.command(epilog=EPILOG)
@click.argument("file")
def command(file: str) -> None:
    """Print the targets, functions and sizes of a compiled module or parameter archive."""
    from fsa.runtime.files import read_file
    from fsa.runtime.loading import refuse_model
    from fsa.runtime.module import Module
    from fsa.runtime.package import is_package, read_variants
    from fsa.runtime.parameters import keys_of

    if file.endswith(".irpa"):
        sizes = keys_of(file)
        click.echo(f"{file}: {len(sizes)} parameters, {sum(sizes.values()):,} bytes")
        for key, size in sizes.items():
            click.echo(f"  {key}  {size:,} bytes")
        return
    refuse_model(file)
    data = read_file(file)
    try:
        if is_package(data):
            parts = [variant.data for variant in read_variants(data)]
        else:
            parts = [data]
        modules = [Module(part) for part in parts]
    except InputError as error:
        raise InputError(f"{file}: {error}") from None
    click.echo(f"{file}: {os.path.getsize(file):,} bytes")
    for part, module in zip(parts, modules, strict=True):
        click.echo(f"  {_described(module, len(memoryview(part)))}")
    for signature in modules[0].signatures.values():
        click.echo(f"  {signature}")


def _described(module: Module, size: int) -> str:
    """Return one line about a module: its target, size and what it needs."""
    needs = module.needs
    words = [f"{needs.target or 'compiled by another tool'}: {size:,} bytes"]
    if needs.architecture:
        words.append(needs.architecture)
    if needs.features:
        words.append(f"needs {' '.join(needs.features)}")
    if module.needs_parameters:
        words.append("weights in a parameter archive")
    lacking = needs.lacking()
    if lacking:
        words.append(f"not for this machine: it needs {lacking}")
    return ", ".join(words)
