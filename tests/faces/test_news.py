"""What a job has to tell at once stands on the screen at once, whatever comes after."""

from __future__ import annotations

import pytest

from danqing.core.progress import Job, Progress, finish, shared
from danqing.faces.screen import Screen


def work() -> Job[None]:
    yield Progress(1, 3, "at work")
    yield Progress(2, 3, "at work", news="Step 7: it broke\n  What helps: \x1b[31mless")
    yield Progress(3, 3, "at work")


def test_news_is_told_at_once_and_in_legible_letters(capsys: pytest.CaptureFixture[str]) -> None:
    with Screen().bar() as show:
        finish(work(), show)
    told = capsys.readouterr().err
    assert told == "! Step 7: it broke\n  What helps: \\x1b[31mless\n"


def test_news_of_a_part_is_that_of_the_whole() -> None:
    told: list[Progress] = []
    finish(shared(work(), 0.5, 0.5, "second half"), told.append)
    assert [progress.news for progress in told if progress.news] == ["Step 7: it broke\n  What helps: \x1b[31mless"]


def test_who_asks_for_quiet_has_it(capsys: pytest.CaptureFixture[str]) -> None:
    with Screen(quiet=True).bar() as show:
        finish(work(), show)
    assert capsys.readouterr().err == ""
