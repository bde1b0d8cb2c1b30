"""The generated pages are current, and every pass, pipeline and op is documented."""

import pytest

from fsa.passes.registry import PASSES, pass_class
from fsa.pipelines.registry import PIPELINES, make_pipeline, pipeline_class
from fsa.tools import docs


def test_pages_are_current(capsys: pytest.CaptureFixture[str]) -> None:
    assert docs.main(["--check"]) == 0, capsys.readouterr().out


def test_wrong_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    assert docs.main(["--chek"]) == 1
    assert "usage" in capsys.readouterr().out


@pytest.mark.parametrize("name", sorted(PASSES))
def test_passes_follow_the_rules(name: str) -> None:
    """A pass is in the file of its name, has a lit test of its name, and says what it does."""
    found = pass_class(name)
    assert found.name == name
    assert found.__module__ == f"fsa.passes.{name.replace('-', '_')}"
    assert found.summary
    assert "\n" not in found.summary
    assert found.__doc__
    assert list((docs.ROOT / "test" / "lit" / "passes").glob(f"{name}*.mlir"))
    for option in docs.option_fields(found).values():
        assert option.metadata.get("help"), f"option {option.name} has no help"


@pytest.mark.parametrize("name", sorted(PIPELINES))
def test_pipelines_follow_the_rules(name: str) -> None:
    found = pipeline_class(name)
    assert found.name == name
    assert found.__doc__
    phases = make_pipeline(name).all_phases()
    assert phases[-1].name == "postconditions"
    assert all(phase.why for phase in phases)
    assert len({phase.name for phase in phases}) == len(phases)
