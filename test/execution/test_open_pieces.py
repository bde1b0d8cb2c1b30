"""Slices, concatenations, paddings and insertions of tensors with open dimensions, in any type.

A piece that begins where the whole does has a static size, the whole an open one: each result has
to have its own.
"""

import re
from collections.abc import Callable

import numpy as np
import pytest
from support.stitched_cases import NUMPY

import fsa

PIPELINE = (
    "fsa-attach-target{{target={0}}},fsa-form-stitched-regions{{min-ops=1}},"
    "fsa-to-{0}{{stitch=false}}"
)
Array = np.ndarray
# Of each type: an op that computes, in MLIR and in NumPy.
COMPUTED: dict[str, tuple[str, Callable[[Array], Array]]] = {
    "f16": ("arith.negf {0}", np.negative),
    "bf16": ("arith.negf {0}", np.negative),
    "f32": ("arith.negf {0}", np.negative),
    "i32": ("arith.addi {0}, {0}", lambda x: x + x),
    "i1": ("arith.andi {0}, {0}", np.copy),
}


def _padded(c: Array) -> Array:
    return np.concatenate([c, np.zeros((len(c), 16), c.dtype)], 1)


# %a is ?x19, %b is 2x19, %c is ?x3; "f" stands for the op that computes, <..> for a tensor type.
# Then the results, and their meaning, in terms of f(a), f(b) and f(c).
Meaning = Callable[[Array, Array, Array], tuple[Array, ...]]
CASES: dict[str, tuple[str, str, Meaning]] = {
    "rows_of_computed": (
        """
        %m = f %a <?x19>
        %s = tensor.extract_slice %m[0, 0] [2, 19] [1, 1] : <?x19> to <2x19>
        """,
        "%s <2x19>, %m <?x19>",
        lambda a, b, c: (a[:2], a),
    ),
    "rows_of_operand": (
        """
        %s = tensor.extract_slice %a[0, 0] [2, 19] [1, 1] : <?x19> to <2x19>
        %t = tensor.extract_slice %a[1, 0] [2, 19] [1, 1] : <?x19> to <2x19>
        %j = tensor.concat dim(0) %s, %t : (<2x19>, <2x19>) -> <4x19>
        %n = tensor.insert_slice %j into %a[0, 0] [4, 19] [1, 1] : <4x19> into <?x19>
        %m = f %n <?x19>
        %r = f %j <4x19>
        """,
        "%r <4x19>, %m <?x19>",
        lambda a, b, c: (
            np.concatenate([a[:2], a[1:3]]),
            np.concatenate([a[:2], a[1:3], a[4:]]),
        ),
    ),
    "columns": (
        """
        %m = f %a <?x19>
        %s = tensor.extract_slice %m[0, 0] [5, 17] [1, 1] : <?x19> to <5x17>
        %t = tensor.extract_slice %m[0, 2] [5, 17] [1, 1] : <?x19> to <5x17>
        %j = tensor.concat dim(1) %s, %t : (<5x17>, <5x17>) -> <5x34>
        """,
        "%j <5x34>, %m <?x19>",
        lambda a, b, c: (np.concatenate([a[:5, :17], a[:5, 2:]], 1), a),
    ),
    "inserted": (
        """
        %m = f %a <?x19>
        %n = f %b <2x19>
        %i = tensor.insert_slice %n into %m[0, 0] [2, 19] [1, 1] : <2x19> into <?x19>
        %j = tensor.insert_slice %n into %m[3, 0] [2, 19] [1, 1] : <2x19> into <?x19>
        """,
        "%i <?x19>, %j <?x19>, %n <2x19>",
        lambda a, b, c: (
            np.concatenate([b, a[2:]]),
            np.concatenate([a[:3], b, a[5:]]),
            b,
        ),
    ),
    "concatenated": (
        """
        %m = f %a <?x19>
        %n = f %c <?x3>
        %j = tensor.concat dim(1) %n, %m, %n : (<?x3>, <?x19>, <?x3>) -> <?x25>
        %s = tensor.extract_slice %j[0, 1] [3, 4] [2, 6] : <?x25> to <3x4>
        """,
        "%j <?x25>, %s <3x4>, %n <?x3>",
        lambda a, b, c: (
            np.concatenate([c, a, c], 1),
            np.concatenate([c, a, c], 1)[:6:2, 1::6],
            c,
        ),
    ),
    "padded": (
        """
        %m = f %c <?x3>
        %p = tensor.pad %m low[0, 0] high[0, 16] { ^bb0(%x: index, %y: index):
          tensor.yield %zero : T } : <?x3> to <?x19>
        %s = tensor.extract_slice %p[0, 0] [2, 19] [1, 1] : <?x19> to <2x19>
        """,
        "%p <?x19>, %s <2x19>, %m <?x3>",
        lambda a, b, c: (_padded(c), _padded(c)[:2], c),
    ),
    "turned": (
        """
        %m = f %a <?x19>
        %e = tensor.empty(%rows) : <19x?>
        %t = linalg.transpose ins(%m : <?x19>) outs(%e : <19x?>) permutation = [1, 0]
        %s = tensor.extract_slice %t[0, 0] [19, 4] [1, 1] : <19x?> to <19x4>
        """,
        "%s <19x4>, %t <19x?>",
        lambda a, b, c: (a.T[:, :4], a.T),
    ),
    "joined": (
        """
        %m = f %b <2x19>
        %l = tensor.collapse_shape %m [[0, 1]] : <2x19> into <38>
        %s = tensor.extract_slice %l[0] [19] [1] : <38> to <19>
        %r = tensor.extract_slice %l[0] [7] [1] : <38> to <7>
        """,
        "%s <19>, %r <7>, %m <2x19>",
        lambda a, b, c: (b[0], b[0, :7], b),
    ),
    "joined_open": (
        """
        %m = f %a <?x19>
        %l = tensor.collapse_shape %m [[0, 1]] : <?x19> into <?>
        %s = tensor.extract_slice %l[0] [38] [1] : <?> to <38>
        """,
        "%s <38>, %l <?>",
        lambda a, b, c: (a.reshape(-1)[:38], a.reshape(-1)),
    ),
}


def _function(name: str, element: str) -> str:
    body, results, _ = CASES[name]
    zero = {"i1": "false", "i32": "0 : i32"}.get(element, f"0.0 : {element}")
    computing = COMPUTED[element][0]
    body = re.sub(r"f (%\w+) (<.*?>)", lambda m: f"{computing} : {m[2]}".format(m[1]), body)
    names, kinds = re.findall(r"%\w+", results), re.findall(r"<.*?>", results)
    text = f"""
    func.func @{name}(%a: <?x19>, %b: <2x19>, %c: <?x3>) -> ({", ".join(kinds)}) {{
      %zero = arith.constant {zero}
      %c0 = arith.constant 0 : index
      %rows = tensor.dim %a, %c0 : <?x19>
      {body}
      return {", ".join(names)} : {", ".join(kinds)}
    }}
    """
    text = re.sub(r"(?<!tensor)<([\dx?]+)>", rf"tensor<\1x{element}>", text)
    return text.replace(": T }", f": {element} }}")


def _operand(shape: tuple[int, ...], element: str, seed: int) -> Array:
    """Return random numbers, for floats with a NaN and infinities among them."""
    random = np.random.default_rng(seed)
    if element in ("i1", "i32"):
        return random.integers(0, 2 if element == "i1" else 1000, shape).astype(NUMPY[element])
    value = random.standard_normal(shape).astype(NUMPY[element])
    value[0, 1], value[1, 2], value[-1, 0] = np.nan, -np.inf, np.inf
    return value


def _check(module: fsa.Module, element: str, rows: int) -> None:
    shapes = ((rows, 19), (2, 19), (rows, 3))
    operands = [_operand(shape, element, seed) for seed, shape in enumerate(shapes)]
    computed = [COMPUTED[element][1](operand) for operand in operands]
    for name, (_, _, meaning) in CASES.items():
        results = module.function(name)(*operands)
        wanted = meaning(*computed)
        assert len(results) == len(wanted)
        for number, (one, other) in enumerate(zip(results, wanted, strict=True)):
            found = np.asarray(one)
            assert found.shape == other.shape, (name, number)
            same = found.astype(np.float64), other.astype(np.float64)
            np.testing.assert_array_equal(*same, err_msg=f"{name}: result {number}")


def _compiled(element: str, target: str) -> fsa.Module:
    text = "".join(_function(name, element) for name in CASES)
    return fsa.compile(text, target=target, pipeline=PIPELINE.format(target))


@pytest.mark.parametrize("element", COMPUTED)
def test_results_have_their_own_sizes(element: str) -> None:
    module = _compiled(element, "cpu")
    for device in ("cpu:sync", "cpu:task"):
        module.wanted_device = device
        for rows in (6, 33):
            _check(module, element, rows)


@pytest.mark.vulkan
@pytest.mark.parametrize("element", ["f32", "i32"])
def test_results_have_their_own_sizes_on_vulkan(element: str) -> None:
    _check(_compiled(element, "vulkan"), element, 33)
