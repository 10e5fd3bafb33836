"""Every alarm speaks and keeps its history; the alarms are found by walking their folder in every root."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from danqing.core.menu import modules_in
from danqing.training.alarm import ALARMS, Alarm, known_alarms

PAGE = Path(__file__).parents[2] / "docs" / "doctor.md"


@pytest.mark.parametrize("name", known_alarms())
def test_it_speaks_and_keeps_its_history_as_json(name: str) -> None:
    alarm = known_alarms()[name]()
    assert alarm.words
    assert alarm.remedy
    history = json.loads(json.dumps(alarm.to_json(), allow_nan=False))
    assert type(alarm).from_json(history) == alarm


@pytest.mark.parametrize("name", known_alarms())
def test_it_watches_or_looks(name: str) -> None:
    made = known_alarms()[name]
    assert made.watch is not Alarm.watch or made.look is not Alarm.look


def test_every_file_holds_one() -> None:
    assert {each.rpartition(".")[2].replace("_", "-") for each in modules_in(ALARMS)} == set(known_alarms())


OURS = [name for name, alarm in known_alarms().items() if alarm.__module__.startswith("danqing.")]


@pytest.mark.parametrize("name", OURS)
def test_the_page_says_what_the_doctor_does(name: str) -> None:
    row = next(line for line in PAGE.read_text("utf-8").splitlines() if line.startswith(f"| `{name}` |"))
    cure = known_alarms()[name].cure
    done = row.split("|")[-2]
    assert ("tells" in done) == (cure is None)
    if cure is not None:
        told = {f"rate × {cure.rate:g}": cure.rate != 1, f"γ × {cure.gamma:g}": cure.gamma != 1}
        told[f"+ {cure.chance:g}"] = cure.chance != 0
        assert all((words in done) == there for words, there in told.items())
