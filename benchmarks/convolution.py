"""Convolution and pooling layers on one core: FSA's kernels against ONNX Runtime and IREE.

Contenders run in turns in one process on one core: `fsa`, ONNX Runtime (`ort`), plain IREE at `O3`
(`iree`), and IREE at `O3` with convolutions as matmuls on tiled data (`iree-tiled`). The layers are
those of ResNet-18, MobileNetV2, ConvNeXt, U-Net, a DCGAN generator and WaveNet. A ratio is the
median over the rounds of a peer's time by FSA's in the same round: above 1, FSA is faster.

Times are processor time of the calling thread, on which all contenders run. Run:
`python benchmarks/convolution.py`. Writes `benchmarks/results/convolution_cpu.json`.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import fsa
from fsa.benchmarks import documents, machine, plain_iree
from fsa.benchmarks.timing import time_in_turns

OUTPUT = Path(__file__).parent / "results" / "convolution_cpu.json"
TILED = (
    "--iree-global-opt-use-im2col-for-convs=true",
    "--iree-opt-data-tiling=true",
)


@dataclass(frozen=True)
class Layer:
    """One layer on a batch of 1: `channels` in, `filters` out, images of `size`."""

    name: str
    channels: int
    filters: int
    size: tuple[int, ...]
    kernel: int
    stride: int = 1
    dilation: int = 1
    groups: int = 1
    op: str = "Conv"
    relu: bool = True

    @property
    def multiplications(self) -> int:
        """Products in the layer, of those taps that a layer without padding would have."""
        scale = self.stride if self.op == "ConvTranspose" else 1 / self.stride
        pixels = math.prod(self.size) * scale ** len(self.size)
        taps = self.kernel ** len(self.size)
        if self.op == "ConvTranspose":
            taps //= self.stride ** len(self.size)
        return int(pixels * taps * self.filters * self.channels // self.groups)


def _pool(name: str, channels: int, size: int, kernel: int, stride: int, op: str) -> Layer:
    return Layer(name, channels, channels, (size, size), kernel, stride, 1, channels, op, False)


LAYERS = (
    Layer("stem 7x7/2 3-64 @224", 3, 64, (224, 224), 7, 2),
    Layer("3x3 64-64 @56", 64, 64, (56, 56), 3),
    Layer("3x3/2 64-128 @56", 64, 128, (56, 56), 3, 2),
    Layer("3x3 128-128 @28", 128, 128, (28, 28), 3),
    Layer("3x3 256-256 @14", 256, 256, (14, 14), 3),
    Layer("3x3 512-512 @7", 512, 512, (7, 7), 3),
    Layer("1x1/2 64-128 @56", 64, 128, (56, 56), 1, 2, relu=False),
    Layer("stem 3x3/2 3-32 @224", 3, 32, (224, 224), 3, 2),
    Layer("1x1 16-64 @112", 16, 64, (112, 112), 1),
    Layer("1x1 24-144 @56", 24, 144, (56, 56), 1),
    Layer("1x1 144-24 @56", 144, 24, (56, 56), 1, relu=False),
    Layer("1x1 64-384 @14", 64, 384, (14, 14), 1),
    Layer("1x1 384-64 @14", 384, 64, (14, 14), 1, relu=False),
    Layer("1x1 960-160 @7", 960, 160, (7, 7), 1, relu=False),
    Layer("dw 3x3 32 @112", 32, 32, (112, 112), 3, groups=32),
    Layer("dw 3x3/2 96 @112", 96, 96, (112, 112), 3, 2, groups=96),
    Layer("dw 3x3 144 @56", 144, 144, (56, 56), 3, groups=144),
    Layer("dw 3x3 384 @14", 384, 384, (14, 14), 3, groups=384),
    Layer("dw 3x3 960 @7", 960, 960, (7, 7), 3, groups=960),
    Layer("dw 5x5 240 @14", 240, 240, (14, 14), 5, groups=240),
    Layer("dw 7x7 96 @56", 96, 96, (56, 56), 7, groups=96, relu=False),
    Layer("dw 7x7 384 @14", 384, 384, (14, 14), 7, groups=384, relu=False),
    Layer("patch 4x4/4 3-96 @224", 3, 96, (224, 224), 4, 4, relu=False),
    Layer("3x3 32-32 @128", 32, 32, (128, 128), 3),
    Layer("1x1 32-2 @128", 32, 2, (128, 128), 1, relu=False),
    Layer("transposed 4x4/2 512-256 @4", 512, 256, (4, 4), 4, 2, op="ConvTranspose"),
    Layer("transposed 4x4/2 128-64 @16", 128, 64, (16, 16), 4, 2, op="ConvTranspose"),
    Layer("transposed 4x4/2 64-3 @32", 64, 3, (32, 32), 4, 2, op="ConvTranspose", relu=False),
    Layer("transposed 2x2/2 64-32 @64", 64, 32, (64, 64), 2, 2, op="ConvTranspose", relu=False),
    Layer("1d 2 dil 1 64-64 @4000", 64, 64, (4000,), 2, dilation=1),
    Layer("1d 2 dil 64 64-128 @4000", 64, 128, (4000,), 2, dilation=64),
    Layer("1d 3 dil 256 64-64 @4000", 64, 64, (4000,), 3, dilation=256),
    _pool("max 3x3/2 64 @112", 64, 112, 3, 2, "MaxPool"),
    _pool("max 2x2/2 32 @128", 32, 128, 2, 2, "MaxPool"),
    _pool("average 2x2/2 64 @56", 64, 56, 2, 2, "AveragePool"),
)


def onnx_model(layer: Layer) -> Any:
    """Return `layer` as an `onnx.ModelProto` with random weights."""
    from onnx import TensorProto, helper, numpy_helper

    random = np.random.default_rng(0)
    rank = len(layer.size)
    reach = (layer.kernel - 1) * layer.dilation
    pads = [reach // 2] * rank + [reach - reach // 2] * rank
    if layer.op == "ConvTranspose":
        pads = [(layer.kernel - layer.stride) // 2] * (2 * rank)
    elif layer.kernel == layer.stride:
        pads = [0] * (2 * rank)
    attributes: dict[str, Any] = {
        "kernel_shape": [layer.kernel] * rank,
        "strides": [layer.stride] * rank,
        "pads": pads,
    }
    names, initializers = ["x"], []
    if "Pool" not in layer.op:
        attributes |= {"dilations": [layer.dilation] * rank, "group": layer.groups}
        taps = [layer.kernel] * rank
        shape = [layer.filters, layer.channels // layer.groups, *taps]
        if layer.op == "ConvTranspose":
            shape = [layer.channels, layer.filters, *taps]
        weights = random.standard_normal(shape, np.float32) / math.sqrt(math.prod(shape[1:]))
        bias = random.standard_normal(layer.filters, np.float32)
        initializers = [
            numpy_helper.from_array(weights, "w"),
            numpy_helper.from_array(bias, "b"),
        ]
        names += ["w", "b"]
    nodes = [helper.make_node(layer.op, names, ["y"], **attributes)]
    if layer.relu:
        nodes.append(helper.make_node("Relu", ["y"], ["z"]))
    graph = helper.make_graph(
        nodes,
        "layer",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, layer.channels, *layer.size])],
        [helper.make_tensor_value_info("z" if layer.relu else "y", TensorProto.FLOAT, None)],
        initializers,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def contenders(layer: Layer, wanted: set[str], target: str = "cpu") -> dict[str, Callable[[], Any]]:
    """Return a call of each contender on the same images."""
    import onnxruntime
    from iree.compiler import compile_str

    from fsa.frontend.model import read_model

    model = onnx_model(layer)
    x = np.random.default_rng(1).standard_normal((1, layer.channels, *layer.size), np.float32)
    calls: dict[str, Callable[[], Any]] = {}
    modules = {"fsa": fsa.compile(model, target=target)} if "fsa" in wanted else {}
    if wanted & {"iree", "iree-tiled"}:
        text = plain_iree.lowered(read_model(model), target)
        for name, flags in (("iree", ()), ("iree-tiled", TILED)):
            if name in wanted:
                compiled: Any = compile_str(text, extra_args=[*plain_iree.flags(target), *flags])
                modules[name] = fsa.Module(bytes(compiled), "cpu:sync")
    for name, module in modules.items():
        module.wanted_device = "cpu:sync"
        resident = module.to_device(x)
        calls[name] = lambda module=module, resident=resident: module(resident)
    if "ort" in wanted:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        calls["ort"] = lambda: session.run(None, {"x": x})
        if "fsa" in wanted:
            ours, theirs = np.asarray(calls["fsa"]()), calls["ort"]()[0]
            worst = float(np.max(np.abs(ours - theirs)))
            if not worst < 1e-3:
                raise SystemExit(f"{layer.name}: results differ by {worst}")
    return calls


def run_case(
    layer: Layer, wanted: set[str], target: str, rounds: int, sample_seconds: float
) -> dict[str, Any]:
    """Time one layer; return what the result file holds of it."""
    timings = time_in_turns(
        contenders(layer, wanted, target),
        rounds=rounds,
        sample_seconds=sample_seconds,
        clock=time.thread_time,
    )
    ratios = {
        f"{name}_by_fsa": statistics.median(
            theirs / ours
            for theirs, ours in zip(timing.samples, timings["fsa"].samples, strict=True)
        )
        for name, timing in timings.items()
        if name != "fsa"
    }
    return {
        "name": layer.name,
        "multiplications": layer.multiplications,
        "median_seconds": {name: timing.median for name, timing in timings.items()},
        "spread": {name: timing.spread for name, timing in timings.items()},
        **ratios,
    }


def main() -> None:
    """Measure the layers; print a table and write the result file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--sample-seconds", type=float, default=0.02)
    parser.add_argument("--peers", default="ort,iree,iree-tiled", help="peers, with commas")
    parser.add_argument("--target", default="cpu", help="what FSA and IREE compile for")
    parser.add_argument("--only", default="", help="layers whose name has this text")
    parser.add_argument("--core", type=int, help="the core to run on, by default the highest")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="the result file")
    options = parser.parse_args()
    wanted = {"fsa", *options.peers.split(",")}
    document = documents.begin(
        "python benchmarks/convolution.py",
        pinned_core=machine.pin(options.core),
        rounds=options.rounds,
        target=options.target,
        cases=[],
    )
    for layer in LAYERS:
        if options.only not in layer.name:
            continue
        case = run_case(layer, wanted, options.target, options.rounds, options.sample_seconds)
        document["cases"].append(case)
        ours = case["median_seconds"]["fsa"]
        ratios = "  ".join(
            f"{name} {case[f'{name}_by_fsa']:6.2f}" for name in sorted(wanted - {"fsa"})
        )
        speed = case["multiplications"] / ours / 1e9
        print(f"{layer.name:30} {ours * 1e6:9.1f} us {speed:6.1f} GFMA/s  {ratios}", flush=True)
    documents.save(document, options.output)


if __name__ == "__main__":
    main()
