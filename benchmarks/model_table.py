"""`make table`: the full-size models of the zoo, FSA against its peers, one row a model.

`python -m fsa.benchmarks.model_table` measures every row, writes benchmarks/results/models.json
after each, and docs/models.md at the end. A row that fails says why and does not stop the others.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from fsa.benchmarks import machine, model_report
from fsa.benchmarks.model_contenders import IREE_FLAGS, LABELS
from fsa.benchmarks.model_worker import COMPILED, IMPORTED

RESULTS = Path("benchmarks") / "results" / "models.json"
DOCUMENT = Path("docs") / "models.md"
SCHEMA = 1
_TARGET_FLAGS = (
    "--iree-hal-target-device=local",
    "--iree-hal-local-target-device-backends=llvm-cpu",
    "--iree-llvmcpu-target-cpu=host",
)
Say = Callable[[str], None]


def all_rows() -> list[tuple[str, str]]:
    """Return (model, size) of each row of the table."""
    from fsa.benchmarks.models import model, names

    return [(name, size) for name in names() for size in model(name).table]


def row_name(model: str, size: str) -> str:
    """Return how a row is called: the model, and its size where there are several."""
    return model if size == "full" else f"{model}:{size}"


def _step(step: str, model: str, size: str, folder: Path, seconds: float) -> dict[str, Any]:
    """Run one step of a row in a process of its own; return its answer or {"reason": ...}."""
    command = [sys.executable, "-m", "fsa.benchmarks.model_worker", step, model, size, str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return {"reason": f"stopped after {seconds:.0f} s"}
    answer = folder / f"{step}.json"
    if answer.exists():
        return json.loads(answer.read_text())
    last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
    return {"reason": f"ended with code {done.returncode}: {last[:300]}"}


def _plain_iree(name: str, folder: Path, seconds: float) -> dict[str, Any]:
    """Compile the import with stock `iree-compile`, pinned like the rest; leave module or reason.

    Nothing of FSA's own passes has touched that import.
    """
    output = folder / COMPILED.format(target=name)
    command = [sys.executable, "-m", "iree.compiler.tools.scripts.iree_compile"]
    command += [str(folder / IMPORTED), "-o", str(output), *_TARGET_FLAGS, *IREE_FLAGS[name]]
    start = time.perf_counter()
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
            preexec_fn=machine.pin,
        )
        errors = [line for line in done.stderr.splitlines() if "error:" in line]
        reason = errors[0].partition("error:")[2].strip() if errors else done.stderr.strip()[:300]
        failed = done.returncode != 0
    except subprocess.TimeoutExpired:
        failed, reason = True, f"stopped after {seconds:.0f} s"
    if failed:
        output.unlink(missing_ok=True)
        output.with_suffix(".txt").write_text(f"IREE refuses the import: {reason}"[:300])
        return {"reason": reason[:300]}
    return {"compile_seconds": time.perf_counter() - start, "module_bytes": output.stat().st_size}


def measure_row(
    model: str,
    size: str,
    *,
    rounds: int,
    sample_seconds: float,
    contenders: Sequence[str],
    vulkan: bool,
    seconds: float,
    say: Say,
) -> dict[str, Any]:
    """Return what the table holds of one row; a step that failed holds its `reason`."""
    from fsa.benchmarks.models import model as model_of

    entry = model_of(model)
    row: dict[str, Any] = {
        "name": row_name(model, size),
        "model": model,
        "size": size,
        "kind": entry.kind,
        "summary": entry.summary,
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    if (missing := entry.missing()) is not None:
        return row | {"reason": missing}
    with tempfile.TemporaryDirectory(prefix="fsa-table-") as name:
        folder = Path(name)
        say("compiling")
        row["compile"] = _step("compile", model, size, folder, seconds)
        if "reason" in row["compile"]:
            return row | {"reason": row["compile"]["reason"]}
        row["plain_iree"] = {}
        for plain in [name for name in contenders if name in IREE_FLAGS]:
            say(f"compiling with {LABELS[plain]}")
            row["plain_iree"][plain] = _plain_iree(plain, folder, seconds)
        settings = {
            "rounds": rounds,
            "sample_seconds": sample_seconds,
            "contenders": list(contenders),
        }
        (folder / "settings.json").write_text(json.dumps(settings))
        say("timing")
        row |= _step("time", model, size, folder, 2 * seconds)
        if vulkan:
            say("checking on Vulkan")
            row["vulkan"] = _step("vulkan", model, size, folder, seconds)
    return row


def check_on_vulkan(row: dict[str, Any], seconds: float, say: Say) -> dict[str, Any]:
    """Return `row` with its model checked on Vulkan anew; what was timed stays."""
    with tempfile.TemporaryDirectory(prefix="fsa-table-") as name:
        say("checking on Vulkan")
        return row | {"vulkan": _step("vulkan", row["model"], row["size"], Path(name), seconds)}


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {"schema": SCHEMA, "rows": []}
    return json.loads(path.read_text())


def _merge(document: dict[str, Any], row: dict[str, Any]) -> None:
    """Put `row` in its place among the rows, instead of an older one of its name."""
    order = [row_name(*each) for each in all_rows()]
    kept = [each for each in document["rows"] if each["name"] != row["name"]]
    known = [each for each in [*kept, row] if each["name"] in order]
    document["rows"] = sorted(known, key=lambda each: order.index(each["name"]))


def profile(model: str, size: str) -> str:
    """Return a table of what each kernel of FSA's module takes of a call, on the CPU."""
    import fsa
    from fsa.benchmarks.models import model as model_of
    from fsa.runtime import dispatches

    instance = model_of(model).build(size)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "module.vmfb"
        fsa.compile(instance.source, target="cpu", **instance.options()).save(path)
        kernels = dispatches.times(path, "cpu", instance.arrays())
    total = sum(kernel.seconds for kernel in kernels)
    lines = [f"{row_name(model, size)}: {total * 1e3:.3f} ms in kernels, {len(kernels)} kernels"]
    lines += [
        f"{kernel.seconds * 1e3:9.3f} ms {kernel.seconds / total:6.1%} {kernel.launches:4d} x "
        f"{kernel.name}"
        for kernel in kernels
    ]
    return "\n".join(lines)


EPILOG = """\b
Examples:
  python -m fsa.benchmarks.model_table
  python -m fsa.benchmarks.model_table --append                    (what is missing)
  python -m fsa.benchmarks.model_table --append --only vit,minilm:128   (these anew)
  python -m fsa.benchmarks.model_table --only-vulkan               (check all known rows again)
  python -m fsa.benchmarks.model_table --profile convnext
  python -m fsa.benchmarks.model_table --report                    (docs/models.md alone)
"""


@click.command("model_table", epilog=EPILOG)
@click.option("--only", default="", help="Rows to measure, separated by commas.")
@click.option("--append", is_flag=True, help="Keep the rows of the result file; measure the rest.")
@click.option("--list", "listing", is_flag=True, help="List the rows and stop.")
@click.option("--report", is_flag=True, help="Write the document from the result file and stop.")
@click.option("--profile", "profiled", metavar="ROW", help="Print the time per kernel and stop.")
@click.option("--contenders", default=",".join(LABELS), help="Contenders, separated by commas.")
@click.option("--vulkan/--no-vulkan", default=True, help="Check each model on Vulkan too.")
@click.option("--only-vulkan", is_flag=True, help="Keep what was timed; check on Vulkan anew.")
@click.option("--rounds", default=11, show_default=True, type=click.IntRange(min=1))
@click.option("--sample-seconds", default=0.1, show_default=True, type=click.FloatRange(min=0))
@click.option("--seconds", default=900.0, show_default=True, help="Limit for one step of a row.")
@click.option("--results", default=RESULTS, type=click.Path(path_type=Path), show_default=True)
@click.option("--document", default=DOCUMENT, type=click.Path(path_type=Path), show_default=True)
def table(
    only: str,
    append: bool,
    listing: bool,
    report: bool,
    profiled: str | None,
    contenders: str,
    only_vulkan: bool,
    results: Path,
    document: Path,
    **settings: Any,
) -> None:
    """Measure FSA and its peers on the full-size models, in turns, pinned to one core."""
    rows = {row_name(*row): row for row in all_rows()}
    if listing:
        click.echo("\n".join(rows))
        return
    if profiled is not None:
        name, _, size = profiled.partition(":")
        click.echo(profile(name, size or "full"))
        return
    keep = append or report or only_vulkan
    known: dict[str, Any] = _read(results) if keep else {"schema": SCHEMA, "rows": []}
    timed = {row["name"]: row for row in known["rows"]}
    wanted = _wanted(only, list(timed if only_vulkan else rows), known, append)
    for number, name in enumerate([] if report else wanted, start=1):
        prefix = f"[{number}/{len(wanted)}] {name}: "

        def say(text: str, prefix: str = prefix) -> None:
            click.echo(prefix + text, err=True)

        if only_vulkan:
            row = check_on_vulkan(timed[name], settings["seconds"], say)
        else:
            chosen = [each.strip() for each in contenders.split(",")]
            row = measure_row(*rows[name], contenders=chosen, say=say, **settings)
        click.echo(prefix + model_report.summary(row), err=True)
        known |= {"schema": SCHEMA, "machine": machine.describe()}
        _merge(known, row)
        results.parent.mkdir(parents=True, exist_ok=True)
        results.write_text(json.dumps(known, indent=1) + "\n")
    document.write_text(model_report.document(known))
    click.echo(f"wrote {document}", err=True)


def _wanted(only: str, rows: list[str], known: dict[str, Any], append: bool) -> list[str]:
    """Return the rows to measure: those of `only`, else those that are not known yet."""
    chosen = [name.strip() for name in only.split(",") if name.strip()]
    for name in chosen:
        if name not in rows:
            raise click.BadParameter(f"expected one of {', '.join(rows)}, found {name}")
    if chosen:
        return chosen
    done = {row["name"] for row in known["rows"]} if append else set[str]()
    return [name for name in rows if name not in done]


if __name__ == "__main__":
    table()
