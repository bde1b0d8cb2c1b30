"""Targets parse, describe a device, travel in a module, and name only what IREE knows."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys

import pytest

from fsa.bindings import ir
from fsa.dialects.fsa.dialect import new_context
from fsa.errors import TargetError
from fsa.runtime import host
from fsa.runtime.target_tables import CPUS, CUDA, VULKAN
from fsa.runtime.targets import ATTRIBUTE, Target

TEXTS = ["cpu", "cpu:generic", "cpu:znver4", "vulkan", "vulkan:ampere", "cuda", "cuda:sm_80"]


@pytest.mark.parametrize("text", TEXTS)
def test_text_names_the_same_target_again(text):
    target = Target.parse(text)
    assert Target.parse(str(target)) == target


def test_defaults_are_spelled_out():
    assert [str(Target.parse(kind)) for kind in ("cpu", "vulkan", "cuda")] == [
        "cpu:host",
        "vulkan",
        "cuda:sm_89",
    ]


def test_host_is_described_by_the_machine():
    target = Target.parse("cpu")
    assert target.cores == host.usable_cores() >= 1
    assert target.vector_bits in (128, 256, 512)
    assert target.l1_bytes >= 8 * 1024


@pytest.mark.parametrize(
    "text",
    [*[f"cpu:{n}" for n in CPUS], *[f"cuda:{n}" for n in CUDA], *[f"vulkan:{n}" for n in VULKAN]],
)
def test_tables_are_plausible(text):
    target = Target.parse(text)
    if target.kind == "cpu":
        assert target.vector_bits in (128, 256, 512)
        assert target.has_vector_popcount <= (target.vector_bits == 512)
        assert 0 < target.l1_bytes < target.l2_bytes
        assert target.cores > 0
    else:
        assert target.max_workgroup_size >= 128
        assert target.workgroup_memory_bytes >= 16 * 1024
        assert target.subgroup_size in (8, 16, 32, 64)
        assert target.multiprocessors > 0
        assert target.has_f64 == (target.kind == "cuda")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "expected a target of kind cpu, vulkan or cuda"),
        ("cup", "did you mean 'cpu"),
        ("CPU", "did you mean 'cpu"),
        ("rocm", "expected a target of kind"),
        ("cpu:", "expected a name after the colon"),
        ("cpu:zenver4", "did you mean 'znver4"),
        ("cpu:+avx2", "expected a known CPU"),
        ("vulkan:sm_89x", "expected a known Vulkan target"),
        ("vulkan:amper", "did you mean 'ampere"),
        ("cuda:80", "expected a known CUDA architecture"),
        ("cuda:sm_91", "expected a known CUDA architecture, found 'sm_91'; did you mean 'sm_"),
        ("cuda:sm_80 --foo", "expected a known CUDA architecture"),
    ],
)
def test_unknown_targets_are_refused_in_one_sentence(text, reason):
    with pytest.raises(TargetError) as caught:
        Target.parse(text)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("field", "value"),
    [("kind", "tpu"), ("cores", -1), ("cores", True), ("has_i64", 1), ("arch", None)],
)
def test_wrong_fields_are_refused(field, value):
    with pytest.raises(TargetError, match="expected"):
        dataclasses.replace(Target.parse("cpu"), **{field: value})


@pytest.mark.parametrize("text", TEXTS)
def test_attribute_round_trip(text):
    target = Target.parse(text)
    with new_context(), ir.Location.unknown():
        module = ir.Module.create()
        module.operation.attributes[ATTRIBUTE] = target.to_attribute()
        again = ir.Module.parse(str(module))
        assert Target.of_module(again.operation) == target


def test_module_without_target_says_what_to_run():
    with new_context(), ir.Location.unknown(), pytest.raises(ValueError, match="fsa-attach-target"):
        Target.of_module(ir.Module.create().operation)


# IREE ends the process on a name it does not know, so each table runs in a process of its own.
_COMPILE_ALL = """
import sys
from fsa.bindings import ir
from fsa.dialects.fsa.dialect import new_context
from fsa.runtime.compile import compile_to_vmfb
from fsa.runtime.targets import Target
text = '''func.func @main(%a: tensor<8xf32>) -> tensor<8xf32> {
  %b = arith.addf %a, %a : tensor<8xf32>
  return %b : tensor<8xf32>
}'''
with new_context():
    module = ir.Module.parse(text)
    for name in sys.argv[1:]:
        print(name, flush=True)
        assert compile_to_vmfb(module, Target.parse(name))
"""


@pytest.mark.parametrize(("kind", "table"), [("cpu", CPUS), ("cuda", CUDA), ("vulkan", VULKAN)])
def test_iree_knows_every_name(kind, table):
    """A compile for each name takes minutes: by default every ninth, all with FSA_LONG=1."""
    step = 1 if os.environ.get("FSA_LONG") == "1" else 9
    names = [f"{kind}:{name}" for name in list(table)[::step]]
    done = subprocess.run(
        [sys.executable, "-c", _COMPILE_ALL, *names],
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )
    assert done.returncode == 0, done.stdout.splitlines()[-1:] + done.stderr.splitlines()[-5:]
