"""A model for programs that have no PyTorch."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from danqing.core.artefacts.figures import Figures
from danqing.core.disk import replacing
from danqing.core.errors import ModelFileError, OutputError, ParameterError
from danqing.core.fields.weights_file import WeightsFile
from danqing.core.learned.card import first_line
from danqing.core.learned.manner import convolving, freely
from danqing.core.learned.model import Model
from danqing.core.learned.painting import FlowPainter
from danqing.core.learned.weights import load
from danqing.core.operators.task import task
from danqing.core.progress import Job, Progress, shared
from danqing.training.flow_graph import Decoder, Velocity, looped, tableau
from danqing.training.graphs import Graph, graph_of

if TYPE_CHECKING:
    from onnx import ModelProto

Runner = Callable[[dict[str, Any]], Any]
SUFFIX = {"onnx": ".onnx", "openvino": ".xml"}
PATIENCE = "the net is traced: some seconds to a minute, in which nothing more is told"
NEEDED = {"onnx": ("onnx", "onnxscript", "onnxruntime"), "openvino": ("onnx", "onnxscript", "openvino")}


@task
def export(
    weights: WeightsFile,
    format: Literal["onnx", "openvino"] = "onnx",
    out: Path | None = None,
    force: bool = False,
) -> Job[Figures]:
    """Write a trained generator, classifier or finder as a file that other programs run without danqing and PyTorch.

    Of a generator the file takes latents ``z`` (B, …) drawn from a unit Gaussian and, where there are classes,
    ``label``, int64 (B,); it gives ``pictures`` (B, C, H, W) in [0, 1]. Of all others it takes ``pictures`` and gives
    ``probabilities`` (a classifier), ``chances`` and ``boxes`` in pixels (a detector), ``shares`` (a segmenter), or
    ``chances``, ``boxes``, ``heat`` and ``points`` (keypoints); the file itself says what they are, how large pictures
    must be, and the names of the classes. B may be anything. What was written is run by the other program, on its own,
    for one picture and for several, and must agree with PyTorch: pictures within 1/255, chances within 0.001, places
    within 0.1 px.

    Args:
        weights: a trained generator, classifier, detector, segmenter or keypoints: a run folder or a .safetensors file.
        format: onnx, for ONNX Runtime and many others; openvino, an .xml with its .bin beside it, in float32.
        out: the file to write; left out: named after the weights, in this folder.
        force: replace what is there.

    Returns:
        the file, its size, the largest differences from PyTorch for each batch, and what the file gives.

    Raises:
        ModelFileError: for weights that neither paint nor say what they see, or a family that cannot be exported.
        ParameterError: where the packages that write or check the format are not installed.
        OutputError: for a name that does not fit the format, or a file that does not give what PyTorch gives.

    Examples:
        danqing export runs/dcgan-1 --format onnx --out digits.onnx
        danqing export runs/detector-001 --format onnx --out leaves.onnx
    """
    _check_installed(format)
    file = out or Path(f"{_stem(Path(weights))}{SUFFIX[format]}")
    if file.suffix.lower() != SUFFIX[format]:
        raise OutputError(f"is no name for {format}", where=file, remedy=f"End the name in {SUFFIX[format]}")
    if not force and (there := [each for each in _files(file) if each.exists()]):
        raise OutputError("exists already", where=there[0], remedy="Choose another place or give --force")
    model = load(weights).requires_grad_(False)
    graph, known = graph_of(model), (model.family, str(weights))
    data = yield from shared(_written(model, graph, *known), 0, 1, total=3)
    yield Progress(1, 3, "checking")
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder, f"model{SUFFIX[format]}")
        run = (_onnx if format == "onnx" else _openvino)(data, made)
        gaps = {count: _gaps(graph, run, count, *known) for count in graph.counts}
        for name, allowed in graph.outputs.items():
            worst = max(gap[name] for gap in gaps.values())
            if not worst <= allowed:
                what = f"its {name} would be up to {worst:.2g} off PyTorch's; nothing was written"
                raise OutputError(what, where=file)
        yield Progress(2, 3, "writing")
        for each, target in zip(_files(made), _files(file), strict=True):
            with replacing(target, force=force) as temporary:
                shutil.copyfile(each, temporary)
    size = sum(each.stat().st_size for each in _files(file))
    about = {"gaps": {str(count): gap for count, gap in gaps.items()}, "gives": dict(graph.about)}
    row = {"file": str(file), "format": format, "bytes": size, **about}
    told = "; ".join(
        f"{count}: {', '.join(f'{name} {gap:.2g}' for name, gap in each.items())}" for count, each in gaps.items()
    )
    lines = [f"wrote {file} ({size / 1e6:.1f} MB)", f"differs from PyTorch by at most, by batch: {told}"]
    return Figures([row], lines=lines)


@contextlib.contextmanager
def _unprinted(name: str) -> Iterator[None]:
    """Without what a logger says in this thread, of packages that nobody here misses."""
    mine, heard = threading.get_ident(), logging.getLogger(name)

    def others(record: logging.LogRecord) -> bool:
        return record.thread != mine

    heard.addFilter(others)
    try:
        yield
    finally:
        heard.removeFilter(others)


def _written(model: Model, graph: Graph, family: str, where: str) -> Job[bytes]:
    """The model as ONNX, of any batch; of a flow the net is traced alone, and not once for every step of its way.

    Raises:
        ModelFileError: if the family does something that ONNX cannot say.
    """
    yield Progress(0, 1, "tracing", news=PATIENCE)
    try:
        if isinstance(model, FlowPainter):
            z, *label = graph.example(2)
            inputs = {"x": z, "t": torch.tensor(0.5), **dict(zip(("label",), label, strict=False))}
            velocity = yield from shared(_traced(Velocity(model), inputs, ("v",)), 0, 0.8)
            decoder = yield from shared(_traced(Decoder(model), {"z": z}, ("pictures",)), 0.8, 0.2)
            proto = looped(velocity, decoder, tableau(model.config["steps"], model.config["solver"]))
        else:
            inputs = dict(zip(graph.inputs, graph.example(2), strict=True))
            proto = yield from _traced(graph.module, inputs, tuple(graph.outputs))
    except Exception as error:  # whatever the tracer stumbles over: what it says is all there is to say
        what = f"the family {family} cannot be exported ({first_line(error)})"
        raise ModelFileError(what, where=where) from error
    for name, value in graph.about.items():
        proto.metadata_props.add(key=name, value=value)
    return bytes(proto.SerializeToString())


def _traced(module: nn.Module, inputs: dict[str, Tensor], outputs: Sequence[str]) -> Job[ModelProto]:
    """A module as ONNX; the batch of all that has one may be anything."""
    batch = torch.export.Dim("batch", min=1, max=65_536)
    shapes = {name: {0: batch} if each.ndim else {} for name, each in inputs.items()}
    with freely(), convolving("own"), torch.no_grad():
        traced = torch.export.export(module.eval(), tuple(inputs.values()), dynamic_shapes=shapes, strict=False)
    yield Progress(0.4, 1, "translating to ONNX")
    with torch.no_grad(), _unprinted("torch.onnx._internal.exporter._registration"):
        program = torch.onnx.export(
            traced,
            tuple(inputs.values()),
            dynamo=True,
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_shapes=shapes,
            optimize=True,
            verbose=False,
        )
    assert program is not None
    proto = program.model_proto
    for node in proto.graph.node:
        del node.metadata_props[:]  # the lines of code that made it, with their place on this machine
    yield Progress(1, 1, "tracing")
    return proto


def _onnx(data: bytes, made: Path) -> Runner:
    """Write the file, and what runs it."""
    import onnxruntime

    made.write_bytes(data)
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    return lambda given: session.run(None, given)


def _openvino(data: bytes, made: Path) -> Runner:
    """Write the files, and what runs them; in float32, since its bf16 is off by more than is allowed."""
    import openvino

    core = openvino.Core()
    source = made.with_suffix(".onnx")
    source.write_bytes(data)
    openvino.save_model(core.read_model(str(source)), str(made), compress_to_fp16=False)
    compiled = core.compile_model(core.read_model(str(made)), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return lambda given: [compiled(given)[at] for at in range(len(compiled.outputs))]


def _gaps(graph: Graph, run: Runner, count: int, family: str, where: str) -> dict[str, float]:
    """The largest difference of a value between the file and PyTorch, of each thing that it gives."""
    inputs = graph.example(count)
    with torch.no_grad(), freely(), convolving("own"):
        said = graph.module(*inputs)
    ours = [each.numpy() for each in (said if isinstance(said, tuple) else (said,))]
    try:
        theirs = run({name: each.numpy() for name, each in zip(graph.inputs, inputs, strict=True)})
    except Exception as error:  # the other program's own kinds
        what = f"the family {family} cannot be exported: {count} at a time fail ({first_line(error)})"
        raise ModelFileError(what, where=where) from error
    pairs = zip(graph.outputs, ours, theirs, strict=True)
    return {name: float(np.abs(a - b).max()) if a.shape == b.shape else float("inf") for name, a, b in pairs}


def _files(file: Path) -> list[Path]:
    """The files that belong to one."""
    return [file, file.with_suffix(".bin")] if file.suffix.lower() == ".xml" else [file]


def _stem(weights: Path) -> str:
    return weights.parent.name if weights.stem in ("model", "best") and weights.parent.name else weights.stem


def _check_installed(format: str) -> None:
    missing = [each for each in NEEDED[format] if importlib.util.find_spec(each) is None]
    if missing:
        what = f"needs {', '.join(missing)}, which is not installed"
        raise ParameterError(what, where="format", remedy="pip install 'danqing[export]'")


__all__ = ["export"]
