"""The demonstration, with a budget of seconds: everything it promises is there, and its page needs nothing else."""

import re
from pathlib import Path

import pytest

from danqing.core.errors import OutputError
from danqing.core.pictures.reading import read
from danqing.core.progress import finish
from danqing.core.runs.replay import replay
from danqing.tasks.demo import demo


@pytest.mark.slow
def test_it_leaves_a_page_that_stands_alone(tmp_path: Path) -> None:
    page = Path(demo(tmp_path / "demo", "640pictures").numbers[0]["report"])
    for name in ("model.safetensors", "grid.png", "run/film.webp", "neighbours.png", "scores.json", "run/curves.png"):
        assert (page.parent / name).stat().st_size > 0, name
    assert [file.name for file in page.parent.rglob("film*")] == ["film.webp"]
    text = page.read_text("utf-8")
    assert text.count("data:image/") == 4
    assert not re.findall(r"(?:src|href)=\"(?!data:)", text)
    assert "http" not in re.sub(r"data:[^\"]+", "", text)  # pictures are letters that may spell anything
    assert read(page.parent / "grid.png").pixels.shape[3] >= 10 * 28
    assert finish(replay(page.parent / "grid.png", tmp_path / "again.png")).identical
    with pytest.raises(OutputError, match="--force"):
        demo(tmp_path / "demo", "640pictures")
