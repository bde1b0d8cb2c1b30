"""The compile cache: what makes a hit, damage, limits, and processes that share it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from deployed import PLAIN, check, files, text, weights

import fsa
from fsa.errors import CacheWarning, InputError
from fsa.frontend.mlir import read_mlir
from fsa.passes import registry
from fsa.runtime import backend, cache_key
from fsa.runtime.cache import Cache, cache_folder, cache_limit, default_cache
from fsa.runtime.cache_key import compile_key
from fsa.runtime.targets import Target


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Turn the cache on, in a folder of this test's own."""
    monkeypatch.setenv("FSA_CACHE", "1")
    monkeypatch.setenv("FSA_CACHE_DIR", str(tmp_path / "cache"))
    return Cache(tmp_path / "cache")


def forbid_compiling(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("expected a hit")

    monkeypatch.setattr(backend, "_compile", refuse)


def test_the_second_compile_is_a_hit(cache, monkeypatch):
    first = fsa.compile(text(), pipeline=PLAIN)
    forbid_compiling(monkeypatch)
    second = fsa.compile(text(), pipeline=PLAIN)
    assert bytes(second.data) == bytes(first.data)
    check(second)
    with pytest.raises(AssertionError):
        fsa.compile(text(), pipeline=PLAIN, cache=False)
    with pytest.raises(AssertionError):
        fsa.compile(text(seed=1), pipeline=PLAIN)


def test_archives_are_cached_with_the_module(cache, tmp_path, monkeypatch):
    fsa.compile(text(), pipeline=PLAIN, parameters=tmp_path / "first.irpa")
    forbid_compiling(monkeypatch)
    check(fsa.compile(text(), pipeline=PLAIN, parameters=tmp_path / "second.irpa"))
    assert (tmp_path / "first.irpa").read_bytes() == (tmp_path / "second.irpa").read_bytes()
    # Without an archive the module is another one.
    with pytest.raises(AssertionError):
        fsa.compile(text(), pipeline=PLAIN)


def key(source: str, target: str = "cpu:generic", **options):
    return compile_key(read_mlir(source), Target.parse(target), **options)


def test_what_makes_a_key(monkeypatch):
    """Everything that decides about the bytes, and not where the model's text stood."""
    first = key(text())
    assert first == key("\n\n" + text())
    others = [
        key(text(seed=1)),
        key(text(), "cpu:haswell"),
        key(text(), "cpu"),
        key(text(), pipeline="x"),
        key(text(), parameters=1024),
    ]
    with monkeypatch.context() as patch:
        patch.setattr(cache_key, "source_digest", lambda: "edited")
        others.append(key(text()))
    with monkeypatch.context() as patch:
        patch.setattr(cache_key.metadata, "version", lambda name: "0")
        others.append(key(text()))
    assert len({first, *others}) == len(others) + 1
    # The source of a foreign pass is not known.
    monkeypatch.setitem(registry.PASSES, "mine", "mine:Pass")
    assert key(text()) is None


@pytest.mark.parametrize(
    ("suffix", "damage"),
    [("vmfb", "cut"), ("vmfb", "empty"), ("irpa", "cut"), ("irpa", "changed")],
)
def test_damaged_entries_are_compiled_again(cache, tmp_path, suffix, damage):
    archive = tmp_path / "model.irpa"
    fsa.compile(text(), pipeline=PLAIN, parameters=archive)
    (entry,) = (path for path in files(cache) if path.suffix == f".{suffix}")
    good = entry.read_bytes()
    # An archive ends in padding.
    middle = good.index(weights().tobytes()) + 5 if suffix == "irpa" else len(good) - 50
    changed = good[:middle] + bytes([good[middle] ^ 1]) + good[middle + 1 :]
    data = {"cut": good[:middle], "changed": changed, "empty": b""}[damage]
    entry.chmod(0o600)
    entry.write_bytes(data)
    check(fsa.compile(text(), pipeline=PLAIN, parameters=archive))
    assert entry.read_bytes() == good


def test_what_was_not_used_for_longest_goes(tmp_path):
    cache = Cache(tmp_path, limit=250)
    keys = [character * 64 for character in "abc"]
    for age, name in enumerate(keys):
        with cache.writing() as folder:
            made = folder / "entry"
            made.write_bytes(bytes(100))
            cache.store(name, "vmfb", made)
        found = cache.find(name, "vmfb")
        if found is not None:
            os.utime(found, (time.time() - 100 + age,) * 2)
        if name == keys[1]:
            assert cache.find(keys[0], "vmfb") is not None  # counts as used now
    assert [cache.find(name, "vmfb") is not None for name in keys] == [True, False, True]
    assert cache.statistics().bytes == 200
    with cache.writing() as folder:
        made = folder / "entry"
        made.write_bytes(bytes(300))
        cache.store("d" * 64, "vmfb", made)
    assert cache.statistics().bytes <= 250
    stranger = tmp_path / "aa" / "notes.txt"
    stranger.write_text("mine")
    cache.clear()
    assert cache.statistics().entries == 0
    assert stranger.read_text() == "mine"


def test_what_a_dead_process_left_goes(tmp_path):
    cache = Cache(tmp_path)
    old, new = tmp_path / ".writing-old", tmp_path / ".writing-new"
    for folder in (old, new):
        folder.mkdir()
        (folder / "0.vmfb").write_bytes(b"half")
    os.utime(old, (0, 0))
    cache.clear()
    assert not old.exists()
    assert new.exists()


def test_processes_share_a_cache(cache, tmp_path):
    """Two compile the same and different models at once, with a limit that evicts all along."""
    program = (
        "import sys, fsa\n"
        "from deployed import check, text, PLAIN\n"
        "for seed in (0, 1, 0):\n"
        "    check(fsa.compile(text(seed), pipeline=PLAIN, target='cpu:generic'), seed)\n"
    )
    support = Path(__file__).parents[2] / "support"
    environment = {**os.environ, "PYTHONPATH": str(support), "FSA_CACHE_SIZE": "40K"}
    running = [subprocess.Popen([sys.executable, "-c", program], env=environment) for _ in range(3)]
    assert [process.wait(timeout=120) for process in running] == [0, 0, 0]
    assert cache.statistics().bytes <= 40 << 10
    assert not list(cache.folder.glob(".writing-*"))


def test_settings(monkeypatch, tmp_path):
    monkeypatch.delenv("FSA_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    if sys.platform == "linux":
        assert cache_folder() == tmp_path / "fsa"
    assert default_cache() is None  # the tests run without
    monkeypatch.setenv("FSA_CACHE", "1")
    found = default_cache()
    assert found is not None
    assert found.limit == 2 << 30
    for given, expected in [("500M", 500 << 20), ("3g", 3 << 30), ("10 KiB", 10240), ("7", 7)]:
        monkeypatch.setenv("FSA_CACHE_SIZE", given)
        assert cache_limit() == expected
    for name, wrong in [("FSA_CACHE_SIZE", "much"), ("FSA_CACHE", "yes")]:
        monkeypatch.setenv(name, wrong)
        with pytest.raises(InputError, match=r"^expected"):
            default_cache()
        monkeypatch.delenv(name)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("FSA_CACHE", "1")
    monkeypatch.setenv("FSA_CACHE_DIR", str(tmp_path / "file" / "cache"))
    with pytest.raises(InputError, match="FSA_CACHE_DIR"):
        default_cache()
    # A home that cannot be written is no reason not to compile.
    monkeypatch.delenv("FSA_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert default_cache() is None
    check(fsa.compile(text(), pipeline=PLAIN))


def test_an_archive_is_copied_where_links_are_refused(cache, tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(1, "Operation not permitted")

    fsa.compile(text(), pipeline=PLAIN, parameters=tmp_path / "one.irpa")
    forbid_compiling(monkeypatch)
    monkeypatch.setattr(os, "link", refuse)
    check(fsa.compile(text(), pipeline=PLAIN, parameters=tmp_path / "two.irpa"))


@pytest.mark.parametrize("failing", ["replace", "mkdtemp"])
def test_a_cache_that_takes_nothing_costs_no_module(cache, monkeypatch, failing):
    real = {"replace": os.replace, "mkdtemp": tempfile.mkdtemp}[failing]

    def refuse(*given, **named):
        places = [str(each) for each in (*given, *named.values())]
        if any(place.startswith(str(cache.folder)) for place in places):
            raise OSError(28, "No space left on device")
        return real(*given, **named)

    monkeypatch.setattr(os if failing == "replace" else tempfile, failing, refuse)
    with pytest.warns(CacheWarning, match="No space left on device"):
        check(fsa.compile(text(), pipeline=PLAIN))
