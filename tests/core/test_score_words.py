"""Scores are read as people know them: more is better, with their unit, the ends of intervals in their order."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from danqing.core.learned.card import bundled, read_card
from danqing.core.learned.score_words import as_read
from danqing.faces.tables import table_of
from danqing.training.curves import draw_curves


def test_what_is_negated_in_files_is_turned_round() -> None:
    scores = {"-psnr": -35.2, "psnr_before": 32.6, "-mAP": -0.4, "-mAP_low": -0.5, "-mAP_high": -0.3, "loss": 0.1}
    read = {"PSNR, dB": 35.2, "PSNR before, dB": 32.6, "mAP": 0.4, "mAP_high": 0.5, "mAP_low": 0.3, "loss": 0.1}
    assert as_read(scores) == read


@pytest.mark.parametrize(
    "figures", [{"-1": 20.5}, {"-": 1.0}, {"-b": "words", "--c": 2.0}, {"-psnr": None}, {"psnr": {"a": 1}}, {}]
)
def test_all_else_stays(figures: dict[str, object]) -> None:
    assert as_read(figures) == figures


def test_no_table_of_a_card_shows_a_minus_before_a_name() -> None:
    for name, file in bundled().items():
        out = StringIO()
        scores = read_card(file)["scores"]
        Console(file=out, width=100).print(table_of([{"name": name, "scores": scores}], 100))
        assert "-psnr" not in out.getvalue()
        if "-psnr" in scores:
            assert f"PSNR, dB         {-scores['-psnr']:.5g}" in out.getvalue(), "and files keep their fields"


def test_curves_say_which_way_is_better(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[tuple[str, list[str]]] = []
    monkeypatch.setattr(
        "danqing.training.curves._draw_panel", lambda axes, title, series, events: drawn.append((title, list(series)))
    )
    for scores, told in (
        ('{"-psnr": -20.5, "psnr_before": 18.0}', ("PSNR, dB more", ["PSNR, dB", "PSNR before, dB"])),
        ('{"sketch_distance": 0.5}', ("sketch_distance less", ["sketch_distance"])),
    ):
        log = tmp_path / "log.jsonl"
        log.write_text(f'{{"step": 1, "seen": 8, "scores": {scores}}}\n{{"step": 2, "seen": 16, "scores": {scores}}}\n')
        draw_curves(log, tmp_path / "curves.png")
        assert drawn.pop() == (f"scores on held-out pictures (of {told[0]} is better)", told[1])
