"""Files for several targets: what they hold, which variant is taken, and damaged ones."""

from __future__ import annotations

import json
import zipfile

import pytest
from deployed import check, compiled

import fsa
from fsa.errors import DeviceUnavailable, FsaError, InputError, TargetError
from fsa.runtime import host
from fsa.runtime.cpu_features import required_features
from fsa.runtime.module import Module
from fsa.runtime.package import MANIFEST, Package, Variant, is_package
from fsa.runtime.targets import Target

TARGETS = "cpu:generic,cpu:haswell,cpu:znver4,cpu:neoverse-n1,cuda"


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """Return the path of a file for several targets."""
    path = tmp_path_factory.mktemp("package") / "model.fsa"
    compiled(TARGETS).save(path)
    return path


def test_manifest_and_layout(package):
    with zipfile.ZipFile(package) as archive:
        manifest = json.loads(archive.read(MANIFEST))
        data = package.read_bytes()
        assert archive.testzip() is None
        assert archive.namelist()[0] == MANIFEST
        assert [variant["target"] for variant in manifest["variants"]] == [
            *TARGETS.split(",")[:-1],
            "cuda:sm_89",
        ]
        assert manifest["functions"] == {"main": "@main(tensor<4x16xf32>) -> (tensor<4x24xf32>)"}
        for variant in manifest["variants"]:
            content = archive.read(variant["file"])
            # Each member can be used where the file is mapped.
            assert data.index(content) % 64 == 0
            assert Module(content).target == variant["target"]
    assert is_package(data)


def machine(monkeypatch, features, architecture="x86_64"):
    """Let this machine have only `features`."""
    monkeypatch.setattr(host, "features", lambda: frozenset(features))
    monkeypatch.setattr(host, "architecture", lambda: architecture)


@pytest.mark.parametrize("name", ["generic", "haswell", "znver4"])
def test_the_best_variant_for_the_processor_is_taken(package, monkeypatch, name):
    features = required_features(Target.parse(f"cpu:{name}"))
    assert (name == "generic") == (not features)
    machine(monkeypatch, {"fpu", *features})
    loaded = fsa.load(package)
    assert loaded.target == f"cpu:{name}"
    if features <= host.features():
        check(fsa.load(package, "cpu:sync"))


def test_features_are_those_of_the_code():
    haswell = required_features(Target.parse("cpu:haswell"))
    assert {"avx2", "fma", "bmi2", "f16c", "abm"} <= haswell
    assert "avx512f" not in haswell
    assert {"avx512f", "avx512_vpopcntdq"} <= required_features(Target.parse("cpu:znver4"))
    assert "asimddp" in required_features(Target.parse("cpu:neoverse-n1"))
    assert not required_features(Target.parse("vulkan"))


@pytest.mark.vulkan
def test_one_file_runs_on_cpu_and_vulkan(tmp_path):
    module = compiled("cpu,vulkan")
    assert isinstance(module, Package)
    assert module.target == "cpu:host,vulkan"
    check(module)
    module.save(tmp_path / "model.fsa")
    for device in ("cpu", "vulkan"):
        loaded = fsa.load(tmp_path / "model.fsa", device)
        assert loaded.device.kind == device
        check(loaded)
    # A loaded file still has all its variants.
    fsa.load(tmp_path / "model.fsa", "cpu").save(tmp_path / "again.fsa")
    assert (tmp_path / "again.fsa").read_bytes() == (tmp_path / "model.fsa").read_bytes()


def test_no_variant_fits(package, monkeypatch):
    machine(monkeypatch, {"fp"}, "riscv64")
    with pytest.raises(DeviceUnavailable) as caught:
        fsa.load(package, "cpu")
    text = str(caught.value)
    assert "\n" not in text
    for part in (*TARGETS.split(",")[:-1], "cuda:sm_89", "needs an x86_64 processor"):
        assert part in text
    assert "this machine has cpu:sync" in text


def test_a_variant_that_does_not_load_gives_way_to_the_next(package):
    data = compiled("cpu:generic").data
    good = Module(data)
    cuda = next(v for v in fsa.load(package).variants if v.kind == "cuda")
    lying = Variant(good.needs, "wrong.vmfb", cuda.data)
    module = Package([lying, Variant(good.needs, "right.vmfb", data)], "cpu")
    check(module)


@pytest.mark.parametrize("where", [0.0, 0.3, 0.99])
def test_damaged_files(package, tmp_path, where):
    data = package.read_bytes()
    cut = tmp_path / "cut.fsa"
    cut.write_bytes(data[: max(1, int(len(data) * where))])
    with pytest.raises(InputError, match=r"cut.fsa: expected"):
        fsa.load(cut)
    middle = min(max(200, int(len(data) * where)), len(data) - 3000)
    changed = tmp_path / "changed.fsa"
    changed.write_bytes(data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :])
    with pytest.raises(InputError, match=r"changed.fsa: expected"):
        fsa.load(changed)


@pytest.mark.parametrize("target", ["cpu,cpu", "cpu,", "", [], ["cpu", 3], ("cpu", "cpu:host"), 7])
def test_targets_that_are_none(target):
    with pytest.raises(TargetError, match=r"^expected"):
        fsa.compile("func.func @main() { return }", target=target)


def test_a_save_replaces_the_file_whole(tmp_path):
    path = tmp_path / "model.vmfb"
    path.write_bytes(b"old")
    path.chmod(0o640)
    with open(path, "rb") as old:
        module = compiled("cpu:generic")
        module.save(path)
        assert old.read() == b"old"
    assert path.stat().st_mode & 0o777 == 0o640
    assert [entry.name for entry in tmp_path.iterdir()] == ["model.vmfb"]
    with pytest.raises(FsaError, match="cannot write"):
        module.save(tmp_path)
