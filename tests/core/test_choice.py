"""The quickest way is found by processor time, also beside a busy neighbour, and remembered."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from danqing.core.learned import choice
from danqing.core.learned.choice import Choice, deciding, quickest


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DANQING_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


class Clocks:
    """Stands for the module time: what a way takes is what it says that it takes."""

    def __init__(self) -> None:
        self.processor = self.wall = self.asked = 0.0  # s; asked: what another device has still to do

    def process_time(self) -> float:
        return self.processor

    def perf_counter(self) -> float:
        return self.wall

    def work(self, seconds: float, waited: float = 0.0) -> Callable[[], None]:
        def done() -> None:
            self.processor += seconds
            self.wall += seconds + waited

        return done

    def ask(self, seconds: float) -> Callable[[], None]:
        """Work for another device: the processor has done at once what it has to do."""

        def done() -> None:
            self.processor += 1 / seconds
            self.asked += seconds

        return done

    def synchronize(self, device: torch.device) -> None:
        self.wall, self.asked = self.wall + self.asked, 0.0


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    clocks = Clocks()
    monkeypatch.setattr(choice, "time", clocks)
    return clocks


@pytest.fixture
def graphics(clocks: Clocks, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A graphics processor, of the name that stands in the list."""
    names = ["one"]
    monkeypatch.setattr(torch.accelerator, "synchronize", clocks.synchronize)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: names[0])
    return names


def test_a_busy_neighbour_does_not_mislead(clocks: Clocks) -> None:
    waits = iter(range(100))
    ways = {"much": clocks.work(2), "little": lambda: clocks.work(1, 10 * next(waits))()}
    assert quickest(ways, 1) == Choice("little", {"much": 2, "little": 1})


@pytest.mark.usefixtures("graphics")
def test_another_device_is_waited_for(clocks: Clocks) -> None:
    ways = {"much": clocks.ask(4), "little": clocks.ask(2)}
    assert quickest(ways, 1, torch.device("cuda")) == Choice("little", {"much": 4, "little": 2})


def test_each_device_has_its_own_choice(clocks: Clocks, graphics: list[str]) -> None:
    calls: list[str] = []

    def choose(device: str) -> bool:
        calls.clear()
        quickest({"a": lambda: calls.append("a"), "b": clocks.work(1)}, 1, torch.device(device))
        return bool(calls)

    assert choose("cpu")
    assert not choose("cpu")
    assert choose("cuda")
    assert not choose("cuda")
    graphics[0] = "another"
    assert choose("cuda")


def test_parameters_decide_by_shape_not_by_strength() -> None:
    config = {"width": 8, "loss": "hinge", "gamma": 2.0, "naming": 0.0, "strength": None}
    assert deciding(config) == deciding({**config, "gamma": 0.5, "strength": 3.0})
    for other in ({"width": 9}, {"loss": "wasserstein"}, {"naming": 0.5}, {"gamma": 0.0}):
        assert deciding(config) != deciding({**config, **other})


def test_what_was_found_is_remembered_by_machine_and_work(cache: Path, clocks: Clocks) -> None:
    calls: list[str] = []
    ways = {"a": lambda: calls.append("a"), "b": lambda: [calls.append("b"), clocks.work(3)()]}
    first = quickest(ways, {"shape": [1, 2]})
    assert first.name == "a"
    calls.clear()
    assert quickest(ways, {"shape": [1, 2]}) == first
    assert not calls
    quickest(ways, {"shape": [2, 2]})
    assert calls
    for file in (cache / "choices").iterdir():
        file.write_text("{")
    calls.clear()
    quickest(ways, {"shape": [1, 2]})
    assert calls


def test_a_cache_that_cannot_be_written_is_done_without(cache: Path, clocks: Clocks) -> None:
    cache.write_text("in the way")
    assert quickest({"much": clocks.work(6), "little": clocks.work(1)}, 1).name == "little"
