"""Settings of all tests."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# A deadline is a timed assertion, and machines are shared.
settings.register_profile("fsa", deadline=None, print_blob=True)
settings.load_profile("fsa")

# Each test compiles what it tests, and leaves the user's cache alone; those of the cache have
# folders of their own.
os.environ["FSA_CACHE"] = "0"

# Where the longest tests are. They start first, so that no worker is left alone with one.
LONG_FIRST = ("packaging", "differential", "models", "execution")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the folders of the longest tests first; keep the order otherwise."""
    root = Path(__file__).parent

    def rank(item: pytest.Item) -> int:
        folder = item.path.relative_to(root).parts[0] if item.path.is_relative_to(root) else ""
        return LONG_FIRST.index(folder) if folder in LONG_FIRST else len(LONG_FIRST)

    items.sort(key=rank)


@pytest.fixture(autouse=True)
def _skip_without_vulkan(request: pytest.FixtureRequest) -> None:
    """Skip tests marked `vulkan` where no such device opens."""
    if request.node.get_closest_marker("vulkan") is None:
        return
    from op_execution import why_no_device

    reason = why_no_device("vulkan")
    if reason is not None:
        pytest.skip(reason)
