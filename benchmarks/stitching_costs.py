"""What kinds of memory-bound kernels cost, by IREE and as stitched regions, on one core.

`python -m fsa.benchmarks.stitching_costs [--rows 128] [--columns 384]` compiles one small function
a kind both ways and prints nanoseconds per element of the fastest launch. The constants of
`passes/stitching/device_costs.py` are read off this table: what a plain addition takes beyond its
bytes, what exp adds to it, what the step of a sum along rows or columns takes, and so on.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np

import fsa
from fsa.benchmarks import machine
from fsa.runtime import dispatches

PORTABLE = "fsa-to-linalg"
STITCHED = "fsa-form-stitched-regions{min-ops=1},fsa-to-cpu{stitch=false}"
Value = Any


def _kinds() -> dict[str, tuple[int, Callable[..., Value]]]:
    """Return the functions by name, each with the number of its arguments."""
    from fsa.bindings import arith, math
    from fsa.examples import graph

    def row_sum(x: Value) -> Value:
        return graph.reduce_last(arith.addf, x, 0.0)

    def softmax(x: Value) -> Value:
        largest = graph.reduce_last(arith.maximumf, x, -np.inf)
        powers = graph.elementwise(
            lambda a, b: math.exp(arith.subf(a, b)), x, graph.PerRow(largest)
        )
        return graph.elementwise(arith.divf, powers, graph.PerRow(row_sum(powers)))

    def normalised(x: Value) -> Value:
        centred = graph.elementwise(arith.subf, x, graph.PerRow(row_sum(x)))
        squares = row_sum(graph.elementwise(arith.mulf, centred, centred))
        return graph.elementwise(
            lambda a, b: arith.mulf(a, math.rsqrt(b)), centred, graph.PerRow(squares)
        )

    def transposed_addition(x: Value, y: Value) -> Value:
        return graph.transpose(graph.elementwise(arith.addf, x, y), [1, 0])

    def turned_narrow(x: Value) -> Value:
        """Return images of 8 columns, their channels moved behind."""
        rows, columns = graph.shape_of(x)
        return graph.transpose(graph.reshape(x, [columns, rows // 8, 8]), [1, 2, 0])

    return {
        "addition": (2, lambda x, y: graph.elementwise(arith.addf, x, y)),
        "exp": (1, lambda x: graph.elementwise(math.exp, x)),
        "row sum": (1, row_sum),
        "row maximum": (1, lambda x: graph.reduce_last(arith.maximumf, x, -np.inf)),
        "transpose": (1, lambda x: graph.transpose(x, [1, 0])),
        "addition, transposed": (2, transposed_addition),
        "transposed, normalised": (1, lambda x: normalised(graph.transpose(x, [1, 0]))),
        "8 columns, normalised": (1, lambda x: normalised(turned_narrow(x))),
        "softmax": (1, softmax),
        "normalisation": (1, normalised),
    }


def nanoseconds(
    module: Any, pipeline: str, arrays: list[np.ndarray[Any, Any]]
) -> tuple[float, int]:
    """Return what the kernels of one call take at least, and how many launches they are."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "module.vmfb"
        fsa.compile(module, target="cpu", pipeline=pipeline, cache=False).save(path)
        found = dispatches.times(path, "cpu", arrays, calls=30)
    total = sum(each.fastest * each.launches for each in found)
    return 1e9 * total, sum(each.launches for each in found)


@click.command("stitching_costs")
@click.option(
    "--rows", default=128, show_default=True, type=click.IntRange(min=8), help="A multiple of 8."
)
@click.option("--columns", default=384, show_default=True, type=click.IntRange(min=1))
def costs(rows: int, columns: int) -> None:
    """Print the table."""
    from fsa.examples import graph

    machine.pin()
    draw = np.random.default_rng(0)
    click.echo(
        f"{'':22}{'IREE':>20}{'stitched':>20}{'ratio':>8}   ns per element, {rows}x{columns}"
    )
    for name, (count, body) in _kinds().items():
        module = graph.function("main", [((rows, columns), "f32")] * count, body)
        arrays = [draw.standard_normal((rows, columns)).astype(np.float32) for _ in range(count)]
        cells: list[str] = []
        times: list[float] = []
        for pipeline in (PORTABLE, STITCHED):
            time, launches = nanoseconds(module, pipeline, arrays)
            times.append(time)
            cells.append(f"{time / rows / columns:.3f} ({launches})".rjust(20))
        click.echo(f"{name:22}{''.join(cells)}{times[0] / times[1]:8.2f}")


if __name__ == "__main__":
    costs()
