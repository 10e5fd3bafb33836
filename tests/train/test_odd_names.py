"""A run whose pictures, folder, weights or classes have names that are no UTF-8 goes as any other."""

from __future__ import annotations

import html
import json
import os
import shlex
import sys
from pathlib import Path
from shlex import quote
from typing import Any

import pytest
import torch

import danqing
from danqing.core.learned.card import read_card
from danqing.core.learned.weights import load
from danqing.core.pictures.marking import colour_of
from danqing.core.progress import finish
from danqing.training.loop import resume

RUN: dict[str, Any] = {"size": 16, "width": 4, "batch": 8, "budget": "16pictures", "precision": "fp32", "threads": 1}
ODD = os.fsdecode(b"odd \xff")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="names of files are any bytes on Linux alone")


def pictures(folder: Path, count: int = 16) -> Path:
    for at in range(count):
        x = torch.rand(1, 1, 16, 16, generator=torch.Generator().manual_seed(at))
        danqing.write(x, folder / f"{at:02}.png")
    return folder


def test_a_run_in_a_folder_of_any_name_is_trained_resumed_and_used(tmp_path: Path) -> None:
    home = tmp_path / ODD
    made = danqing.train("mlpgan", pictures(home / "set"), **RUN, out=home / "run", licence=ODD)
    assert read_card(made.model)["licence"] == ODD
    assert json.loads((home / "run" / "config.json").read_text("utf-8"))["data"] == str(home / "set")
    assert (home / "run" / "report.html").read_text("utf-8")
    again = finish(resume(home / "run", budget="24pictures"))
    assert again.summary["pictures_seen"] == 24
    copy = (home / f"{ODD}.safetensors").resolve()
    copy.write_bytes(made.model.read_bytes())
    assert load(copy).state_dict().keys() == load(made.model).state_dict().keys()
    further = danqing.train("mlpgan", home / "set", **RUN, from_=str(copy), out=tmp_path / "further")
    assert read_card(further.model)["lineage"][-1]["file"] == copy.name


def test_the_commands_on_a_page_are_ones_that_a_shell_understands(tmp_path: Path) -> None:
    home = tmp_path / "my 'own' 画 $(ls)"
    made = danqing.train("mlpgan", pictures(home / "set"), **RUN, out=home / "run")
    page = html.unescape((made.folder / "report.html").read_text("utf-8"))
    evaluate = next(line for line in page.splitlines() if line.startswith("danqing evaluate"))
    assert shlex.split(evaluate) == ["danqing", "evaluate", str(home / "run"), "--data", str(home / "set")]
    assert quote(str(home / "run")) in page.split("danqing train --resume")[1]


def test_classes_of_any_name_are_learned_and_told(tmp_path: Path) -> None:
    folder, half = pictures(tmp_path / "set"), "a\ud800"  # as JSON may spell, and no file could
    labels = {f"{at:02}.png": half if at % 2 else "b" for at in range(16)}
    (tmp_path / "labels.json").write_text(json.dumps(labels))
    made = danqing.train("classifier", folder, **RUN, labels=tmp_path / "labels.json", out=tmp_path / "run")
    assert set(read_card(made.model)["classes"]) == {half, "b"}
    found = danqing.predict(danqing.read(folder / "00.png").pixels, weights=made.model)
    assert {row["label"] for row in found.numbers[0]["classes"]} == {half, "b"}
    assert len(colour_of(half)) == 3
