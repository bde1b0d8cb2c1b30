"""The demo: three networks, real digits, every device that opens, side by side with plain IREE.

Run with `make demo`, or `python examples/demo.py`. It compiles a binarized MLP, a CapsNet (both
trained on MNIST) and a transformer block, runs digits that they were not trained on, and compares
with a NumPy reference. The exit code is 1 when an accuracy is below its bound or differs from the
reference's, or when a result deviates.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

import fsa
from fsa.benchmarks import plain_iree
from fsa.benchmarks.timing import time_in_turns
from fsa.errors import DeviceUnavailable, FsaError
from fsa.examples import binarized_mlp, capsule_network, digits, transformer_block
from fsa.runtime import dispatches
from fsa.runtime.devices import DeviceInfo, open_device

Array = np.ndarray[Any, np.dtype[Any]]
DEVICES = ("cpu", "vulkan", "cuda")
# A software Vulkan device takes tens of milliseconds a digit: it gets every tenth.
SOFTWARE_STEP = 10


@dataclass(frozen=True)
class Network:
    """A network of the demo. `inputs` are the arguments of single calls, `labels` their classes.

    `tolerance` bounds the largest difference from the reference, `bound` the accuracy from below.
    """

    name: str
    module: Any
    inputs: list[Array]
    expected: Array
    tolerance: float
    labels: Array | None = None
    bound: float = 0.0


@dataclass
class Row:
    """What the demo measured for one network on one device. Times are in seconds."""

    network: str
    device: str
    calls: int = 0
    accuracy: float | None = None
    reference_accuracy: float | None = None
    difference: float = 0.0
    size: int = 0
    kernels: int = 0
    latency: float = 0.0
    plain_latency: float | None = None
    notes: list[str] = field(default_factory=list[str])
    failures: list[str] = field(default_factory=list[str])


def networks(progress: Callable[[str], None]) -> list[Network]:
    """Build the three networks for single inputs, with their inputs and reference results."""
    progress("reading the held-out digits")
    _, held_out = digits.split(digits.load())
    images = [held_out.images[i : i + 1] for i in range(len(held_out))]
    progress("running the NumPy references")
    layers, capsule_weights = binarized_mlp.load(), capsule_network.load()
    # Small parts stay in the cache.
    parts = np.array_split(held_out.images, len(held_out) // 10)
    lengths = [capsule_network.reference(part, capsule_weights) for part in parts]
    block_weights, tokens = transformer_block.random_weights(), transformer_block.random_tokens()
    return [
        Network(
            "binarized MLP",
            binarized_mlp.build(1, layers),
            images,
            binarized_mlp.reference(held_out.images, layers),
            tolerance=1e-4,
            labels=held_out.labels,
            bound=0.92,
        ),
        Network(
            "CapsNet",
            capsule_network.build(1, capsule_weights),
            images,
            np.concatenate(lengths),
            tolerance=1e-4,
            labels=held_out.labels,
            bound=0.95,
        ),
        Network(
            "transformer block",
            transformer_block.build(block_weights),
            [tokens],
            transformer_block.reference(tokens, block_weights),
            tolerance=1e-3,
        ),
    ]


def measure(network: Network, device: DeviceInfo, folder: Path) -> Row:
    """Compile `network` for `device`, run its inputs and time it beside plain IREE."""
    kind = device.kind
    row = Row(network.name, f"{kind} (software)" if device.is_software else kind)
    module = fsa.compile(network.module, target=kind)
    path = folder / f"{network.name.replace(' ', '-')}-{kind}.vmfb"
    module.save(path)
    row.size = path.stat().st_size
    step = SOFTWARE_STEP if device.is_software and network.labels is not None else 1
    _check(row, network, module, step)
    row.kernels = sum(dispatches.count(path, kind, [network.inputs[0]]).values())
    _time(row, network, module, kind, device.is_software)
    return row


def _check(row: Row, network: Network, module: Any, step: int) -> None:
    """Run every `step`-th input and compare with the reference."""
    inputs = network.inputs[::step]
    found = np.concatenate([np.array(module(x)) for x in inputs])
    expected = network.expected if network.labels is None else network.expected[::step]
    row.calls = len(inputs)
    row.difference = float(np.max(np.abs(found - expected)))
    if not row.difference <= network.tolerance:
        row.failures.append(
            f"expected a difference of at most {network.tolerance:g} from the reference, "
            f"found {row.difference:.3g}"
        )
    if network.labels is None:
        return
    labels = network.labels[::step]
    row.accuracy = float(np.mean(found.argmax(1) == labels))
    row.reference_accuracy = float(np.mean(expected.argmax(1) == labels))
    if row.accuracy != row.reference_accuracy:
        row.failures.append(
            f"expected the reference's accuracy {row.reference_accuracy:.1%}, "
            f"found {row.accuracy:.1%}"
        )
    if row.accuracy < network.bound:
        row.failures.append(
            f"expected an accuracy of at least {network.bound:.0%}, found {row.accuracy:.1%}"
        )


def _time(row: Row, network: Network, module: Any, kind: str, is_software: bool) -> None:
    """Time one call with resident arguments, FSA's and plain IREE's module in turns."""
    contenders = {"fsa": _caller(module, network.inputs[0])}
    try:
        plain = plain_iree.compile_module(network.module, kind, module.device.info.name)
        contenders["iree"] = _caller(plain, network.inputs[0])
    except FsaError as error:
        row.notes.append(str(error).splitlines()[0])
    timings = time_in_turns(
        contenders, rounds=5 if is_software else 15, sample_seconds=0.02 if is_software else 0.01
    )
    row.latency = timings["fsa"].median
    if "iree" in timings:
        row.plain_latency = timings["iree"].median


def _caller(module: Any, argument: Array) -> Callable[[], object]:
    resident = module.to_device(argument)
    return lambda: module(resident)


def table(rows: Sequence[Row]) -> Table:
    """Return the rows as a table."""
    result = Table(title="One input a call; times are medians, arguments on the device")
    for heading in (
        *("network", "device", "inputs", "accuracy (reference)", "max difference"),
        *("module", "kernels", "latency", "plain IREE / FSA"),
    ):
        left = heading in ("network", "device")
        result.add_column(heading, justify="left" if left else "right", no_wrap=left)
    for row in rows:
        accuracy = "-"
        if row.accuracy is not None:
            accuracy = f"{row.accuracy:.1%} ({row.reference_accuracy:.1%})"
        ratio = "-" if row.plain_latency is None else f"{row.plain_latency / row.latency:.2f}x"
        result.add_row(
            row.network,
            row.device,
            str(row.calls),
            accuracy,
            f"{row.difference:.1e}",
            f"{row.size / 1024:.0f} KiB",
            str(row.kernels),
            f"{row.latency * 1e3:.3f} ms",
            ratio,
        )
    return result


def open_devices(names: Sequence[str], console: Console) -> list[DeviceInfo]:
    """Open the devices, and say for each that does not open why."""
    found: list[DeviceInfo] = []
    for name in names:
        try:
            found.append(open_device(name).info)
        except DeviceUnavailable as error:
            console.print(f"{name}: skipped, {error}", highlight=False)
    return found


def run(names: Sequence[str], console: Console) -> list[Row]:
    """Run all networks on the devices called `names`; return one row each."""
    devices = open_devices(names, console)
    rows: list[Row] = []
    if not devices:
        return rows
    with (
        tempfile.TemporaryDirectory() as folder,
        console.status("") as status,
    ):
        for network in networks(status.update):
            for device in devices:
                status.update(f"{network.name} on {device}")
                try:
                    rows.append(measure(network, device, Path(folder)))
                except FsaError as error:
                    rows.append(Row(network.name, device.kind, failures=[str(error)]))
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; return 0, or 1 when something is wrong."""
    parser = argparse.ArgumentParser(description="Three networks on every device that opens.")
    parser.add_argument(
        "--devices",
        default=",".join(DEVICES),
        help="devices to try, separated by commas (default: %(default)s)",
    )
    names = parser.parse_args(arguments).devices.split(",")
    console = Console()
    if not console.is_terminal:
        console = Console(width=140)
    start = time.perf_counter()
    try:
        rows = run(names, console)
    except FsaError as error:
        console.print(f"error: {error}", highlight=False)
        return 1
    if not rows:
        console.print("error: expected a device that opens, found none")
        return 1
    console.print(table([row for row in rows if row.latency]))
    for row in rows:
        for note in row.notes:
            console.print(f"{row.network} on {row.device}: {note}", highlight=False)
        for failure in row.failures:
            console.print(f"{row.network} on {row.device}: FAILED: {failure}", highlight=False)
    console.print(f"{time.perf_counter() - start:.0f} s")
    return 1 if any(row.failures for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
