"""Generators for other programs: they paint what PyTorch paints, for any number of pictures."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch

from danqing.core.errors import ModelFileError, OutputError, ParameterError
from danqing.core.learned.finder import Finder
from danqing.core.learned.weights import save
from danqing.core.menu import PACKAGE
from danqing.maths.flows import Solver, travelled
from danqing.models.classifier import Classifier
from danqing.models.dcgan import DCGAN
from danqing.models.detector import Detector
from danqing.models.flow import Flow
from danqing.models.keypoints import Keypoints
from danqing.models.segmenter import Segmenter
from danqing.models.vae import VAE
from danqing.nets.detection import chosen
from danqing.tasks.export import SUFFIX, export
from danqing.training.flow_graph import tableau


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    return save(DCGAN(16, 3, 3, latents=6, width=8, critic_width=8).eval(), tmp_path / "small.safetensors")


@pytest.mark.slow
def test_another_program_paints_the_same_whatever_the_number(weights: Path, tmp_path: Path) -> None:
    import onnxruntime

    from danqing.core.learned.weights import load

    found = export(weights, "onnx", tmp_path / "small.onnx")
    assert max(each["pictures"] for each in found.numbers[0]["gaps"].values()) < 1 / 255
    model = load(weights, kind=DCGAN)
    session = onnxruntime.InferenceSession(str(tmp_path / "small.onnx"), providers=["CPUExecutionProvider"])
    for count in (1, 5, 64):
        z, label = torch.randn(count, 6), torch.arange(count) % 3
        painted = session.run(["pictures"], {"z": z.numpy(), "label": label.numpy()})[0]
        with torch.no_grad():
            np.testing.assert_allclose(painted, model.paint(z, label).numpy(), rtol=0, atol=1e-4)


def test_a_flow_is_exported_for_any_number(tmp_path: Path) -> None:
    torch.manual_seed(0)
    file = save(Flow(16, 1, 2, width=16, steps=1).eval(), tmp_path / "flow.safetensors")
    gaps = export(file, "onnx", tmp_path / "flow.onnx").numbers[0]["gaps"]
    assert gaps.keys() == {"1", "64"}
    assert max(each["pictures"] for each in gaps.values()) < 1 / 255
    assert str(PACKAGE).encode() not in (tmp_path / "flow.onnx").read_bytes()  # nor any other place of this machine


IN_DOCS = Path(__file__).parents[2] / "docs/generators.md"


@pytest.mark.parametrize("family", ["dcgan", "flow", "vae"])
def test_what_the_docs_say_of_other_programs_runs(
    family: str, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    if family != "dcgan":
        made = Flow(16, 1, 2, width=16, steps=1) if family == "flow" else VAE(16, 1, 0, dim=6, width=16)
        weights = save(made.eval(), tmp_path / "other.safetensors")
    export(weights, "onnx", tmp_path / "mine.onnx")
    code = IN_DOCS.read_text("utf-8").partition("With ONNX Runtime alone:")[2].split("```")[1].removeprefix("python")
    monkeypatch.chdir(tmp_path)
    found: dict[str, np.ndarray] = {}
    exec(code, found)
    assert found["pictures"].shape == (16, 3 if family == "dcgan" else 1, 16, 16)
    assert 0 <= found["pictures"].min() <= found["pictures"].max() <= 1


@pytest.mark.parametrize("solver", ["euler", "heun", "adams"])
def test_a_tableau_goes_where_its_solver_goes(solver: Solver) -> None:
    way, steps = tableau(4, solver), 4

    def velocity(x: torch.Tensor, t: float) -> torch.Tensor:
        return torch.sin(3 * x) + t

    begin = torch.randn(5, generator=torch.Generator().manual_seed(0)).double()
    met = torch.zeros(len(way.times), 5).double()
    for at, t in enumerate(way.times.tolist()):
        met[at] = velocity(begin + way.shares[at].double() @ met, t)
    end = travelled(velocity, begin, steps, solver)
    torch.testing.assert_close(begin + way.end[0].double() @ met, end, rtol=0, atol=1e-6)  # shares are float32


@pytest.mark.slow
@pytest.mark.parametrize("format", ["onnx", "openvino"])
def test_a_flow_of_many_steps_holds_its_net_once(format: Literal["onnx", "openvino"], tmp_path: Path) -> None:
    torch.manual_seed(0)
    sizes = []
    for steps in (2, 20):
        file = save(Flow(16, 1, 0, width=16, steps=steps, solver="heun").eval(), tmp_path / f"{steps}.safetensors")
        row = export(file, format, tmp_path / f"{steps}{SUFFIX[format]}").numbers[0]
        assert max(each["pictures"] for each in row["gaps"].values()) < 1 / 255
        sizes.append(row["bytes"])
    assert sizes[1] < 1.1 * sizes[0]


@pytest.mark.slow
def test_openvino_gets_both_of_its_files(tmp_path: Path) -> None:
    torch.manual_seed(0)
    file = save(VAE(16, 1, 0, dim=4, width=4).eval(), tmp_path / "vae.safetensors")
    export(file, "openvino", tmp_path / "vae.xml")
    assert {each.suffix for each in tmp_path.glob("vae.*")} == {".safetensors", ".xml", ".bin"}


@pytest.mark.slow
@pytest.mark.parametrize("kind", [Detector, Segmenter, Keypoints])
def test_another_program_finds_the_same(kind: type[Finder], tmp_path: Path) -> None:
    """With what the file itself says: how large pictures are, which boxes count, what classes are called."""
    import onnxruntime

    torch.manual_seed(0)
    points = {"points": ["top"]} if kind is Keypoints else {}
    model = kind(size=48, channels=3, classes=2, backbone="mobilenet", **points).eval()
    file = save(model, tmp_path / "model.safetensors", classes=["disc", "square"])
    row = export(file, "onnx", tmp_path / "model.onnx").numbers[0]
    assert set(row["gaps"]) == {"1", "4"}
    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"), providers=["CPUExecutionProvider"])
    told = session.get_modelmeta().custom_metadata_map
    assert json.loads(told["classes"]) == ["disc", "square"]
    assert "48 px" in told["danqing"]
    x = torch.rand(5, 3, 64, 64)  # 48 px, filled up to 64
    x[..., 48:, :], x[..., 48:] = 0, 0
    given = dict(zip(kind.output_names, session.run(None, {"pictures": x.numpy()}), strict=True))
    if kind is Detector:
        chances, boxes = torch.from_numpy(given["chances"][0]), torch.from_numpy(given["boxes"][0])
        theirs = chosen(chances, boxes, model.names, (48, 48), 0.009, 100)
        (ours,) = model.find(x[:1, :, :48, :48], 0.009)
        assert [each.label for each in theirs.things] == [each.label for each in ours.things]
        pairs = zip(ours.things, theirs.things, strict=True)
        assert all(one.box == pytest.approx(other.box, abs=0.1) for one, other in pairs)
    else:
        assert given[kind.output_names[0]].shape[0] == 5


@pytest.mark.slow
def test_another_program_names_the_same(tmp_path: Path) -> None:
    torch.manual_seed(0)
    file = save(Classifier(16, 1, 2, width=4).eval(), tmp_path / "classifier.safetensors")
    row = export(file, "onnx", tmp_path / "classifier.onnx").numbers[0]
    assert max(each["probabilities"] for each in row["gaps"].values()) < 1e-3


def test_refuses_what_cannot_be(weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelFileError, match="restorer, which neither paints"):
        export("denoise-tiny", out=tmp_path / "a.onnx")
    with pytest.raises(OutputError, match="no name for onnx"):
        export(weights, out=tmp_path / "a.png")
    (tmp_path / "mine.onnx").write_bytes(b"mine")
    with pytest.raises(OutputError, match="exists already"):
        export(weights, out=tmp_path / "mine.onnx")
    assert (tmp_path / "mine.onnx").read_bytes() == b"mine"
    (tmp_path / "mine.bin").write_bytes(b"mine")
    with pytest.raises(OutputError, match=r"mine\.bin: exists already"):
        export(weights, "openvino", out=tmp_path / "mine.xml")
    assert not (tmp_path / "mine.xml").exists()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ParameterError, match=r"danqing\[export\]"):
        export(weights, out=tmp_path / "a.onnx")
