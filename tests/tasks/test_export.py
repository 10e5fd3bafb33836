"""Generators for other programs: they paint what PyTorch paints, for any number of pictures."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch

from danqing.core.errors import ModelFileError, OutputError, ParameterError
from danqing.core.learned.weights import save
from danqing.models.classifier import Classifier
from danqing.models.dcgan import DCGAN
from danqing.models.flow import Flow
from danqing.models.vae import VAE
from danqing.tasks.export import export


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    return save(DCGAN(16, 3, 3, latents=6, width=8, critic_width=8).eval(), tmp_path / "small.safetensors")


@pytest.mark.slow
def test_another_program_paints_the_same_whatever_the_number(weights: Path, tmp_path: Path) -> None:
    import onnxruntime

    from danqing.core.learned.weights import load

    found = export(weights, "onnx", tmp_path / "small.onnx")
    assert max(found.numbers[0]["gaps"].values()) < 1 / 255
    model = load(weights, kind=DCGAN)
    session = onnxruntime.InferenceSession(str(tmp_path / "small.onnx"), providers=["CPUExecutionProvider"])
    for count in (1, 5, 64):
        z, label = torch.randn(count, 6), torch.arange(count) % 3
        painted = session.run(["pictures"], {"z": z.numpy(), "label": label.numpy()})[0]
        with torch.no_grad():
            np.testing.assert_allclose(painted, model.paint(z, label).numpy(), rtol=0, atol=1e-4)


@pytest.mark.slow
def test_a_flow_is_exported_for_any_number(tmp_path: Path) -> None:
    torch.manual_seed(0)
    file = save(Flow(16, 1, 2, width=16, steps=1).eval(), tmp_path / "flow.safetensors")
    gaps = export(file, "onnx", tmp_path / "flow.onnx").numbers[0]["gaps"]
    assert gaps.keys() == {"1", "64"}
    assert max(gaps.values()) < 1 / 255


@pytest.mark.slow
def test_openvino_gets_both_of_its_files(tmp_path: Path) -> None:
    torch.manual_seed(0)
    file = save(VAE(16, 1, 0, dim=4, width=4).eval(), tmp_path / "vae.safetensors")
    export(file, "openvino", tmp_path / "vae.xml")
    assert {each.suffix for each in tmp_path.glob("vae.*")} == {".safetensors", ".xml", ".bin"}


def test_refuses_what_cannot_be(weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = save(Classifier(16, 1, 2, width=4), tmp_path / "classifier.safetensors")
    with pytest.raises(ModelFileError, match="classifier, not a painter"):
        export(other, out=tmp_path / "a.onnx")
    with pytest.raises(OutputError, match="no name for onnx"):
        export(weights, out=tmp_path / "a.png")
    (tmp_path / "mine.onnx").write_bytes(b"mine")
    with pytest.raises(OutputError, match="exists already"):
        export(weights, out=tmp_path / "mine.onnx")
    assert (tmp_path / "mine.onnx").read_bytes() == b"mine"
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ParameterError, match=r"danqing\[export\]"):
        export(weights, out=tmp_path / "a.onnx")
