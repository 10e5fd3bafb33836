"""What is said before a training: sizes, budgets, measured likenesses; and the search for rate and gamma."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner

import danqing
from danqing.core.errors import OutputError, ParameterError, TrainingFailed, UserError
from danqing.core.learned.card import read_card
from danqing.core.learned.model import Samples
from danqing.core.learned.weights import load_tensors
from danqing.core.notes import noted
from danqing.core.operators.task import task_named
from danqing.core.phrases.book import in_chinese
from danqing.core.progress import Progress, finish
from danqing.data.check import check
from danqing.data.store import Store
from danqing.faces.cli import cli
from danqing.training import auto, forecast
from danqing.training.auto import SHARE, TRIED, train_best
from danqing.training.commands import command
from danqing.training.config import TrainConfig
from danqing.training.forecast import about, likeness, suggest
from danqing.training.loop import train
from danqing.training.parts import can_go_on, resume_whole
from danqing.training.plan import plan
from danqing.training.refusals import refuse_hurry
from danqing.training.score import drawn_classes

STAYS = """
import sys
import torch
from danqing.training.forecast import _takes

assert _takes(sys.argv[1], 64, 3)
made = {(name, key): each for name, module in sys.modules.items() if name.startswith("danqing.")
        for key, each in vars(module).items() if isinstance(each, torch.Tensor)}
assert made
print([place for place, each in made.items() if each.device.type != "cpu"])
"""

SMALL: dict[str, Any] = {"batch": 16, "precision": "fp32", "threads": 1}


def pictures(folder: Path, count: int, side: int, channels: int = 1) -> Path:
    for at in range(count):
        x = torch.rand(1, channels, side, side, generator=torch.Generator().manual_seed(at))
        danqing.write(x, folder / f"{at:03}.png")
    return folder


def test_a_suggestion_fits_the_pictures_and_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forecast, "pictures_per_second", lambda *_: 100.0)
    found = finish(suggest(finish(check(pictures(tmp_path, 9, 40)))))
    assert found is not None
    assert (found.family, found.size, found.channels) == ("dcgan", 32, 1)
    assert found.budget == "1h"  # the first that lets a hundred a second see 200,000
    told = "\n".join(found.lines)
    assert f"danqing train dcgan {tmp_path} --size 32 --budget 1h" in told
    assert "about 360,000 pictures, each picture 40,000 times" in told
    assert "too few" in told
    assert "14 hours here" in told  # five million
    assert not found.more


@pytest.mark.usefixtures("quick_looks")
@pytest.mark.parametrize(
    ("channels", "family", "known", "more"),
    [(1, "flow", "calligraphy", {"told_augment": "0.12"}), (3, "dcgan", "characters", {})],
)
def test_few_pictures_begin_with_what_is_known(
    channels: int, family: str, known: str, more: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forecast, "pictures_per_second", lambda *_: 100.0)
    folder = pictures(tmp_path / "set", 9, 70, channels)
    found = finish(suggest(finish(check(folder))))
    assert found is not None
    assert (found.family, found.more) == (family, {"from_": known, **more})
    assert f" --from {known}" in found.lines[0]
    command = shlex.split(found.lines[0].removeprefix("Suggestion: danqing "))
    short = ["--budget", "4pictures", "--batch", "2", "--out", str(tmp_path / "run")]
    done = CliRunner().invoke(cli, [*command, *short])
    assert done.exit_code == 0, done.output
    result = tmp_path / "run" / "model.safetensors"
    assert read_card(result)["training"]["from_"] == known
    monkeypatch.setattr(forecast, "ALONE", 9)
    found = finish(suggest(finish(check(folder))))
    assert found is not None
    assert found.more == {"codec": "new"}  # so many that a flow learns them
    assert "danqing train flow" in found.lines[0]
    assert " --codec new" in found.lines[0]


def test_what_is_suggested_can_be_run_where_files_are_bad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forecast, "pictures_per_second", lambda *_: 100.0)
    folder = pictures(tmp_path / "my set", 9, 20)
    (folder / "broken.png").write_bytes(b"no picture")
    found = finish(suggest(finish(check(folder))))
    assert found is not None
    command = shlex.split(found.lines[0].removeprefix("Suggestion: danqing "))
    more = ["--budget", "4pictures", "--batch", "2", "--out", str(tmp_path / "run")]
    done = CliRunner().invoke(cli, [*command, *more])
    assert done.exit_code == 0, done.output


def test_a_forecast_speaks_only_of_what_was_measured() -> None:
    rows = json.loads(forecast.MEASURED.read_text("utf-8"))
    row = rows[0]
    assert likeness(row["family"], row["size"], row["channels"], row["seen"]) == row
    assert likeness(row["family"], row["size"], row["channels"], row["seen"] / 100) is None
    assert likeness("dcgan", 1024, 3, row["seen"]) is None
    assert any(
        "No dcgan of about that length was measured with pictures of 1024 px, in colour" in line
        for line in about("dcgan", 400, 1024, 3, 1e5, "1 h")
    )


def test_a_forecast_compares_grey_pictures_with_grey_ones_and_says_with_what(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = json.loads(forecast.MEASURED.read_text("utf-8"))
    for row in rows:
        found = likeness(row["family"], row["size"], 4 - row["channels"], row["seen"])
        assert found is None or found["channels"] == 4 - row["channels"]
    grey = next(row for row in rows if row["channels"] == 1)
    told = "\n".join(about(grey["family"], grey["pictures"], grey["size"], 1, grey["seen"], "10m"))
    assert f"{grey['set']} ({grey['pictures']:,} pictures, {grey['size']} px, grey)" in told
    assert "copied sooner" not in told
    assert "No longer run" not in told
    monkeypatch.setattr(forecast, "MEASURED", Written([grey]))
    told = "\n".join(about(grey["family"], grey["pictures"], grey["size"], 3, grey["seen"], "10m"))
    assert grey["set"] not in told
    assert f"measured with pictures of {grey['size']} px, in colour" in told
    told = "\n".join(about(grey["family"], grey["pictures"] / 10, grey["size"], 1, grey["seen"] * 30, "10m"))
    assert "this one is 30 times as long" in told
    assert "10 times as many pictures" in told


@pytest.mark.parametrize("channels", [1, 3])
def test_of_the_size_that_is_suggested_there_are_measured_runs(channels: int) -> None:
    """As long as the suggested budget lets see, which is a first impression."""
    told = "\n".join(about("dcgan", 2000, max(forecast.SIZES), channels, forecast.aim_of("dcgan").first, "2h"))
    assert "Measured: " in told
    assert "No longer run" not in told
    for row in json.loads(forecast.MEASURED.read_text("utf-8")):
        assert in_chinese(row["looked"]) != row["looked"]


def test_pairs_are_for_a_pix2pix(tmp_path: Path) -> None:
    for side in ("input", "target"):
        pictures(tmp_path / side, 3, 40)
    found = finish(suggest(finish(check(tmp_path))))
    assert found is not None
    assert (found.family, found.size) == ("pix2pix", 32)
    assert f"danqing train pix2pix {tmp_path} --size 32 --budget 1h" in found.lines[0]
    assert all(in_chinese(line) != line for line in found.lines[1:])


def test_a_hundred_pictures_are_a_hundred_with_those_held_out(tmp_path: Path) -> None:
    """What the check calls enough the plan does not call too few."""
    values = {"size": 16, "width": 4, "budget": "64pictures", "batch": 8, "precision": "fp32"}
    facts = finish(plan(TrainConfig.make("mlpgan", str(pictures(tmp_path, 100, 16)), **values)))
    assert facts["pictures"]["count"] < 100
    assert not any("too few" in line for line in facts["forecast"])


class Written:
    """A file of rows."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows = rows

    def read_text(self, encoding: str) -> str:
        return json.dumps(self.rows)


def test_too_few_and_too_small_pictures_are_said(tmp_path: Path) -> None:
    spec = pictures(tmp_path / "p", 3, 12)
    notes: list[str] = []
    with noted(notes):
        danqing.train("mlpgan", spec, **SMALL, size=28, budget="32pictures", out=tmp_path / "run")
    assert any("3 pictures are too few to learn to paint from" in words for words in notes)
    assert any("3 of 3 pictures are smaller than 28 px" in words and "12 px" in words for words in notes)


def test_a_time_too_short_for_a_look_is_refused_and_leaves_no_trace(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="one look"):
        danqing.train("mlpgan", "digits", **SMALL, budget="0.000001s", out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("seconds", "said"), [(1.0, True), (3.0, False)])
def test_a_time_shorter_than_a_look_is_told_before_anything_is_learned(seconds: float, said: bool) -> None:
    notes: list[str] = []
    with noted(notes):
        refuse_hurry(TrainConfig.make("mlpgan", "digits", budget=f"{seconds}s"), 16, 2.0)
    assert any("One look at what was learned takes 2.0 s here" in words for words in notes) == said
    assert all(in_chinese(words) != words for words in notes)


@pytest.mark.parametrize(
    ("family", "more", "count", "share"),
    [("mlpgan", {}, 6, 1.0), ("vae", {}, 4, 1.0), ("flow", {"codec": "new"}, 4, 0.75)],
)
def test_a_plan_tells_what_choosing_takes_and_what_remains(
    family: str, more: dict[str, Any], count: int, share: float
) -> None:
    """Of what is left by a part that learns first, where there is one."""
    values = {**SMALL, "width": 16, "budget": "100kimg", **more}
    words = shlex.split(command(f"train {family}", "digits", **values, dry_run=True, auto=True, json=True))
    facts = json.loads(CliRunner().invoke(cli, words[1:]).stdout)
    chosen, rest = facts["auto"], 100_000 * share
    assert len(chosen["trials"]) == count
    assert (chosen["share"], chosen["go_on"]) == (SHARE, count // 2)
    assert chosen["spent"] == f"{rest * SHARE:,.0f} pictures"
    assert chosen["remains"] == facts["budget"] == f"{rest * (1 - SHARE):,.0f} pictures"
    assert facts["pictures_seen"] == pytest.approx(rest * (1 - SHARE), abs=16)
    rates = sorted({each["lr"] for each in chosen["trials"]})
    usual = max(facts["learning_rate"].values())
    assert rates == pytest.approx(sorted(usual * times for times in {times for times, _ in TRIED}))
    told = next(line for line in facts["forecast"] if "short runs" in line)
    assert f"{count} short runs of" in told
    assert f"{rates[0]:.3g}" in told
    assert in_chinese(told) != told


def test_a_plan_without_choosing_tells_none(tmp_path: Path) -> None:
    values = {"size": 16, "width": 4, "budget": "64pictures", "batch": 8, "precision": "fp32"}
    facts = finish(plan(TrainConfig.make("mlpgan", str(pictures(tmp_path, 100, 16)), **values)))
    assert "auto" not in facts
    assert facts["budget"] == "64 pictures"


def test_less_than_a_step_is_a_step_and_said_so(tmp_path: Path) -> None:
    notes: list[str] = []
    with noted(notes):
        result = danqing.train("mlpgan", "digits", **SMALL, budget="3pictures", out=tmp_path / "run")
    assert result.summary["steps"] == 1
    assert any("less than one step, which takes 16" in words for words in notes)


@pytest.mark.usefixtures("quick_looks")
def test_the_better_half_goes_on_and_the_best_gets_the_rest(tmp_path: Path) -> None:
    told: list[Progress] = []
    config = TrainConfig.make("mlpgan", "digits", **SMALL, width=8, budget="1440pictures", out=tmp_path / "run")
    result = finish(train_best(config), told.append)
    kept = json.loads((tmp_path / "run" / "auto.json").read_text("utf-8"))
    first = [trial for trial in kept["trials"] if trial["round"] == 1]
    second = [trial for trial in kept["trials"] if trial["round"] == 2]
    assert (len(first), len(second)) == (len(TRIED), len(TRIED) // 2)
    best_of_first = sorted(trial["score"] for trial in first)[: len(second)]
    names = [(trial["lr"], trial["gamma"]) for trial in second]
    assert sorted(t["score"] for t in first if (t["lr"], t["gamma"]) in names) == best_of_first
    assert kept["chosen"] == {k: v for k, v in min(second, key=lambda t: t["score"]).items() if k in ("lr", "gamma")}
    written = json.loads((tmp_path / "run" / "config.json").read_text("utf-8"))
    assert (written["lr"], written["params"]["gamma"]) == (kept["chosen"]["lr"], kept["chosen"]["gamma"])
    assert (1 - SHARE) * 1440 <= result.summary["pictures_seen"] < (1 - SHARE) * 1440 + 16
    assert any("Chosen after 6 short runs" in progress.news for progress in told)
    done = [progress.done / progress.total for progress in told if "kimg" in progress.words]
    assert all(0 <= share <= 1 for share in done)
    assert sorted(each.name for each in (tmp_path / "run" / "trials").iterdir()) == list("123456")
    with pytest.raises(OutputError, match="holds a run"):
        finish(train_best(config))
    finish(train(config.with_options(budget="16pictures"), force=True))
    assert not {"trials", "auto.json"} & {each.name for each in (tmp_path / "run").iterdir()}


BREAKING = 1e11  # times the usual rate: no number stays finite


def test_trials_whose_numbers_break_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auto, "TRIED", ((BREAKING, 1.0), (2 * BREAKING, 1.0), (1.0, 1.0), (4 * BREAKING, 1.0)))
    config = TrainConfig.make("mlpgan", "digits", **SMALL, width=8, budget="480pictures", out=tmp_path / "run")
    finish(train_best(config))
    kept = json.loads((tmp_path / "run" / "auto.json").read_text("utf-8"))
    assert [trial["score"] is None for trial in kept["trials"]] == [True, True, False, True, False]
    monkeypatch.setattr(auto, "TRIED", ((BREAKING, 1.0), (2 * BREAKING, 1.0)))
    with pytest.raises(TrainingFailed, match="broke with every learning rate"):
        finish(train_best(config, force=True))
    assert json.loads((tmp_path / "run" / "auto.json").read_text("utf-8")) == kept


def test_a_choice_that_was_stopped_promises_no_more_than_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auto, "TRIED", ((1.0, 1.0), (0.5, 1.0)))
    given = {"out": tmp_path / "run", "auto": True}
    config = TrainConfig.make("mlpgan", "digits", **SMALL, width=8, budget="480pictures", out=given["out"])
    task = task_named("train")
    assert not task.after_stop(given)
    for done in (0.0, SHARE):
        job = train_best(config)
        next(each for each in job if each.done > done and "kimg" in each.words)
        job.close()
        assert "--resume" in task.after_stop(given)
    job = train_best(config, force=True)
    next(each for each in job if "kimg" in each.words)
    job.close()
    assert "begins anew" in task.after_stop(given)  # --resume would go on with the run that is there


@pytest.mark.usefixtures("quick_looks")
def test_a_choice_that_was_stopped_goes_on_and_chooses_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auto, "TRIED", ((1.0, 1.0), (0.5, 1.0)))
    given = {**SMALL, "width": 8, "size": 8, "budget": "960pictures"}
    finish(train_best(TrainConfig.make("mlpgan", "digits", **given, out=tmp_path / "whole")))
    stopped = tmp_path / "stopped"
    assert not can_go_on(stopped)
    begun = train_best(TrainConfig.make("mlpgan", "digits", **given, out=stopped))
    for share in (0.02, 0.1, 0.16):  # within each of both, and in the second round
        next(each for each in begun if each.done > share and "kimg" in each.words)
        begun.close()
        assert can_go_on(stopped)
        written, kept = json.loads((stopped / ".danqing-trials" / "whole.json").read_text("utf-8")).values()
        begun = resume_whole(stopped)
    assert len(kept) == 2
    (note := stopped / ".danqing-trials" / "whole.json").write_text('{"run": {}, "scores": {}}')
    with pytest.raises(UserError, match="does not say what the run is to be"):
        resume_whole(stopped)
    note.write_text(json.dumps({"run": written, "scores": kept}))
    finish(resume_whole(stopped))
    assert not (stopped / ".danqing-trials").exists()
    chosen, wanted = (json.loads((each / "auto.json").read_text("utf-8")) for each in (stopped, tmp_path / "whole"))
    assert chosen == wanted
    one, other = (load_tensors(each / "model.safetensors")[1] for each in (stopped, tmp_path / "whole"))
    assert all(torch.equal(value, other[name]) for name, value in one.items())


def test_a_budget_too_small_to_choose_with_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    config = TrainConfig.make("mlpgan", "digits", **SMALL, width=8, budget="64pictures", out=tmp_path / "run")
    with pytest.raises(ParameterError, match=r"a step of 16 for each.*at least 720 pictures, or leave --auto"):
        finish(train_best(config))
    hasty = config.with_options(budget="0.01s", size=8)
    with pytest.raises(ParameterError, match=r"20% of the budget is for short runs .* s is too short"):
        finish(train_best(hasty))
    assert not (tmp_path / "run").exists()


def test_a_config_of_another_family_is_named_as_such(tmp_path: Path) -> None:
    (tmp_path / "vae.json").write_text(json.dumps(TrainConfig.make("vae", "digits", **SMALL).to_json()))
    with pytest.raises(ParameterError, match=r"vae.json: is a run of family vae, not dcgan.*danqing train vae"):
        TrainConfig.from_json(tmp_path / "vae.json", family="dcgan")
    with pytest.raises(ParameterError, match=r"dcgan knows: .*from, .*stages") as caught:
        TrainConfig.make("dcgan", "digits", likelihood="x")
    assert "_," not in caught.value.remedy


def test_scores_ask_for_classes_of_their_own() -> None:
    """Painted pictures take classes as the training pictures have them, whatever the held-out ones have."""
    x = torch.zeros(1000, 1, 8, 8)
    train = Store((x * 255).byte().numpy(), (torch.arange(1000) % 4 == 0).long().numpy(), ("a", "b"))
    held_out = Samples(x, torch.ones(1000, dtype=torch.long))
    drawn = drawn_classes(train, held_out, 0)
    assert drawn is not None
    assert abs(float(drawn.float().mean()) - 0.25) < 5 * (0.25 * 0.75 / 1000) ** 0.5
    assert not torch.equal(drawn, drawn_classes(train, held_out, 1))
    assert drawn_classes(train, held_out._replace(y=None), 0) is None


def test_what_is_warned_of_is_not_suggested_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forecast, "pictures_per_second", lambda *_: 100.0)
    told = CliRunner().invoke(cli, ["data", "check", str(pictures(tmp_path, 3, 40)), "--json"])
    found = json.loads(told.stdout)
    assert sum("too few" in words for words in [*found["warnings"], *found["suggestion"]]) == 1
    assert not set(found["suggestion"]) & set(found["warnings"])


def test_of_one_picture_nothing_is_trained_but_what_needs_no_more_is_named(tmp_path: Path) -> None:
    found = finish(check(pictures(tmp_path, 1, 40)))
    assert finish(suggest(found)) is None
    assert "danqing variations" in "\n".join(found.lines())


@pytest.mark.parametrize("family", ["dcgan", "flow", "stylegan"])
def test_asking_which_sizes_a_family_takes_leaves_no_constants_nowhere(family: str) -> None:
    told = subprocess.run([sys.executable, "-c", STAYS, family], capture_output=True, text=True, check=True).stdout
    assert told.strip() == "[]"


def test_a_check_is_a_processs_first_and_trainings_follow_in_it(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "set", 40, 64, 3)
    code = (
        "import sys, danqing\n"
        "from danqing.core.operators.task import task_named\n"
        "task_named('data check')(sys.argv[1])\n"
        "danqing.train('dcgan', sys.argv[1], size=64, batch=8, precision='fp32', budget='8pictures', out=sys.argv[2])"
    )
    run = [sys.executable, "-c", code, str(folder), str(tmp_path / "run")]
    done = subprocess.run(run, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run/model.safetensors").exists()
