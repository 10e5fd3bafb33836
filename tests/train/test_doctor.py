import math

import pytest
import torch

from danqing.core.errors import TrainingFailed
from danqing.train.doctor import COLLAPSE_FROM, COLLAPSE_PATIENCE, CRITIC_PATIENCE, MAX_ROLLBACKS, Doctor, diversity

LATE = COLLAPSE_FROM


def test_diversity_is_the_mean_distance_of_different_rows() -> None:
    assert diversity(torch.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 0.0]])) == pytest.approx((5 + 5 + 0) / 3)


def test_broken_numbers_are_seen() -> None:
    assert Doctor().healthy({"critic": 1e30})
    assert not Doctor().healthy({"critic": 1.0, "painter": math.nan})
    assert not Doctor().healthy({"critic": math.inf})


def test_healing_halves_the_rate_and_gives_up_in_the_end() -> None:
    doctor = Doctor()
    rates = []
    for _ in range(MAX_ROLLBACKS):
        doctor.heal(7)
        rates.append(doctor.rate)
    assert rates == [0.5**n for n in range(1, MAX_ROLLBACKS + 1)]
    with pytest.raises(TrainingFailed, match="Lower --lr"):
        doctor.heal(7)


def test_a_good_checkpoint_starts_the_count_anew_but_keeps_the_rate() -> None:
    doctor = Doctor()
    for _ in range(3 * MAX_ROLLBACKS):
        doctor.heal(7)
        doctor.recovered()
    assert doctor.rate == 0.5 ** (3 * MAX_ROLLBACKS)


def test_the_critic_wins_only_after_a_long_time_of_telling_nearly_all_apart() -> None:
    doctor = Doctor()
    row = [doctor.watch(step, {"critic_accuracy": 1.0}) for step in range(300)]
    assert not any(row[: CRITIC_PATIENCE + 100])  # the running mean must rise first
    doctor.watch(300, {"critic_accuracy": 0.4})  # one step of doubt, and the count begins anew
    alarms = [doctor.watch(step, {"critic_accuracy": 0.9999}) for step in range(1000)]
    fired = [alarm for alarm in alarms if alarm is not None]
    assert [alarm.name for alarm in fired] == ["critic-wins"]
    assert fired[0].step > CRITIC_PATIENCE
    assert "--lr" in fired[0].remedy


def test_a_critic_that_errs_now_and_then_is_no_winner() -> None:
    doctor = Doctor()
    assert not any(doctor.watch(step, {"critic_accuracy": 0.98}) for step in range(5000))


def test_families_without_a_critic_raise_no_alarm() -> None:
    doctor = Doctor()
    assert all(doctor.watch(step, {}) is None for step in range(2 * CRITIC_PATIENCE))


def test_collapse_is_less_variety_than_the_data_twice_in_a_row() -> None:
    rng = torch.Generator().manual_seed(0)
    real = torch.randn(32, 8, generator=rng)
    doctor = Doctor()
    assert doctor.look(1, LATE, real[:1].repeat(32, 1) + 0.01 * real, real) is None
    assert doctor.look(2, LATE, real.flip(0), real) is None  # recovered
    looks = [doctor.look(step, LATE, 0.1 * real, real) for step in range(COLLAPSE_PATIENCE)]
    assert [alarm.name for alarm in looks if alarm] == ["collapse"]


def test_young_models_may_repeat_themselves() -> None:
    real = torch.randn(32, 8, generator=torch.Generator().manual_seed(0))
    assert all(Doctor().look(step, COLLAPSE_FROM - 1, 0.1 * real, real) is None for step in range(9))


def test_data_without_variety_is_told_apart_from_collapse() -> None:
    alarm = Doctor().look(1, 0, torch.randn(8, 4), torch.ones(8, 4))
    assert alarm is not None
    assert alarm.name == "no-variety"


def test_history_survives_a_file() -> None:
    doctor = Doctor()
    doctor.heal(3)
    assert Doctor(**doctor.to_json()) == doctor
