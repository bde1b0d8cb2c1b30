"""Arguments of functions as text: `x.npy`, `inputs.npz`, `2x3xf32=1`, `i32=5`."""

from __future__ import annotations

import re
from math import prod
from typing import Any

from fsa.errors import InputError, reason_of

_TENSOR = re.compile(r"((?:\d+x)*)([a-z]+\d*[A-Z0-9]*)(?:=(.*))?", re.DOTALL)
_BOOLEANS = {"0": False, "1": True, "false": False, "true": True}
_MAX_BYTES = 1 << 34


def parse_inputs(texts: tuple[str, ...]) -> list[Any]:
    """Return the arguments that `texts` describe; raise `InputError`."""
    values: list[Any] = []
    for text in texts:
        values.extend(parse_input(text))
    return values


def parse_input(text: str) -> list[Any]:
    """Return the arguments that one text describes: several for an .npz file."""
    if "=" not in text and text.endswith((".npy", ".npz")):
        return _read(text)
    match = _TENSOR.fullmatch(text.strip())
    if match is None:
        raise InputError(
            f"expected an input such as x.npy, x.npz, 2x3xf32=1 or i32=5, found {text!r}"
        )
    from fsa.runtime.signature import numpy_dtype

    try:
        dtype = numpy_dtype(match[2])
    except KeyError:
        raise InputError(
            f"expected an element type such as f32, bf16, i8, i32 or i1, found {match[2]!r} "
            f"in {text!r}"
        ) from None
    shape = tuple(int(size) for size in match[1].split("x")[:-1])
    if prod(shape) * dtype.itemsize > _MAX_BYTES:
        raise InputError(f"expected an input of at most {_MAX_BYTES:,} bytes, found {text!r}")
    array = _fill(shape, dtype, match[3], text)
    # A number without sizes is a scalar; 0-d tensors come from files.
    return [array if shape else array.item()]


def _fill(shape: tuple[int, ...], dtype: Any, values: str | None, text: str) -> Any:
    """Return an array of `values`: none (zeros), one (each element) or one for each element."""
    import numpy as np

    if values is None:
        return np.zeros(shape, dtype)
    words = re.sub(r"[\[\],;]", " ", values).split()
    count = prod(shape)
    if len(words) not in (1, count):
        raise InputError(
            f"expected 1 or {count} values after = in {_shortened(text)}, found {len(words)}"
        )
    try:
        numbers = [_number(word, dtype) for word in words]
    except ValueError:
        raise InputError(
            f"expected numbers of type {dtype} after = in {_shortened(text)}"
        ) from None
    return np.broadcast_to(np.array(numbers, dtype), (count,)).reshape(shape).copy()


def _number(word: str, dtype: Any) -> Any:
    """Return `word` as a number that `dtype` holds; raise ValueError."""
    import numpy as np

    if dtype.kind == "b":
        if word.lower() not in _BOOLEANS:
            raise ValueError(word)
        return _BOOLEANS[word.lower()]
    if dtype.kind in "iu":
        value = int(word, 0)
        limits = np.iinfo(dtype)
        if not limits.min <= value <= limits.max:
            raise ValueError(word)
        return value
    return complex(word) if dtype.kind == "c" else float(word)


def _read(path: str) -> list[Any]:
    """Read the arrays of an .npy or .npz file."""
    import zipfile

    import numpy as np

    try:
        loaded = np.load(path, allow_pickle=False)
        return [loaded[name] for name in loaded.files] if path.endswith(".npz") else [loaded]
    except OSError as error:
        raise InputError(f"cannot read {path}: {reason_of(error)}") from None
    except (ValueError, EOFError, zipfile.BadZipFile, AttributeError, TypeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"expected NumPy arrays without objects in {path}: {reason}") from None


def _shortened(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
