"""`fsa run`: call a function of a compiled module."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from fsa.errors import InputError, reason_of
from fsa.tools.commands.progress import progress

EPILOG = """\b
Inputs, in the order of the arguments:
  --input x.npy              an array from a file
  --input inputs.npz         all arrays of the file, in its order
  --input 2x3xf32=1          every element 1
  --input 2x2xi32=1,2,3,4    each element
  --input 4xf32              zeros
  --input i32=5              a scalar

\b
Examples:
  fsa run model.vmfb --input 1x784xf32=0.5
  fsa run model.vmfb --input x.npy --output y.npy
  fsa run model.vmfb --function encode --input x.npz --device vulkan
"""


@click.command(epilog=EPILOG)
@click.argument("module")
@click.option("--function", help="The function to call [default: main, else the only one].")
@click.option("--input", "inputs", multiple=True, help="An argument; see below. Repeatable.")
@click.option("--device", help="cpu, cpu:sync, cpu:task, vulkan[:N] or cuda[:N].")
@click.option("--parameters", metavar="FILE", help="The archive with the weights (.irpa).")
@click.option("--output", help="Save the results to a .npy (one result) or .npz file.")
def command(
    module: str,
    function: str | None,
    inputs: tuple[str, ...],
    device: str | None,
    parameters: str | None,
    output: str | None,
) -> None:
    """Load the compiled module in the file MODULE and call one of its functions.

    Of a file for several targets (.fsa), the variant runs that fits this machine, or --device.
    """
    import fsa
    from fsa.tools.commands.values import parse_inputs

    if output is not None and Path(output).suffix not in (".npy", ".npz"):
        raise InputError(f"expected an output file that ends in .npy or .npz, found {output}")
    arguments = parse_inputs(inputs)
    with progress(f"loading {module}"):
        loaded = fsa.load(module, device, parameters=parameters)
    called = loaded.function(loaded.entry_name() if function is None else function)
    with progress(f"running @{called.signature.name} on {loaded.device.info}"):
        returned = called(*arguments)
    if returned is None:
        results: list[Any] = []
    else:
        results = list(returned) if isinstance(returned, tuple) else [returned]
    if output is not None:
        _save(Path(output), results)
    else:
        _print(results)


def _print(results: list[Any]) -> None:
    """Print each result with its type; long arrays are shortened."""
    import numpy as np

    for index, result in enumerate(results):
        if isinstance(result, np.ndarray):
            shape = "x".join(map(str, result.shape))
            text = np.array2string(result, separator=", ", threshold=1000)
            click.echo(f"result {index}: {f'{shape}x' if shape else ''}{result.dtype}\n{text}")
        else:
            click.echo(f"result {index}: {result}")
    if not results:
        click.echo("no results")


def _save(path: Path, results: list[Any]) -> None:
    """Write one result as .npy, any number as .npz with the names result_0, result_1, ..."""
    import numpy as np

    if path.suffix == ".npy" and len(results) != 1:
        raise InputError(
            f"expected a .npz file for {len(results)} results, found {path}; .npy holds one"
        )
    try:
        if path.suffix == ".npy":
            np.save(path, results[0])
        else:
            named = {f"result_{index}": result for index, result in enumerate(results)}
            np.savez(path, **named)
    except OSError as error:
        raise InputError(f"cannot write {path}: {reason_of(error)}") from None
    click.echo(f"{path}: {len(results)} result{'s' if len(results) != 1 else ''}")
