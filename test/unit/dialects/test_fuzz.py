"""Wrong ops never crash the verifier and always get a reason."""

import json
import os
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).with_name("fuzz_ops.py")
LONG = os.environ.get("FSA_LONG") == "1"
CASES = 10_000 if LONG else 60
SEED = int(os.environ.get("FSA_SEED", "20261123"))


def test_fuzz_every_op() -> None:
    # In a process of its own, so that a crash is a failure with the case that led to it.
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(CASES), str(SEED)],
        capture_output=True,
        text=True,
        timeout=1800 if LONG else 120,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    ends = json.loads(done.stdout)
    assert sum(ends.values()) > 5000
    assert min(ends["structural"], ends["labelled"], ends["valid"]) > 500
