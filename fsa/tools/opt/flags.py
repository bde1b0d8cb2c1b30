"""The flags of `fsa-opt`: names, kinds and help texts, in the spellings of mlir-opt."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Flag:
    """One flag.

    `kind` is "switch", "text", "integer", "list" (repeatable, comma separated) or "marker" (a
    switch that may carry a text). `metavar` is what the help text shows for the value.
    """

    name: str
    kind: str
    help: str
    default: Any = None
    metavar: str = ""


INPUT_FLAGS = (
    Flag("split-input-file", "marker", "Process the parts between lines of // ----- on their own"),
    Flag("output-split-marker", "text", "What stands between the parts of the output"),
    Flag("allow-unregistered-dialect", "switch", "Accept operations of unknown dialects"),
    Flag("no-implicit-module", "switch", "Do not put a builtin.module around the input"),
    Flag("irdl-file", "text", "Register the dialects of this IRDL file first", metavar="FILE"),
)
PASS_FLAGS = (
    Flag("pass-pipeline", "text", "Run this pipeline (short: -p)", metavar="TEXT"),
    Flag(
        "verify-each", "switch", "Verify the IR after each pass (default; =false turns off)", True
    ),
    Flag("verify-diagnostics", "marker", "Check diagnostics against expected-* comments"),
    Flag("verify-roundtrip", "switch", "Check that text and bytecode of the input parse back"),
    Flag("dump-pass-pipeline", "switch", "Print the pipeline, expanded, to standard error"),
    Flag("mlir-timing", "switch", "Print a table of times to standard error"),
    Flag("mlir-timing-display", "text", "tree (default) or list", "tree", "FORM"),
    Flag("mlir-generate-reproducer", "text", "Write input and pipeline to a file", metavar="FILE"),
    Flag("run-reproducer", "switch", "Run the pipeline that the input carries"),
    Flag("mlir-disable-threading", "switch", "Accepted; there is never more than one thread"),
)
DUMP_FLAGS = (
    Flag("mlir-print-ir-before", "list", "Print the IR before these passes", metavar="PASSES"),
    Flag("mlir-print-ir-after", "list", "Print the IR after these passes", metavar="PASSES"),
    Flag("mlir-print-ir-before-all", "switch", "Print the IR before each pass"),
    Flag("mlir-print-ir-after-all", "switch", "Print the IR after each pass"),
    Flag("mlir-print-ir-after-change", "switch", "Print after a pass only if it changed the IR"),
    Flag("mlir-print-ir-after-failure", "switch", "Print after a pass only if it failed"),
    Flag("mlir-print-ir-module-scope", "switch", "Print the whole module, not the pass's op"),
    Flag("mlir-print-ir-tree-dir", "text", "Print into a tree of files here", metavar="FOLDER"),
)
OUTPUT_FLAGS = (
    Flag("o", "text", "Write to this file (default: -, standard output)", "-", "FILE"),
    Flag("emit-bytecode", "switch", "Write MLIR bytecode"),
    Flag("emit-bytecode-version", "integer", "Version of the bytecode", metavar="N"),
    Flag("mlir-print-op-generic", "switch", "Print every op in generic form"),
    Flag("mlir-print-debuginfo", "switch", "Print locations"),
    Flag("mlir-pretty-debuginfo", "switch", "Print locations for reading (cannot be parsed)"),
    Flag("mlir-print-local-scope", "switch", "Print without aliases"),
    Flag("mlir-print-skip-regions", "switch", "Leave out regions"),
    Flag("mlir-use-nameloc-as-prefix", "switch", "Name values after their locations"),
    Flag("mlir-elide-elementsattrs-if-larger", "integer", "Elide longer constants", metavar="N"),
    Flag("mlir-elide-resource-strings-if-larger", "integer", "Elide longer blobs", metavar="N"),
)
INFORMATION_FLAGS = (
    Flag("list-passes", "switch", "List the passes of FSA and of the bindings"),
    Flag("list-pipelines", "switch", "List the named pipelines and their phases"),
    Flag("show-dialects", "switch", "List the dialects"),
    Flag("emit-irdl", "switch", "Print the fsa dialect as IRDL, for other tools' --irdl-file"),
    Flag("version", "switch", "Print the versions"),
    Flag("help", "switch", "Print this text (short: -h)"),
)
GROUPS: dict[str, tuple[Flag, ...]] = {
    "Input": INPUT_FLAGS,
    "Passes": PASS_FLAGS,
    "IR dumps (to standard error)": DUMP_FLAGS,
    "Output": OUTPUT_FLAGS,
    "Information": INFORMATION_FLAGS,
}
BY_NAME = {flag.name: flag for flags in GROUPS.values() for flag in flags}
SHORT = {"h": "help", "p": "pass-pipeline"}
