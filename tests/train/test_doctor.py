import math
from typing import Any

import pytest
import torch

from danqing.core.errors import TrainingFailed
from danqing.training.alarm import Alarm, Beside, Moment, View
from danqing.training.alarms import critic_wins
from danqing.training.alarms.collapse import Collapse
from danqing.training.alarms.colours_narrow import ColoursNarrow
from danqing.training.alarms.critic_overfits import CriticOverfits
from danqing.training.alarms.diversity_falls import DiversityFalls
from danqing.training.alarms.mode_drift import ModeDrift
from danqing.training.alarms.near_copies import NearCopies
from danqing.training.alarms.no_progress import NoProgress
from danqing.training.alarms.repeated_grid import RepeatedGrid
from danqing.training.alarms.scores_fall import ScoresFall
from danqing.training.copies import limit_of
from danqing.training.diversity import diversity
from danqing.training.doctor import LEAST_RATE, MAX_CURES, MAX_ROLLBACKS, REST, Course, Cure, Doctor, Finding

LATE = Collapse.begins_at
LOOK = torch.randn(32, 8, generator=torch.Generator().manual_seed(0))
BREAK = Moment(7, 0, {"loss": math.nan}, {})


def watched(doctor: Doctor, step: int, told: float) -> list[str]:
    return [finding.name for finding in doctor.watch(Moment(step, step, {}, {"critic_accuracy": told}))]


def broken(doctor: Doctor) -> Doctor:
    """The doctor after a step that broke, back at the beginning."""
    finding = doctor.breaks(BREAK)
    assert finding is not None
    return doctor.treated(finding, Doctor(), Course(0))


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


@pytest.mark.parametrize("penalised", [True, False])
def test_a_critic_that_wins_is_held_back_before_the_rate_is_lowered(penalised: bool) -> None:
    doctor = Doctor()
    found = [
        each for step in range(800) for each in doctor.watch(Moment(step, step, {}, {"critic_accuracy": 1.0}), "act")
    ]
    after = doctor.treated(found[0], Doctor(), Course(0, penalised))
    assert (after.rate, after.gamma) == ((1.0, 4.0) if penalised else (0.4, 4.0))


@pytest.mark.parametrize(
    ("cure", "usual", "rate"),
    [
        (Cure(gamma=4.0), 2.5, 2.5),  # the critic wins: a rate that is too low comes back to the family's own …
        (Cure(gamma=4.0), 0.2, 0.2),
        (Cure(gamma=4.0), 50.0, 4.0),  # … but not at once
        (Cure(rate=0.4, gamma=3.0), 2.5, 0.4),
        (Cure(rate=0.4, gamma=3.0), 0.04, 0.4),
        (Cure(chance=0.2), 0.04, 1.0),
    ],
)
def test_a_cure_begins_with_a_rate_that_was_given(cure: Cure, usual: float, rate: float) -> None:
    finding = Finding("critic-wins", 7, "", "", cure)
    course = Course(100, True, usual)
    once = Doctor().treated(finding, Doctor(), course)
    assert once.rate == pytest.approx(rate)
    if once.rate != 1.0:
        twice = once.treated(finding, Doctor(), course)
        assert twice.rate == pytest.approx(max(rate * cure.rate, LEAST_RATE * min(1, usual)))


def test_a_critic_does_not_win_while_the_painter_learns() -> None:
    """Its score came far below the first and is near its best; one that stays, or rises again, is another matter."""
    real = torch.randn(32, 8, generator=torch.Generator().manual_seed(0))

    def rings(*scores: float) -> bool:
        doctor = Doctor()
        for at, score in enumerate(scores):
            doctor.look(View(at, LATE, real, real, scores={"sketch_distance": score}), "watch")
        return any(watched(doctor, step, 1.0) for step in range(800))

    assert not rings(4.8, 0.3, 0.1)
    assert not rings(4.8, 0.3, 0.1, 0.12)
    assert rings(4.8, 4.7, 4.6)
    assert rings(4.8, 0.3, 0.1, 0.6)
    assert rings()


def test_a_doctor_who_acts_cures_again_and_again_until_cures_are_spent() -> None:
    doctor, real = Doctor(), torch.randn(32, 8, generator=torch.Generator().manual_seed(0))
    rates, gammas = [], []
    for _ in range(MAX_CURES):
        assert doctor.look(View(1, LATE, 0.1 * real, real), "act") == []
        (finding,) = doctor.look(View(2, LATE, 0.1 * real, real), "act")[:1]
        assert finding.cure == Collapse.cure
        doctor = doctor.treated(finding, Doctor(), Course(0))
        rates.append(doctor.rate)
        gammas.append(doctor.gamma)
        assert doctor.calm, "the run goes on from where nothing was amiss"
    turns = range(1, MAX_CURES + 1)
    assert rates == pytest.approx([max(0.4**n, LEAST_RATE) for n in turns]), "a painter must still learn"
    assert gammas == pytest.approx([3.0**n for n in turns])
    assert not [found for _ in range(9) for found in doctor.look(View(3, LATE, 0.1 * real, real), "act") if found.cure]


def test_a_cure_has_time_to_work_before_there_is_another() -> None:
    """It is told at once that something is still amiss, or else is; it is cured when the last cure had its time."""
    doctor, real, back_at = Doctor(), torch.randn(32, 8, generator=torch.Generator().manual_seed(0)), LATE

    def cured_at(seen: int) -> bool:
        return any(found.cure for found in doctor.look(View(1, seen, 0.1 * real, real), "act"))

    assert not cured_at(back_at)
    (finding,) = doctor.look(View(2, back_at + 1000, 0.1 * real, real), "act")[:1]
    doctor = doctor.treated(finding, Doctor(), Course(back_at))
    rested = round((1 + REST) * back_at)
    assert not any(cured_at(seen) for seen in range(back_at, rested, 500))
    assert Doctor.from_json(doctor.to_json()).rests_until == rested, "it rests on when the run is resumed"
    assert cured_at(rested)


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
    assert [looked(doctor, LATE, 0.1 * real, real) for _ in range(Collapse.patience)][-1] == ["collapse"]


def test_one_picture_for_each_class_is_a_collapse() -> None:
    """As varied as the classes are, and of each always the same: a run on emoji did so, and no alarm rang."""
    labels, noise = torch.arange(4).repeat(8), torch.randn(32, 8, generator=torch.Generator().manual_seed(0))
    middles = torch.eye(4, 8)[labels] * 4
    real = middles + noise
    assert seen(Collapse(), painted=middles + 0.3 * noise, real=real, labels=labels) == [False, True, True, True]
    assert not any(seen(Collapse(), painted=middles + 0.7 * noise, real=real, labels=labels))
    assert not any(seen(Collapse(), painted=middles + 0.3 * noise, real=real)), "it is not seen where classes are not"
    alone = torch.arange(32)
    assert not any(seen(Collapse(), painted=real, real=real, labels=alone)), "one picture each tells nothing"


def test_young_models_may_repeat_themselves() -> None:
    real = torch.randn(32, 8, generator=torch.Generator().manual_seed(0))
    assert all(looked(Doctor(), LATE - 1, 0.1 * real, real) == [] for _ in range(9))


def test_data_without_variety_is_told_apart_from_collapse() -> None:
    doctor = Doctor()
    assert looked(doctor, LATE, torch.ones(8, 4), torch.ones(8, 4)) == ["no-variety"]
    assert looked(doctor, LATE, torch.ones(8, 4), torch.ones(8, 4)) == []


def seen(alarm: Alarm, **view: Any) -> list[bool]:
    """Whether an alarm rings at each of four looks at the same view, late in a run."""
    usual = torch.randn(32, 8, generator=torch.Generator().manual_seed(0))
    return [alarm.look(View(**{"step": 1, "seen": LATE, "painted": usual, "real": usual, **view})) for _ in range(4)]


def colours(spread: float) -> torch.Tensor:
    """Pictures of one colour each."""
    drawn = torch.rand(64, 3, 1, 1, generator=torch.Generator().manual_seed(0))
    return (0.5 + spread * (drawn - 0.5)).expand(-1, -1, 32, 32)


def test_a_critic_overfits_that_takes_held_out_pictures_for_painted_ones() -> None:
    assert seen(CriticOverfits(), overfitting=0.9) == [False, True, True, True]
    assert not any(seen(CriticOverfits(), overfitting=0.5))
    assert not any(seen(CriticOverfits(), overfitting=None))
    assert not any(seen(CriticOverfits(), overfitting=0.9, seen=5000))


def test_colours_narrow_while_light_and_dark_stay() -> None:
    assert seen(ColoursNarrow(), pictures=colours(0.3), originals=colours(1.0)) == [False, True, True, True]
    assert not any(seen(ColoursNarrow(), pictures=colours(0.8), originals=colours(1.0)))
    grey = torch.rand(64, 1, 32, 32).expand(-1, 3, -1, -1)
    assert not any(seen(ColoursNarrow(), pictures=grey, originals=grey)), "grey pictures have no colours to lose"
    assert not any(seen(ColoursNarrow(), pictures=grey[:, :1], originals=grey[:, :1]))


def test_diversity_falls_when_it_was_more_before() -> None:
    real = torch.randn(32, 8, generator=torch.Generator().manual_seed(0))
    alarm = DiversityFalls()
    looks = [alarm.look(View(1, LATE, share * real, real)) for share in (0.5, 0.5, 1.0, 0.6, 0.9, 0.6, 0.6)]
    assert looks == [False] * 6 + [True]


def test_modes_drift_when_the_middle_moves_and_comes_no_nearer() -> None:
    real = torch.randn(32, 8, generator=torch.Generator().manual_seed(0))
    way = torch.tensor([9.0, -9.0, 9.0, -9.0, 9.0])
    drifting, settling, arriving = ModeDrift(), ModeDrift(), ModeDrift()
    assert [drifting.look(View(1, LATE, real + at, real)) for at in way] == [False, False, False, True, True]
    assert not any(settling.look(View(1, LATE, real + 9, real)) for _ in range(5)), "it is far, but rests"
    assert not any(arriving.look(View(1, LATE, real + 9 * 0.1**at, real)) for at in range(5))


def test_near_copies_are_told_from_pictures_of_the_same_kind() -> None:
    real = torch.rand(200, 64, generator=torch.Generator().manual_seed(0))
    learned, held_out, others = real[:100], real[100:150], real[150:]
    limits = [limit_of(learned, held_out), limit_of(learned, held_out[:0])]  # fellows stand for held-out ones
    copies = learned[:50] + 0.01 * torch.randn(50, 64, generator=torch.Generator().manual_seed(1))
    for limit in limits:
        assert seen(NearCopies(), beside=Beside(copies, learned, limit)) == [False, True, True, True]
        assert not any(seen(NearCopies(), beside=Beside(others, learned, limit)))


@pytest.mark.parametrize("period", [2, 4, 8])
def test_a_grid_is_seen_in_the_spectrum(period: int) -> None:
    real = sketches(64)
    grid = torch.zeros(1, 1, 32, 32)
    grid[..., ::period, ::period] = 0.5
    assert seen(RepeatedGrid(), pictures=real + grid, originals=real) == [False, True, True, True]
    assert not any(seen(RepeatedGrid(), pictures=sketches(64, seed=1), originals=real))
    assert not any(seen(RepeatedGrid(), pictures=real + grid, originals=real + grid)), "real pictures have it"


def sketches(count: int, seed: int = 0) -> torch.Tensor:
    """Smooth pictures (N, 1, 32, 32): noise whose amplitude falls with frequency."""
    noise = torch.rand(count, 1, 32, 32, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.avg_pool2d(noise, 5, 1, 2) + 0.05 * noise


def test_scores_fall_and_progress_ends() -> None:
    alarm, idle = ScoresFall(), NoProgress()
    fallen = [alarm.look(View(1, LATE, LOOK, LOOK, scores={"d": value})) for value in (1.0, 0.4, 0.7, 0.9, 0.9, 0.3)]
    assert fallen == [False, False, False, False, True, False]
    values = [1.0, 0.9, 0.8, *[0.9] * 6, 0.7, *[0.71] * 9]
    rings = [idle.look(View(at, at * LATE, LOOK, LOOK, scores={"d": value})) for at, value in enumerate(values, 1)]
    assert [at for at, ring in enumerate(rings) if ring] == [8], "nearly as good as the best is no reason to ring"


def test_progress_does_not_end_before_it_began() -> None:
    """Ten looks in a run of 256 pictures or of 4,000, as a first try has: "stop here" would be bad advice."""
    values = [1.0, *[1.2] * 9]
    for pace, rung in ((26, False), (400, False), (4_000, True)):
        idle = NoProgress()
        rings = [idle.look(View(at, at * pace, LOOK, LOOK, scores={"d": value})) for at, value in enumerate(values)]
        assert any(rings) == rung


def test_scores_of_looks_close_together_that_waver_are_no_reason_to_ring() -> None:
    """Those of a run on digits that came to 0.15 in the end."""
    values = [4.31, 0.74, 0.31, 0.27, 0.19, 0.17, 0.2, 0.19, 0.2, 0.18, 0.21, 0.2, 0.18, 0.17, 0.17, 0.16, 0.18, 0.15]
    idle = NoProgress()
    rings = [idle.look(View(at, 2_000 * at, LOOK, LOOK, scores={"d": value})) for at, value in enumerate(values)]
    assert not any(rings)


def wandering(half_life: float, later: list[float], doctor: Doctor | None = None) -> list[int]:
    """At which of looks 300 pictures apart it is told, of a run whose scores wander for its first 29 looks."""
    first = [
        4.89,
        3.58,
        2.01,
        1.85,
        1.82,
        1.95,
        1.95,
        1.85,
        1.74,
        *[1.79, 1.84, 1.93, 1.9, 1.8] * 4,
    ]  # 40 digits, 16 px
    doctor, rung = doctor or Doctor(), []
    for at, value in enumerate([*first, *later], 1):
        found = doctor.look(View(at, at * 300, LOOK, LOOK, scores={"d": value}, half_life=half_life))
        doctor.findings += [{"event": each.name, "at_step": each.step} for each in found]
        rung += [at for each in found if each.name == "no-progress"]
    return rung


def test_averaged_weights_of_the_beginning_are_no_reason_to_ring() -> None:
    """Those of a run that stood still for its first 8,400 pictures and came to 0.19 by 28,000."""
    falls = [1.78, 1.62, 1.5, 1.29, 1.03, 0.89, 0.75, 0.65, 0.6, 0.54, *(0.5 * 0.96**n for n in range(60))]
    assert wandering(15_000, falls) == []
    assert wandering(0, falls) == []
    best = 9  # 1.74, which nothing of the following comes near
    assert wandering(15_000, [1.9] * 300) == [best + 2 * 15_000 // 300]


def test_what_comes_nearer_to_an_early_best_is_left_alone() -> None:
    """The first look may please by its greyness: a score that falls towards it is progress."""
    for falls, rung in ((0.97, False), (0.999, True)):
        idle = NoProgress()
        values = [1.0, *(4.0 * falls**n for n in range(40))]
        rings = [idle.look(View(at, 1_000 * at, LOOK, LOOK, scores={"d": value})) for at, value in enumerate(values, 1)]
        assert any(rings) == rung


def test_a_later_standstill_is_told_anew_and_each_of_them_once() -> None:
    doctor = Doctor()
    rung = wandering(0, [*[1.9] * 60, 1.0, *[1.5] * 400], doctor)
    assert len(rung) == 2
    assert rung[1] == 3 * 90, "a new best at the 90th look"
    again = Doctor.from_json(doctor.to_json())
    assert not again.look(View(1_000, 300_000, LOOK, LOOK, scores={"d": 1.5}))


def test_no_alarm_says_that_pictures_were_held_out() -> None:
    """Of fewer than 32 scores are taken on those learned from."""
    assert "held" not in NoProgress.words


def test_negated_figures_that_stay_as_good_are_no_reason_to_ring() -> None:
    def rings(values: list[float]) -> list[int]:
        idle = NoProgress()
        found = [idle.look(View(at, at * LATE, LOOK, LOOK, scores={"-psnr": x})) for at, x in enumerate(values, 1)]
        return [at for at, ring in enumerate(found) if ring]

    assert rings([-30.0, -35.1, *[-35.0] * 9]) == []
    assert rings([-30.0, -35.1, *[-33.0] * 7]) == [7, 8]


def test_history_survives_a_file() -> None:
    doctor, real = Doctor(), torch.randn(32, 8, generator=torch.Generator().manual_seed(0))
    doctor = broken(doctor)
    looked(doctor, LATE, 0.1 * real, real)
    for step in range(300):
        watched(doctor, step, 1.0)
    again = Doctor.from_json(doctor.to_json())
    assert again == doctor
    assert again.to_json()["alarms"]["collapse"] == {"in_a_row": 1}


def test_what_a_history_does_not_know_begins_anew() -> None:
    old = {"rate": 0.5, "rollbacks": 1, "raised": ["collapse"], "accuracy": 0.7, "alarms": {"gone": {"count": 3}}}
    doctor = Doctor.from_json(old)
    assert (doctor.rate, doctor.rollbacks, doctor.raised) == (0.5, 1, ["collapse"])
    assert doctor.alarms == Doctor().alarms
