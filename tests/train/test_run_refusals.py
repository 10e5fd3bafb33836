"""What is refused leaves everything as it was: runs that are there, folders that are not."""

from __future__ import annotations

import hashlib
import math
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from danqing.core.errors import DanqingError, DataError, OutputError, ParameterError, UserError
from danqing.core.learned.weights import load
from danqing.core.notes import noted
from danqing.core.pictures.contract import from_uint8
from danqing.core.pictures.writing import write
from danqing.core.progress import finish
from danqing.training import loop, plan, record
from danqing.training.config import TrainConfig
from danqing.training.kit import Kit
from danqing.training.loop import resume, train
from danqing.training.state import Checkpoints, newest

RUN: dict[str, Any] = {"budget": "32pictures", "batch": 16, "size": 16, "precision": "fp32", "threads": 1}


def pictures(folder: Path, names: str, seed: int = 0, channels: int = 1) -> Path:
    rng = torch.Generator().manual_seed(seed)
    for name in names.split():
        noise = torch.randint(256, (1, 16, 16, channels), generator=rng, dtype=torch.uint8).numpy()
        write(from_uint8(noise), folder / f"{name}.png", force=True)
    return folder


def config(family: str, data: Path | str, out: Path, **more: Any) -> TrainConfig:
    width = {"width": 4} if family in ("mlpgan", "vae", "classifier") else {}
    return TrainConfig.make(family, str(data), **{**RUN, **width, "out": out, **more})


def state(folder: Path) -> dict[str, str]:
    """Every file with the hash of what it holds, hidden ones and empty folders, too."""
    found = sorted(folder.rglob("*"))
    return {
        str(f.relative_to(folder)): hashlib.sha256(f.read_bytes()).hexdigest() if f.is_file() else "" for f in found
    }


@pytest.fixture(scope="module")
def pattern(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set and a finished run on it, to be copied."""
    folder = tmp_path_factory.mktemp("pattern")
    many = pictures(folder / "set", " ".join(f"p{n}" for n in range(24)))
    finish(train(config("mlpgan", many, folder / "run")))
    (folder / "run" / record.LOCK).unlink()  # as in a copy that left hidden files behind
    return folder


@pytest.fixture
def many(pattern: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(pattern / "set", tmp_path / "set"))


@pytest.fixture
def run(pattern: Path, many: Path, tmp_path: Path) -> Path:
    copy = Path(shutil.copytree(pattern / "run", tmp_path / "run"))
    told = (copy / record.CONFIG).read_text()
    (copy / record.CONFIG).write_text(told.replace(str(pattern / "set"), str(many)))
    return copy


NOT_TO_BE: dict[str, Callable[[Path], dict[str, Any]]] = {
    "a typing error in the pictures": lambda tmp: {"data": "digitz"},
    "an augmentation that there is not": lambda tmp: {"augment": "melt"},
    "a size that cannot be": lambda tmp: {"family": "dcgan", "size": 33},
    "no classes to tell apart": lambda tmp: {"family": "classifier"},
    "nothing to freeze": lambda tmp: {"freeze": "wings"},
    "all frozen": lambda tmp: {"freeze": "critic,painter"},
    "no such weights": lambda tmp: {"from_": str(tmp / "gone.safetensors")},
    "weights of another family": lambda tmp: {"family": "vae", "from_": str(tmp / "run")},
    "a budget that is none": lambda tmp: {"budget": "soon"},
    "a damaged picture": lambda tmp: {"data": str(damaged(tmp / "damaged"))},
    "a later stage that cannot be": lambda tmp: {"stages": [{}, {"size": 32}]},
    "a later stage with nothing to freeze": lambda tmp: {"stages": [{}, {"freeze": "wings"}]},
}


def test_a_batch_of_one_is_refused_where_it_has_no_statistics(many: Path, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"a step of one picture has no batch statistics.*--batch 2"):
        finish(train(config("dcgan", many, tmp_path / "new", batch=1, width=16, critic_width=8)))
    assert not (tmp_path / "new").exists()
    finish(train(config("vae", many, tmp_path / "new", batch=1, budget="2pictures")))


IMPOSSIBLE: list[tuple[str, dict[str, Any], str]] = [
    *((family, {"size": 1024}, "size") for family in ("mlpgan", "flow", "vae", "codec", "pix2pix", "classifier")),
    *((family, {"size": 50}, "size") for family in ("dcgan", "stylegan")),
    ("detector", {"size": 16}, "size"),
    ("restorer", {"size": 16, "patch": 32}, "patch"),
    ("codec", {"levels": 1}, "levels"),
    ("codec", {"width": 33}, "width"),
    ("dcgan", {"batch": 1, "norm": "batch"}, "batch"),
    ("cyclegan", {"batch": 1}, "batch"),
    ("classifier", {"conditional": False}, "classes"),
    ("mlpgan", {"freeze": "wings"}, "freeze"),
    ("mlpgan", {"freeze": "painter,critic"}, "freeze"),
    ("mlpgan", {"freeze": "painter", "rates": "critic=0"}, "rates"),
    ("mlpgan", {"rates": "painter=0,critic=0"}, "rates"),
    ("mlpgan", {"rates": "wings=2"}, "rates"),
    ("mlpgan", {"lr": 0.0}, "learning rate of 0 nothing learns.*--freeze"),
    ("mlpgan", {"stages": [{}, {"lr": 0.0}]}, "learning rate of 0"),
    ("mlpgan", {"stages": [{"freeze": "wings"}, {}]}, "freeze"),
    ("mlpgan", {"stages": [{"size": 32}, {}]}, "stages"),
    ("mlpgan", {"teacher": "denoise-tiny"}, "cannot teach a mlpgan"),
    ("codec", {"teacher": "denoise-tiny"}, "teacher"),
    ("mlpgan", {"teaching": 2.0}, "there is none"),
    ("vae", {"lecam": 0.1}, "lecam.*has none"),
    ("vae", {"critic_augment": "diff"}, "critic_augment.*has none"),
    ("mlpgan", {"device": "cuda"}, "no GPU"),
]


@pytest.mark.parametrize(("family", "values", "words"), IMPOSSIBLE)
def test_what_no_pictures_could_mend_is_refused_before_one_is_read(
    family: str, values: dict[str, Any], words: str, many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(*_: Any) -> Any:
        pytest.fail("pictures were read")

    if values.get("device") == "cuda" and torch.cuda.is_available():
        pytest.skip("there is a GPU")
    monkeypatch.setattr(loop, "gather_stages", read)
    monkeypatch.setattr(plan, "gather_stages", read)
    before, began = state(tmp_path), {**values, "out": tmp_path / "run"}
    with pytest.raises(UserError, match=words):
        finish(train(TrainConfig.make(family, str(many), **{**RUN, **began})))
    assert state(tmp_path) == before
    if "device" not in values:
        with pytest.raises(UserError, match=words):
            finish(plan.plan(TrainConfig.make(family, str(many), **{**RUN, **began})))


def test_what_changes_nothing_is_told(many: Path, run: Path, tmp_path: Path) -> None:
    def told(**values: Any) -> str:
        made = config("mlpgan", many, tmp_path / "new", from_=str(run), **values)
        return "\n".join(finish(plan.plan(made))["builds_upon"]["words"])

    assert "Nothing of the painter learns: what it paints stays as it is" in told(freeze="painter")
    assert "--rates critic changes nothing" in told(freeze="critic", rates="critic=0.5")
    assert "changes nothing" not in told(freeze="critic:1", rates="critic=0.5")
    some = {"adapters": "low-rank", "rank": 1}
    assert "adapters are on what is kept as it is" in told(**some, freeze="painter:1")
    for kept in ({"freeze": "painter"}, {"rates": "painter=0"}):
        with pytest.raises(ParameterError, match=r"adapters.*would change nothing"):
            told(**some, **kept)


def test_scores_on_pictures_that_were_learned_from_are_told(tmp_path: Path) -> None:
    notes: list[str] = []
    few = pictures(tmp_path / "few", "a b c")
    with noted(notes):
        finish(train(config("vae", few, tmp_path / "new")))
    assert [each for each in notes if each.startswith("Of 3 pictures 0 would be held out, too few to score on")]


@pytest.mark.parametrize(("fit", "told"), [("pad", 1), ("crop", 0), (None, 0)])
def test_a_classifier_that_learns_from_more_than_it_will_see_is_told(
    fit: str | None, told: int, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        pictures(tmp_path / "set" / name, " ".join(f"{name}{n}" for n in range(8)))
    notes: list[str] = []
    with noted(notes):
        finish(train(config("classifier", tmp_path / "set", tmp_path / "new", fit=fit)))
    assert len([each for each in notes if each.startswith("It learns from pictures fitted by pad")]) == told


def test_a_score_that_is_no_number_is_not_the_best(many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    figures = iter([1.0, math.nan, 0.5, 0.75])
    monkeypatch.setattr("danqing.training.kit.score", lambda *_: {"sketch_distance": next(figures)})
    finish(train(config("vae", many, tmp_path / "new", every="34%", batch=8, budget="24pictures", doctor="watch")))
    assert newest(tmp_path / "new" / record.CHECKPOINTS).card["best"] == 0.5


def damaged(folder: Path) -> Path:
    pictures(folder, "a b c")
    (folder / "d.png").write_bytes(b"no picture")
    return folder


@pytest.mark.parametrize("reason", NOT_TO_BE)
def test_a_run_that_is_refused_leaves_the_one_it_was_to_replace(reason: str, many: Path, run: Path) -> None:
    changes = NOT_TO_BE[reason](run.parent)
    before = state(run)
    with pytest.raises(UserError):
        finish(train(config(changes.pop("family", "mlpgan"), changes.pop("data", many), run, **changes), force=True))
    assert state(run) == before
    assert load(run).family == "mlpgan"


@pytest.mark.parametrize("reason", NOT_TO_BE)
def test_a_run_that_is_refused_leaves_no_folder(reason: str, many: Path, tmp_path: Path, run: Path) -> None:
    changes, out = NOT_TO_BE[reason](tmp_path), tmp_path / "new" / "deep"
    with pytest.raises(UserError):
        finish(train(config(changes.pop("family", "mlpgan"), changes.pop("data", many), out, **changes)))
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("place", "broken"), [(Kit, "examine"), (Kit, "try_out"), (Checkpoints, "save"), (record, "_swap")]
)
def test_a_run_stays_until_the_one_that_replaces_it_has_a_checkpoint(
    place: Any, broken: str, many: Path, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    before = state(run)
    monkeypatch.setattr(place, broken, fail)
    with pytest.raises((DanqingError, OSError)):
        finish(train(config("mlpgan", many, run), force=True))
    assert state(run) == before


@pytest.mark.parametrize("moves", range(12))
def test_a_replacement_cut_off_anywhere_ends_in_one_run_or_the_other(
    moves: int, many: Path, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a kill: nothing is put right before the folder is opened again."""
    rename, count = Path.rename, iter(range(moves))

    def renamed(self: Path, target: Path) -> Path:
        if next(count, None) is None:
            raise KeyboardInterrupt
        return rename(self, target)

    before = state(run)
    folder = record.RunFolder(run, force=True)
    monkeypatch.setattr(Path, "rename", renamed)
    settle = record._settle
    monkeypatch.setattr(record, "_settle", lambda path: None)
    try:
        folder.begin(lambda fresh: record.write_json(fresh / record.CONFIG, {"new": True}))
    except KeyboardInterrupt:
        pass
    finally:
        folder.close()
    monkeypatch.setattr(Path, "rename", rename)
    monkeypatch.setattr(record, "_settle", settle)
    record.RunFolder(run, resume=True).close()
    after = state(run)
    if '"new"' in (run / record.CONFIG).read_text():
        assert not (run / record.MODEL).exists()
        assert not [name for name in after if name.startswith(".danqing")]
    else:
        assert {k: v for k, v in after.items() if k not in (record.LOCK,)} == before


@pytest.mark.parametrize("content", [None, "{}", "not JSON", '{"model_type": "bert"}'])
def test_force_replaces_runs_only(content: str | None, many: Path, tmp_path: Path) -> None:
    """Other programs have checkpoints and a config.json as well."""
    out = tmp_path / "project"
    (out / "checkpoints").mkdir(parents=True)
    (out / "checkpoints" / "epoch1.ckpt").write_text("mine")
    if content is not None:
        (out / "config.json").write_text(content)
    before = state(out)
    with pytest.raises(OutputError, match="no run of danqing's"):
        finish(train(config("mlpgan", many, out), force=True))
    assert state(out) == before


def test_weights_without_a_config_are_not_written_over(many: Path, run: Path, tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (run / record.MODEL).rename(tmp_path / "kept" / record.MODEL)
    before = state(tmp_path / "kept")
    with pytest.raises(OutputError, match="holds a run"):
        finish(train(config("mlpgan", many, tmp_path / "kept")))
    assert state(tmp_path / "kept") == before


CONTRADICTIONS: dict[str, dict[str, Any]] = {
    "size": {"size": 32},
    "channels": {"channels": "colour"},
    "family": {"family": "vae"},
    "width": {"width": 8},
    "latents": {"latents": 7},
    "conditional": {"conditional": False},
    "seed": {"seed": 9},
    "fit": {"fit": "pad"},
    "from": {"from_": "digits"},
    "out": {"out": "elsewhere"},
    "stages": {"stages": [{"share": 1}, {"share": 2}]},
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_a_change_that_contradicts_the_run_is_named_and_changes_nothing(name: str, run: Path) -> None:
    before = state(run)
    with pytest.raises(UserError, match=name) as caught:
        finish(resume(run, budget="64pictures", **CONTRADICTIONS[name]))
    assert caught.value.exit_code == 2
    assert state(run) == before


def test_every_contradiction_is_named_at_once(run: Path) -> None:
    with pytest.raises(UserError, match=r"width 4 \(not 8\), size 16 \(not 32\)"):
        finish(resume(run, size=32, width=8))


def test_what_only_says_again_what_the_run_is_passes(run: Path) -> None:
    same = {"size": 16, "channels": "grey", "width": 4, "seed": 0, "fit": "crop", "out": run}
    assert finish(resume(run, budget="64pictures", **same)).summary["pictures_seen"] == 64


@pytest.mark.parametrize(
    ("budget", "spent"), [("16pictures", "32 pictures"), ("0.001s", "s were spent"), ("1epochs", "2 epochs")]
)
def test_a_budget_that_is_spent_already_is_refused_and_changes_nothing(budget: str, spent: str, run: Path) -> None:
    before = state(run)
    with pytest.raises(ParameterError, match=spent) as caught:
        finish(resume(run, budget=budget))
    assert caught.value.exit_code == 2
    assert caught.value.where == "budget"
    assert state(run) == before
    if budget != "0.001s":  # seconds would be spent
        more = caught.value.remedy.split()[-1]
        assert finish(resume(run, budget=more)).summary["pictures_seen"] >= 64


def test_a_finished_run_is_finished_again_by_its_own_budget(run: Path) -> None:
    """However it is written; so is a page written anew."""
    (run / record.REPORT).unlink()
    for changes in ({}, {"budget": "32pictures"}, {"budget": "0.032kimg"}):
        assert finish(resume(run, **changes)).summary["pictures_seen"] == 32
    assert (run / record.REPORT).exists()


def test_the_page_goes_on_with_more_than_was_spent(many: Path, tmp_path: Path) -> None:
    """A step of 16 pictures is far beyond a budget of 3, and twice that would be spent already."""
    result = finish(train(config("mlpgan", many, tmp_path / "short", budget="3pictures")))
    assert result.summary["pictures_seen"] == 16
    page = (result.folder / record.REPORT).read_text("utf-8")
    longer = page.split("--resume")[1].split("--budget ")[1].split()[0].partition("<")[0]
    assert finish(resume(result.folder, budget=longer)).summary["pictures_seen"] > 16


def changed_sets(folder: Path) -> Iterator[tuple[str, str, Callable[[], object]]]:
    yield "a picture more", "pictures to learn from", lambda: pictures(folder, " ".join(f"q{n}" for n in range(9)), 1)
    yield "one picture is another", "24 then, 24 now|others", lambda: pictures(folder, "p0 p1 p2 p3", 5)
    yield "some are gone", "others", lambda: [(folder / f"p{n}.png").unlink() for n in range(8)]
    yield "colour came", "colour now, and were grey", lambda: pictures(folder, "z", 1, 3)


@pytest.mark.parametrize("at", range(4))
def test_a_changed_set_is_told_and_nothing_is_changed(at: int, many: Path, run: Path) -> None:
    _, words, change = list(changed_sets(many))[at]
    before = state(run)
    change()
    with pytest.raises(DataError, match=words):
        finish(resume(run, budget="64pictures"))
    assert state(run) == before


@pytest.mark.parametrize("at", range(3))
def test_a_grown_set_is_taken_when_asked_for_and_known_from_then_on(at: int, many: Path, run: Path) -> None:
    known = newest(run / record.CHECKPOINTS).card["set"]["sha256"]
    list(changed_sets(many))[at][2]()
    finish(resume(run, budget="64pictures", new_pictures=True))
    assert newest(run / record.CHECKPOINTS).card["set"]["sha256"] != known
    assert finish(resume(run, budget="96pictures")).summary["pictures_seen"] == 96


def test_classes_never_change(tmp_path: Path) -> None:
    for name in "ab":
        pictures(tmp_path / "set" / name, " ".join(f"p{n}" for n in range(8)), ord(name))
    finish(train(config("classifier", tmp_path / "set", tmp_path / "run")))
    before = state(tmp_path / "run")
    pictures(tmp_path / "set" / "c", "p0 p1 p2")
    with pytest.raises(DataError, match="class c is new"):
        finish(resume(tmp_path / "run", new_pictures=True))
    (tmp_path / "set" / "c").rename(tmp_path / "c")
    (tmp_path / "set" / "b").rename(tmp_path / "set" / "d")
    with pytest.raises(DataError, match="class d is new, class b is gone"):
        finish(resume(tmp_path / "run", new_pictures=True))
    assert state(tmp_path / "run") == before


def test_pictures_that_were_moved_are_known_by_what_they_hold(many: Path, run: Path, tmp_path: Path) -> None:
    many.rename(tmp_path / "moved")
    with pytest.raises(DataError):
        finish(resume(run, budget="64pictures"))
    finish(resume(run, budget="64pictures", data_=str(tmp_path / "moved")))
    assert finish(resume(run, budget="96pictures")).summary["data"] == str(tmp_path / "moved"), "it is remembered"
    with pytest.raises(DataError, match="others"):
        finish(resume(run, data_=str(pictures(tmp_path / "strange", "a b c d e f", 7))))


def test_paintings_are_known_by_what_they_hold(tmp_path: Path) -> None:
    """A stylist that goes on with other paintings is told so; moved ones are found where it is said."""
    pictures(tmp_path / "set", "a b c d")
    home = pictures(tmp_path / "paintings", "p q r")
    few: dict[str, Any] = {"size": 32, "net": "tiny", "batch": 2, "budget": "4pictures"}
    finish(train(config("stylist", tmp_path / "set", tmp_path / "run", paintings=str(home), **few)))
    before = state(tmp_path / "run")
    home.rename(tmp_path / "moved")
    with pytest.raises(DataError, match=r"there are no paintings here.*--paintings"):
        finish(resume(tmp_path / "run", budget="8pictures"))
    pictures(home, "p q r", 7)
    with pytest.raises(DataError, match=r"the paintings in .* are others"):
        finish(resume(tmp_path / "run", budget="8pictures"))
    assert state(tmp_path / "run") == before
    finish(resume(tmp_path / "run", budget="8pictures", paintings_=str(tmp_path / "moved")))
    finish(resume(tmp_path / "run", budget="12pictures"))
    finish(resume(tmp_path / "run", budget="16pictures", paintings_=str(home), new_pictures=True))


def test_where_pictures_lie_now_is_a_question_of_a_run_that_goes_on(many: Path, tmp_path: Path) -> None:
    for name, value in (("data_", str(many)), ("new_pictures", True)):
        with pytest.raises(UserError, match="--resume"):
            config("mlpgan", many, tmp_path / "run", **{name: value})


def test_a_run_goes_on_without_the_weights_it_began_with(many: Path, run: Path, tmp_path: Path) -> None:
    first = (run / record.MODEL).rename(tmp_path / "first.safetensors")
    finish(train(config("mlpgan", many, tmp_path / "second", from_=str(first))))
    first.unlink()
    assert finish(resume(tmp_path / "second", budget="64pictures")).summary["from_"] == str(first)
