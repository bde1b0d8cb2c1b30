"""The page of the memory-bound benchmark: its counts, and documents that it cannot read."""

import json
from typing import Any

import pytest

from fsa.benchmarks import stitching_report
from fsa.errors import InputError


def made_case(name: str, copy: float, ratio: float, share: float, limit: str) -> dict[str, Any]:
    return {
        "name": name,
        "dtype": "f32",
        "median_seconds": {"fsa": 1.0, "iree": ratio, "copy": copy},
        "wrong": [],
        "absent": {},
        "ratio": {"iree": ratio, "copy": copy},
        "ratio_to_best": ratio,
        "best_peer": "iree",
        "limit": limit,
        "share_of_copy": copy,
        "share_of_limit": share,
        "best_peer_share_of_limit": share / ratio,
    }


def made_document() -> dict[str, Any]:
    cases = [
        made_case("sum", 0.95, 1.5, 0.95, "copy"),
        made_case("gelu", 0.25, 1.05, 1.0, "arithmetic"),
        made_case("chain", 0.1, 1.0, 0.1, "copy"),
    ]
    machine: dict[str, Any] = {}
    return {"command": "measure", "created": "today", "machine": machine, "cases": cases}


def test_counts_stand_against_the_limit_and_against_the_copy() -> None:
    figures = stitching_report.summary(made_document()["cases"])["f32"]
    assert figures["below_both_bounds"] == ["chain"]
    assert figures["below_both_bounds_of_copy"] == ["gelu", "chain"]
    assert figures["below_share_of_copy"] == ["chain"]
    assert figures["below_share_of_copy_anywhere"] == ["gelu", "chain"]
    assert figures["cases_where_peer_below_half"] == 1
    assert figures["cases_where_peer_below_half_of_copy"] == 2


def test_what_passes_the_check_makes_a_page() -> None:
    document = made_document()
    failed = {"name": "sum", "dtype": "f16", "median_seconds": {"copy": 1.0}, "wrong": []}
    document["cases"].append({**failed, "absent": {"fsa": "does not compile"}})
    stitching_report.check(document)
    assert "does not compile" in stitching_report.page(document)


@pytest.mark.parametrize("key", ["limit", "share_of_limit", "best_peer_share_of_limit"])
def test_a_case_of_an_older_version_is_refused(key: str) -> None:
    document = made_document()
    del document["cases"][1][key]
    with pytest.raises(InputError, match=f"expected case 1, gelu f32, to have {key}, found none"):
        stitching_report.check(document)


def test_keeping_an_unreadable_document_is_refused_before_measuring(tmp_path, monkeypatch) -> None:
    pytest.importorskip("torch")
    from fsa.benchmarks import stitching

    monkeypatch.setattr(stitching, "_in_process", lambda *_: pytest.fail("it measured"))
    output = tmp_path / "old.json"
    monkeypatch.setattr("sys.argv", ["stitching.py", "--keep", "--output", str(output)])
    for text in (json.dumps({"cases": []}), "no JSON", "[]"):
        output.write_text(text)
        with pytest.raises(SystemExit, match=r"error: cannot keep what is in .*expected"):
            stitching.main()
        assert output.read_text() == text
