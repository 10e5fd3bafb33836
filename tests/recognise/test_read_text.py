"""Lines of text are found and read; without the extra there is one clear error."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image, ImageDraw, ImageFont

import danqing
from danqing.faces.cli import cli
from danqing.nets.text_reading import NEEDED

FONT = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
installed = pytest.mark.skipif(not all(map(importlib.util.find_spec, NEEDED)), reason="needs danqing[text]")


def sign(angle: float = 0.0) -> Image.Image:
    image = Image.new("RGB", (420, 260), (235, 232, 220))
    draw = ImageDraw.Draw(image)
    draw.text((40, 50), "OPEN UNTIL 9", (20, 30, 90), ImageFont.truetype(str(FONT), 40))
    draw.text((60, 160), "danqing 2026", (120, 20, 20), ImageFont.truetype(str(FONT), 28))
    return image.rotate(angle, Image.Resampling.BICUBIC, fillcolor=(235, 232, 220))


def pixels(image: Image.Image) -> torch.Tensor:
    return torch.from_numpy(np.asarray(image, np.float32) / 255).permute(2, 0, 1)[None]


def test_without_the_extra_one_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "rapidocr_onnxruntime", None)  # as Python marks what cannot be imported
    sign().save(tmp_path / "sign.png")
    done = CliRunner().invoke(cli, ["read_text", str(tmp_path / "sign.png")])
    assert done.exit_code == 2
    assert "pip install 'danqing[text]'" in done.output


@installed
def test_lines_are_read_from_above_to_below() -> None:
    things = danqing.read_text(pixels(sign())).found[0].things
    assert [each.label.replace(" ", "") for each in things] == ["OPENUNTIL9", "danqing2026"]
    box = ImageDraw.Draw(sign()).textbbox((40, 50), "OPEN UNTIL 9", ImageFont.truetype(str(FONT), 40))
    assert things[0].box == pytest.approx(box, abs=14)  # the finder leaves a margin of a third of a line's height
    assert [spot.name for spot in things[0].points] == ["top left", "top right", "bottom right", "bottom left"]


@installed
@pytest.mark.parametrize("angle", [8, 180])
def test_lines_may_lean_and_stand_on_their_heads(angle: int) -> None:
    things = danqing.read_text(pixels(sign(angle))).found[0].things
    assert {each.label.replace(" ", "") for each in things} == {"OPENUNTIL9", "danqing2026"}


@installed
def test_grey_pictures_folders_and_pictures_without_text(tmp_path: Path) -> None:
    assert danqing.read_text(torch.full((2, 1, 60, 70), 0.5)).found[1].things == ()
    (tmp_path / "scans").mkdir()
    sign().convert("L").save(tmp_path / "scans" / "a.png")
    Image.new("RGB", (1, 1)).save(tmp_path / "scans" / "b.png")
    done = CliRunner().invoke(cli, ["read_text", str(tmp_path / "scans"), "--out-dir", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    told = json.loads((tmp_path / "out" / "a.json").read_text())["numbers"]
    assert [each["label"].replace(" ", "") for each in told["things"]] == ["OPENUNTIL9", "danqing2026"]
    assert json.loads((tmp_path / "out" / "b.json").read_text())["numbers"]["things"] == []
