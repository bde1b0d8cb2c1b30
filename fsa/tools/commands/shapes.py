"""`--shape`: the sizes of a model's inputs from the command line."""

from __future__ import annotations

from fsa.errors import InputError

HELP = (
    "Sizes of the input NAME, which an ONNX file leaves open: x=1x3x48x320. A size that stays "
    "dynamic is ?, as in x=?x3x48x320, or a name between commas, x=batch,3,48,320. Repeatable."
)


def parse_shapes(texts: tuple[str, ...]) -> dict[str, tuple[int | str, ...]] | None:
    """Return the sizes by input name, None without any; raise `InputError`.

    Sizes stand between `x`, or between commas, where names may stand too; a name is the same size
    wherever it appears, each `?` a size of its own.
    """
    shapes: dict[str, tuple[int | str, ...]] = {}
    for text in texts:
        name, equals, sizes = text.rpartition("=")
        if not equals or not name:
            raise InputError(f"expected a shape such as x=1x3x48x320, found '{text}'")
        if name in shapes:
            raise InputError(f"expected one shape for the input '{name}', found two")
        shapes[name] = _sizes(name, sizes, text)
    return shapes or None


def _sizes(name: str, text: str, whole: str) -> tuple[int | str, ...]:
    named = "," in text
    items = text.removesuffix(",").split(",") if named else text.split("x")
    found: list[int | str] = []
    for index, item in enumerate(item.strip() for item in items):
        if item.isdecimal() and item.isascii():
            found.append(int(item))
        elif item == "?":
            found.append(f"{name}_{index}")
        elif named and item.isidentifier():
            found.append(item)
        else:
            names = ", or a name between commas" if not named else " or a name"
            raise InputError(
                f"expected each size in the shape '{whole}' to be a number, ?{names}, "
                f"found '{item}'"
            )
    return tuple(found)
