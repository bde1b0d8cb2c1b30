"""`fsa explain`: what compiling a model does to it, and why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from fsa.errors import InputError
from fsa.tools.commands import shapes
from fsa.tools.commands.model_options import model_options, target_option
from fsa.tools.commands.progress import progress

EPILOG = """\b
Examples:
  fsa explain model.onnx                       regions, kernels and bytes, before and after
  fsa explain model.mlir --target vulkan --all
  fsa explain model.onnx --html page.html      the graph, to walk through in a browser
  fsa explain model.onnx --measure --html page.html
  fsa explain model.mlir --json | jq .cost_after
"""


@click.command(epilog=EPILOG)
@click.argument("source")
@target_option()
@model_options
@click.option("--all", "everything", is_flag=True, help="Show every value, kernel and remark.")
@click.option("--json", "as_json", is_flag=True, help="Print the data as JSON instead.")
@click.option("--html", metavar="FILE", help="Write one page with the graph and all the data.")
@click.option(
    "--measure", is_flag=True, help="Run the model on the device and time each of its kernels."
)
@click.option(
    "--input", "inputs", multiple=True,
    help="An argument to measure with, as `fsa run` takes it [default: random]. Repeatable.",
)  # fmt: skip
def command(
    source: str,
    target: str,
    shape_texts: tuple[str, ...],
    pipeline: str | None,
    skip: tuple[str, ...],
    everything: bool,
    as_json: bool,
    html: str | None,
    measure: bool,
    inputs: tuple[str, ...],
) -> None:
    """Say what compiling the model in the file SOURCE does to it, and why.

    Stitched regions with the scheme and mapping of every value, the kernels of the other families,
    what was left out, and kernels and bytes moved before and after. --measure needs the device.
    """
    from fsa.explanation.explain import explain_model
    from fsa.runtime.files import write_file

    if inputs and not measure:
        raise InputError("expected --measure with --input, found --input alone")
    given: Any = measure
    if inputs:
        from fsa.tools.commands.values import parse_inputs

        given = parse_inputs(inputs)
    with progress(f"explaining {source} for {target}"):
        found = explain_model(
            Path(source),
            target,
            pipeline,
            skip=skip,
            measure=given,
            shapes=shapes.parse_shapes(shape_texts),
        )
    if html is not None:
        from fsa.explanation.html import page

        text = page(found).encode()
        write_file(html, text)
        click.echo(f"{html}: {len(text):,} bytes", err=as_json)
    if as_json:
        click.echo(json.dumps(found.data(), indent=1))
    elif html is None:
        from rich.console import Console

        from fsa.explanation.text import print_explanation

        print_explanation(found, Console(highlight=False), everything)
