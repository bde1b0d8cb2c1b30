"""What a schedule of a binarized op on a CPU says: the plans, as dataclasses."""

from dataclasses import dataclass

COUNTINGS = ("lanes", "bytes")
WEIGHTS = ("turned", "panel")
FINISHED = ("reals", "packed", "both")  # epilogues of element-wise ops
EPILOGUES = ("sums", "bits", *FINISHED)
ORDERS = ("columns", "rows")


@dataclass(frozen=True)
class CpuTile:
    """Matmul and convolution on a CPU.

    `form` "columns": lanes run along output columns, over `tile_columns` vectors of weights turned
    around; "depth": lanes run along the words of a row and are summed at the end; "rows": as that,
    for a vector of rows, whose sums are then made together (`cpu_rows`). A register tile
    is `tile_rows` rows by `tile_columns` vectors (columns) or columns (depth, rows). A task covers
    `task_rows` rows and `task_columns` columns, in the form "rows" all columns.

    In the form "columns" a task runs through its tiles by `order`: down the rows of a block of
    "columns", whose weights stay in the first cache, or along the columns of a few "rows", whose
    results lie together, with turned weights only.

    `counting` "lanes" counts the bits of whole lanes, "bytes" those of bytes, which are added up.
    `weights` are "turned" when compiling, or each task turns a "panel" of them. `epilogue` "bits"
    applies the threshold that follows and stores its bits, "sums" stores the sums. With "reals",
    "packed" and "both" the `stages` element-wise ops that follow are computed, and their floats are
    stored, the bits of these, or both.
    """

    form: str
    lanes: int
    tile_rows: int
    tile_columns: int
    task_rows: int
    task_columns: int
    counting: str = "lanes"
    weights: str = "panel"
    epilogue: str = "sums"
    order: str = "columns"
    stages: int = 0

    @property
    def block(self) -> int:
        """The columns of one tile in the form "columns"."""
        return self.lanes * self.tile_columns


@dataclass(frozen=True)
class Uses:
    """What a matmul or convolution has around it: constant weights, a threshold behind it.

    Or `stages` element-wise ops, whose result is used as `finish` says (an epilogue).
    """

    constant: bool = False
    threshold: bool = False
    stages: int = 0
    finish: str = ""


ALONE = Uses()


@dataclass(frozen=True)
class CpuRows:
    """Packing, thresholds and unpacking on a CPU: a word at a time, `task_rows` rows a task."""

    task_rows: int


@dataclass(frozen=True)
class CpuPool:
    """Pooling on a CPU: `lanes` words at a time, `task_rows` rows of the result a task."""

    lanes: int
    task_rows: int
