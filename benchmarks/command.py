"""`fsa bench`: measure FSA and its peers in turns."""

import shlex
from pathlib import Path
from typing import Any

import click

from fsa.benchmarks.cases import CASES, LARGE
from fsa.benchmarks.peers import PEERS

DEFAULT_FOLDER = Path("benchmarks") / "results"


EPILOG = """\b
Examples:
  fsa bench
  fsa bench softmax-mask --peers fsa,iree --rounds 5
  fsa bench --list
  fsa bench --target cuda --compile-to modules     (where the compilers are)
  fsa bench --target cuda --compiled modules       (where the card is)
"""


@click.command("bench", epilog=EPILOG)
@click.argument("names", nargs=-1, metavar="[CASE]...")
@click.option("--list", "listing", is_flag=True, help="List the cases and contenders, and stop.")
@click.option("--target", default="cpu", show_default=True, help="What FSA and IREE compile for.")
@click.option("--peers", default=",".join(PEERS), help="Contenders, separated by commas.")
@click.option("--rounds", default=15, show_default=True, type=click.IntRange(min=1))
@click.option(
    "--sample-seconds",
    default=0.05,
    show_default=True,
    type=click.FloatRange(min=0, min_open=True),
    help="How long one contender runs in one round.",
)
@click.option(
    "--clock",
    type=click.Choice(["wall", "cpu"]),
    default="wall",
    show_default=True,
    help="What seconds are: cpu counts those that this process ran, for a core that is shared.",
)
@click.option(
    "--warm",
    is_flag=True,
    help="Call a contender once, not timed, before each sample: for inputs beyond the caches.",
)
@click.option("--core", type=click.IntRange(min=0), help="The core to run on, for CPU targets.")
@click.option(
    "--output",
    default=DEFAULT_FOLDER,
    type=click.Path(path_type=Path, file_okay=False),
    show_default=True,
    help="Folder for the result files.",
)
@click.option("--stem", help="Name of the result files, without extension; by default the target.")
@click.option(
    "--compile-to",
    type=click.Path(path_type=Path, file_okay=False),
    help="Compile the modules into this folder and stop; needs no device.",
)
@click.option(
    "--compiled",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Measure the modules in this folder; needs no compiler.",
)
@click.option("--plot/--no-plot", "with_plot", default=None, help="Draw a plot (needs matplotlib).")
def bench(names: tuple[str, ...], listing: bool, **options: Any) -> None:
    """Measure FSA and its peers on each CASE (default: all
    but the large ones, capsule-network-b1 to capsule-sv3), in turns, in one run.

    Every result is checked against the reference before it is timed. Writes JSON, a Markdown table
    and a plot. Contenders that are not installed are named with the reason.
    """
    if listing:
        click.echo("cases: " + ", ".join(CASES))
        click.echo("contenders: " + ", ".join(PEERS))
        return
    _measure(names or tuple(name for name in CASES if name not in LARGE), **options)


def _measure(
    names: tuple[str, ...],
    target: str,
    peers: str,
    rounds: int,
    sample_seconds: float,
    clock: str,
    warm: bool,
    core: int | None,
    output: Path,
    stem: str | None,
    compile_to: Path | None,
    compiled: Path | None,
    with_plot: bool | None,
) -> None:
    import importlib.util

    from rich.console import Console

    from fsa.benchmarks import machine, precompiled, report, session
    from fsa.benchmarks.cases import case_of
    from fsa.benchmarks.peers import peer_of
    from fsa.errors import InputError
    from fsa.runtime.targets import Target

    Target.parse(target)  # a name that nothing knows is no failure of each contender
    cases = [case_of(name) for name in names]
    contenders = [peer_of(name.strip(), compiled) for name in peers.split(",") if name.strip()]
    if compile_to is not None:
        for what, outcome in precompiled.compile_to(compile_to, cases, contenders, target).items():
            click.echo(f"{what}: {outcome}")
        return
    if target.startswith("cpu"):
        machine.pin(core)  # before any library counts cores or starts threads
    console = Console(stderr=True)
    with console.status("") as status:
        document = session.run(
            cases,
            contenders,
            target,
            command=shlex.join(["fsa", *_arguments()]),
            rounds=rounds,
            sample_seconds=sample_seconds,
            clock=clock,
            warm=warm,
            core=core,
            progress=status.update,
        )
    _print_tables(document)
    if not any(case["contenders"] for case in document["cases"]):
        raise InputError(f"expected a contender that runs on {target}, found none: see above")
    plotting = (
        importlib.util.find_spec("matplotlib") is not None if with_plot is None else with_plot
    )
    for path in report.write(
        document, output, stem or target.replace(":", "-"), with_plot=plotting
    ):
        console.print(f"wrote {path}")


def _arguments() -> list[str]:
    import sys

    return sys.argv[1:]


def _print_tables(document: dict[str, Any]) -> None:
    """Print one table a case."""
    from rich.console import Console
    from rich.table import Table

    from fsa.benchmarks import report

    console = Console()
    for case in document["cases"]:
        table = Table(title=case["summary"], title_justify="left")
        for heading in ("contender", "median", "x FSA", "of the limit", "spread"):
            table.add_column(heading, justify="left" if heading == "contender" else "right")
        for contender in case["contenders"]:
            table.add_row(
                contender["label"],
                report.milliseconds(contender["median_seconds"]),
                report.ratio_text(case, contender),
                report.share_text(case, contender),
                f"{contender['spread']:.0%}",
            )
        for absent in case["absent"]:
            table.add_row(absent["label"], "absent", "", "", "")
        console.print(table)
        for absent in case["absent"]:
            console.print(f"{absent['label']}: {absent['reason']}", highlight=False)
