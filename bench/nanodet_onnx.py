"""NanoDet-g as an ONNX graph from danqing's own weights file, run by ONNX Runtime; in an environment of its own.

python nanodet_onnx.py WEIGHTS.safetensors PICTURES.npz RESULT.npz REPEATS
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

STAGES = (2, 2, 3)


def weights(file: Path) -> dict[str, np.ndarray]:
    raw = file.read_bytes()
    size = int.from_bytes(raw[:8], "little")
    header = {name: each for name, each in json.loads(raw[8 : 8 + size]).items() if name != "__metadata__"}
    return {
        name: np.frombuffer(raw[8 + size :][slice(*each["data_offsets"])], "<f2").reshape(each["shape"]).astype("f4")
        for name, each in header.items()
    }


class Graph:
    """A graph that grows node by node; each method gives the name of its result."""

    def __init__(self, values: dict[str, np.ndarray]) -> None:
        self.values, self.nodes, self.constants = values, [], []

    def add(self, kind: str, inputs: list[str], **facts: object) -> str:
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **facts))
        return name

    def constant(self, value: np.ndarray) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(value, name))
        return name

    def conv(self, x: str, key: str, stride: int = 1, bent: bool = True) -> str:
        kernel, bias = self.values[f"{key}.weight"], self.values[f"{key}.bias"]
        pad = kernel.shape[-1] // 2
        inputs = [x, self.constant(kernel), self.constant(bias)]
        out = self.add("Conv", inputs, strides=[stride] * 2, pads=[pad] * 4)
        return self.add("LeakyRelu", [out], alpha=0.1) if bent else out

    def cat(self, *parts: str) -> str:
        return self.add("Concat", list(parts), axis=1)

    def scaled(self, x: str, factor: float) -> str:
        scales = self.constant(np.array([1, 1, factor, factor], "f4"))
        return self.add("Resize", [x, "", scales], mode="linear", coordinate_transformation_mode="half_pixel")


def build(values: dict[str, np.ndarray]) -> bytes:
    g = Graph(values)
    x = g.add("MaxPool", [g.conv("x", "stem.0", 2)], kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    start = g.conv(x, "first.enter.0")
    one = g.conv(start, "first.one.0")
    x = g.cat(g.conv(g.cat(g.conv(one, "first.two.0"), one), "first.leave.0"), start)
    maps = []
    for at, count in enumerate(STAGES):
        start = x = g.conv(x, f"stages.{at}.down.0", 2)
        for number in range(count):
            one = g.conv(x, f"stages.{at}.residuals.{number}.one.0")
            x = g.cat(g.conv(one, f"stages.{at}.residuals.{number}.two.0"), one)
        x = g.cat(g.conv(x, f"stages.{at}.leave.0"), start)
        maps.append(g.conv(x, f"lateral.{at}", bent=False))
    for at in (1, 0):
        maps[at] = g.add("Add", [maps[at], g.scaled(maps[at + 1], 2)])
    for at in (1, 2):
        maps[at] = g.add("Add", [maps[at], g.scaled(maps[at - 1], 0.5)])
    outputs = [g.conv(g.conv(each, f"heads.{at}.0"), f"says.{at}", bent=False) for at, each in enumerate(maps)]
    shapes = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, None, None, None]) for name in outputs]
    entry = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, None, None])
    graph = helper.make_graph(g.nodes, "nanodet", [entry], shapes, g.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def main() -> None:
    file, pictures, result, repeats = sys.argv[1:]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(build(weights(Path(file))), options, providers=["CPUExecutionProvider"])
    found, times = {}, []
    for name, x in np.load(pictures).items():
        taken = []
        for _ in range(int(repeats) + 1):
            start = time.thread_time()
            out = session.run(None, {"x": x})
            taken.append(time.thread_time() - start)
        times.append(float(np.median(taken[1:])))
        found.update({f"{name} {at}": each for at, each in enumerate(out)})
    np.savez(result, **found)
    print(json.dumps({"seconds": times, "onnxruntime": onnxruntime.__version__}))


if __name__ == "__main__":
    main()
