"""Compilation: a model goes through a front end, a pipeline, the hand-over and IREE."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fsa.errors import CacheWarning, InputError, TargetError, reason_of
from fsa.runtime.backend import compile_to_file, compile_to_vmfb
from fsa.runtime.cache import Cache, default_cache
from fsa.runtime.cache_key import compile_key
from fsa.runtime.files import read_file, replace_file
from fsa.runtime.module import Module
from fsa.runtime.package import Package
from fsa.runtime.parameters import MINIMUM_BYTES, Export, is_intact, merge_archives
from fsa.runtime.targets import ATTRIBUTE, Target
from fsa.runtime.work import estimate_of

if TYPE_CHECKING:
    from fsa.diagnostics import Diagnostics
    from fsa.passes.driver.runner import Observer

__all__ = ["compile_module", "compile_to_vmfb", "lower", "parse_targets", "pipeline_text"]

_VMFB, _ARCHIVE = "vmfb", "irpa"
_NAME = re.compile(r"[\w-]+")


@dataclass(frozen=True)
class _Compiled:
    """What was made for one target: the module, its archive if any, and where it is cached."""

    module: Module
    archive: Path | None
    file: Path | None  # the .vmfb, None when it came from the cache
    key: str | None


def compile_module(
    source: Any,
    target: str | Target | Sequence[str | Target],
    pipeline: str | None = None,
    *,
    skip: Sequence[str] = (),
    cache: bool = True,
    parameters: str | os.PathLike[str] | None = None,
    parameters_minimum: int = MINIMUM_BYTES,
    **reading: Any,
) -> Module:
    """Compile `source` for one target or several through `pipeline`; see `fsa.compile`.

    `reading` are the options of `fsa.frontend.model.read_model`.
    """
    from fsa.frontend.model import read_model

    targets = parse_targets(target)
    texts = [pipeline_text(each, pipeline, skip) for each in targets]
    archive = _archive_path(parameters)
    used = default_cache() if cache else None
    module = read_model(source, **reading)
    with contextlib.ExitStack() as stack:
        temporary = used.writing() if used else tempfile.TemporaryDirectory(prefix="fsa-")
        folder = Path(stack.enter_context(temporary))
        made = [
            _compile_for(
                module,
                each,
                text,
                used,
                folder / str(index),
                parameters_minimum if archive is not None else None,
            )
            for index, (each, text) in enumerate(zip(targets, texts, strict=True))
        ]
        if archive is not None:
            _write_archive(archive, [each.archive for each in made if each.archive is not None])
        for each in made:
            _store(used, each)
    modules = [each.module for each in made]
    if len(modules) > 1:
        return Package.of(modules, archive)
    modules[0].parameters = archive
    return modules[0]


def parse_targets(target: str | Target | Sequence[str | Target]) -> list[Target]:
    """Return the targets that `target` names: one, several with commas, or a sequence.

    Raises `TargetError`.
    """
    if isinstance(target, Target):
        return [target]
    given = target.split(",") if isinstance(target, str) else target
    if not isinstance(given, list | tuple) or not all(
        isinstance(each, str | Target)  # pyright: ignore[reportUnnecessaryIsInstance]
        for each in given
    ):
        raise TargetError(f"expected a target as text or Target, or several, found {target!r}")
    found = [Target.parse(each) if isinstance(each, str) else each for each in given]
    if not found:
        raise TargetError("expected at least one target, found none")
    names = [str(each) for each in found]
    for name in names:
        if names.count(name) > 1:
            raise TargetError(f"expected each target once, found {name} {names.count(name)} times")
    return found


def pipeline_text(target: Target, pipeline: str | None, skip: Sequence[str] = ()) -> str:
    """Return the text of the pipeline for `target` without the clean-up passes in `skip`.

    `pipeline` None is the target's kernel pipeline. Raises `InputError`.
    """
    if not isinstance(pipeline, str | None):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InputError(f"expected a pipeline as text or None, found {pipeline!r}")
    if isinstance(skip, str) or not all(isinstance(name, str) for name in skip):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InputError(f"expected the names of passes to skip, found {skip!r}")
    text = f"fsa-to-{target.kind}" if pipeline is None else pipeline.strip()
    if not text:
        raise InputError("expected the name of a pipeline, found an empty text")
    if skip:
        from fsa.pipelines.imports import clean_up_phases

        if not _NAME.fullmatch(text):
            raise InputError(
                "expected passes to skip with the name of a pipeline, found the pipeline "
                f"'{text}'; give them in its own option, skip={','.join(skip)}"
            )
        clean_up_phases(tuple(skip))  # says which names are wrong
        text = f"{text}{{skip={','.join(skip)}}}"
    return text if text.startswith("builtin.module(") else f"builtin.module({text})"


def lower(
    module: Any,
    target: Target,
    pipeline: str | None = None,
    *,
    diagnostics: Diagnostics | None = None,
    observers: Sequence[Observer] = (),
) -> Any:
    """Return a copy of `module` (an `ir.Module`) after `pipeline`, as an `ir.Operation`.

    `pipeline` is a name, with options in braces, or pipeline text that starts at builtin.module;
    None takes the target's kernel pipeline. Warnings and remarks go to `diagnostics`, and
    `observers` see every pass. Raises `InputError` and `PassFailure`.
    """
    from fsa.bindings import ir
    from fsa.diagnostics import Diagnostics
    from fsa.passes.driver.pipeline_text import parse_pipeline
    from fsa.passes.driver.resolve import resolve
    from fsa.passes.driver.runner import Runner

    text = pipeline_text(target, pipeline)
    with module.context, ir.Location.unknown():
        root = module.operation.clone()
        _attach(root, target)
        runner = Runner(diagnostics or Diagnostics(), observers=observers)
        runner.run(resolve(parse_pipeline(text), module.context), root)
    return root


def _attach(root: Any, target: Target) -> None:
    """Describe `target` in the module, unless it carries a description of that target already."""
    if ATTRIBUTE in root.attributes and str(Target.of_module(root)) == str(target):
        return
    root.attributes[ATTRIBUTE] = target.to_attribute()


def _compile_for(
    module: Any,
    target: Target,
    pipeline: str,
    cache: Cache | None,
    place: Path,
    minimum: int | None,
) -> _Compiled:
    """Compile for one target, or take what the cache has. Files begin with the path `place`.

    `minimum` is the size in bytes from which on constants go to an archive, None without one.
    """
    key = None
    if cache is not None:
        key = compile_key(module, target, pipeline=pipeline, parameters=minimum)
    if cache is not None and key is not None:
        found = _from_cache(cache, key, place, minimum is not None)
        if found is not None:
            return found
    lowered = lower(module, target, pipeline)
    # The pipeline may have named the processor more closely.
    attached = Target.of_module(lowered)
    file, archive = place.with_suffix(f".{_VMFB}"), place.with_suffix(f".{_ARCHIVE}")
    export = None if minimum is None else Export(archive, minimum)
    compile_to_file(lowered, attached, file, estimate_of(module.operation, lowered), export)
    return _Compiled(
        Module(read_file(os.fspath(file))), archive if export is not None else None, file, key
    )


def _from_cache(cache: Cache, key: str, place: Path, with_archive: bool) -> _Compiled | None:
    """Return the entry `key`; None when there is none, or a damaged one, which is removed."""
    file = cache.find(key, _VMFB)
    archive = None
    try:
        if file is None:
            return None
        if with_archive:
            archive = place.with_suffix(f".{_ARCHIVE}")
            found = cache.find(key, _ARCHIVE)
            if found is None:
                return None
            _link_or_copy(found, archive)
            if not is_intact(archive):
                raise InputError("the archive is damaged")
        return _Compiled(Module(read_file(os.fspath(file))), archive, None, key)
    except FileNotFoundError:
        return None
    except InputError:
        cache.remove(key)
        if archive is not None:
            archive.unlink(missing_ok=True)
        return None


def _link_or_copy(found: Path, place: Path) -> None:
    """Give the file `found` the second name `place`, which stays when another process evicts it.

    Some file systems have no links, and some systems forbid links to the files of others.
    """
    try:
        os.link(found, place)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copyfile(found, place)


def _store(cache: Cache | None, made: _Compiled) -> None:
    """Put what was compiled into the cache, the module last, since it says that all is there.

    A cache that takes nothing, as on a full disk, is worth a warning: the module is made.
    """
    if cache is None or made.key is None or made.file is None:
        return
    try:
        if made.archive is not None:
            cache.store(made.key, _ARCHIVE, made.archive)
        cache.store(made.key, _VMFB, made.file)
    except OSError as error:
        warnings.warn(
            f"the compile cache in {cache.folder} did not take a module: {reason_of(error)}",
            CacheWarning,
            stacklevel=2,
        )


def _archive_path(parameters: Any) -> str | None:
    """Return the path of the archive to write; raise `InputError` for what is none."""
    if parameters is None:
        return None
    try:
        name = os.fsdecode(parameters)
    except TypeError:
        raise InputError(f"expected the path of an archive, found {parameters!r}") from None
    if not name.endswith(f".{_ARCHIVE}"):
        # Stock tools choose the format by the ending.
        raise InputError(f"expected a parameter archive that ends in .irpa, found {name}")
    # The module opens it later, from wherever the process is then.
    return os.path.abspath(name)


def _write_archive(path: str, archives: Sequence[Path]) -> None:
    """Write what `archives`, one a target, hold together to `path`."""

    def write(beside: Path) -> None:
        if len(archives) == 1:
            shutil.copyfile(archives[0], beside)
        else:
            merge_archives(archives, beside)

    replace_file(path, write)
