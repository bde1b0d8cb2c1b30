"""Arrays of packed bits and sliding windows: what the references of the binarized ops share.

Bit k of a row is bit k mod W of word k div W (little end first); the bits past the end are 0.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
WORD_TYPES: dict[int, Any] = {32: np.int32, 64: np.int64}


def words_for(depth: int, word_width: int) -> int:
    """Return the number of `word_width`-bit words that hold `depth` bits."""
    return -(-depth // word_width)


def output_extent(
    extent: int, kernel: int, stride: int, pads: tuple[int, int], dilation: int = 1
) -> int:
    """Return how often a window fits along one padded dimension; 0 when it does not fit."""
    room = extent + pads[0] + pads[1] - (dilation * (kernel - 1) + 1)
    return max(0, (room + stride) // stride)


def word_width_of(words: Array) -> int:
    """Return 32 or 64 for int32 or int64 words; raise ValueError for another type."""
    for width, dtype in WORD_TYPES.items():
        if words.dtype == dtype:
            return width
    raise ValueError(f"expected words of int32 or int64, found {words.dtype}")


def same_words(
    left_name: str, left: Array, right_name: str, right: Array, *, last: bool = True
) -> tuple[Array, Array]:
    """Return both arrays; raise ValueError unless word type (and, with `last`, count) agree."""
    if word_width_of(left) != word_width_of(right):
        raise ValueError(
            f"expected {left_name} and {right_name} to have the same word type, "
            f"found {left.dtype} and {right.dtype}"
        )
    if last and left.shape[-1] != right.shape[-1]:
        raise ValueError(
            f"expected {left_name} and {right_name} to have as many words, "
            f"found {left.shape[-1]} and {right.shape[-1]}"
        )
    return left, right


def expect_words(what: str, found: int, depth: int, word_width: int) -> None:
    """Raise ValueError unless `found` words hold exactly `depth` bits."""
    expected = words_for(depth, word_width)
    if found != expected:
        raise ValueError(f"expected {what} to have {expected} words, found {found}")


def pack(bits: NDArray[np.bool_], word_width: int) -> Array:
    """Pack booleans [..., K] into words [..., ceil(K / word_width)], little end first."""
    if word_width not in WORD_TYPES:
        raise ValueError(f"expected words of 32 or 64 bits, found {word_width}")
    missing = -bits.shape[-1] % word_width
    padded = np.concatenate([bits, np.zeros((*bits.shape[:-1], missing), bool)], axis=-1)
    in_bytes = np.packbits(padded, axis=-1, bitorder="little")
    little_endian = np.dtype(WORD_TYPES[word_width]).newbyteorder("<")
    words = (*bits.shape[:-1], padded.shape[-1] // word_width)
    return (
        np.frombuffer(in_bytes.tobytes(), little_endian)
        .reshape(words)
        .astype(WORD_TYPES[word_width])
    )


def unpack(words: Array, depth: int) -> NDArray[np.bool_]:
    """Return the first `depth` bits of each row of words [..., Kw] as booleans."""
    positions = np.arange(word_width_of(words), dtype=words.dtype)
    bits = ((words[..., None] >> positions) & 1).astype(bool)
    return bits.reshape(*words.shape[:-1], words.shape[-1] * len(positions))[..., :depth]


def popcount(words: Array) -> NDArray[np.int32]:
    """Return the number of ones in each word as int32."""
    unsigned = np.uint32 if words.dtype == np.int32 else np.uint64
    return np.bitwise_count(words.view(unsigned)).astype(np.int32)


def window_extents(
    image: Array,
    kernel: tuple[int, ...],
    strides: tuple[int, int],
    pad: tuple[int, int, int, int],
    dilations: tuple[int, int],
) -> tuple[int, int, int]:
    """Return the batch size and the two output extents of a window over an NHWC `image`."""
    height = output_extent(image.shape[1], kernel[0], strides[0], (pad[0], pad[1]), dilations[0])
    width = output_extent(image.shape[2], kernel[1], strides[1], (pad[2], pad[3]), dilations[1])
    return image.shape[0], height, width


def tap(
    image: Array,
    position: tuple[int, ...],
    extents: tuple[int, int],
    strides: tuple[int, int],
    pad: tuple[int, int, int, int],
    dilations: tuple[int, int],
    *,
    fill: Array,
) -> tuple[Array, NDArray[np.bool_]]:
    """Return the words that one kernel position reads for every window, and which are inside."""
    rows = np.arange(extents[0]) * strides[0] - pad[0] + position[0] * dilations[0]
    columns = np.arange(extents[1]) * strides[1] - pad[2] + position[1] * dilations[1]
    inside = ((rows >= 0) & (rows < image.shape[1]))[:, None] & (
        (columns >= 0) & (columns < image.shape[2])
    )
    taps = np.broadcast_to(fill, (image.shape[0], *extents, image.shape[3])).copy()
    row_index, column_index = np.nonzero(inside)
    taps[:, row_index, column_index] = image[:, rows[row_index], columns[column_index]]
    return taps, inside
