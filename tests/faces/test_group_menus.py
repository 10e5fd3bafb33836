"""A group may stand before its operators: ``danqing degrade add_noise`` is ``danqing add_noise``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner, Result

from danqing.core.menu import operators
from danqing.core.pictures.reading import read
from danqing.core.pictures.writing import write
from danqing.faces.cli import cli, verbs

GROUPS = sorted({entry.group for entry in operators().values()} - {*operators(), *verbs()})


def run(*args: Any) -> Result:
    return CliRunner().invoke(cli, [str(arg) for arg in args])


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("more", [[], ["--help"]], ids=["alone", "help"])
def test_a_group_lists_its_operators_and_no_others(group: str, more: list[str]) -> None:
    result = run(group, *more)
    assert result.exit_code == 0
    listed = {line.split()[0] for line in result.stdout.splitlines() if line[:3].strip() and line.startswith("  ")}
    assert listed == {entry.name for entry in operators().values() if entry.group == group}


def test_with_or_without_its_group_a_command_does_the_same(tmp_path: Path) -> None:
    photo = write(torch.rand(1, 3, 20, 30, generator=torch.Generator().manual_seed(0)), tmp_path / "photo.png")
    for at, words in enumerate((["add_noise"], ["degrade", "add_noise"], ["degrade", "add-noise"])):
        result = run(*words, photo, "--sigma", 30, "--out", tmp_path / f"{at}.png")
        assert result.exit_code == 0, result.stderr
        assert torch.equal(read(tmp_path / f"{at}.png").pixels, read(tmp_path / "0.png").pixels)
    assert "danqing degrade add_noise" in run("degrade", "add_noise", "--help").stdout


def test_what_is_not_in_a_group_is_refused_with_a_guess() -> None:
    near = run("degrade", "ad-noise", "x.png")
    assert near.exit_code == 2
    assert "Did you mean add_noise" in near.stderr
    elsewhere = run("edit", "median", "x.png")
    assert elsewhere.exit_code == 2
    assert "danqing edit --help" in elsewhere.stderr
    assert "Did you mean degrade" in run("degrad").stderr


def test_a_command_goes_before_a_group_of_its_name() -> None:
    assert "PICTURES..." in run("compress", "--help").stdout
