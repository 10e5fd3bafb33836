"""Runs that are made to go wrong: the doctor must say so; and a healthy one, of which it must say nothing."""

from pathlib import Path
from typing import Any

import pytest

import danqing
from danqing.core.progress import finish
from danqing.data.store import pack
from danqing.training.record import read_log

RUN: dict[str, Any] = {"budget": "50kimg", "every": "5%", "precision": "fp32", "batch": 64, "doctor": "watch"}


def events(out: Path, **values: Any) -> set[str]:
    result = danqing.train("mlpgan", "digits", **{**RUN, **values}, out=out)
    return {entry["event"] for entry in read_log(result.folder / "log.jsonl") if "event" in entry}


UNLEASHED: dict[str, Any] = {
    "loss": "non-saturating", "penalty": "none", "conditional": False, "schedule": "constant", "budget": "100kimg",
}  # fmt: skip


@pytest.mark.slow
def test_a_critic_without_a_leash_wins(tmp_path: Path) -> None:
    assert "critic-wins" in events(tmp_path, **UNLEASHED, lr=0.05)


@pytest.mark.slow
def test_a_painter_driven_too_hard_collapses(tmp_path: Path) -> None:
    assert "collapse" in events(tmp_path, **UNLEASHED, lr=0.02)


@pytest.mark.slow
def test_a_handful_of_pictures_is_learned_by_heart(tmp_path: Path) -> None:
    """Twelve digits, and nothing done against it: the critic knows them, and the painter copies them."""
    some = finish(pack("digits", size=28, split="train")).take(range(16))
    for at, x in enumerate(some.x):
        danqing.write(x[None], tmp_path / "few" / ("test" if at % 4 == 3 else "train") / f"{at}.png")
    few = {"critic_augment": "none", "width": 8, "critic_width": 16, "budget": "20kimg", "batch": 12}
    result = danqing.train("dcgan", tmp_path / "few", **{**RUN, **few}, out=tmp_path / "run")
    assert {"near-copies", "critic-overfits"} & set(result.summary["alarms"])


@pytest.mark.slow
def test_a_healthy_run_is_left_in_peace(tmp_path: Path) -> None:
    assert events(tmp_path) == set()


@pytest.mark.slow
@pytest.mark.parametrize("rate", [0.05, 0.02])
def test_a_treated_run_ends_better_than_an_untreated_one(rate: float, tmp_path: Path) -> None:
    """At equal cost: what is taken back counts in the budget."""
    ends = {}
    for manner in ("watch", "act"):
        values = {**RUN, **UNLEASHED, "budget": "60kimg", "lr": rate, "doctor": manner}
        result = danqing.train("mlpgan", "digits", **values, out=tmp_path / manner)
        entries = list(read_log(result.folder / "log.jsonl"))
        scores = [entry["scores"]["sketch_distance"] for entry in entries if entry.get("scores")]
        ends[manner] = scores[-1]
        back = [(entry["event"], entry["at_step"], entry.get("back_to")) for entry in entries if "event" in entry]
        print(rate, manner, [round(score, 2) for score in scores], back)
    assert ends["act"] < ends["watch"]
