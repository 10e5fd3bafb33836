"""The commands that pages and checks offer carry what decides: a shell takes them, and they do what they say."""

from __future__ import annotations

import csv
import html
import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner

import danqing
from danqing.core.learned.card import read_card
from danqing.faces.cli import cli
from danqing.training import forecast
from danqing.training.commands import command
from tests.train.sets import set_for

pytestmark = pytest.mark.usefixtures("quick_looks")

RUN: dict[str, Any] = {
    "size": 16,
    "budget": "8pictures",
    "every": "100%",
    "batch": 4,
    "precision": "fp32",
    "threads": 1,
}


def pictures(folder: Path, count: int = 24, side: int = 20) -> Path:
    for at in range(count):
        x = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(at))
        danqing.write(x, folder / f"{at:03}.png")
    return folder


def labels(file: Path, count: int = 24) -> Path:
    with file.open("w", newline="") as out:
        rows = [[f"{at:03}.png", "ab"[at % 2]] for at in range(count)]
        csv.writer(out).writerows([["file", "label"], *rows, ["bad.png", "a"]])
    return file


def offered(run: Path) -> list[list[str]]:
    """The commands on a run's page, as a shell takes them apart."""
    page = html.unescape((run / "report.html").read_text("utf-8"))
    (commands,) = re.findall(r"<pre>(.*?)</pre>", page, re.DOTALL)
    return [shlex.split(line)[1:] for line in commands.splitlines()]


def accepted(words: list[str], *more: object) -> str:
    done = CliRunner().invoke(cli, [*words, *map(str, more)])
    assert done.exit_code == 0, (words, done.output)
    return done.stdout


def test_a_command_is_one_that_a_shell_takes_apart() -> None:
    told = command("train dcgan", "my set", size=16, labels=None, skip_bad=True, conditional=False, from_="a b")
    assert shlex.split(told)[3:] == ["my set", "--size", "16", "--skip-bad", "--no-conditional", "--from", "a b"]


@pytest.mark.parametrize("more", [{}, {"fit": "pad", "channels": "grey", "skip_bad": True}])
def test_a_flow_of_a_codec_is_shown_what_the_codec_was_shown(more: dict[str, Any], tmp_path: Path) -> None:
    """Of 16 px, which no flow learns by itself, with labels that lie elsewhere and a picture that cannot be used."""
    data, table = pictures(tmp_path / "my set"), labels(tmp_path / "l.csv")
    if more:
        (data / "bad.png").write_bytes(b"none")
    run = danqing.train("codec", data, **RUN, labels=table, perceptual=0.0, **more, out=tmp_path / "run").folder
    train = next(words for words in offered(run) if words[:2] == ["train", "flow"])
    facts = json.loads(accepted(train, "--dry-run", "--width", 16, "--batch", 4, "--json"))
    config = facts["config"]
    assert (config["size"], config["labels"]) == (16, str(table))
    assert facts["model"]["classes"] == 2
    assert facts["model"]["channels"] == (1 if more else 3)
    assert facts["pictures"]["fit"] == more.get("fit", "crop")


def test_what_finds_things_is_assessed_by_the_labels_that_it_learned_from(tmp_path: Path) -> None:
    data = Path(set_for("detector", tmp_path / "set"))
    table = (data / "coco.json").rename(tmp_path / "coco.json")
    brief = {**RUN, "size": 32, "backbone": "mobilenet"}
    run = danqing.train("detector", data, **brief, labels=table, out=tmp_path / "run").folder
    assess = next(words for words in offered(run) if words[0] == "assess")
    assert json.loads(accepted(assess, "--out", tmp_path / "sheet.png", "--json"))


@pytest.mark.parametrize(
    ("family", "more"),
    [("mlpgan", {"width": 8}), ("vae", {"width": 8}), ("codec", {"perceptual": 0.0}), ("pix2pix", {"critic_width": 4})],
)
def test_a_page_goes_on_with_its_run_and_makes_more(family: str, more: dict[str, Any], tmp_path: Path) -> None:
    data = set_for(family, tmp_path / "set") if family == "pix2pix" else pictures(tmp_path / "set")
    run = danqing.train(family, data, **RUN, **more, out=tmp_path / "run").folder
    words = offered(run)
    accepted(words[-1])
    assert read_card(run / "model.safetensors")["training"]["pictures_seen"] == 16
    if family in ("mlpgan", "vae"):
        accepted(words[0])
        assert (run / "more.png").is_file()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forecast, "pictures_per_second", lambda *_: 100.0)


def checked(*words: object) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(CliRunner().invoke(cli, ["data", "check", *map(str, words), "--json"]).stdout)
    return told


def planned(found: dict[str, Any]) -> dict[str, Any]:
    """What the training that a check suggests would be."""
    words = shlex.split(found["suggestion"][0].removeprefix("Suggestion: danqing "))
    facts: dict[str, Any] = json.loads(accepted(words, "--dry-run", "--json"))
    return facts


@pytest.mark.usefixtures("quick")
def test_labels_that_lie_elsewhere_are_part_of_what_is_suggested(tmp_path: Path) -> None:
    data, table = pictures(tmp_path / "set"), labels(tmp_path / "my labels.csv")
    found = checked(data, "--labels", table)
    assert found["settings"]["labels"] == str(table)
    assert planned(found)["model"]["classes"] == 2
    assert "labels" not in checked(data)["settings"]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(("side", "size"), [(18, 16), (28, 28), (31, 28), (32, 32), (70, 64)])
def test_the_size_that_is_suggested_is_the_largest_that_the_family_takes(side: int, size: int, tmp_path: Path) -> None:
    found = checked(pictures(tmp_path / "set", 8, side))
    assert found["settings"]["size"] == size
    facts = planned({"suggestion": [f"{found['suggestion'][0]} --batch 2"]})
    assert facts["model"]["size"] == size


@pytest.mark.usefixtures("quick")
def test_of_a_size_that_was_not_measured_that_is_said(tmp_path: Path) -> None:
    told = "\n".join(checked(pictures(tmp_path / "set", 8, 28))["suggestion"])
    assert "was measured with pictures of 28 px, in colour" in told
    assert "Measured: " not in told


@pytest.mark.usefixtures("quick")
def test_of_large_pictures_it_is_said_what_else_they_are_large_enough_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forecast, "ALONE", 2)
    large, small = (checked(pictures(tmp_path / str(side), 4, side))["suggestion"] for side in (130, 100))
    assert "--size 64" in large[0]
    assert "--size 128, which a flow takes" in large[-1]
    assert "no run of that size was measured" in large[-1]
    assert not any("--size 128" in line for line in small)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("side", [28, 40])
def test_pairs_are_suggested_a_size_that_a_pix2pix_takes(side: int, tmp_path: Path) -> None:
    for name in ("input", "target"):
        pictures(tmp_path / "set" / name, 4, side)
    found = checked(tmp_path / "set")
    assert planned(found)["model"]["size"] == found["settings"]["size"] == {28: 28, 40: 32}[side]


def test_the_built_in_digits_are_learned_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forecast, "pictures_per_second", lambda *_: 100.0)
    assert checked("digits")["settings"]["size"] == 28
