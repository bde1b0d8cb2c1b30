"""Files that let a failure be seen again: the IR before a pass, and the command that runs it."""

import os
import shlex
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT_VARIABLE = "FSA_REPRODUCER_DIR"


def run_folder(root: Path | None) -> Path:
    """Make a new folder for this run under `root`, $FSA_REPRODUCER_DIR or the temporary folder."""
    parent = root or (Path(os.environ[ROOT_VARIABLE]) if ROOT_VARIABLE in os.environ else None)
    if parent is not None:
        parent.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix="fsa-failure-", dir=parent))


def write_reproducer(folder: Path, pass_name: str, root: Any) -> Path:
    """Write the IR of `root` to a file named after the pass in `folder`; return the file."""
    path = folder / f"before-{pass_name}.mlir"
    path.write_text(root.get_asm() + "\n", encoding="utf-8")
    return path


def fsa_opt_command(path: Path, pipeline: str, flags: Sequence[str] = ()) -> str:
    """Return the command that runs `pipeline` on `path`, ready for a shell."""
    return shlex.join(["fsa-opt", str(path), *flags, f"--pass-pipeline={pipeline}"])
