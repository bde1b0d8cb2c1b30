"""What `fsa-opt` does with one input: parse, run the pipeline, verify, print."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fsa.bindings import ir
from fsa.diagnostics import Diagnostic, Diagnostics, from_mlir
from fsa.dialects.fsa.dialect import new_context
from fsa.errors import InputError, PassFailure
from fsa.passes.pipeline_text import Element, Nest, parse_pipeline
from fsa.passes.resolve import NestStep, resolve
from fsa.passes.runner import Runner
from fsa.tools.opt.flags import CommandLine
from fsa.tools.opt.parsing import parse_chunk
from fsa.tools.opt.report import Printer
from fsa.tools.opt.source import SPLIT_MARKER, Chunk, chunks, read
from fsa.tools.opt.verify_diagnostics import Expectations


class Driver:
    """Runs one command line."""

    def __init__(self, line: CommandLine):
        self.line = line
        self.name = "<stdin>" if line.input == "-" else line.input

    def run(self) -> int:
        """Process the input; return the exit code. Raises `FsaError` for what stops everything."""
        self._check_pipeline()
        data = read(self.line.input)
        outputs: list[str | bytes] = []
        failed = False
        for chunk in chunks(self.line.input, data, self.line["split-input-file"]):
            output = self._process(chunk)
            failed = failed or output is None
            outputs.append(output or "")
        if failed and not self.line["split-input-file"]:
            return 1
        if not self.line["verify-diagnostics"]:
            self._write(outputs)
        return 1 if failed else 0

    def _check_pipeline(self) -> None:
        """Refuse a wrong pipeline before any input is read."""
        if self.line.passes and self.line["pass-pipeline"] is not None:
            raise InputError("expected --pass-pipeline or single passes, found both")
        context = new_context()
        context.allow_unregistered_dialects = self.line["allow-unregistered-dialect"]
        self._pipeline(context)

    def _pipeline(self, context: Any) -> NestStep:
        """Return the resolved pipeline."""
        if self.line["pass-pipeline"] is not None:
            return resolve(parse_pipeline(self.line["pass-pipeline"]), context)
        elements = tuple(Element(name, options) for name, options in self.line.passes)
        return resolve(Nest("builtin.module", elements), context)

    def _process(self, chunk: Chunk) -> str | bytes | None:
        """Process one chunk; return its output, or None when it failed."""
        context = new_context()
        context.allow_unregistered_dialects = self.line["allow-unregistered-dialect"]
        context.emit_error_diagnostics = True
        if self.line["verify-diagnostics"]:
            expectations = Expectations(self.name, chunk.lines())
            self._transform(chunk, context, expectations.add)
            return "" if expectations.check() else None
        printer = Printer(self.name, chunk.lines())
        root = self._transform(chunk, context, printer)
        if root is None:
            return None
        return root.get_asm() + "\n"

    def _transform(self, chunk: Chunk, context: Any, report: Callable[[Diagnostic], None]) -> Any:
        """Parse `chunk` and run the pipeline; return the root op, or None when that failed."""

        def handle(diagnostic: Any) -> bool:
            report(from_mlir(diagnostic))
            return True

        handler = context.attach_diagnostic_handler(handle)
        try:
            root = parse_chunk(chunk, context, implicit_module=not self.line["no-implicit-module"])
            if root is None:
                return None
            pipeline = self._pipeline(context)
            if pipeline.steps:
                runner = Runner(
                    Diagnostics(report),
                    verify_each=self.line["verify-each"],
                    reproducers=not self.line["verify-diagnostics"],
                )
                runner.run(pipeline, root)
            return root
        except PassFailure as failure:
            if not self.line["verify-diagnostics"]:
                print(f"fsa-opt: error: {failure}", file=sys.stderr)
            elif not failure.diagnostics:
                report(Diagnostic("error", str(failure), str(ir.Location.unknown(context))))
            return None
        finally:
            handler.detach()

    def _write(self, outputs: list[str | bytes]) -> None:
        """Write the outputs to -o, with the split marker between them."""
        text = f"{SPLIT_MARKER}\n".join(str(output) for output in outputs)
        target = self.line["o"]
        if target == "-":
            sys.stdout.write(text)
            sys.stdout.flush()
            return
        try:
            Path(target).write_text(text, encoding="utf-8")
        except OSError as error:
            raise InputError(f"cannot write the output file '{target}': {error.strerror}") from None
