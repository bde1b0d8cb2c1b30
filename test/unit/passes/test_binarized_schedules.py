"""Schedules of the binarized ops: forms follow the sizes, tiles fit the target."""

import pytest

from fsa.passes.binarized import costs, gpu_schedules, schedules, tiles
from fsa.runtime.targets import Target

AVX512 = Target("cpu", "znver4", vector_bits=512, has_vector_popcount=True, cores=1)
SIZES = [1, 2, 7, 64, 1000]


def small_gpu(threads: int, memory: int) -> Target:
    return Target("vulkan", "", max_workgroup_size=threads, workgroup_memory_bytes=memory)


@pytest.mark.parametrize("word_bits", [32, 64])
@pytest.mark.parametrize("vector_bits", [0, 128, 256, 512])
def test_cpu_tiles_are_whole_and_panels_fit(word_bits: int, vector_bits: int) -> None:
    target = Target("cpu", "x86-64", vector_bits=vector_bits)
    for rows in [*SIZES, None]:
        for columns in [*SIZES, None]:
            for words in (0, 1, 3, 500, 20000):
                plan, reasons = schedules.cpu_matmul(rows, columns, words, word_bits, target, {})
                assert reasons
                assert plan.task_rows % plan.tile_rows == 0
                assert plan.task_columns % plan.tile_columns == 0
                if plan.form == "columns":
                    taken = words * plan.block * word_bits // 8
                    assert taken <= costs.PANEL_BYTES


def test_few_rows_do_not_pay_for_a_panel() -> None:
    one, _ = schedules.cpu_matmul(1, 1024, 64, 64, AVX512, {})
    many, _ = schedules.cpu_matmul(1024, 1024, 64, 64, AVX512, {})
    assert (one.form, many.form) == ("depth", "columns")


def test_one_column_takes_vectors_of_rows() -> None:
    tall, _ = schedules.cpu_matmul(1024, 1, 32, 32, AVX512, {}, tiles.Uses(constant=True))
    few, _ = schedules.cpu_matmul(3, 1, 256, 32, AVX512, {}, tiles.Uses(constant=True))
    wide, _ = schedules.cpu_matmul(1024, 64, 32, 32, AVX512, {}, tiles.Uses(constant=True))
    assert (tall.form, few.form, wide.form) == ("rows", "depth", "columns")
    assert tall.task_rows % tall.lanes == 0


def test_what_a_person_fixed_stays() -> None:
    given = {"form": "depth", "tile_rows": 1}
    plan, _ = schedules.cpu_matmul(1024, 1024, 64, 64, AVX512, given)
    assert (plan.form, plan.tile_rows) == ("depth", 1)
    odd, _ = schedules.cpu_matmul(1024, 1024, 64, 64, AVX512, {"tile_rows": 5, "lanes": 4})
    assert (odd.task_rows % 5, odd.task_columns % (4 * odd.tile_columns)) == (0, 0)


@pytest.mark.parametrize("threads", [64, 128, 256, 1024])
@pytest.mark.parametrize("memory", [4096, 16384, 49152])
@pytest.mark.parametrize("word_bits", [32, 64])
def test_gpu_tiles_fit_the_workgroup(threads: int, memory: int, word_bits: int) -> None:
    target = small_gpu(threads, memory)
    for rows in [*SIZES, None]:
        for columns in [*SIZES, None]:
            for words in (0, 1, 3, 500):
                plan, _ = gpu_schedules.gpu_tile(rows, columns, words, word_bits, target, {})
                assert plan.threads_x * plan.threads_y <= threads
                assert gpu_schedules.tile_bytes(plan, word_bits) <= memory


@pytest.mark.parametrize("elements", [0, 1, 64, 65, 5000, None])
def test_gpu_rows_are_whole_words(elements: int | None) -> None:
    plan, _ = gpu_schedules.gpu_rows(elements, small_gpu(128, 16384), {})
    assert plan.threads in (64, 128)
