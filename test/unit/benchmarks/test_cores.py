"""The command that measures cores: its options, its cases and its errors."""

import os

import pytest
from click.testing import CliRunner

from fsa.benchmarks import cores, cores_cases

CORES = ",".join(map(str, sorted(os.sched_getaffinity(0))[:2]))
several = pytest.mark.skipif("," not in CORES, reason="this process may use one core alone")


def refused(*arguments: str) -> str:
    result = CliRunner().invoke(cores.main, arguments)
    assert result.exit_code in (1, 2), result.output
    assert isinstance(result.exception, SystemExit)
    return " ".join(result.output.split())


@pytest.mark.parametrize("text", ["a,b", "0", "0,0", "0,9999", "", "0,1,x"])
def test_cores_that_are_none(text: str) -> None:
    assert f"separated by commas, found {text}".strip() in refused("--cores", text)


@several
def test_a_misspelt_family_leaves_the_result_alone(tmp_path) -> None:
    output = tmp_path / "cores.json"
    output.write_text("kept")
    message = refused("--cores", CORES, "--families", "lanch", "--output", str(output))
    assert "expected families of launch, capsule" in message
    assert "found 'lanch'" in message
    message = refused("--cores", CORES, "--only", "no such case", "--output", str(output))
    assert "nothing is written" in message
    assert output.read_text() == "kept"


@several
def test_an_error_of_fsa_is_one_sentence(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(cores, "ProcessPoolExecutor", InProcess)
    monkeypatch.setattr(cores, "measure", lambda *_: None)
    assert "nothing is written" in refused("--cores", CORES)
    row = {"name": "x", "family": "launch", "gains": {"case": 1.0, "fma": 1.0}, "share": 1.0}
    row |= {"limit": "fma", "median_seconds": {"case one": 1.0, "case all": 1.0}}
    monkeypatch.setattr(cores, "measure", lambda *_: row)
    (tmp_path / "file").write_text("")
    message = refused("--cores", CORES, "--output", str(tmp_path / "file" / "cores.json"))
    assert "cannot write results to" in message


def test_an_unusable_case_is_one_sentence(monkeypatch) -> None:
    before = os.sched_getaffinity(0)
    monkeypatch.setattr(cores, "subject_of", refuse)
    with pytest.raises(Exception, match="here: no such target") as caught:
        cores.measure("launch", "here", sorted(before), 1)
    assert isinstance(caught.value, cores.click.ClickException)


def refuse(*_: str) -> None:
    raise cores.FsaError("no such target")


def test_windows_are_measured_where_they_move_enough() -> None:
    found = cores_cases.names()
    assert {"depthwise NHWC 240x12x80", "max 3x3/2 64 @112"} < {*found["windowed"]}
    assert "3x3 64-64 @56" not in found["windowed"]
    subject = cores_cases.subject_of("windowed", "max 3x3/2 64 @112")
    assert subject is not None
    assert subject.moved == 4 * 64 * (112 * 112 + 56 * 56)
    assert cores_cases.subject_of("windowed", "dw 3x3 384 @14") is None


class InProcess:
    """A pool of processes, without processes."""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def __enter__(self) -> "InProcess":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def submit(self, function, *arguments):
        class Done:
            def result(self):
                return function(*arguments)

        return Done()
