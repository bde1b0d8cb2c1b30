"""The named pipelines: name -> "module:class". None is imported until it is asked for."""

import importlib
from typing import Any

from fsa.errors import InputError
from fsa.passes.driver.options import parse_options
from fsa.pipelines.base import Pipeline
from fsa.suggestions import did_you_mean

PIPELINES: dict[str, str] = {
    "fsa-clean-up": "fsa.pipelines.imports:FsaCleanUp",
    "fsa-to-linalg": "fsa.pipelines.fsa_to_linalg:FsaToLinalg",
    "fsa-to-cpu": "fsa.pipelines.kernels:FsaToCpu",
    "fsa-to-vulkan": "fsa.pipelines.kernels:FsaToVulkan",
    "fsa-to-cuda": "fsa.pipelines.kernels:FsaToCuda",
}


def pipeline_class(name: str) -> type[Pipeline]:
    """Return the class of the pipeline called `name`; raise KeyError when there is none."""
    module, _, attribute = PIPELINES[name].partition(":")
    found: Any = getattr(importlib.import_module(module), attribute)
    return found


def make_pipeline(name: str, options: str = "") -> Pipeline:
    """Return the pipeline `name` with option text ``a=1 b=2``; raise `InputError`."""
    if name not in PIPELINES:
        raise InputError(f"unknown pipeline '{name}'{did_you_mean(name, list(PIPELINES))}")
    return parse_options(pipeline_class(name), options, f"pipeline '{name}'")
