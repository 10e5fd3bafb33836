"""A picture passes through few files of core on its way from the disk to the disk, and none of them is long."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from danqing.core.menu import PACKAGE

TOOLS = Path(__file__).parents[2] / "tools"
MOST = 16
LONGEST = 250  # lines


@pytest.fixture
def hops(monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.syspath_prepend(TOOLS)
    import hops

    yield hops
    sys.modules.pop("hops")


def test_a_picture_passes_through_few_files(hops: object) -> None:
    passed = hops.hops(PACKAGE / "core", hops.median)  # type: ignore[attr-defined]
    assert {"pictures/reading.py", "pictures/writing.py", "runs/run.py"} < set(passed)
    assert len(passed) <= MOST, sorted(passed)


def test_the_picture_is_known_wherever_it_is(hops: object, tmp_path: Path) -> None:
    watch = hops.Hops(PACKAGE, {str(tmp_path / "a.png")})  # type: ignore[attr-defined]
    pixels = torch.zeros(1, 3, *hops.SIDE)  # type: ignore[attr-defined]
    for carried in (
        tmp_path / "a.png",
        str(tmp_path / "a.png"),
        pixels,
        pixels.numpy(),
        bytes(100),
        [pixels],
        {1: pixels},
    ):
        assert watch.carries(carried)
    for other in (tmp_path, "a.png", torch.zeros(3), np.zeros(4), b"\x89PNG", None, 3, [[pixels]]):
        assert not watch.carries(other)


def test_no_file_of_core_is_long() -> None:
    lengths = {file: len(file.read_text("utf-8").splitlines()) for file in (PACKAGE / "core").rglob("*.py")}
    assert [file.name for file, lines in lengths.items() if lines > LONGEST] == []
