"""Programs with dense matmuls, and what they should compute in float64."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import erf

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
LOOPS = "bmnk"
EPSILON = float(np.finfo(np.float32).eps)
GELU = """%h = arith.mulf %s, %half : f32
      %r = arith.mulf %s, %root : f32
      %e = math.erf %r : f32
      %p = arith.addf %e, %one : f32
      %t = arith.mulf %h, %p : f32"""
RELU = """%t = arith.maximumf %s, %zero : f32"""


@dataclass(frozen=True)
class Program:
    """out[out_axes] = lhs[lhs_axes] * rhs[rhs_axes] over the loops b, m, n, k, and an epilogue.

    `constant` makes the rhs (or "lhs") a constant; `dynamic` are axes that are `?` in the function.
    `init` "zero" or "operand" is what is added to; the epilogue adds the `biases` (loops each is
    read along) and applies `function`.
    """

    name: str
    sizes: dict[str, int]
    lhs_axes: str = "mk"
    rhs_axes: str = "kn"
    out_axes: str = "mn"
    constant: str = "rhs"
    dynamic: str = ""
    init: str = "zero"
    biases: tuple[str, ...] = ()
    function: str = ""
    seed: int = 0
    special: bool = False  # some elements are NaN or infinite
    binary: str = ""  # "plain": the constant is +1 or -1; "scaled": +a or -a, a for each column
    runs: tuple[dict[str, int], ...] = field(default=({},))  # sizes of the dynamic axes

    def shape(self, axes: str, sizes: dict[str, int]) -> tuple[int, ...]:
        """Return the shape of a tensor with these axes."""
        return tuple({**self.sizes, **sizes}[axis] for axis in axes)

    def kind(self, axes: str) -> str:
        """Return the tensor type of these axes."""
        sizes = ["?" if axis in self.dynamic else str(self.sizes[axis]) for axis in axes]
        return f"tensor<{'x'.join([*sizes, 'f32'])}>"

    def _values(self, axes: str, seed: int, sizes: dict[str, int]) -> Array:
        values = np.random.default_rng(seed).standard_normal(self.shape(axes, sizes))
        values = values.astype(np.float32)
        if self.special and values.size > 3:
            values.flat[1], values.flat[3] = np.nan, np.inf
        return values

    def operands(self, sizes: dict[str, int]) -> dict[str, Array]:
        """Return all tensors by name."""
        axes = {"lhs": self.lhs_axes, "rhs": self.rhs_axes}
        axes |= {f"b{i}": bias for i, bias in enumerate(self.biases)}
        if self.init == "operand":
            axes["init"] = self.out_axes
        made = {
            name: self._values(found, 10 * self.seed + number, sizes)
            for number, (name, found) in enumerate(axes.items())
        }
        if self.binary:
            made["rhs"] = np.where(self._values(self.rhs_axes, 99, sizes) < 0, -1, 1).astype("f4")
        if self.binary == "scaled":
            scales = np.linspace(0.1, 3, self.sizes["n"], dtype=np.float32)
            made["rhs"] *= scales[None, :] if self.rhs_axes == "kn" else scales[:, None]
        return made

    def arguments(self, sizes: dict[str, int]) -> list[Array]:
        """Return the arguments of the function."""
        return [a for name, a in self.operands(sizes).items() if name != self.constant]

    def reference(self, sizes: dict[str, int]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the result in float64, and the error allowed for each element."""
        given = {name: a.astype(np.float64) for name, a in self.operands(sizes).items()}
        equation = f"{self.lhs_axes},{self.rhs_axes}->{self.out_axes}"
        with np.errstate(all="ignore"):
            out = np.einsum(equation, given["lhs"], given["rhs"])
            size = np.einsum(equation, abs(given["lhs"]), abs(given["rhs"]))
            parts = [given["init"]] if self.init == "operand" else []
            for number, axes in enumerate(self.biases):
                index = tuple(slice(None) if a in axes else None for a in self.out_axes)
                parts.append(given[f"b{number}"][index])
            for part in parts:
                out, size = out + part, size + abs(part)
            depth = self.sizes["k"] + len(parts) + 8
            error = depth * EPSILON * size + 1e-6
            if self.function == "relu":
                out = np.maximum(out, 0)
            if self.function == "gelu":
                out = out * 0.5 * (1 + np.vectorize(erf, otypes=[np.float64])(out / np.sqrt(2)))
                error = 2 * error
        return out, error

    def text(self) -> str:
        """Return the function as MLIR."""
        out = self.kind(self.out_axes)
        names = [name for name in self.operands({}) if name != self.constant]
        kinds = {"lhs": self.kind(self.lhs_axes), "rhs": self.kind(self.rhs_axes), "init": out}
        kinds |= {f"b{i}": self.kind(axes) for i, axes in enumerate(self.biases)}
        arguments = ", ".join(f"%{name}: {kinds[name]}" for name in names)
        lines = [f"func.func @{self.name}({arguments}) -> {out} {{", _CONSTANTS]
        if self.constant:
            data = self.operands({})[self.constant].tobytes().hex()
            value = f'dense<"0x{data}">' if data else "dense<>"
            lines.append(f"  %{self.constant} = arith.constant {value} : {kinds[self.constant]}")
        lines += [*self._sizes(), f"  %out = tensor.empty({self._dynamic()}) : {out}"]
        if self.init == "zero":
            lines.append(f"  %init = linalg.fill ins(%zero : f32) outs(%out : {out}) -> {out}")
        lines.append(self._contraction(kinds))
        value = "%acc"
        if self.biases or self.function:
            lines.append(self._epilogue(kinds))
            value = "%done"
        return "\n".join([*lines, f"  return {value} : {out}", "}"])

    def _sizes(self) -> list[str]:
        lines: list[str] = []
        axes = {"lhs": self.lhs_axes, "rhs": self.rhs_axes}
        for loop in (loop for loop in self.out_axes if loop in self.dynamic):
            name = next(n for n, found in axes.items() if loop in found)
            kind = self.kind(axes[name])
            lines += [
                f"  %at_{loop} = arith.constant {axes[name].index(loop)} : index",
                f"  %size_{loop} = tensor.dim %{name}, %at_{loop} : {kind}",
            ]
        return lines

    def _dynamic(self) -> str:
        return ", ".join(f"%size_{loop}" for loop in self.out_axes if loop in self.dynamic)

    def _contraction(self, kinds: dict[str, str]) -> str:
        loops = [loop for loop in LOOPS if loop in self.lhs_axes + self.rhs_axes]
        iterators = ['"reduction"' if loop == "k" else '"parallel"' for loop in loops]
        maps = [_map(loops, axes) for axes in (self.lhs_axes, self.rhs_axes, self.out_axes)]
        out = kinds["init"]
        return f"""  %acc = linalg.generic {{indexing_maps = [{", ".join(maps)}],
      iterator_types = [{", ".join(iterators)}]}}
      ins(%lhs, %rhs : {kinds["lhs"]}, {kinds["rhs"]}) outs(%init : {out}) {{
    ^bb0(%x: f32, %y: f32, %z: f32):
      %1 = arith.mulf %x, %y : f32
      %2 = arith.addf %z, %1 : f32
      linalg.yield %2 : f32
    }} -> {out}"""

    def _epilogue(self, kinds: dict[str, str]) -> str:
        out, loops = kinds["init"], list(self.out_axes)
        read = [self.out_axes, *self.biases, self.out_axes]
        maps = ", ".join(_map(loops, axes) for axes in read)
        names = [f"b{i}" for i in range(len(self.biases))]
        inputs = ", ".join(["%acc", *(f"%{name}" for name in names)])
        types = ", ".join([out, *(kinds[name] for name in names)])
        block = ", ".join([f"%v{i}: f32" for i in range(len(names) + 1)])
        lines, total = list[str](), "%v0"
        for i in range(len(names)):
            lines.append(f"%u{i} = arith.addf {total}, %v{i + 1} : f32")
            total = f"%u{i}"
        body = {"gelu": GELU, "relu": RELU}.get(self.function, "")
        lines += body.replace("%s", total).splitlines()
        result = "%t" if body else total
        code = "\n      ".join(line.strip() for line in lines)
        return f"""  %done = linalg.generic {{indexing_maps = [{maps}],
      iterator_types = [{", ".join(['"parallel"'] * len(loops))}]}}
      ins({inputs} : {types}) outs(%out : {out}) {{
    ^bb0({block}, %o: f32):
      {code}
      linalg.yield {result} : f32
    }} -> {out}"""


_CONSTANTS = """  %zero = arith.constant 0.0 : f32
  %half = arith.constant 0.5 : f32
  %one = arith.constant 1.0 : f32
  %root = arith.constant 0.70710678 : f32"""


def _map(loops: Sequence[str], axes: str) -> str:
    return f"affine_map<({', '.join(loops)}) -> ({', '.join(axes)})>"


def module_text(programs: Sequence[Program]) -> str:
    """Return a module with a function for each program."""
    return "\n".join(program.text() for program in programs)


def assert_right(program: Program, call: Callable[..., object]) -> None:
    """Call `call` with the arguments of each run of `program` and compare with float64."""
    for sizes in program.runs:
        found = np.asarray(call(*program.arguments(sizes)))
        expected, error = program.reference(sizes)
        assert found.shape == expected.shape, (program.name, sizes, found.shape)
        finite = np.isfinite(expected)
        assert np.array_equal(np.isnan(found), np.isnan(expected)), (program.name, sizes)
        assert np.array_equal(found[~finite], expected[~finite], equal_nan=True), program.name
        worst = np.abs(found[finite] - expected[finite]) - error[finite]
        assert not worst.size or worst.max() <= 0, (program.name, sizes, worst.max())


def p(name: str, m: int, n: int, k: int, **more: object) -> Program:
    """Return a program of these sizes."""
    sizes = {"m": m, "n": n, "k": k, "b": int(str(more.pop("b", 1)))}
    return Program(name, sizes, **more)  # pyright: ignore[reportArgumentType]


ROWS = ({"m": 0}, {"m": 1}, {"m": 5}, {"m": 12}, {"m": 33})
PROGRAMS = [
    p("one", 1, 1, 1),
    p("row", 1, 70, 37, biases=("n",), function="relu"),
    p("tall", 29, 3, 5),
    p("odd", 17, 100, 33, biases=("n", "mn"), function="gelu"),
    p("weights_turned", 13, 40, 20, rhs_axes="nk", biases=("m", "")),
    p("lhs_turned", 9, 35, 21, lhs_axes="km"),
    p("empty_rows", 0, 5, 3),
    p("empty_depth", 3, 5, 0, biases=("n",)),
    p("special", 7, 33, 9, special=True, biases=("n",)),
    p("any_rows", 1, 50, 24, dynamic="m", biases=("n", "mn"), function="relu", runs=ROWS),
    p("vector", 1, 45, 31, lhs_axes="k", out_axes="n"),
    p("matrix_vector", 45, 1, 31, rhs_axes="k", out_axes="m", constant="lhs"),
    p("weights_left", 12, 37, 19, constant="lhs"),
    p("result_turned", 12, 37, 19, out_axes="nm"),
    p("added_to", 11, 34, 16, init="operand", function="relu"),
    p("experts", 6, 20, 18, b=3, lhs_axes="bmk", rhs_axes="bkn", out_axes="bmn"),
    p("few_rows", 2, 37, 19, b=3, lhs_axes="bmk", rhs_axes="bkn", out_axes="bmn", constant=""),
    p("copied", 30, 37, 19, b=2, lhs_axes="bmk", rhs_axes="bkn", out_axes="bmn", constant=""),
    p("turned", 30, 37, 19, b=2, lhs_axes="bmk", rhs_axes="bnk", out_axes="bmn", constant="",
      biases=("bmn",)),
    p("one_row", 1, 50, 64, b=2, lhs_axes="bmk", rhs_axes="bnk", out_axes="bmn", constant=""),
    p("all_open", 1, 1, 24, b=1, lhs_axes="bmk", rhs_axes="bnk", out_axes="bmn", constant="",
      dynamic="bmn", biases=("bmn",),
      runs=({"b": 2, "m": 5, "n": 33}, {"b": 1, "m": 30, "n": 1}, {"b": 0, "m": 3, "n": 2},
            {"b": 2, "m": 1, "n": 0})),
    p("binary", 13, 100, 70, binary="plain", biases=("n", "mn"), function="relu"),
    p("binary_row", 1, 70, 37, binary="plain"),
    p("binary_turned", 6, 40, 32, binary="scaled", rhs_axes="nk", init="operand", biases=("n",)),
    p("binary_open", 1, 50, 33, binary="scaled", dynamic="m", biases=("n", "mn"), runs=ROWS),
    p("binary_vector", 1, 64, 3, binary="plain", lhs_axes="k", out_axes="n"),
    p("binary_special", 7, 33, 9, binary="plain", lhs_axes="km", special=True),
    p("open_depth", 1, 40, 1, dynamic="mk", constant="",
      runs=({"m": 3, "k": 7}, {"m": 40, "k": 0})),
]  # fmt: skip
