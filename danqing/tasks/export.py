"""A painter for programs that have no PyTorch."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from danqing.core.artefacts.figures import Figures
from danqing.core.disk import replacing
from danqing.core.errors import ModelFileError, OutputError, ParameterError
from danqing.core.fields.weights_file import WeightsFile
from danqing.core.learned.card import first_line
from danqing.core.learned.classes import class_names
from danqing.core.learned.manner import convolving, freely
from danqing.core.learned.model import Painter
from danqing.core.learned.weights import load
from danqing.core.operators.task import task
from danqing.core.progress import Job, Progress

CHECKED = (1, 64)  # batches that must give PyTorch's pictures
ALLOWED = 1 / 255  # largest difference of a value
SUFFIX = {"onnx": ".onnx", "openvino": ".xml"}
NEEDED = {"onnx": ("onnx", "onnxscript", "onnxruntime"), "openvino": ("onnx", "onnxscript", "openvino")}


@task
def export(
    weights: WeightsFile,
    format: Literal["onnx", "openvino"] = "onnx",
    out: Path | None = None,
    force: bool = False,
) -> Job[Figures]:
    """Write a trained generator as a file that other programs run without danqing and PyTorch.

    The file takes latents ``z`` (B, …) drawn from a unit Gaussian and, where there are classes, ``label``, int64 (B,);
    it gives ``pictures`` (B, C, H, W) in [0, 1]. B may be anything. What was written is run by the other program, on
    its own, for one picture and for 64, and must give PyTorch's pictures to within 1/255.

    Args:
        weights: a trained generator: a run folder or a .safetensors file.
        format: onnx, for ONNX Runtime and many others; openvino, an .xml with its .bin beside it, in float32.
        out: the file to write; left out: named after the weights, in this folder.
        force: replace what is there.

    Returns:
        the file, its size, and the largest difference from PyTorch for each batch.

    Raises:
        ModelFileError: for weights that paint nothing, or a family that cannot be exported.
        ParameterError: where the packages that write or check the format are not installed.
        OutputError: for a name that does not fit the format, or a file that does not paint what PyTorch paints.

    Examples:
        danqing export runs/dcgan-1 --format onnx --out digits.onnx
    """
    _check_installed(format)
    file = out or Path(f"{_stem(Path(weights))}{SUFFIX[format]}")
    if file.suffix.lower() != SUFFIX[format]:
        raise OutputError(f"is no name for {format}", where=file, remedy=f"End the name in {SUFFIX[format]}")
    if file.exists() and not force:
        raise OutputError("exists already", where=file, remedy="Choose another place or give --force")
    model = load(weights, kind=Painter).requires_grad_(False)
    yield Progress(0, 3, "tracing")
    data = _traced(model)
    yield Progress(1, 3, "checking")
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder, f"model{SUFFIX[format]}")
        run = (_onnx if format == "onnx" else _openvino)(data, made)
        gaps = {count: _gap(model, run, count) for count in CHECKED}
        if max(gaps.values()) > ALLOWED:
            what = f"would paint up to {255 * max(gaps.values()):.1f}/255 otherwise than PyTorch; nothing was written"
            raise OutputError(what, where=file)
        yield Progress(2, 3, "writing")
        for each, target in zip(_files(made), _files(file), strict=True):
            with replacing(target, force=force) as temporary:
                shutil.copyfile(each, temporary)
    size = sum(each.stat().st_size for each in _files(file))
    row = {"file": str(file), "format": format, "bytes": size, "gaps": {str(count): gap for count, gap in gaps.items()}}
    told = ", ".join(f"{255 * gap:.4f}/255 for {count}" for count, gap in gaps.items())
    lines = [f"wrote {file} ({size / 1e6:.1f} MB)", f"differs from PyTorch by at most {told}"]
    return Figures([row], lines=lines)


class _Painting(nn.Module):
    """A painter as one call without choices: latents and labels in, pictures out."""

    def __init__(self, model: Painter) -> None:
        super().__init__()
        self.model = model

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        return self.model.paint(z, label)


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


def _inputs(model: Painter, count: int) -> tuple[Tensor, ...]:
    """Latents, and labels where there are classes."""
    z = torch.randn(count, *model.latent, generator=torch.Generator().manual_seed(count))
    classes = len(class_names(model))
    return (z, torch.arange(count) % classes) if classes else (z,)


def _traced(model: Painter) -> bytes:
    """The painter as ONNX, of any batch.

    Raises:
        ModelFileError: if the family does something that ONNX cannot say.
    """
    inputs = _inputs(model, 2)
    names = ["z", "label"][: len(inputs)]
    batch = torch.export.Dim("batch", min=1, max=65_536)
    with freely(), convolving("own"), torch.no_grad(), _unprinted("torch.onnx._internal.exporter._registration"):
        try:
            program = torch.onnx.export(
                _Painting(model).eval(),
                inputs,
                dynamo=True,
                input_names=names,
                output_names=["pictures"],
                dynamic_shapes={name: {0: batch} for name in names},
                optimize=True,
                verbose=False,
            )
        except Exception as error:  # whatever the tracer stumbles over: what it says is all there is to say
            what = f"the family {model.family} cannot be exported ({first_line(error)})"
            raise ModelFileError(what, where=str(model.card.get("file", "model"))) from error
    assert program is not None
    return bytes(program.model_proto.SerializeToString())


def _onnx(data: bytes, made: Path) -> Callable[[dict[str, Any]], Any]:
    """Write the file, and what runs it."""
    import onnxruntime

    made.write_bytes(data)
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    return lambda given: session.run(["pictures"], given)[0]


def _openvino(data: bytes, made: Path) -> Callable[[dict[str, Any]], Any]:
    """Write the files, and what runs them; in float32, since its bf16 is off by more than is allowed."""
    import openvino

    core = openvino.Core()
    source = made.with_suffix(".onnx")
    source.write_bytes(data)
    openvino.save_model(core.read_model(str(source)), str(made), compress_to_fp16=False)
    compiled = core.compile_model(core.read_model(str(made)), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return lambda given: compiled(given)[0]


def _gap(model: Painter, run: Callable[[dict[str, Any]], Any], count: int) -> float:
    """The largest difference of a value between the file and PyTorch."""
    inputs = _inputs(model, count)
    with torch.no_grad(), freely(), convolving("own"):
        ours = model.paint(*inputs).numpy()
    given = {name: each.numpy() for name, each in zip(("z", "label"), inputs, strict=False)}
    try:
        theirs = run(given)
    except Exception as error:  # the other program's own kinds
        what = f"the family {model.family} cannot be exported: {count} at a time fail ({first_line(error)})"
        raise ModelFileError(what, where=str(model.card.get("file", "model"))) from error
    return float(np.abs(ours - theirs).max()) if theirs.shape == ours.shape else float("inf")


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
