"""`fsa.binarized_max_pool2d` as linalg: OR the words of each window."""

from typing import Any

from fsa.bindings import arith, tensor
from fsa.passes.patterns.lowering import Conventions, unless_empty
from fsa.passes.patterns.tensors import dims, filled, generic, sizes_of, tensor_type
from fsa.passes.patterns.windows import Window, place


def lower(op: Any, conventions: Conventions) -> list[Any]:
    """Return the pooled words of `op`, an `fsa.binarized_max_pool2d`."""
    image = op.operands[0]
    window, kernel = Window.of(op), list(op.attributes["kernel"])
    word = image.type.element_type
    count, height, width, words = sizes_of(image)
    rows, columns = (window.extent(side, (height, width)[side], kernel[side]) for side in (0, 1))
    sizes = [count, rows, columns, words]

    def build() -> Any:
        framed = image
        if window.has_frame:
            extents = [window.framed(0, height), window.framed(1, width)]
            frame = filled([count, *extents, words], word, 0)
            framed = place(conventions, image, frame, window)
        batch, row, column, channel, tap_row, tap_column = dims(6)
        position = [window.subscript(0, row, tap_row), window.subscript(1, column, tap_column)]
        return generic(
            [
                (framed, [batch, *position, channel]),
                (tensor.empty(kernel, word), [tap_row, tap_column]),  # only its shape is read
            ],
            (filled(sizes, word, 0), [batch, row, column, channel]),
            "p" * 4 + "r" * 2,
            lambda bits, _, result: arith.ori(result, bits),
        )

    return [
        unless_empty(
            conventions,
            sizes,
            tensor_type(sizes, word),
            lambda: filled(sizes, word, 0),
            build,
        )
    ]
