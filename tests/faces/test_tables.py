"""Results at a terminal: as wide as it is, each word whole, nothing told twice."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from danqing.faces.tables import WORD, table_of

MEANS = "share of samples within the reach of a real picture"
SCORE: dict[str, Any] = {"value": 0.6180339887, "low": 0.5, "high": 0.7, "real": 0.5}
BETTER = ("as real", "higher", "higher")
SHARED = {"samples": 2000, "against": "held-out", "features": "mobilenet-v2", "weights": 64 * "d", "resize": "to 128"}


def shown(value: Any, width: int) -> list[str]:
    out = io.StringIO()
    Console(file=out, width=width, emoji=False, markup=False, highlight=False).print(table_of(value, width))
    return [line.rstrip() for line in out.getvalue().splitlines()]


def scores(*names: str) -> list[dict[str, Any]]:
    rows = zip(names, BETTER, strict=True)
    return [{"score": name, **SCORE, "better": better, "means": MEANS, **SHARED} for name, better in rows]


@pytest.mark.parametrize("width", [80, 100])
def test_scores_are_a_line_each_and_what_all_share_is_told_once(width: int) -> None:
    lines = shown(scores("precision", "class_accuracy of 3", "class_accuracy of 4"), width)
    heads = [line.split() for line in lines[:4]]
    assert heads[0] == ["score", "value", "low", "high", "real", "better"]
    assert heads[2] == ["class_accuracy", "of", "3", "0.61803", "0.5", "0.7", "0.5", "higher"]
    text = " ".join(" ".join(lines).split())
    assert [text.count(each) for each in (MEANS, 64 * "d", "mobilenet-v2")] == [1, 1, 1]
    assert max(map(len, lines)) <= width


def test_what_has_room_is_one_table() -> None:
    lines = shown([{"hex": "#a2c9f7", "share": 0.2}, {"hex": "#ebba88", "share": 0.2}], 80)
    assert [line.split() for line in lines] == [["hex", "share"], ["#a2c9f7", "0.2"], ["#ebba88", "0.2"]]


def test_rows_that_have_no_room_beside_each_other_stand_one_below_another() -> None:
    rows = [{f"column{at:02}": f"{row}{at:09}" for at in range(12)} for row in range(2)]
    lines = shown(rows, 60)
    assert lines[0].split() == ["column00", "0000000000"]
    assert lines[12] == ""
    assert lines[13].split() == ["column00", "1000000000"]


def test_rows_of_several_parts_are_set_apart() -> None:
    lines = shown([{"name": "a", "scores": {"loss": 0.5}}, {"name": "b", "scores": {"loss": 0.25}}], 80)
    assert [line.split() for line in lines] == [
        ["name", "a"], ["scores", "loss", "0.5"], [], ["name", "b"], ["scores", "loss", "0.25"],
    ]  # fmt: skip


def test_only_words_longer_than_a_column_needs_to_be_are_broken() -> None:
    rows = [{"picture": f"{at}/" + 60 * "x", "sigma": 0.5 + at, "method": "learned"} for at in range(3)]
    lines = shown(rows, 60)
    assert lines[0].split() == ["picture", "sigma", "method"]
    assert sum("learned" in line for line in lines) == 3
    assert max(len(word) for line in lines for word in line.split()) >= WORD
