"""Launches over another number of workgroups than their kernels were planned for are right."""

import re

import numpy as np
import pytest
import stitched_cases

import fsa
from fsa.frontend.model import read_model
from fsa.runtime import host
from fsa.runtime.compile import lower
from fsa.runtime.targets import Target


@pytest.mark.parametrize("rows", [525, 540, 1111])
def test_uneven_numbers_of_rows(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planned for two cores, which would share the tasks unevenly, whatever the host has."""
    monkeypatch.setattr(host, "usable_cores", lambda: 2)
    case = stitched_cases.softmax((1, rows, 768))
    lowered = str(lower(read_model(case.text), Target.parse("cpu")))
    (count,) = re.findall(r'"fsa.launch"\(%c(\d+),', lowered)
    assert int(count) < 16 or int(count) % 16 == 0
    module = fsa.compile(case.text, target="cpu")
    for device in ("cpu:sync", "cpu:task"):
        module.wanted_device = device
        got = np.asarray(module(*case.arguments))
        np.testing.assert_allclose(got, case.expected[0], rtol=1e-5, atol=1e-7)
