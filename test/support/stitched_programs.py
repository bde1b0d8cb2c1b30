"""Random memory-bound functions: element-wise ops, transposes, broadcasts and reductions.

Every value is over a tuple of labels, each of a fixed size; ops combine values over any of them.
The NumPy meaning is computed along in float64. Values stay bounded, so that errors are comparable.
"""

import random
from typing import Any

import numpy as np
from stitched_cases import Case, Text, tensor

SIZES = (1, 1, 2, 3, 5, 8, 16, 17, 31, 33, 64, 67)
UNARY = {
    "math.tanh": np.tanh,
    "math.absf": np.abs,
    "math.exp": np.exp,
    "arith.negf": np.negative,
}
BINARY = {
    "arith.addf": np.add,
    "arith.subf": np.subtract,
    "arith.mulf": np.multiply,
    "arith.maximumf": np.maximum,
}
REDUCTIONS = {"arith.addf": (np.sum, "0.0"), "arith.maximumf": (np.max, "0xFF800000")}


class _Program:
    def __init__(self, seed: int, dynamic: bool):
        self.random = random.Random(seed)
        self.numbers = np.random.default_rng(seed)
        self.sizes = {label: self.random.choice(SIZES) for label in "abc"}
        self.dynamic = {label for label in "abc" if dynamic and self.random.random() < 0.5}
        self.text = Text()
        self.values: list[tuple[str, str, np.ndarray]] = []  # name, labels, meaning
        self.made: list[int] = []
        self.size_values: dict[str, str] = {}

    def type_of(self, labels: str) -> str:
        return tensor(["?" if d in self.dynamic else self.sizes[d] for d in labels])

    def empty(self, labels: str) -> str:
        sizes = ", ".join(self.size_values[d] for d in labels if d in self.dynamic)
        return self.text.op(f"tensor.empty({sizes}) : {self.type_of(labels)}")

    def add(self, name: str, labels: str, meaning: np.ndarray) -> None:
        self.made.append(len(self.values))
        self.values.append((name, labels, meaning))

    def pick(self) -> tuple[str, str, np.ndarray]:
        # Later values are taken more often, which makes chains.
        return self.random.choice(self.values[-4:] if self.random.random() < 0.7 else self.values)

    def shuffled(self, labels: str) -> str:
        return "".join(self.random.sample(labels, len(labels)))

    def generic(self, labels: str, out: str, inputs: Any, init: str, body: Any) -> str:
        """A generic whose loops are `labels` in this order."""
        loops = dict(zip(labels, "abcdefg", strict=False))
        maps = ["".join(loops[d] for d in ls) for _, ls in inputs]
        maps.append("".join(loops[d] for d in out))
        iterators = "".join("p" if d in out else "r" for d in labels)
        operands = [(name, self.type_of(ls)) for name, ls in inputs]
        return self.text.generic(maps, iterators, operands, (init, self.type_of(out)), body)

    def unary(self) -> None:
        name, labels, meaning = self.pick()
        op = self.random.choice(list(UNARY))
        if op == "math.exp":  # bounded from above
            one, kind = self.generic, "math.tanh"
            name = one(labels, labels, [(name, labels)], self.empty(labels), _body(kind))
            meaning = np.tanh(meaning)
        made = self.generic(labels, labels, [(name, labels)], self.empty(labels), _body(op))
        self.add(made, labels, UNARY[op](meaning))

    def binary(self) -> None:
        (one, ls1, m1), (other, ls2, m2) = self.pick(), self.pick()
        labels = self.shuffled("".join(sorted({*ls1, *ls2})))
        op = self.random.choice(list(BINARY))
        if op == "arith.mulf" and max(abs(m1).max(), abs(m2).max()) > 100:
            op = "arith.maximumf"
        made = self.generic(
            labels, labels, [(one, ls1), (other, ls2)], self.empty(labels), _body(op)
        )
        wide = [_aligned(m, ls, labels) for m, ls in ((m1, ls1), (m2, ls2))]
        self.add(made, labels, np.broadcast_arrays(BINARY[op](*wide), *wide)[0].copy())

    def reduction(self) -> None:
        name, labels, meaning = self.pick()
        if not labels:
            return
        gone = self.random.sample(labels, self.random.randint(1, len(labels)))
        kept = self.shuffled("".join(d for d in labels if d not in gone))
        op = self.random.choice(list(REDUCTIONS))
        function, neutral = REDUCTIONS[op]
        init = self.text.fill(self.text.const(neutral), "f32", self.empty(kept), self.type_of(kept))
        order = self.shuffled(labels)
        made = self.generic(order, kept, [(name, labels)], init, _accumulating(op))
        result = function(meaning, axis=tuple(labels.index(d) for d in gone))
        rest = "".join(d for d in labels if d not in gone)
        self.add(made, kept, _aligned(result, rest, kept))

    def build(self) -> Case:
        arguments: list[np.ndarray] = []
        kinds: list[str] = []
        shapes = ["abc", *(self.shuffled("abc")[: self.random.randint(1, 3)] for _ in range(2))]
        for k, labels in enumerate(shapes):
            shape = [self.sizes[d] for d in labels]
            arguments.append(self.numbers.standard_normal(shape).astype(np.float32))
            kinds.append(self.type_of(labels))
            self.values.append((f"%x{k}", labels, arguments[-1].astype(np.float64)))
        for axis, label in enumerate("abc"):
            if label in self.dynamic:
                self.size_values[label] = self.text.size("%x0", kinds[0], axis)
        for _ in range(self.random.randint(2, 7)):
            self.random.choice([self.unary, self.binary, self.binary, self.reduction])()
        if not self.made:
            self.unary()
        count = min(len(self.made), self.random.randint(1, 3))
        chosen = sorted({self.made[-1], *self.random.sample(self.made, count)})
        results = [self.values[k] for k in chosen]
        text = self.text.function(kinds, [(name, self.type_of(ls)) for name, ls, _ in results])
        return Case(text, tuple(arguments), tuple(meaning for _, _, meaning in results))


def _body(op: str) -> Any:
    return lambda t, *operands: t.op(f"{op} {', '.join(operands[:-1])} : f32")


def _accumulating(op: str) -> Any:
    return lambda t, x, o: t.op(f"{op} {o}, {x} : f32")


def _aligned(meaning: np.ndarray, labels: str, wanted: str) -> np.ndarray:
    """Transpose and widen an array over `labels` to one that broadcasts over `wanted`."""
    order = [labels.index(d) for d in wanted if d in labels]
    shape = [meaning.shape[labels.index(d)] if d in labels else 1 for d in wanted]
    return meaning.transpose(order).reshape(shape)


def random_case(seed: int, dynamic: bool = False) -> Case:
    """Return the program of a seed."""
    return _Program(seed, dynamic).build()
