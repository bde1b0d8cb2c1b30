"""The GPU benchmark: prepared, measured and reported on software Vulkan; its workers; its aims."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from fsa.benchmarks import gpu, gpu_measure, gpu_report
from fsa.benchmarks.gpu_cases import gpu_cases
from fsa.benchmarks.gpu_workers import run_jobs
from fsa.errors import InputError

pytest.importorskip("torch")

WORKER = """
import sys, time
from fsa.benchmarks.gpu_workers import announce, answer
for name in sys.argv[1].split(","):
    announce(name)
    if name == "dies":
        sys.exit(3)
    if name == "hangs":
        time.sleep(60)
    print("a library says something")
    answer({"name": name, "value": len(name)})
"""


def _command(left: Any) -> list[str]:
    return [sys.executable, "-c", WORKER, ",".join(left)]


def test_a_job_that_dies_or_hangs_costs_only_itself() -> None:
    found: dict[str, Any] = {}
    names = ["one", "dies", "three", "hangs", "fives"]
    run_jobs(_command, names, lambda r: found.update({r["name"]: r}), silence_seconds=5)
    assert list(found) == names
    assert [found[name].get("value") for name in names] == [3, None, 5, None, 5]
    assert "status 3" in found["dies"]["failed"]
    assert "5 s" in found["hangs"]["failed"]


def test_names_are_distinct_and_fit_a_file() -> None:
    names = [case.name for case in gpu_cases()]
    assert len(set(names)) == len(names)
    assert all(set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-") for name in names)


@pytest.mark.vulkan
def test_prepared_and_measured_on_vulkan(tmp_path: Path, capsys: Any) -> None:
    folder, stem = tmp_path / "modules", tmp_path / "found"
    only = "chain-17-f32,matmul-64x64x64"
    prepare = ["--prepare", str(folder), "--target", "vulkan", "--only", only]
    assert gpu.main(prepare) == 0
    index = json.loads((folder / "index.json").read_text())
    assert set(index["cases"]) == {"chain-17-f32", "binarized-matmul-64x64x64"}
    capsys.readouterr()
    assert gpu.main(prepare) == 0
    assert capsys.readouterr().out == ""  # what lies there is kept
    measure = ["--measure", str(folder), "--rounds", "1", "--sample-seconds", "0.001"]
    assert gpu.main([*measure, "--peers", "iree", "--output", str(stem)]) == 0
    document = json.loads(stem.with_suffix(".json").read_text())
    for row in document["cases"]:
        assert {"fsa", "iree"} <= set(row["median_seconds"]), row
        assert not row["absent"]
    assert "chain-17-f32" in stem.with_suffix(".md").read_text()
    assert gpu.main([*prepare[:2], "--target", "cuda"]) == 1
    assert "expected a folder for cuda" in capsys.readouterr().err


def _row(name: str, family: str, **more: Any) -> dict[str, Any]:
    return {
        "name": name, "family": family, "bytes": 100_000_000, "absent": {},
        "median_seconds": {"fsa": 1e-3}, "ratio": {}, **more,
    }  # fmt: skip


def test_aims_beside_what_was_measured() -> None:
    rows = [
        _row("a", "stitching", share_of_copy=0.9, ratio_to_best=2.0),
        _row("b", "stitching", share_of_copy=0.8, ratio_to_best=0.5, bytes=1),
        _row("m", "binarized", depth=4096, ratio={"library": 3.0}),
        _row("binarized-n-b1", "binarized", published_seconds=2e-3),
        _row("binarized-n-b64", "binarized", published_seconds=3e-3),
        _row("capsule-mn1", "capsule", ratio_to_best=6.0),
        _row("capsule-network-b1", "capsule", ratio_to_best=1.0),
        {"name": "c", "family": "capsule", "failed": "its process ended with status 1"},
    ]
    found = [(t["measured"], t["met"]) for t in gpu_report.targets(rows)]
    assert found == [
        (0.9, True),
        (pytest.approx(1.0), False),
        (None, None),
        (3.0, True),
        (pytest.approx(2.0), None),
        (pytest.approx(3.0), None),
        (6.0, False),
    ]
    assert [t["failed"] for t in gpu_report.targets(rows)] == [0, 0, 0, 0, 0, 0, 1]
    assert gpu_report.targets(rows[:-1])[-1]["met"]
    wrong = _row("w", "stitching", absent={"fsa": "wrong"}, median_seconds={}, share_of_copy=None)
    assert [t["met"] for t in gpu_report.targets([*rows[:2], wrong])[:2]] == [False, False]
    document = {
        "device": "d", "target": "cuda", "command": "c", "created": "now", "rounds": 1,
        "targets": gpu_report.targets(rows), "probes": [], "cases": rows,
    }  # fmt: skip
    text = gpu_report.markdown(document)
    assert "- c, case: its process ended with status 1" in text
    assert "0.90" in text


def test_a_launch_for_a_larger_card_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = {"norm-f32": {"fsa-barrier": {"workgroups": 108}}, "old-f32": {"fsa-barrier": {}}}
    (tmp_path / "index.json").write_text(json.dumps({"cases": made}))
    monkeypatch.setattr(gpu_measure, "multiprocessors", lambda: 56)
    with pytest.raises(InputError, match=r"at least 108 multiprocessors, .* found 56"):
        gpu_measure.check_wave(tmp_path, "norm-f32")
    with pytest.raises(InputError, match="prepare it again"):
        gpu_measure.check_wave(tmp_path, "old-f32")
    monkeypatch.setattr(gpu_measure, "multiprocessors", lambda: 108)
    gpu_measure.check_wave(tmp_path, "norm-f32")
