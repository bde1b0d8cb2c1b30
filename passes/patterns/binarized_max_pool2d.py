"""`fsa.binarized_max_pool2d` as linalg: OR the words of each window."""

from typing import Any

from fsa.bindings import arith, tensor
from fsa.passes.patterns.lowering import Site
from fsa.passes.patterns.tensors import dims, filled, generic, inserted, sizes_of
from fsa.passes.patterns.windows import Window


def lower(site: Site) -> Any:
    """Return the pooled words of an `fsa.binarized_max_pool2d`."""
    image, word = site.op.operands[0], site.element
    window, kernel = Window.of(site.op), list(site.op.attributes["kernel"])

    def build() -> Any:
        batch, row, column, channel, tap_row, tap_column = dims(6)
        position = [window.subscript(0, row, tap_row), window.subscript(1, column, tap_column)]
        return generic(
            [
                (_framed(site, window), [batch, *position, channel]),
                (tensor.empty(kernel, word), [tap_row, tap_column]),  # only its shape is read
            ],
            (filled(site.sizes, word, 0), [batch, row, column, channel]),
            "p" * 4 + "r" * 2,
            lambda bits, _, result: arith.ori(result, bits),
        )

    # An empty image may have a frame and so a result that is not empty: all zeros.
    return site.unless_empty(0, build, [*sizes_of(image), *site.sizes])


def _framed(site: Site, window: Window) -> Any:
    """Return the image inside a frame of zeros, which add nothing to an OR."""
    image = site.op.operands[0]
    if not window.has_frame:
        return image
    count, height, width, words = sizes_of(image)
    sizes = [count, window.framed(0, height), window.framed(1, width), words]
    return inserted(image, filled(sizes, site.element, 0), [0, *window.before, 0])
