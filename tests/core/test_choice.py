"""The quickest way is found by processor time, also beside a busy neighbour, and remembered."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from danqing.core.learned.choice import quickest


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DANQING_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def neighbours() -> Iterator[None]:
    """Programs that take every core while a test runs."""
    burn = "print(1, flush=True)\nwhile True: sum(range(100_000))"
    started = [subprocess.Popen([sys.executable, "-c", burn], stdout=subprocess.PIPE) for _ in range(3)]
    for each in started:
        assert each.stdout is not None
        assert each.stdout.readline()
    yield
    for each in started:
        each.kill()
        each.communicate()


def work(times: int) -> Callable[[], None]:
    def done() -> None:
        for _ in range(times * 20_000):
            pass

    return done


@pytest.mark.usefixtures("neighbours")
def test_a_busy_neighbour_does_not_mislead() -> None:
    for number in range(3):
        assert quickest({"much": work(8), "little": work(4)}, number, remember=False).name == "little"


def test_what_was_found_is_remembered_by_machine_and_work(cache: Path) -> None:
    calls: list[str] = []
    ways = {"a": lambda: calls.append("a"), "b": lambda: [calls.append("b"), work(3)()]}
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


def test_a_cache_that_cannot_be_written_is_done_without(cache: Path) -> None:
    cache.write_text("in the way")
    assert quickest({"much": work(6), "little": work(1)}, 1).name == "little"
