import re

import pytest

from danqing.core.errors import ParameterError
from danqing.core.fields.budget import Budget, BudgetKind, Spent


@pytest.mark.parametrize(
    ("text", "currency", "amount"),
    [
        ("90s", "seconds", 90),
        ("10m", "seconds", 600),
        ("1.5h", "seconds", 5400),
        ("500kimg", "pictures", 500_000),
        ("20000pictures", "pictures", 20_000),
        ("20 epochs", "epochs", 20),
        ("1epoch", "epochs", 1),
    ],
)
def test_reads_what_people_write(text: str, currency: str, amount: float) -> None:
    assert Budget.parse(text) == Budget(currency, amount)  # type: ignore[arg-type]


def test_a_share_is_of_the_other_budget() -> None:
    assert Budget.parse("10%", of=Budget.parse("20m")) == Budget("seconds", 120)


@pytest.mark.parametrize(
    "text", ["0", "0s", "0m", "-5m", "ten minutes", "", "5", "5%", "10 parsecs", "nan s", "9" * 400 + "h"]
)
def test_refuses_nothing_and_nonsense(text: str) -> None:
    with pytest.raises(ParameterError, match="budget"):
        Budget.parse(text)


def test_share_counts_its_own_currency() -> None:
    spent = Spent(seconds=30, pictures=2000, epochs=0.5)
    assert Budget.parse("1m").share(spent) == 0.5
    assert Budget.parse("4kimg").share(spent) == 0.5
    assert Budget.parse("2epochs").share(spent) == 0.25


@pytest.mark.parametrize("text", ["90s", "10m", "36h", "2d", "500kimg", "3mimg", "20001pictures", "20epochs", "1.5s"])
def test_says_what_it_reads(text: str) -> None:
    assert Budget.parse(text).text() == text


@pytest.mark.parametrize(
    ("text", "factor", "other"), [("500KIMG", 2, "1mimg"), ("1 min", 2, "2m"), ("1.5 Epochs", 2, "3epochs")]
)
def test_is_multiplied_however_it_was_written(text: str, factor: float, other: str) -> None:
    assert Budget.parse(text).times(factor).text() == other


def test_says_every_amount_exactly() -> None:
    budget = Budget.parse("10m").times(1 / 45 / 10_000_000)
    assert Budget.parse(budget.text()) == budget


LASTING = ("90s", "90 SEC", " 10m ", "2min", "1.5h", "2d", "20pictures", "3img", "500kImG", "1mimg", "2 epochs",
           "1epoch", "0.0000000000013s")  # fmt: skip
NONE = ("0%", "0.0s", "0", "5", "-5m", ".5h", "5.h", "5 parsecs", "", "٣m", "9" * 400 + "h")


@pytest.mark.parametrize(
    ("text", "is_share"), [*((text, False) for text in LASTING), *((text, True) for text in (*LASTING, "10%"))]
)
def test_its_schema_takes_what_it_takes(text: str, is_share: bool) -> None:
    kind = BudgetKind(is_share)
    assert kind.check(text, "every") == text
    assert re.search(kind.json_schema()["pattern"], text)


@pytest.mark.parametrize(
    ("text", "is_share"), [*((text, True) for text in NONE), *((text, False) for text in (*NONE, "10%"))]
)
def test_its_schema_refuses_what_it_refuses(text: str, is_share: bool) -> None:
    kind = BudgetKind(is_share)
    with pytest.raises(ParameterError, match=r"^every: "):
        kind.check(text, "every")
    assert not re.search(kind.json_schema()["pattern"], text)
