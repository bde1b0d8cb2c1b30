"""How many workgroups the kernel of a planned binarized op has, as far as sizes are known."""

import math
from typing import Any

from fsa.dialects.fsa.attributes import read_i64
from fsa.dialects.fsa.shapes import type_dims
from fsa.passes.binarized.ops import BINARIZED_OPS
from fsa.passes.plans import ATTRIBUTE


def runs_as_one(op: Any) -> bool:
    """Tell whether `op` is a binarized op that was planned for a CPU as one workgroup.

    False where a size is open or 0, and for the form "portable".
    """
    if op.name not in BINARIZED_OPS or ATTRIBUTE not in op.attributes:
        return False
    plan = op.attributes[ATTRIBUTE]
    types = [value.type for value in (*op.operands, *op.results)]
    if "task_rows" not in plan or not all(all(type_dims(kind)) for kind in types):
        return False
    if "form" in plan and plan["form"].value == "portable":
        return False
    extents = [size or 0 for size in type_dims(op.results[0].type)]
    rows = plan["task_rows"].value
    if op.name == "fsa.binarized_conv2d":
        images = extents[0] * read_i64(op.attributes, "groups", 1)
        return images == 1 and extents[1] <= rows and extents[3] <= plan["task_columns"].value
    if op.name == "fsa.binarized_matmul":
        all_columns = plan["form"].value == "rows"
        columns = all_columns or extents[-1] <= plan["task_columns"].value
        return columns and math.prod(extents[:-2]) == 1 and extents[-2] <= rows
    if op.name == "fsa.binarized_max_pool2d":
        return extents[0] * extents[1] <= rows
    return math.prod(extents[:-1]) <= rows
