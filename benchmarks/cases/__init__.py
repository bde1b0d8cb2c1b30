"""The benchmark cases: name -> module that makes it, imported when a case is asked for."""

import importlib

from fsa.benchmarks.case import Case
from fsa.errors import InputError

CASES: dict[str, str] = {
    "softmax-mask": "fsa.benchmarks.cases.stitched",
    "binarized-matmul": "fsa.benchmarks.cases.binarized",
    "capsule-routing-b1": "fsa.benchmarks.cases.capsule",
    "capsule-routing-b32": "fsa.benchmarks.cases.capsule",
    "capsule-network-b1": "fsa.benchmarks.cases.capsule_network",
    "capsule-network-b100": "fsa.benchmarks.cases.capsule_network",
    "capsule-mn1": "fsa.benchmarks.cases.capsule",
    "capsule-mn2": "fsa.benchmarks.cases.capsule",
    "capsule-mn3": "fsa.benchmarks.cases.capsule",
    "capsule-cf1": "fsa.benchmarks.cases.capsule",
    "capsule-cf2": "fsa.benchmarks.cases.capsule",
    "capsule-cf3": "fsa.benchmarks.cases.capsule",
    "capsule-en1": "fsa.benchmarks.cases.capsule",
    "capsule-en2": "fsa.benchmarks.cases.capsule",
    "capsule-en3": "fsa.benchmarks.cases.capsule",
    "capsule-sv1": "fsa.benchmarks.cases.capsule",
    "capsule-sv2": "fsa.benchmarks.cases.capsule",
    "capsule-sv3": "fsa.benchmarks.cases.capsule",
}

# Minutes and gigabytes each: measured when they are named.
LARGE = tuple(name for name in CASES if name.startswith("capsule-") and "-routing-" not in name)


def case_of(name: str) -> Case:
    """Return the case called `name`; raise `InputError` when there is none."""
    if name not in CASES:
        raise InputError(f"expected a case ({', '.join(CASES)}), found {name!r}")
    found: dict[str, Case] = importlib.import_module(CASES[name]).cases()
    return found[name]
