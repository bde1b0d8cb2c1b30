"""The policy of threads that wait for IREE's CPU workers."""

import os

import numpy as np
import pytest

import fsa
from fsa.errors import CallError
from fsa.runtime.waiting import without_preempting

pytestmark = pytest.mark.skipif(
    not hasattr(os, "SCHED_BATCH"), reason="threads have no such policies here"
)


@pytest.fixture
def policy():
    """Give the thread the default policy again after a test."""
    yield
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def test_the_thread_is_patient_during_the_call_only(policy):
    seen = []
    call = without_preempting(lambda *given: seen.append((given, os.sched_getscheduler(0))))
    call(1, 2)
    assert seen == [((1, 2), os.SCHED_BATCH)]
    assert os.sched_getscheduler(0) == os.SCHED_OTHER


def test_an_error_passes_and_the_policy_is_restored(policy):
    def fail():
        raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        without_preempting(fail)()
    assert os.sched_getscheduler(0) == os.SCHED_OTHER


def test_another_policy_stays(policy):
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    seen = []
    without_preempting(lambda: seen.append(os.sched_getscheduler(0)))()
    assert seen == [os.SCHED_IDLE]
    assert os.sched_getscheduler(0) == os.SCHED_IDLE


@pytest.mark.parametrize("name", ["sched_getscheduler", "sched_setscheduler"])
def test_a_refusal_is_no_error(monkeypatch, name):
    def refuse(*_):
        raise PermissionError

    monkeypatch.setattr(os, name, refuse)
    seen = []
    without_preempting(seen.append)(1)
    assert seen == [1]


def test_systems_without_policies_call_directly(monkeypatch):
    monkeypatch.delattr(os, "sched_setscheduler")
    assert without_preempting(len) is len


def test_calls_on_threads_keep_niceness_and_policy(policy):
    text = """func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
      %y = math.absf %x : tensor<4xf32>
      return %y : tensor<4xf32>
    }"""
    module = fsa.compile(text, target="cpu")
    module.wanted_device = "cpu:task"
    before = os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0)
    result = module(np.array([-1, 2, -3, 4], np.float32))
    np.testing.assert_array_equal(result, [1, 2, 3, 4])
    with pytest.raises(CallError):
        module(np.zeros(3, np.float32))
    assert (os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0)) == before
