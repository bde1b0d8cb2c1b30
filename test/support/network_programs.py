"""Random small networks: memory-bound ops of several shapes with matmuls, slices and joins between.

What forms regions sees here what it sees in models: values with several users, on both sides of a
compute-bound op, results that are used inside too, and ops that no region may take. Values are
matrices of f32; the NumPy meaning is computed along in float64.
"""

import random
from collections.abc import Callable

import numpy as np
from stitched_cases import Case, Text, tensor

ROWS = (1, 3, 8, 17)
COLUMNS = (1, 4, 16, 24, 33)
UNARY = {"math.tanh": np.tanh, "math.absf": np.abs, "arith.negf": np.negative}
BINARY = {"arith.addf": np.add, "arith.subf": np.subtract, "arith.maximumf": np.maximum}
REDUCTIONS = {"arith.addf": ("0.0", np.sum), "arith.maximumf": ("0xFF800000", np.max)}
Array = np.ndarray


class _Network:
    def __init__(self, seed: int):
        self.random = random.Random(seed)
        self.numbers = np.random.default_rng(seed)
        self.text = Text()
        self.arguments: list[Array] = []
        self.values: list[tuple[str, Array]] = []
        self.made: list[int] = []

    def argument(self, rows: int, columns: int) -> tuple[str, Array]:
        array = self.numbers.standard_normal((rows, columns)).astype(np.float32)
        self.arguments.append(array)
        return f"%x{len(self.arguments) - 1}", array.astype(np.float64)

    def add(self, name: str, meaning: Array) -> tuple[str, Array]:
        self.made.append(len(self.values))
        self.values.append((name, meaning))
        return self.values[-1]

    def pick(self) -> tuple[str, Array]:
        recent = self.random.random() < 0.6
        return self.random.choice(self.values[-3:] if recent else self.values)

    def elementwise(
        self, inputs: list[tuple[str, Array, str]], shape: tuple[int, ...], op: str
    ) -> str:
        """One generic over `shape`; each input has a map such as "ab", "a" or "b"."""
        out = self.text.op(f"tensor.empty() : {tensor(shape)}")
        operands = [(name, tensor(meaning.shape)) for name, meaning, _ in inputs]

        def body(t: Text, *names: str) -> str:
            return t.op(f"{op} {', '.join(names[:-1])} : f32")

        maps = [*(index for _, _, index in inputs), "ab"[: len(shape)]]
        return self.text.generic(maps, "p" * len(shape), operands, (out, tensor(shape)), body)

    def reduced(self, value: tuple[str, Array], axis: int, op: str) -> tuple[str, Array]:
        name, meaning = value
        neutral, function = REDUCTIONS[op]
        kind = tensor((meaning.shape[1 - axis],))
        empty = self.text.op(f"tensor.empty() : {kind}")
        init = self.text.fill(self.text.const(neutral), "f32", empty, kind)
        made = self.text.generic(
            ["ab", "ab"[1 - axis]],
            "rp" if axis == 0 else "pr",
            [(name, tensor(meaning.shape))],
            (init, kind),
            lambda t, x, o: t.op(f"{op} {o}, {x} : f32"),
        )
        return made, function(meaning, axis=axis)

    # Steps.

    def unary(self) -> None:
        name, meaning = self.pick()
        op = self.random.choice(list(UNARY))
        self.add(self.elementwise([(name, meaning, "ab")], meaning.shape, op), UNARY[op](meaning))

    def binary(self) -> None:
        name, meaning = self.pick()
        same = [value for value in self.values if value[1].shape == meaning.shape]
        other, also = self.random.choice(same)
        op = self.random.choice(list(BINARY))
        made = self.elementwise([(name, meaning, "ab"), (other, also, "ab")], meaning.shape, op)
        self.add(made, BINARY[op](meaning, also))

    def centred(self) -> None:
        value = self.pick()
        axis = self.random.randint(0, 1)
        op = self.random.choice(["arith.addf", "arith.maximumf"])
        made, reduced = self.reduced(value, axis, op)
        index = "ab"[1 - axis]
        name = self.elementwise(
            [(*value, "ab"), (made, reduced, index)], value[1].shape, "arith.subf"
        )
        self.bounded(name, value[1] - np.expand_dims(reduced, axis))

    def bounded(self, name: str, meaning: Array) -> None:
        made = self.elementwise([(name, meaning, "ab")], meaning.shape, "math.tanh")
        self.add(made, np.tanh(meaning))

    def matmul(self) -> None:
        name, meaning = self.pick()
        rows, depth = meaning.shape
        weights, numbers = self.argument(depth, self.random.choice(COLUMNS))
        kind = tensor((rows, numbers.shape[1]))
        empty = self.text.op(f"tensor.empty() : {kind}")
        init = self.text.fill(self.text.const("0.0"), "f32", empty, kind)
        made = self.text.op(
            f"linalg.matmul ins({name}, {weights} : {tensor(meaning.shape)}, "
            f"{tensor(numbers.shape)}) outs({init} : {kind}) -> {kind}"
        )
        self.bounded(made, meaning @ numbers)

    def transposed(self) -> None:
        name, meaning = self.pick()
        kind = tensor(meaning.shape[::-1])
        empty = self.text.op(f"tensor.empty() : {kind}")
        made = self.text.op(
            f"linalg.transpose ins({name} : {tensor(meaning.shape)}) outs({empty} : {kind}) "
            "permutation = [1, 0]"
        )
        self.add(made, meaning.T)

    def sliced(self) -> None:
        name, meaning = self.pick()
        rows, columns = meaning.shape
        first = self.random.randint(0, columns - 1)
        count = self.random.randint(1, columns - first)
        made = self.text.op(
            f"tensor.extract_slice {name}[0, {first}] [{rows}, {count}] [1, 1] : "
            f"{tensor(meaning.shape)} to {tensor((rows, count))}"
        )
        self.add(made, meaning[:, first : first + count])

    def joined(self) -> None:
        name, meaning = self.pick()
        fitting = [value for value in self.values if value[1].shape[0] == meaning.shape[0]]
        other, also = self.random.choice(fitting)
        result = np.concatenate([meaning, also], axis=1)
        if result.shape[1] > 80:
            return
        made = self.text.op(
            f"tensor.concat dim(1) {name}, {other} : ({tensor(meaning.shape)}, "
            f"{tensor(also.shape)}) -> {tensor(result.shape)}"
        )
        self.add(made, result)

    def folded(self) -> None:
        """Sum neighbours of a row in fours, through a reshape."""
        name, meaning = self.pick()
        rows, columns = meaning.shape
        if columns % 4:
            return
        wide = tensor((rows, columns // 4, 4))
        shaped = self.text.op(
            f"tensor.expand_shape {name} [[0], [1, 2]] output_shape [{rows}, {columns // 4}, 4] : "
            f"{tensor(meaning.shape)} into {wide}"
        )
        kind = tensor((rows, columns // 4))
        empty = self.text.op(f"tensor.empty() : {kind}")
        init = self.text.fill(self.text.const("0.0"), "f32", empty, kind)
        made = self.text.generic(
            ["abc", "ab"], "ppr", [(shaped, wide)], (init, kind),
            lambda t, x, o: t.op(f"arith.addf {o}, {x} : f32"),
        )  # fmt: skip
        self.add(made, meaning.reshape(rows, columns // 4, 4).sum(-1))

    def build(self) -> Case:
        rows, columns = self.random.choice(ROWS), self.random.choice(COLUMNS)
        for _ in range(2):
            self.values.append(self.argument(rows, columns))
        steps: list[Callable[[], None]] = [
            self.unary, self.binary, self.binary, self.centred, self.centred, self.matmul,
            self.transposed, self.sliced, self.joined, self.folded,
        ]  # fmt: skip
        for _ in range(self.random.randint(4, 14)):
            self.random.choice(steps)()
        if not self.made:
            self.unary()
        chosen = sorted({self.made[-1], *self.random.sample(self.made, min(len(self.made), 2))})
        results = [self.values[k] for k in chosen]
        kinds = [tensor(array.shape) for array in self.arguments]
        text = self.text.function(kinds, [(name, tensor(m.shape)) for name, m in results])
        return Case(text, tuple(self.arguments), tuple(meaning for _, meaning in results))


def random_network(seed: int) -> Case:
    """Return the network of a seed."""
    return _Network(seed).build()
