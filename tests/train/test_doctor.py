import math

import pytest
import torch

from danqing.core.errors import TrainingFailed
from danqing.training.alarm import Moment, View
from danqing.training.alarms import collapse, critic_wins
from danqing.training.diversity import diversity
from danqing.training.doctor import MAX_CURES, MAX_ROLLBACKS, Doctor

LATE = collapse.FROM
BREAK = Moment(7, 0, {"loss": math.nan}, {})


def watched(doctor: Doctor, step: int, told: float) -> list[str]:
    return [finding.name for finding in doctor.watch(Moment(step, step, {}, {"critic_accuracy": told}))]


def broken(doctor: Doctor) -> Doctor:
    """The doctor after a step that broke, back at the beginning."""
    finding = doctor.breaks(BREAK)
    assert finding is not None
    return doctor.treated(finding, Doctor())


def looked(doctor: Doctor, seen: int, painted: torch.Tensor, real: torch.Tensor) -> list[str]:
    return [finding.name for finding in doctor.look(View(1, seen, painted, real))]


def test_diversity_is_the_mean_distance_of_different_rows() -> None:
    assert diversity(torch.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 0.0]])) == pytest.approx((5 + 5 + 0) / 3)


def test_broken_numbers_are_seen() -> None:
    assert Doctor().breaks(Moment(1, 1, {"critic": 1e30}, {})) is None
    for losses, broken in (({"critic": 1.0, "painter": math.nan}, ""), ({"critic": math.inf}, ""), ({}, "model.bias")):
        finding = Doctor().breaks(Moment(1, 1, losses, {}, broken))
        assert finding is not None
        assert finding.name == "non-finite"


def test_healing_halves_the_rate_and_gives_up_in_the_end() -> None:
    doctor, rates = Doctor(), []
    for _ in range(MAX_ROLLBACKS):
        doctor = broken(doctor)
        rates.append(doctor.rate)
    assert rates == [0.5**n for n in range(1, MAX_ROLLBACKS + 1)]
    with pytest.raises(TrainingFailed, match="Lower --lr"):
        broken(doctor)


def test_a_good_checkpoint_starts_the_count_anew_but_keeps_the_rate() -> None:
    doctor = Doctor()
    for _ in range(3 * MAX_ROLLBACKS):
        doctor = broken(doctor)
        doctor.recovered()
    assert doctor.rate == 0.5 ** (3 * MAX_ROLLBACKS)


def test_the_critic_wins_only_after_a_long_time_of_telling_nearly_all_apart() -> None:
    doctor = Doctor()
    row = [watched(doctor, step, 1.0) for step in range(300)]
    assert not any(row[: critic_wins.PATIENCE + 100])  # the running mean must rise first
    watched(doctor, 300, 0.4)  # one step of doubt, and the count begins anew
    fired = [step for step in range(1000) if watched(doctor, step, 0.9999)]
    assert len(fired) == 1, "an alarm is raised once"
    assert fired[0] > critic_wins.PATIENCE
    assert doctor.raised == ["critic-wins"]


def test_a_doctor_who_acts_cures_again_and_again_until_cures_are_spent() -> None:
    doctor, real = Doctor(), torch.randn(32, 8, generator=torch.Generator().manual_seed(0))
    rates, gammas = [], []
    for _ in range(MAX_CURES):
        assert doctor.look(View(1, LATE, 0.1 * real, real), "act") == []
        (finding,) = doctor.look(View(2, LATE, 0.1 * real, real), "act")[:1]
        assert finding.cure == collapse.Collapse.cure
        doctor = doctor.treated(finding, Doctor())
        rates.append(doctor.rate)
        gammas.append(doctor.gamma)
        assert doctor.calm, "the run goes on from where nothing was amiss"
    assert (rates, gammas) == ([0.5, 0.25, 0.125, 0.0625], [2, 4, 8, 16])
    assert not [found for _ in range(9) for found in doctor.look(View(3, LATE, 0.1 * real, real), "act") if found.cure]


def test_a_doctor_who_watches_only_tells() -> None:
    doctor, real = Doctor(), torch.randn(32, 8, generator=torch.Generator().manual_seed(0))
    found = [each for _ in range(4) for each in doctor.look(View(1, LATE, 0.1 * real, real), "watch")]
    assert [each.cure for each in found] == [None] * len(found)
    assert found[0].remedy


def test_a_critic_that_errs_now_and_then_is_no_winner() -> None:
    doctor = Doctor()
    assert not any(watched(doctor, step, 0.98) for step in range(5000))


def test_families_without_a_critic_raise_no_alarm() -> None:
    doctor = Doctor()
    assert not any(doctor.watch(Moment(step, step, {}, {})) for step in range(2 * critic_wins.PATIENCE))


def test_collapse_is_less_variety_than_the_data_twice_in_a_row() -> None:
    real = torch.randn(32, 8, generator=torch.Generator().manual_seed(0))
    doctor = Doctor()
    assert looked(doctor, LATE, real[:1].repeat(32, 1) + 0.01 * real, real) == []
    assert looked(doctor, LATE, real.flip(0), real) == []  # recovered
    assert [looked(doctor, LATE, 0.1 * real, real) for _ in range(collapse.PATIENCE)][-1] == ["collapse"]


def test_young_models_may_repeat_themselves() -> None:
    real = torch.randn(32, 8, generator=torch.Generator().manual_seed(0))
    assert all(looked(Doctor(), LATE - 1, 0.1 * real, real) == [] for _ in range(9))


def test_data_without_variety_is_told_apart_from_collapse() -> None:
    doctor = Doctor()
    assert looked(doctor, LATE, torch.ones(8, 4), torch.ones(8, 4)) == ["no-variety"]
    assert looked(doctor, LATE, torch.ones(8, 4), torch.ones(8, 4)) == []


def test_history_survives_a_file() -> None:
    doctor, real = Doctor(), torch.randn(32, 8, generator=torch.Generator().manual_seed(0))
    doctor = broken(doctor)
    looked(doctor, LATE, 0.1 * real, real)
    for step in range(300):
        watched(doctor, step, 1.0)
    again = Doctor.from_json(doctor.to_json())
    assert again == doctor
    assert again.to_json()["alarms"]["collapse"] == {"alike": 1}


def test_what_a_history_does_not_know_begins_anew() -> None:
    old = {"rate": 0.5, "rollbacks": 1, "raised": ["collapse"], "accuracy": 0.7, "alarms": {"gone": {"count": 3}}}
    doctor = Doctor.from_json(old)
    assert (doctor.rate, doctor.rollbacks, doctor.raised) == (0.5, 1, ["collapse"])
    assert doctor.alarms == Doctor().alarms
