"""The compile cache: what was compiled before, as files named by a hash of all that matters.

An entry appears whole, by a rename, and is never changed, so processes share a cache without
locks: a reader sees an entry or does not, and one that is evicted while it is read stays readable.
When the cache grows over its limit, the entries that were not used for longest go.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
import time
import warnings
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from fsa.errors import CacheWarning, InputError, reason_of

SWITCH = "FSA_CACHE"
FOLDER = "FSA_CACHE_DIR"
SIZE = "FSA_CACHE_SIZE"
DEFAULT_BYTES = 2 << 30
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_ENTRY = re.compile(r"[0-9a-f]{64}\.(?:vmfb|irpa)")
_WRITING = ".writing-"
# A file that is being written for longer than this was left by a process that died.
_ABANDONED_SECONDS = 3600.0


@dataclass(frozen=True)
class Statistics:
    """What a cache holds."""

    entries: int
    bytes: int
    limit: int


class Cache:
    """Compiled modules in `folder`, of at most `limit` bytes together."""

    def __init__(self, folder: Path, limit: int = DEFAULT_BYTES):
        self.folder = folder
        self.limit = limit

    def find(self, key: str, suffix: str) -> Path | None:
        """Return the file of an entry, which counts as used now; None when there is none."""
        path = self._path(key, suffix)
        try:
            os.utime(path)
        except OSError:
            return None
        return path

    def store(self, key: str, suffix: str, file: Path) -> None:
        """Move `file`, made in `writing`, to its place as an entry, then evict what is too much.

        An entry that alone is over the limit is not kept. Raises `OSError` where the file system
        takes no entry.
        """
        path = self._path(key, suffix)
        path.parent.mkdir(parents=True, exist_ok=True)
        os.replace(file, path)
        self._evict()

    @contextlib.contextmanager
    def writing(self) -> Generator[Path]:
        """Give a folder to make entries in, on the cache's file system; it is removed after.

        Where the cache takes none, a `CacheWarning` says so, and the folder is elsewhere.
        """
        with contextlib.ExitStack() as stack:
            try:
                self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                made = tempfile.TemporaryDirectory(
                    prefix=_WRITING, dir=self.folder, ignore_cleanup_errors=True
                )
            except OSError as error:
                warnings.warn(
                    f"the compile cache in {self.folder} takes no files: {reason_of(error)}",
                    CacheWarning,
                    stacklevel=3,
                )
                made = tempfile.TemporaryDirectory(prefix="fsa-")
            yield Path(stack.enter_context(made))

    def remove(self, key: str) -> None:
        """Remove an entry, all its files; it may be gone already."""
        for suffix in ("vmfb", "irpa"):
            self._path(key, suffix).unlink(missing_ok=True)

    def clear(self) -> int:
        """Remove all entries; return how many bytes they had."""
        freed = 0
        for path, status in self._entries():
            freed += status.st_size
            path.unlink(missing_ok=True)
        self._sweep()
        return freed

    def statistics(self) -> Statistics:
        """Return what the cache holds now."""
        sizes = [status.st_size for _, status in self._entries()]
        return Statistics(len(sizes), sum(sizes), self.limit)

    def _path(self, key: str, suffix: str) -> Path:
        return self.folder / key[:2] / f"{key}.{suffix}"

    def _entries(self) -> list[tuple[Path, os.stat_result]]:
        """Return the files of the cache; nothing else in its folder is touched."""
        found: list[tuple[Path, os.stat_result]] = []
        for path in self.folder.glob("??/*.*"):
            if _ENTRY.fullmatch(path.name):
                with contextlib.suppress(OSError):
                    found.append((path, path.stat()))
        return found

    def _evict(self) -> None:
        entries = sorted(self._entries(), key=lambda entry: entry[1].st_mtime_ns)
        excess = sum(status.st_size for _, status in entries) - self.limit
        for path, status in entries:
            if excess <= 0:
                break
            # What another process holds, or another user owns, stays.
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
                excess -= status.st_size
        self._sweep()

    def _sweep(self) -> None:
        """Remove what processes left that died while they wrote."""
        oldest = time.time() - _ABANDONED_SECONDS
        for folder in self.folder.glob(f"{_WRITING}*"):
            with contextlib.suppress(OSError):
                if folder.stat().st_mtime < oldest:
                    for path in folder.iterdir():
                        path.unlink(missing_ok=True)
                    folder.rmdir()


def default_cache() -> Cache | None:
    """Return the user's cache, None where `FSA_CACHE=0` turns it off or its folder cannot be.

    `FSA_CACHE_DIR` names the folder, by default `fsa` in the user's cache folder of this system;
    `FSA_CACHE_SIZE` is its limit, such as `500M`, by default 2 GiB. Raises `InputError` for values
    of these variables that mean nothing, and for a given folder that cannot be written.
    """
    switch = os.environ.get(SWITCH, "1")
    if switch not in ("0", "1"):
        raise InputError(f"expected {SWITCH} to be 0 or 1, found {switch!r}")
    if switch == "0":
        return None
    cache = Cache(cache_folder(), cache_limit())
    try:
        cache.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if os.access(cache.folder, os.W_OK | os.X_OK):
            return cache
        reason = "it cannot be written"
    except OSError as error:
        reason = reason_of(error)
    if FOLDER in os.environ:
        raise InputError(
            f"expected {FOLDER} to name a folder for the cache, found {cache.folder}: {reason}"
        )
    return None


def cache_folder() -> Path:
    """Return the folder of the user's cache, which need not exist."""
    given = os.environ.get(FOLDER)
    if given:
        return Path(given).absolute()
    import platformdirs

    return Path(platformdirs.user_cache_dir("fsa", appauthor=False))


def cache_limit() -> int:
    """Return the size in bytes that the user's cache is kept under; raise `InputError`."""
    text = os.environ.get(SIZE)
    if text is None:
        return DEFAULT_BYTES
    found = re.fullmatch(r"(\d+)\s*([KMGT]?)(?:i?B)?", text.strip(), re.IGNORECASE)
    if found is None:
        raise InputError(f"expected {SIZE} to be a size such as 500M or 2G, found {text!r}")
    return int(found[1]) * _UNITS[found[2].upper()]
