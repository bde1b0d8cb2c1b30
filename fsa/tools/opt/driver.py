"""What `fsa-opt` does with its input: parse, run the pipeline, verify, print."""

import contextlib
import sys
from collections.abc import Callable
from typing import Any

from fsa.bindings import load_extensions
from fsa.diagnostics import Diagnostic, Diagnostics, from_mlir
from fsa.dialects.fsa.dialect import new_context
from fsa.errors import InputError, PassFailure
from fsa.passes.driver.pipeline_text import Element, Nest, parse_pipeline
from fsa.passes.driver.resolve import (
    NestStep,
    UnknownName,
    expand_all,
    known_names,
    pretty_pipeline,
    resolve,
)
from fsa.passes.driver.runner import Observer, Runner
from fsa.suggestions import did_you_mean
from fsa.tools.opt.command_line import CommandLine
from fsa.tools.opt.flags import BY_NAME
from fsa.tools.opt.output import PrintOptions, bytecode, roundtrip_error, write
from fsa.tools.opt.parsing import dialects_met, load_irdl, parse_chunk, silent_failure
from fsa.tools.opt.print_ir import IrPrinter, check_names
from fsa.tools.opt.report import Printer
from fsa.tools.opt.reproducer import read_reproducer, write_reproducer
from fsa.tools.opt.source import SPLIT_MARKER, Chunk, chunks, read
from fsa.tools.opt.timing import Timing
from fsa.tools.opt.verify_diagnostics import Expectations

Report = Callable[[Diagnostic], None]


class Driver:
    """Runs one command line."""

    def __init__(self, line: CommandLine):
        self.line = line
        self.pipeline_text: str | None = line["pass-pipeline"]
        self.verify_each: bool = line["verify-each"]
        self.split = line["split-input-file"]
        self.verifies_diagnostics = line["verify-diagnostics"] is not None
        self.timing = Timing() if line["mlir-timing"] else None
        self._first_context: Any = None

    def run(self) -> int:
        """Process the input; return the exit code. Raises `FsaError` for what stops everything."""
        self._check_flags()
        self._check_pipeline()
        parts = chunks(self.line.input, read(self.line.input), self.split)
        if self.line["run-reproducer"]:
            parts = [self._take_reproducer(parts)]
        outputs: list[bytes] = []
        failed = False
        for part in parts:
            output, passed = self._process(part)
            failed = failed or not passed
            outputs.append(output)
        if self.timing is not None:
            self.timing.report(self.line["mlir-timing-display"])
        # As in mlir-opt, parts that failed leave an empty place and the others are printed.
        if not failed or self.split is not None:
            marker = self.line["output-split-marker"]
            between = SPLIT_MARKER if marker is None else marker
            write(self.line["o"], f"{between}\n".encode().join(outputs))
        return 1 if failed else 0

    # Before anything runs

    def _check_flags(self) -> None:
        """Refuse flags that contradict each other or have an unknown value."""
        line = self.line
        given = [
            f"--{name}" for name in ("pass-pipeline", "run-reproducer") if line.values.get(name)
        ] + (["single passes"] if line.passes else [])
        if len(given) > 1:
            raise InputError(f"expected one way to give the pipeline, found {' and '.join(given)}")
        check_names(line)
        form = line["mlir-timing-display"]
        if form not in ("tree", "list"):
            raise InputError(f"--mlir-timing-display: expected tree or list, found '{form}'")
        if line["verify-diagnostics"] not in (None, "", "all", "only-expected"):
            raise InputError(
                f"--verify-diagnostics: expected all or only-expected, "
                f"found '{line['verify-diagnostics']}'"
            )
        for flag in ("emit-bytecode", "mlir-generate-reproducer"):
            if self.split is not None and line[flag]:
                raise InputError(f"--{flag} writes one module; --split-input-file makes several")

    def _check_pipeline(self) -> None:
        """Refuse a wrong pipeline before any input is read."""
        self._first_context = self._new_context()
        pipeline = self._resolve(self._first_context, "builtin.module")
        if self.line["dump-pass-pipeline"]:
            expanded = expand_all(pipeline, self._first_context)
            print(pretty_pipeline(expanded), file=sys.stderr)

    def _new_context(self) -> Any:
        """Return a context as the flags want it."""
        context = new_context()
        context.allow_unregistered_dialects = self.line["allow-unregistered-dialect"]
        context.emit_error_diagnostics = True
        if self.line["irdl-file"] is not None:
            load_irdl(self.line["irdl-file"], context)
        return context

    def _resolve(self, context: Any, root: str) -> NestStep:
        """Return the resolved pipeline; `root` is the op that single passes start from."""
        if self.pipeline_text is not None:
            return resolve(parse_pipeline(self.pipeline_text), context)
        elements = tuple(Element(name, options) for name, options in self.line.passes)
        try:
            return resolve(Nest(root, elements), context)
        except UnknownName as error:
            known = [f"--{name}" for name in (*BY_NAME, *known_names())]
            flag = f"--{error.name}"
            raise InputError(f"unknown flag or pass '{flag}'{did_you_mean(flag, known)}") from None

    def _take_reproducer(self, parts: list[Chunk]) -> Chunk:
        """Take pipeline and settings out of the input."""
        part, reproducer = read_reproducer(parts[0])
        self.pipeline_text = reproducer.pipeline
        self.verify_each = reproducer.verify_each
        self._resolve(self._first_context, "builtin.module")
        return part

    # One part of the input

    def _process(self, chunk: Chunk) -> tuple[bytes, bool]:
        """Process one chunk; return its output and whether all went well."""
        context = self._first_context or self._new_context()
        self._first_context = None
        if self.verifies_diagnostics:
            ignores_others = self.line["verify-diagnostics"] == "only-expected"
            expectations = Expectations(chunk.name, chunk.lines(), ignores_others)
            root = self._transform(chunk, context, expectations.add)
            output = self._output(root) if root is not None else b""
            return output, expectations.check()
        root = self._transform(chunk, context, Printer(chunk.name, chunk.lines()))
        return (b"", False) if root is None else (self._output(root), True)

    def _transform(self, chunk: Chunk, context: Any, report: Report) -> Any:
        """Parse `chunk` and run the pipeline; return the root op, or None when that failed."""

        reported: list[Diagnostic] = []

        def handle(diagnostic: Any) -> bool:
            reported.append(from_mlir(diagnostic))
            report(reported[-1])
            return True

        handler = context.attach_diagnostic_handler(handle)
        try:
            with self._phase("Parser"):
                root = parse_chunk(
                    chunk, context, implicit_module=not self.line["no-implicit-module"]
                )
            if root is None and not any(item.severity == "error" for item in reported):
                report(silent_failure(chunk))
            if root is None or not self._roundtrips(chunk, root, report):
                return None
            self._run_passes(root, context, report)
            return root
        except PassFailure as failure:
            if not self.verifies_diagnostics:
                print(f"fsa-opt: error: {failure}", file=sys.stderr)
            elif not failure.diagnostics:
                report(Diagnostic("error", str(failure), "loc(unknown)"))
            return None
        finally:
            handler.detach()

    def _roundtrips(self, chunk: Chunk, root: Any, report: Report) -> bool:
        """Check the round trip where --verify-roundtrip asks for it."""
        if not self.line["verify-roundtrip"]:
            return True

        def context() -> Any:
            made = self._new_context()
            load_extensions(made, dialects_met(chunk))
            return made

        error = roundtrip_error(root, context)
        if error is not None:
            report(Diagnostic("error", error, "loc(unknown)"))
        return error is None

    def _run_passes(self, root: Any, context: Any, report: Report) -> None:
        """Run the pipeline on `root`; raise `PassFailure`."""
        pipeline = self._resolve(context, root.name)
        if self.line["mlir-generate-reproducer"] is not None:
            write_reproducer(
                self.line["mlir-generate-reproducer"],
                PrintOptions(generic=self.line["mlir-print-op-generic"]).text(root),
                str(pipeline),
                self.verify_each,
            )
        if not pipeline.steps:
            return
        printer = IrPrinter(self.line)
        observers: list[Observer] = [printer] if printer.is_wanted else []
        if self.timing is not None:
            observers.append(self.timing)
        flags = ("allow-unregistered-dialect", "no-implicit-module")
        Runner(
            Diagnostics(report),
            verify_each=self.verify_each,
            observers=observers,
            reproducers=not self.verifies_diagnostics,
            extra_flags=tuple(f"--{flag}" for flag in flags if self.line[flag]),
        ).run(pipeline, root)

    def _output(self, root: Any) -> bytes:
        """Return what is written for `root`."""
        with self._phase("Output"):
            if self.line["emit-bytecode"]:
                return bytecode(root, self.line["emit-bytecode-version"])
            return f"{PrintOptions.of(self.line).text(root)}\n".encode()

    def _phase(self, name: str) -> contextlib.AbstractContextManager[None]:
        """Time a part of the run when times are wanted."""
        return self.timing.phase(name) if self.timing is not None else contextlib.nullcontext()
