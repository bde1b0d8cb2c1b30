"""`fsa compile`: a model becomes a `.vmfb`."""

from __future__ import annotations

import time
from pathlib import Path

import click

from fsa.tools.commands.progress import progress

EPILOG = """\b
Examples:
  fsa compile model.mlir                                  writes model.vmfb for this machine
  fsa compile model.mlir --target vulkan -o model-vk.vmfb
  fsa compile model.mlir --target cuda:sm_80
  fsa compile model.mlir --pipeline fsa-to-linalg         the portable lowering
"""


@click.command(epilog=EPILOG)
@click.argument("source")
@click.option("-o", "--output", help="The file to write [default: SOURCE with .vmfb].")
@click.option(
    "--target",
    default="cpu",
    show_default=True,
    help="cpu, cpu:<LLVM CPU>, vulkan, vulkan:<IREE target>, cuda or cuda:sm_NN.",
)
@click.option(
    "--pipeline",
    help="A pipeline that `fsa-opt --list-pipelines` names [default: the target's kernels].",
)
def command(source: str, output: str | None, target: str, pipeline: str | None) -> None:
    """Compile the model in the file SOURCE to a .vmfb, which iree-run-module runs too."""
    import fsa

    began = time.perf_counter()
    path = Path(output) if output else Path(source).with_suffix(".vmfb")
    with progress(f"compiling {source} for {target}"):
        module = fsa.compile(Path(source), target=target, pipeline=pipeline)
    module.save(path)
    size = path.stat().st_size
    seconds = time.perf_counter() - began
    click.echo(f"{path}: {size:,} bytes for {module.target}, {seconds:.1f} s")
    for signature in module.signatures.values():
        click.echo(f"  {signature}")
