"""Function signatures, as a compiled module carries them.

IREE writes a declaration, such as `sync func @main(%input0: tensor<?x4xf32>) -> (%output0: i32)`,
into the reflection data of each public function, so a `.vmfb` alone says what its functions take.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from fsa.dialects.fsa.argument_sizes import CommonSize, from_text
from fsa.dialects.fsa.markers import (
    ARGUMENT_NAMES,
    ARGUMENT_SIZES,
    RESULT_NAMES,
    UNSIGNED_RESULTS,
)

DECLARATION = "iree.abi.declaration"
_TENSOR = r"tensor<(?:[^<>]|<[^<>]*>)*>"
_ARGUMENT = re.compile(rf"%[\w$.-]+:\s*({_TENSOR}|[^\s,(){{}}]+)")
_SHAPED = re.compile(r"tensor<((?:(?:\d+|\?)x)*)([^,]+)[,>]")
_SCALAR_FLOATS = ("f32", "f64")


@dataclass(frozen=True)
class TensorSpec:
    """A tensor: its shape, None for a size known only at run time, and its MLIR element type."""

    shape: tuple[int | None, ...]
    element: str

    def __str__(self) -> str:
        sizes = "".join(f"{'?' if size is None else size}x" for size in self.shape)
        return f"tensor<{sizes}{self.element}>"


@dataclass(frozen=True)
class ScalarSpec:
    """A scalar of an MLIR type: `i32`, `index`, `f32` and so on."""

    element: str

    @property
    def is_float(self) -> bool:
        """Whether the scalar is a floating-point number."""
        return self.element in _SCALAR_FLOATS

    def __str__(self) -> str:
        return self.element


@dataclass(frozen=True)
class OpaqueSpec:
    """A type that Python cannot pass."""

    text: str

    def __str__(self) -> str:
        return self.text


Spec = TensorSpec | ScalarSpec | OpaqueSpec


@dataclass(frozen=True)
class Signature:
    """What a function takes and returns."""

    name: str
    arguments: tuple[Spec, ...]
    results: tuple[Spec, ...]
    # What a front end called them; empty where it said nothing.
    argument_names: tuple[str, ...] = ()
    result_names: tuple[str, ...] = ()
    # What it knows of open sizes of the arguments.
    argument_sizes: tuple[CommonSize, ...] = ()

    def argument(self, index: int) -> str:
        """Return what messages call an argument: `argument 0 (x) of @main`."""
        return f"{self.short_argument(index)} of @{self.name}"

    def short_argument(self, index: int) -> str:
        """Return what messages about the function call an argument: `argument 0 (x)`."""
        named = index < len(self.argument_names)
        return f"argument {index}{f' ({self.argument_names[index]})' if named else ''}"

    def __str__(self) -> str:
        given = ", ".join(map(str, self.arguments))
        return f"@{self.name}({given}) -> ({', '.join(map(str, self.results))})"


def signature_of(name: str, reflection: Mapping[str, str]) -> Signature:
    """Return the signature of the function `name` from what it says of itself.

    IREE's declaration gives the types; a front end that knows more noted names, and results whose
    integers have no sign.
    """
    signature = parse_declaration(name, reflection[DECLARATION])
    unsigned = json.loads(reflection.get(UNSIGNED_RESULTS, "[]"))
    results = tuple(
        _unsigned(spec) if index in unsigned else spec
        for index, spec in enumerate(signature.results)
    )
    return replace(
        signature,
        results=results,
        argument_names=tuple(json.loads(reflection.get(ARGUMENT_NAMES, "[]"))),
        result_names=tuple(json.loads(reflection.get(RESULT_NAMES, "[]"))),
        argument_sizes=from_text(reflection.get(ARGUMENT_SIZES, "[]")),
    )


def parse_declaration(name: str, declaration: str) -> Signature:
    """Parse the reflection attribute `iree.abi.declaration` of the function `name`."""
    given, _, returned = declaration.partition("->")
    return Signature(name, _specs(given.partition("(")[2]), _specs(returned))


def same_bits(element: str, other: str) -> bool:
    """Return whether two MLIR element types differ in nothing but the sign of integers."""
    return element == other or element.lstrip("su") == other.lstrip("su")


def _unsigned(spec: Spec) -> Spec:
    """Return `spec` with its integers unsigned."""
    whole = isinstance(spec, TensorSpec) and re.fullmatch(r"i(8|16|32|64)", spec.element)
    return replace(spec, element=f"u{spec.element}") if whole else spec


def parse_spec(text: str) -> Spec:
    """Parse one MLIR type, such as `tensor<2x?xf32>` or `i32`."""
    shaped = _SHAPED.match(text)
    if shaped is not None:
        sizes = shaped[1].split("x")[:-1]
        element = shaped[2].removesuffix(">") if shaped[2].count("<") == 0 else shaped[2]
        if not has_dtype(element):
            return OpaqueSpec(text)
        return TensorSpec(tuple(None if size == "?" else int(size) for size in sizes), element)
    return ScalarSpec(text) if is_scalar(text) else OpaqueSpec(text)


def has_dtype(element: str) -> bool:
    """Whether tensors of the MLIR type `element` cross a call."""
    try:
        return numpy_dtype(element) is not None
    except KeyError:
        return False


def is_scalar(text: str) -> bool:
    """Whether a scalar of the MLIR type `text` crosses a call.

    IREE passes integers of up to 64 bits, f32 and f64; it takes an f16 or bf16 for an integer of
    the same bits, so that a number arrives as another one.
    """
    integer = re.fullmatch(r"(?:si|ui|i)(\d+)", text)
    if integer is not None:
        return 1 <= int(integer[1]) <= 64
    return text in ("index", *_SCALAR_FLOATS)


def _specs(text: str) -> tuple[Spec, ...]:
    return tuple(parse_spec(match[1]) for match in _ARGUMENT.finditer(text))


@cache
def numpy_dtype(element: str) -> Any:
    """Return the NumPy dtype of an MLIR element type; raise KeyError when there is none."""
    import numpy as np

    if element in ("bf16", "f8E4M3FN", "f8E5M2", "f8E4M3FNUZ", "f8E5M2FNUZ"):
        import ml_dtypes

        names = {"bf16": "bfloat16", "f8E4M3FN": "float8_e4m3fn", "f8E5M2": "float8_e5m2"}
        names |= {"f8E4M3FNUZ": "float8_e4m3fnuz", "f8E5M2FNUZ": "float8_e5m2fnuz"}
        return np.dtype(getattr(ml_dtypes, names[element]))
    names = {"i1": "bool", "index": "int64", "complex<f32>": "complex64"}
    names["complex<f64>"] = "complex128"
    names |= {f"f{bits}": f"float{bits}" for bits in (16, 32, 64)}
    for bits in (8, 16, 32, 64):
        names |= {f"i{bits}": f"int{bits}", f"si{bits}": f"int{bits}", f"ui{bits}": f"uint{bits}"}
    return np.dtype(names[element])


@cache
def hal_element_type(element: str) -> Any:
    """Return IREE's `HalElementType` of an MLIR element type; raise KeyError when there is none."""
    from iree.runtime import HalElementType

    names = {"i1": "BOOL_8", "bf16": "BFLOAT_16", "index": "INT_64"}
    names |= {f"f{bits}": f"FLOAT_{bits}" for bits in (16, 32, 64)}
    names |= {"f8E4M3FN": "FLOAT_8_E4M3_FN", "f8E5M2": "FLOAT_8_E5M2"}
    names |= {"f8E4M3FNUZ": "FLOAT_8_E4M3_FNUZ", "f8E5M2FNUZ": "FLOAT_8_E5M2_FNUZ"}
    names |= {"complex<f32>": "COMPLEX_64", "complex<f64>": "COMPLEX_128"}
    for bits in (8, 16, 32, 64):
        names |= {f"i{bits}": f"INT_{bits}", f"si{bits}": f"SINT_{bits}"}
        names |= {f"ui{bits}": f"UINT_{bits}"}
    return getattr(HalElementType, names[element])
