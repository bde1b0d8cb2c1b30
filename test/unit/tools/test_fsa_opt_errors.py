"""Nothing that a user types into fsa-opt ends in a traceback or a crash: one sentence, exit 1."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fsa.tools import fsa_opt

FSA_OPT = [sys.executable, "-m", "fsa.tools.fsa_opt"]
GOOD = "func.func @f(%a: i32) -> i32 {\n  return %a : i32\n}\n"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder, made the working directory, with the inputs that the cases name."""
    (tmp_path / "good.mlir").write_text(GOOD)
    (tmp_path / "syntax.mlir").write_text("func.func @f( {\n")
    (tmp_path / "types.mlir").write_text("func.func @f(%a: i32) -> f32 {\n  return %a : i32\n}\n")
    (tmp_path / "unknown.mlir").write_text('"nope.op"() : () -> ()\n')
    (tmp_path / "zero.mlir").write_bytes(b"func.func @f() {\0 return }")
    (tmp_path / "junk.mlir").write_bytes(bytes(range(128, 256)) * 64)
    (tmp_path / "junk.mlirbc").write_bytes(b"ML\xefR" + bytes(range(256)) * 16)
    (tmp_path / "short.mlirbc").write_bytes(b"ML\xefR")
    (tmp_path / "fsa.mlir").write_text('%0 = "fsa.pack_bits"() : () -> tensor<4xi32>\n')
    (tmp_path / "many.mlir").write_text("// -----\n" * 3)
    (tmp_path / "reproducer.mlir").write_text(
        '{-# external_resources: { mlir_reproducer: { pipeline: "builtin.module(nope)" } } #-}\n'
    )
    (tmp_path / "deep.mlir").write_text("module {" * 20000 + "}" * 20000)
    (tmp_path / "deep-attribute.mlir").write_text(
        f"module attributes {{a = {'[' * 200000}{']' * 200000}}} {{}}"
    )
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FSA_REPRODUCER_DIR", str(tmp_path / "failures"))
    return tmp_path


CASES = [
    ("nothing.mlir", "cannot open the input file 'nothing.mlir': there is no such file"),
    ("folder", "expected an input file, found the directory 'folder'"),
    ("good.mlir/x", "cannot open the input file 'good.mlir/x': Not a directory"),
    ("a" * 300, "File name too long"),
    ("syntax.mlir", "syntax.mlir:1:14: error: expected"),
    ("types.mlir", "types.mlir:2:3: error: type of return operand 0 ('i32') doesn't match"),
    ("deep.mlir", "deep.mlir: expected brackets at most 4000 deep, found 20000"),
    ("deep-attribute.mlir", "expected brackets at most 4000 deep, found 200001"),
    ("unknown.mlir", "unknown.mlir:1:10: error: "),
    ("zero.mlir", "expected 'zero.mlir' to hold MLIR text or bytecode, found a zero byte"),
    ("junk.mlir", "error: unexpected character"),
    ("junk.mlirbc", "error: "),
    ("short.mlirbc", "error: "),
    ("fsa.mlir", "fsa.mlir:1:6: error: "),
    ("good.mlir good.mlir", "expected one input file, found 2: good.mlir, good.mlir"),
    ("good.mlir -o folder", "cannot write the output file 'folder': Is a directory"),
    ("good.mlir -o no/such/file", "cannot write the output file 'no/such/file': No such file"),
    ("good.mlir -o", "expected a value after --o, found none"),
    ("good.mlir --pass-pipeline", "expected a value after --pass-pipeline, found none"),
    ("good.mlir --canonicalise", "unknown flag or pass '--canonicalise'; did you mean"),
    ("good.mlir --verify-eech=0", "unknown flag or pass '--verify-eech'; did you mean '--verify-"),
    ("good.mlir --=3", "expected a flag or a pass, found '--=3'"),
    ("good.mlir --cse{", "expected '}' at the end of '--cse{'"),
    ("good.mlir --verify-each=perhaps", "--verify-each: expected true or false, found 'perhaps'"),
    ("good.mlir --version=perhaps", "--version: expected true or false, found 'perhaps'"),
    (
        "good.mlir --mlir-elide-elementsattrs-if-larger=x",
        "--mlir-elide-elementsattrs-if-larger: expected an integer, found 'x'",
    ),
    (
        "good.mlir --mlir-elide-elementsattrs-if-larger=99999999999999999999",
        "--mlir-elide-elementsattrs-if-larger: expected an integer of 64 bits",
    ),
    ("good.mlir --mlir-print-ir-after=csee", "unknown pass 'csee'; did you mean 'cse'"),
    ("good.mlir --emit-bytecode --emit-bytecode-version=99999999999999999999", "of 64 bits"),
    (
        "good.mlir --convert-gpu-to-nvvm=bad=1",
        "pass 'convert-gpu-to-nvvm': unknown option 'bad'; it takes",
    ),
    (
        "good.mlir --mlir-elide-elementsattrs-if-larger=-1",
        "expected a number of at least 0, found -1",
    ),
    ("good.mlir -p cse", "expected the pass pipeline to be wrapped in the operation"),
    ("good.mlir -p builtin.module(cse", "expected ',' or the ')' that closes 'builtin.module('"),
    ("good.mlir -p builtin.module(cse))", "expected ',' or the end of the pipeline"),
    ("good.mlir -p builtin.module(,cse)", "expected the name of a pass or of an operation"),
    ("good.mlir -p builtin.module(cse{a)", "expected the '}' that closes the options of 'cse'"),
    ("good.mlir -p builtin.module(nope)", "unknown pass or pipeline 'nope'"),
    ("good.mlir -p builtin.module(fsa-to-linal)", "did you mean 'fsa-to-linalg'"),
    ("good.mlir -p builtin.module(func.fnc(cse))", "unknown operation 'func.fnc'"),
    ("good.mlir -p builtin.module(funcfunc(cse))", "expected an operation such as func.func"),
    ("good.mlir -p func.func(cse)", "expected a pipeline for 'builtin.module', found one for"),
    (
        "good.mlir -p builtin.module(func.func(gpu-kernel-outlining))",
        "pass 'gpu-kernel-outlining' runs on builtin.module, found it nested in func.func",
    ),
    (
        "good.mlir -p builtin.module(func.func(gpu-lower-to-nvvm-pipeline))",
        "pass 'gpu-lower-to-nvvm-pipeline' runs on builtin.module, found it nested in func.func",
    ),
    ("good.mlir --canonicalize=max-iteration=3", "did you mean 'max-iterations'"),
    ("good.mlir --canonicalize=max-iterations=x", "pass 'canonicalize' cannot be set up"),
    ("good.mlir --fsa-check-absent=op=x", "unknown option 'op'; did you mean 'ops'?"),
    ("good.mlir --fsa-check-absent=ops=func.*", "pass 'fsa-check-absent' failed: expected no op"),
    ("good.mlir --cse -p builtin.module(cse)", "expected one way to give the pipeline, found"),
    ("good.mlir --mlir-timing --mlir-timing-display=pie", "expected tree or list, found 'pie'"),
    ("good.mlir --mlir-print-ir-after=csee --cse", "unknown pass 'csee'; did you mean 'cse'?"),
    (
        "good.mlir --cse --mlir-print-ir-after-all --mlir-print-ir-tree-dir=good.mlir",
        "cannot write the IR dump",
    ),
    ("good.mlir --emit-bytecode --emit-bytecode-version=-7", "bytecode of version -7"),
    ("good.mlir --emit-bytecode --emit-bytecode-version=999", "bytecode of version 999"),
    ("many.mlir --emit-bytecode --split-input-file", "--emit-bytecode writes one module"),
    ("many.mlir --no-implicit-module", "source must contain a single top-level operation"),
    ("good.mlir --run-reproducer", "to carry a pipeline in {-# external_resources"),
    ("reproducer.mlir --run-reproducer", "unknown pass or pipeline 'nope'"),
    ("good.mlir --mlir-generate-reproducer=no/x", "cannot write the reproducer 'no/x'"),
    ("good.mlir --irdl-file=no.mlir", "cannot open the IRDL file 'no.mlir'"),
    ("good.mlir --irdl-file=syntax.mlir", "cannot read the IRDL file 'syntax.mlir'"),
    ("good.mlir --verify-diagnostics=some", "expected all or only-expected, found 'some'"),
]


@pytest.mark.parametrize(("command", "message"), CASES, ids=[c[:60] for c, _ in CASES])
def test_one_sentence_and_exit_1(
    command: str, message: str, files: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code = fsa_opt.main(command.split(" "))
    output, error = capfd.readouterr()
    assert message in error
    assert "Traceback" not in error
    assert (code, output) == (1, "")


def run(arguments: list[str], **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*FSA_OPT, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **options,  # type: ignore[arg-type]
    )


def test_errors_in_a_process_of_its_own(files: Path) -> None:
    """The exit code and the streams of the real command, input from standard input."""
    done = run(["-", "--cse"], input="func.func @f( {")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("<stdin>:1:14: error:")
    assert "Traceback" not in done.stderr


def test_reader_that_goes_away(files: Path) -> None:
    # More than any pipe holds, so that writing goes on after the reader has closed it.
    text = f'func.func private @f() attributes {{a.text = "{"x" * 2**24}"}}\n'
    (files / "large.mlir").write_text(text)
    with subprocess.Popen(
        [*FSA_OPT, "large.mlir"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert os.read(process.stdout.fileno(), 6) == b"module"
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


def test_interrupt(files: Path) -> None:
    process = subprocess.Popen(
        [*FSA_OPT, "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    # The process waits for standard input once its libraries are mapped.
    maps = Path(f"/proc/{process.pid}/maps")
    deadline = time.monotonic() + 30
    while "libTorchMLIRAggregateCAPI" not in maps.read_text() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1.0)
    os.kill(process.pid, signal.SIGINT)
    output, error = process.communicate(timeout=30)
    assert (process.returncode, output, error) == (130, "", "")


def test_full_disk() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    done = run(["-", "-o", "/dev/full"], input=GOOD)
    assert done.returncode == 1
    assert "cannot write the output file '/dev/full': No space left on device" in done.stderr
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*FSA_OPT, "-"], input=GOOD, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def test_closed_standard_input_and_output() -> None:
    for closing in ("<&-", ">&-", "<&- >&- 2>&-"):
        done = subprocess.run(
            ["bash", "-c", f"{' '.join(FSA_OPT)} - {closing}"],
            capture_output=True,
            text=True,
            input=GOOD,
            timeout=60,
            check=False,
        )
        assert done.returncode == 1, closing
        assert "Traceback" not in done.stderr


def test_brackets_in_strings_and_comments_are_no_depth(files: Path) -> None:
    comment, string = "{" * 5000, "[" * 5000
    text = f'// {comment}\nmodule attributes {{fsa.note = "{string}"}} {{}}'
    assert run(["-", "-o", "out.mlir"], input=text).returncode == 0
