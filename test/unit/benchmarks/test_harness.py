"""The benchmark harness, on contenders and a clock that are made up."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from fsa.benchmarks import documents, limits, machine, report, session, timing
from fsa.benchmarks.case import Case, Work, deviation
from fsa.benchmarks.cases import CASES, case_of
from fsa.benchmarks.peers import PEERS, peer_of
from fsa.benchmarks.peers.base import Peer, Prepared, Unavailable, form_of, require
from fsa.errors import InputError
from fsa.runtime import dispatches
from fsa.tools.main import main


class Clock:
    """Time that passes only when a contender says so."""

    def __init__(self) -> None:
        self.now = 0.0
        self.log: list[str] = []

    def __call__(self) -> float:
        return self.now

    def takes(self, name: str, seconds: float):
        def call() -> None:
            self.log.append(name)
            self.now += seconds

        return call


def test_median_of_made_up_contenders() -> None:
    clock = Clock()
    contenders = {"slow": clock.takes("slow", 0.02), "fast": clock.takes("fast", 0.001)}
    found = timing.time_in_turns(contenders, rounds=5, sample_seconds=0.01, clock=clock)
    assert found["slow"].median == pytest.approx(0.02)
    assert found["fast"].median == pytest.approx(0.001)
    assert found["slow"].calls == 1
    assert found["fast"].calls == 10
    assert len(found["fast"].samples) == 5
    assert found["fast"].spread == pytest.approx(0, abs=1e-9)


def test_contenders_take_turns_and_begin_in_turn() -> None:
    clock = Clock()
    contenders = {name: clock.takes(name, 1.0) for name in "abc"}
    timing.time_in_turns(contenders, rounds=4, sample_seconds=1.0, clock=clock)
    timed = clock.log[-12:]
    assert timed == list("abcbcacababc")


@pytest.mark.parametrize(("busy", "naps"), [(0, 1), (3, 4), (10**6, 125)])
def test_threads_that_still_work_are_waited_for(monkeypatch, busy: int, naps: int) -> None:
    slept: list[float] = []
    monkeypatch.setattr(timing.time, "sleep", slept.append)
    monkeypatch.setattr(timing.time, "perf_counter", lambda: sum(slept))
    monkeypatch.setattr(timing.time, "process_time", lambda: sum(slept[:busy]))
    timing.rest()
    assert len(slept) == pytest.approx(naps, abs=1 if busy > 10 else 0)


def test_a_call_faster_than_the_clock_is_still_counted() -> None:
    clock = Clock()
    assert timing.calls_for(clock.takes("instant", 0.0), 0.01, clock) == 1_000_000


@pytest.mark.parametrize("rounds", [0, -1])
def test_no_rounds_is_refused(rounds: int) -> None:
    with pytest.raises(ValueError, match="at least 1 round"):
        timing.time_in_turns({}, rounds=rounds)


def test_no_contender_gives_no_timing() -> None:
    assert timing.time_in_turns({}, rounds=3) == {}


def test_deviation() -> None:
    ones = np.ones((2, 2), np.float32)
    assert deviation(ones, ones) == 0.0
    assert deviation(ones * 3, ones * 2) == 0.5
    assert deviation(ones, np.ones((2, 3))) == float("inf")
    assert deviation(np.ones((0, 2)), np.ones((0, 2))) == 0.0
    assert deviation(ones * 0.25, ones * 0) == 0.25
    assert np.isnan(deviation(ones * np.nan, ones))


class Fake(Peer):
    """A contender that doubles its input, or what it is told to return."""

    def __init__(self, name: str, clock: Clock, seconds: float, factor: float = 2.0):
        self.name = name  # type: ignore[misc]
        self.label = name.upper()  # type: ignore[misc]
        self._clock, self._seconds, self._factor = clock, seconds, factor

    def prepare(self, case: Case, target: str) -> Prepared:
        (x,) = case.inputs()
        return Prepared(self._clock.takes(self.name, self._seconds), x * self._factor)


class Missing(Peer):
    """A contender that is not installed."""

    name = "missing"
    label = "Missing"

    def prepare(self, case: Case, target: str) -> Prepared:
        require("surely_not_installed", "bench")
        raise AssertionError


class OnlyCuda(Peer):
    """A contender for another device."""

    name = "other"
    label = "Other"
    kinds = ("cuda",)


def _case(tolerance: float = 0.0) -> Case:
    return Case(
        name="double",
        family="fake",
        summary="double",
        inputs=lambda: (np.arange(4.0),),
        module=lambda: None,
        reference=lambda x: x * 2,
        work=Work(bytes=4_000_000),
        tolerance=tolerance,
    )


def _document(clock: Clock) -> dict:
    peers = [
        Fake("fsa", clock, 0.01),
        Fake("slow", clock, 0.03),
        Fake("wrong", clock, 0.001, factor=2.5),
        Fake("nan", clock, 0.001, factor=np.nan),
        Missing(),
        OnlyCuda(),
    ]
    case = session.run_case(
        _case(), peers, "cpu", rates={"copy": 1e9}, rounds=3, sample_seconds=0.01, clock=clock
    )
    return {
        "schema": documents.SCHEMA,
        "created": "2000-01-01T00:00:00+00:00",
        "command": "fsa bench",
        "target": "cpu",
        "pinned_core": 1,
        "rounds": 3,
        "machine": machine.describe(),
        "probes": [{"name": "copy", "unit": "B/s", "rate": 1e9}],
        "cases": [case],
    }


def test_wrong_and_missing_contenders_are_named_and_not_timed() -> None:
    clock = Clock()
    case = _document(clock)["cases"][0]
    assert [c["name"] for c in case["contenders"]] == ["fsa", "slow"]
    reasons = {a["name"]: a["reason"] for a in case["absent"]}
    assert set(reasons) == {"wrong", "nan", "missing", "other"}
    assert "expected a deviation of at most 0" in reasons["wrong"]
    assert "surely_not_installed is not installed" in reasons["missing"]
    assert "runs on cuda here, not on cpu" in reasons["other"]
    assert not {"wrong", "nan"} & set(clock.log)


def test_ratios_and_shares_of_the_limit() -> None:
    case = _document(Clock())["cases"][0]
    assert case["floor_seconds"] == pytest.approx(0.004)
    assert case["floor_limit"] == "copy"
    fast, slow = case["contenders"]
    assert report.ratio_text(case, slow) == "3.00"
    assert report.share_text(case, fast) == "40%"


def test_result_files(tmp_path) -> None:
    document = _document(Clock())
    paths = report.write(document, tmp_path / "new", "cpu", with_plot=False)
    assert json.loads(paths[0].read_text()) == document
    table = paths[1].read_text()
    assert "| FSA" in table
    assert "| SLOW | 30 ms | 3.00 |" in table
    assert "absent: surely_not_installed" in table


def test_plot(tmp_path) -> None:
    pytest.importorskip("matplotlib")
    paths = report.write(_document(Clock()), tmp_path, "cpu", with_plot=True)
    assert "<svg" in paths[-1].read_text()[:1000]


def test_results_folder_that_is_a_file(tmp_path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write results"):
        report.write(_document(Clock()), tmp_path / "file", "cpu", with_plot=False)


def test_floor_takes_the_tightest_limit() -> None:
    work = Work(bytes=100, flops=1000, popcounts=10)
    assert limits.floor_seconds(work, {"copy": 100, "fma": 100}) == (10.0, "fma")
    assert limits.floor_seconds(work, {"popcount": 1}) == (10.0, "popcount")
    again = Work(bytes=100, cached=300)
    assert limits.floor_seconds(again, {"copy": 1, "cache": 2}) == (150.0, "cache")
    assert limits.floor_seconds(work, {}) is None


def test_machine_description_is_json() -> None:
    described = machine.describe()
    assert json.loads(json.dumps(described)) == described
    assert described["packages"]["numpy"] == np.__version__


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system cannot pin")
def test_pinning_keeps_one_core() -> None:
    program = (
        "import os\nfrom fsa.benchmarks import machine\n"
        "core = machine.pin()\nassert os.sched_getaffinity(0) == {core}\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_dispatch_record_without_initializers() -> None:
    rows = "\n".join(
        json.dumps(row)
        for row in (
            {"type": "dispatch_summary"},
            {"type": "host_dispatch_group", "key": "main_dispatch_0", "count": 2},
            {"type": "dispatch_group", "key": "fsa_squash_0", "count": 1},
            {"type": "dispatch_group", "key": "_initializer_0_dispatch_0", "count": 1},
        )
    )
    assert dispatches.parse(rows) == {"main_dispatch_0": 2, "fsa_squash_0": 1}


def test_unknown_names() -> None:
    with pytest.raises(InputError, match="expected a case"):
        case_of("softmax")
    with pytest.raises(InputError, match="expected a contender"):
        peer_of("tvm")


def test_a_case_without_a_form_says_so() -> None:
    with pytest.raises(Unavailable, match="no form for onnx"):
        form_of(_case(), "onnx")


@pytest.mark.parametrize("name", CASES)
def test_each_case_has_a_module_and_agrees_with_numpy(name: str) -> None:
    case = case_of(name)
    assert case.name == name
    assert case.module().operation.verify()
    if name.startswith("capsule-") and name != "capsule-routing-b1":
        pytest.skip("the same functions as with B=1, at a multiple of the cost")
    found = peer_of("numpy").prepare(case, "cpu").result
    assert deviation(found, case.reference(*case.inputs())) <= case.tolerance


def test_command_lists_and_refuses(capfd) -> None:
    assert main(["bench", "--list"]) == 0
    listed = capfd.readouterr().out
    assert all(name in listed for name in (*CASES, *PEERS))
    for arguments in (["nonsense"], ["--peers", "tvm"], ["--rounds", "0"]):
        assert main(["bench", *arguments]) == 1
        assert capfd.readouterr().err.startswith("fsa: error: ")
