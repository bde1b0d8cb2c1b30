"""Which f64 values belong together: all of a group can become f32, or none.

An op ties the f64 values that it takes and gives. Three things cut a tie, because each user can
have its own narrow copy: scalar and splat constants, tensors that are only filled with one value,
and scalars that the body of an op takes from the function around it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from fsa.bindings import ir

# Ops whose bodies work on single elements: block argument k stands for operand k.
STRUCTURED = frozenset({"linalg.generic", "linalg.broadcast", "linalg.transpose", "linalg.copy"})
# Ops that move elements, or compute with them in the format of their operands.
_UNIFORM = frozenset(
    [
        *(f"arith.{name}" for name in "addf subf mulf divf remf negf select cmpf".split()),
        *(f"arith.{name}" for name in "maximumf minimumf maxnumf minnumf".split()),
        *(
            f"tensor.{name}"
            for name in "expand_shape collapse_shape reshape cast extract_slice insert_slice pad "
            "concat extract insert from_elements splat".split()
        ),
    ]
)
# How a reduction may combine elements. A sum is regrouped afterwards; the rest do not add up
# roundings beyond what the same op has in f32 anyway.
_COMBINERS = frozenset(
    f"arith.{name}" for name in "addf mulf maximumf minimumf maxnumf minnumf".split()
)
# Integers of these widths are exact in f32, and so are positions in all but the largest tensors.
_EXACT_WIDTH = 16


@dataclass
class Group:
    """f64 values that are narrowed together, and the ops that touch them."""

    values: list[Any] = field(default_factory=list[Any])
    ops: list[Any] = field(default_factory=list[Any])
    kept: bool = False  # something needs one of them as f64
    ends: bool = False  # somewhere a value of the group becomes f32

    @property
    def narrowable(self) -> bool:
        """Whether the group begins and ends with narrower floats, or with exact integers."""
        return self.ends and not self.kept


def is_f64(value: Any) -> bool:
    """Return whether `value` is an f64 scalar or a tensor of them."""
    return isinstance(element_of(value.type), ir.F64Type)


def element_of(type: Any) -> Any:
    """Return the element type of a tensor type, and any other type as it is."""
    return type.element_type if isinstance(type, ir.ShapedType) else type


def owner_of(value: Any) -> Any:
    """Return the op that makes `value`, None for a block argument."""
    return None if isinstance(value.owner, ir.Block) else value.owner.operation


def is_source(value: Any) -> bool:
    """Return whether `value` is cheap to make again: a constant, an empty or a filled tensor."""
    op = owner_of(value)
    if op is None:
        return False
    if op.name == "arith.constant":
        attribute = op.attributes["value"]
        return not isinstance(value.type, ir.ShapedType) or (
            isinstance(attribute, ir.DenseElementsAttr) and attribute.is_splat
        )
    if op.name == "linalg.fill":
        return all(is_source(operand) for operand in op.operands)
    return op.name == "tensor.empty"


class Grouping:
    """The f64 values of one function, grouped; `groups` has every group once."""

    def __init__(self, function: Any):
        self._parent: dict[Any, Any] = {}
        self._kept: list[Any] = []
        self._ends: list[Any] = []
        self._touched: list[tuple[Any, Any]] = []
        self._taken: list[tuple[Any, Any]] = []  # a scalar, and a value of the body that takes it
        for block in function.regions[0].blocks:
            self._arguments(block)
            self._block(block)
        self.groups = self._collect()

    def _collect(self) -> list[Group]:
        groups: dict[Any, Group] = {}
        for value in list(self._parent):
            groups.setdefault(self._find(value), Group()).values.append(value)
        for value in self._kept:
            groups[self._find(value)].kept = True
        for value in self._ends:
            groups[self._find(value)].ends = True
        for value, taker in self._taken:
            if taker is None or groups[self._find(taker)].narrowable:
                groups[self._find(value)].ends = True
            else:
                groups[self._find(value)].kept = True
        for value, op in self._touched:
            group = groups[self._find(value)]
            if not group.ops or group.ops[-1] is not op:
                group.ops.append(op)
        return list(groups.values())

    def _find(self, value: Any) -> Any:
        parent = self._parent
        root = parent.setdefault(value, value)
        while parent[root] != root:
            root = parent[root]
        while parent[value] != root:
            parent[value], value = root, parent[value]
        return root

    def _tie(self, values: Iterable[Any]) -> None:
        roots = [self._find(value) for value in values]
        for root in roots[1:]:
            self._parent[self._find(root)] = self._find(roots[0])

    def _arguments(self, block: Any) -> None:
        """Keep the f64 arguments of a block that no structured op feeds."""
        for argument in block.arguments:
            if is_f64(argument):
                self._kept.append(argument)
                self._find(argument)

    def _block(self, block: Any) -> None:
        for op in block.operations:
            self._op(op.operation)

    def _op(self, op: Any) -> None:
        operands = [value for value in op.operands if is_f64(value)]
        results = [value for value in op.results if is_f64(value)]
        tied = [v for v in operands if not crosses(op, v)]
        tied += [v for v in results if not is_source(v)]
        for value in tied:
            self._find(value)
            self._touched.append((value, op))
        for number, value in enumerate(op.operands):
            if is_f64(value) and crosses(op, value) and not is_source(value):
                self._find(value)
                self._touched.append((value, op))
                taker = op.parent.results[number] if op.name == "linalg.yield" else None
                self._taken.append((value, taker or (tied[0] if tied else None)))
        if op.name in STRUCTURED:
            self._structured(op)
            return
        self._simple(op, tied, operands)
        for region in op.regions:
            for block in region.blocks:
                if op.name != "linalg.fill":
                    self._arguments(block)
                    self._block(block)

    def _simple(self, op: Any, tied: list[Any], operands: list[Any]) -> None:
        """Tie the f64 values of an op without a body of ours, or keep them."""
        name = op.name
        if name in ("tensor.dim", "linalg.yield", "tensor.yield"):
            if name == "tensor.yield" and operands:
                self._tie([*tied, *op.parent.results])
                self._touched.append((op.parent.results[0], op))
            return
        if name in _UNIFORM or name.startswith("math."):
            self._tie(tied)
            if name == "arith.cmpf" and all(is_widened(value) for value in operands):
                self._ends += tied
        elif name == "arith.truncf":
            self._ends += [value for value in operands if not is_source(value)]
        elif name in ("arith.sitofp", "arith.uitofp") and not is_exact(op):
            self._kept += tied
        elif name not in ("arith.extf", "arith.sitofp", "arith.uitofp") and tied:
            self._kept += tied

    def _structured(self, op: Any) -> None:
        """Tie each operand to its block argument, each result to what the body yields for it."""
        (block,) = op.regions[0].blocks
        inputs = len(op.operands) - len(op.results)
        terminator = list(block.operations)[-1].operation
        yielded = terminator.operands
        for operand, argument in zip(op.operands, block.arguments, strict=True):
            if is_f64(argument):
                self._find(argument)
                self._touched.append((argument, op))
                self._tie([argument] if crosses(op, operand) else [argument, operand])
        for number, result in enumerate(op.results):
            if is_f64(result):
                value = yielded[number]
                self._tie([result, block.arguments[inputs + number]])
                self._tie([result] if crosses(terminator, value) else [result, value])
                self._touched.append((result, terminator))
                if not reduces_well(op, number):
                    self._kept.append(result)
        self._block(block)


def crosses(op: Any, operand: Any) -> bool:
    """Return whether `op` can take a narrow copy of the f64 value `operand`, made for it alone."""
    if is_source(operand):
        return True
    if isinstance(operand.type, ir.ShapedType) or in_body(operand):
        return False
    parent = op.operation.parent
    return parent is not None and parent.name in STRUCTURED


def in_body(value: Any) -> bool:
    """Return whether a scalar belongs to the body of a structured op, not to the function."""
    block = value.owner if isinstance(value.owner, ir.Block) else value.owner.operation.block
    return block.owner.operation.name in STRUCTURED


def is_widened(value: Any) -> bool:
    """Return whether an f64 value is a constant or was cast from a narrower float just before.

    Comparing two such values needs no f64: frameworks round the constant to the other's format.
    """
    op = owner_of(value)
    return is_source(value) or (op is not None and op.name == "arith.extf")


def is_exact(op: Any) -> bool:
    """Return whether the integers that `op` makes floats of stay (nearly) exact in f32.

    Those are narrow ones, positions in a tensor, and scalars of the function: sizes.
    """
    value = op.operands[0]
    element = element_of(value.type)
    if isinstance(element, ir.IntegerType) and element.width <= _EXACT_WIDTH:
        return True
    if not isinstance(value.type, ir.ShapedType) and not in_body(value):
        return True
    owner = owner_of(value)
    while owner is not None and owner.name in ("arith.index_cast", "arith.index_castui"):
        owner = owner_of(owner.operands[0])
    return owner is not None and owner.name == "linalg.index"


def reduces_well(op: Any, number: int) -> bool:
    """Return whether result `number` of a linalg op is no reduction, or one that f32 can take."""
    (block,) = op.regions[0].blocks
    if op.name != "linalg.generic" or all(
        "parallel" in str(kind) for kind in op.attributes["iterator_types"]
    ):
        return True
    accumulator = block.arguments[len(op.operands) - len(op.results) + number]
    combiner = owner_of(list(block.operations)[-1].operation.operands[number])
    if combiner is None or combiner.name not in _COMBINERS:
        return False
    if len(list(accumulator.uses)) != 1 or accumulator not in list(combiner.operands):
        return False
    return combiner.name != "arith.addf" or len(op.results) == 1
