"""A model of one's own that finds things, from labels to use: trained, looked at, assessed, and its finds used."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from danqing.core.learned.card import read_card
from danqing.core.pictures.reading import read
from danqing.faces.cli import cli
from tests.train.sets import set_for

BRIEF = ("--backbone", "mobilenet", "--size", 32, "--budget", "32pictures", "--every", "100%", "--batch", 8,
         "--precision", "fp32", "--threads", 1)  # fmt: skip


def tell(*words: object) -> Result:
    return CliRunner().invoke(cli, [str(word) for word in words])


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set with labels, and a short run of each family on it."""
    home = tmp_path_factory.mktemp("labelled")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DANQING_CACHE", str(home / "cache"))
        data = set_for("detector", home / "set")
        for family in ("detector", "segmenter", "keypoints"):
            done = tell("train", family, data, *BRIEF, "--out", home / family)
            assert done.exit_code == 0, done.output
    return home


@pytest.mark.parametrize(("family", "score"), [("detector", "-mAP"), ("segmenter", "-mIoU"), ("keypoints", "-PCK")])
def test_a_run_leaves_scores_with_intervals_looks_and_a_card(family: str, score: str, home: Path) -> None:
    log = [json.loads(line) for line in (home / family / "log.jsonl").read_text().splitlines()]
    assert {score, f"{score}_low", f"{score}_high"} <= log[-1]["scores"].keys()
    card = read_card(home / family / "model.safetensors")
    assert card["classes"] == ["disc", "square"]
    assert card["data"]["things"] == sum(card["data"]["classes"].values()) > 0
    assert card["training"]["augment"].startswith("crop")
    assert card["config"].get("points") == (["middle", "top"] if family == "keypoints" else None)
    looks = sorted((home / family / "grids").glob("*.png"))
    assert len(looks) == 2
    assert read(looks[-1]).pixels.shape[1] == 3
    assert (home / family / "report.html").is_file()


@pytest.mark.parametrize("family", ["detector", "segmenter", "keypoints"])
def test_it_is_used_as_the_ready_made_one_is(family: str, home: Path, tmp_path: Path) -> None:
    picture, found = home / "set" / "0.png", tmp_path / "found.json"
    done = tell("detect", picture, "--weights", home / family, "--threshold", 0.01, "--out", tmp_path / "drawn.png")
    assert done.exit_code == 0, done.output
    assert (tmp_path / "drawn.png").is_file()
    assert tell("detect", picture, "--weights", home / family, "--threshold", 0.01, "--out", found).exit_code == 0
    things = json.loads(found.read_text())["numbers"]["things"]
    assert {each["label"] for each in things} <= {"disc", "square"}
    assert all("mask" in each for each in things) == (family == "segmenter" or not things)
    if things:
        done = tell("blur", picture, "--boxes", found, "--out", tmp_path / "blurred.png")
        assert done.exit_code == 0, done.output


@pytest.mark.parametrize(("family", "score"), [("detector", "mAP"), ("segmenter", "mIoU"), ("keypoints", "PCK")])
def test_it_is_assessed_on_a_folder(family: str, score: str, home: Path, tmp_path: Path) -> None:
    words = ("assess", home / family, "--data", home / "set", "--split", "all", "--out")
    for out in (tmp_path / "sheet.png", tmp_path / "scores.json"):
        done = tell(*words, out)
        assert done.exit_code == 0, done.output
    assert min(read(tmp_path / "sheet.png").pixels.shape[2:]) > 256
    told = json.loads((tmp_path / "scores.json").read_text())["numbers"]
    rows = told if isinstance(told, list) else [told]
    assert rows[0]["score"] == score
    assert rows[0]["low"] <= rows[0]["value"] <= rows[0]["high"]
    assert rows[0]["pictures"] == 40


def test_a_segmenter_marks_pixels_for_others(home: Path, tmp_path: Path) -> None:
    mask = tmp_path / "mask.png"
    words = ("segment", home / "set" / "0.png", "--weights", home / "segmenter")
    assert tell(*words, "--only", "disc", "--out", mask).exit_code == 0
    assert read(mask).pixels.shape[1:] == (1, 32, 32)
    done = tell(*words, "--only", "cat")
    assert done.exit_code == 2
    assert "does not know 'cat'" in done.output


def test_what_does_not_fit_is_refused_in_one_message(home: Path, tmp_path: Path) -> None:
    data = home / "set"
    refused = {
        "is no folder": ("train", "detector", "digits"),
        "does not go with labels of things": ("train", "detector", data, "--fit", "tiles"),
        "not a segmenter": ("segment", data / "0.png", "--weights", home / "detector"),
        "does not know": ("detect", data / "0.png", "--weights", home / "detector", "--only", "cat"),
        "is a COCO file": ("train", "classifier", data, "--labels", data / "coco.json"),
        "is a folder, not a CSV": ("train", "classifier", data, "--labels", data),
        "danqing detect": ("predict", data / "0.png", "--weights", home / "detector"),
    }
    for words, order in refused.items():
        out = () if order[0] != "train" else ("--out", tmp_path / "run")
        done = tell(*order, *out)
        assert done.exit_code == 2, (words, done.output)
        assert words in " ".join(done.output.split()), done.output
    assert not (tmp_path / "run").exists()
