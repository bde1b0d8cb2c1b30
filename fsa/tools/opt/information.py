"""What `fsa-opt` can say about itself: versions, passes, pipelines, dialects."""

from fsa import __version__
from fsa.bindings import BINDINGS_DISTRIBUTION, bindings_version


def version() -> str:
    """Return the versions of FSA and of the MLIR bindings."""
    return f"fsa-opt {__version__} (MLIR bindings: {BINDINGS_DISTRIBUTION} {bindings_version()})"
