"""Schedules of the binarized ops on a GPU: how each is tiled for a target, and why.

As for a CPU (`schedules`), these functions see sizes, the target and what a person fixed, no IR.
"""

from dataclasses import dataclass, replace

from fsa.passes.binarized.schedules import Given, fixed
from fsa.runtime.targets import Target


@dataclass(frozen=True)
class GpuTile:
    """Matmul and convolution on a GPU.

    A workgroup of `threads_y` x `threads_x` threads computes `threads_y * tile_rows` rows by
    `threads_x * tile_columns` columns; `tile_words` words of each row and column are in workgroup
    memory at a time.
    """

    threads_x: int
    threads_y: int
    tile_rows: int
    tile_columns: int
    tile_words: int


@dataclass(frozen=True)
class GpuRows:
    """Packing, thresholds, pooling and unpacking on a GPU: `threads` threads, one element each."""

    threads: int


def gpu_tile(
    rows: int | None, columns: int | None, words: int, word_bits: int, target: Target, given: Given
) -> tuple[GpuTile, list[str]]:
    """Choose the workgroup tile of a matmul or convolution on a GPU."""
    limit = target.max_workgroup_size or 128
    threads_x = 16 if columns is None or columns > 8 else 8
    threads_y = min(16, limit // threads_x)
    if rows is not None and rows <= 4:
        threads_x, threads_y = min(64, limit), 1
    tile_rows = 1 if rows is not None and rows <= threads_y else 4
    tile_columns = 1 if columns is not None and columns <= threads_x else 4
    tile_words = min(max(words, 1), 512 // word_bits)
    tile = GpuTile(threads_x, threads_y, tile_rows, tile_columns, tile_words)
    budget = target.workgroup_memory_bytes or 16384
    while tile_bytes(tile, word_bits) > budget and tile.tile_words > 1:
        tile = replace(tile, tile_words=tile.tile_words // 2)
    return fixed(tile, given), [
        f"{tile_bytes(tile, word_bits)} of {budget} bytes of workgroup memory hold the tile",
        f"{threads_x * threads_y} of at most {limit} threads a workgroup",
    ]


def tile_bytes(tile: GpuTile, word_bits: int) -> int:
    """Return the workgroup memory that a tile takes, in bytes; lines are an odd number of i32."""
    lines = tile.threads_y * tile.tile_rows + tile.threads_x * tile.tile_columns
    return lines * (tile.tile_words * word_bits // 32 | 1) * 4


def gpu_rows(elements: int | None, target: Target, given: Given) -> tuple[GpuRows, list[str]]:
    """Choose the workgroup for rows of `elements` elements: whole 64-bit words."""
    limit = min(256, target.max_workgroup_size or 128) // 64 * 64
    threads = limit if elements is None else min(limit, max(64, -(-elements // 64) * 64))
    return fixed(GpuRows(threads), given), [f"{threads} elements a workgroup"]
