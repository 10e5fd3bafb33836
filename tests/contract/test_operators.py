"""Every operator keeps every promise; the operators are found by walking the registry."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import promises
import pytest
import samples
from samples import runs

from danqing.core.menu import operators
from danqing.core.operators.operator import Operator, operator_named


@pytest.mark.parametrize("promise", promises.WORDS, ids=lambda promise: promise.__name__)
@pytest.mark.parametrize("name", operators())
def test_promise_in_words(name: str, promise: Callable[[Operator], None]) -> None:
    promise(operator_named(name))


@pytest.mark.parametrize("promise", promises.DEEDS, ids=lambda promise: promise.__name__)
@pytest.mark.parametrize("name", operators())
def test_promise_in_deeds(name: str, promise: Callable[[Operator], None]) -> None:
    op = operator_named(name)
    if runs(op):
        promise(op)


@pytest.fixture
def more_settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As many settings of each operator as are drawn at most, whether they show other choices or not."""
    monkeypatch.setattr(samples, "LEAST", samples.MOST)
    samples.settings.cache_clear()
    yield
    samples.settings.cache_clear()


@pytest.mark.slow
@pytest.mark.usefixtures("more_settings")
@pytest.mark.parametrize("name", [name for name in operators() if not operator_named(name).is_long])
def test_promises_are_kept_at_more_settings(name: str) -> None:
    op = operator_named(name)
    if runs(op):
        for promise in promises.DEEDS:
            promise(op)


@pytest.mark.parametrize("entry", operators().values(), ids=lambda entry: entry.name)
def test_the_menu_says_what_the_operator_is(entry: object) -> None:
    op = operator_named(entry.name)
    assert (op.name, op.group, op.summary) == (entry.name, entry.group, entry.summary)


def test_the_deeds_are_done_by_somebody() -> None:
    """Guard against a walk that skips everything."""
    running = [name for name in operators() if runs(operator_named(name))]
    assert len(running) >= 8
    assert any(operator_named(name).reach is not None for name in running)
