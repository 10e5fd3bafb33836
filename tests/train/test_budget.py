import pytest

from danqing.core.errors import ParameterError
from danqing.training.budget import Budget, Spent


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


@pytest.mark.parametrize("text", ["0", "0s", "0m", "-5m", "ten minutes", "", "5", "5%", "10 parsecs", "nan s"])
def test_refuses_nothing_and_nonsense(text: str) -> None:
    with pytest.raises(ParameterError, match="budget"):
        Budget.parse(text)


def test_share_counts_its_own_currency() -> None:
    spent = Spent(seconds=30, pictures=2000, epochs=0.5)
    assert Budget.parse("1m").share(spent) == 0.5
    assert Budget.parse("4kimg").share(spent) == 0.5
    assert Budget.parse("2epochs").share(spent) == 0.25
