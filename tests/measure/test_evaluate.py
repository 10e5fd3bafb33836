import json

import numpy as np
import pytest
import torch
from PIL import Image

from danqing.core.errors import ModelFileError, ParameterError, TooFewPictures
from danqing.core.learned.model import Painter
from danqing.core.learned.weights import save
from danqing.core.notes import PictureWarning
from danqing.core.pictures.contract import check_images
from danqing.data.digits import digits
from danqing.measure.evaluate import evaluate
from danqing.models.classifier import Classifier

FEW = "kernel,score,precision,classes"  # the metrics for which 200 samples will do, and no search for neighbours


class Copyist(Painter):
    """Paints digits it has seen: all of them, or the first few of each class, shifted and grainy if asked to."""

    latent = (2,)

    def __init__(self, size=28, channels=1, classes=10, known=800, grain=0.0):
        super().__init__()
        self.wire = torch.nn.Parameter(torch.zeros(1))
        pictures, labels = (torch.from_numpy(part.copy()) for part in digits("train"))
        self.known = [pictures[labels == at][:known, None] / 255 for at in range(10)]

    def losses(self, batch, rng):
        yield "", self.wire.sum()

    def paint(self, z, label=None):
        label = (z[:, 1].abs() * 1e4).long() % 10 if label is None else label
        at = (z[:, 0].abs() * 1e5).long()
        x = torch.stack([self.known[c][int(a) % len(self.known[c])] for c, a in zip(label.tolist(), at, strict=True)])
        grain = torch.rand(x.shape, generator=torch.Generator().manual_seed(int(at[0])))
        return (x + self.config["grain"] * (grain - 0.5)).clamp(0, 1)


@pytest.fixture(scope="module", autouse=True)
def _own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DANQING_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def scored(model, data="digits", **values):
    found = evaluate(model, data, **values)
    return {row["score"]: row for row in found.numbers}, found.picture


@pytest.fixture(scope="module")
def shapes(tmp_path_factory):
    """A recogniser of ten other things, with quick features."""
    torch.manual_seed(0)
    model = Classifier(size=16, channels=1, classes=10, width=4, dim=8).eval()
    return str(save(model, tmp_path_factory.mktemp("weights") / "shapes.safetensors", classes=list("abcdefghij")))


@pytest.fixture(scope="module")
def faithful():
    return scored(Copyist(), count=200, metrics=FEW)


def test_a_faithful_painter_scores_as_real_pictures_do(faithful):
    table, _ = faithful
    assert table["class_accuracy"]["value"] > 0.97
    assert table["classifier_score"]["value"] == pytest.approx(table["classifier_score"]["real"], abs=0.5)
    assert table["density"]["value"] > 0.7
    assert abs(table["kernel_distance"]["value"]) < 0.02
    assert {f"class_accuracy of {digit}" for digit in range(10)} <= table.keys()
    assert {f"coverage of {digit}" for digit in range(10)} <= table.keys()


def test_a_collapsed_painter_is_punished_where_precision_praises_it(faithful):
    table, _ = scored(Copyist(known=1), count=200, metrics=FEW)
    assert table["precision"]["value"] > 0.9
    assert table["coverage"]["value"] < 0.5 * faithful[0]["coverage"]["value"]
    assert table["kernel_distance"]["low"] > 0 > faithful[0]["kernel_distance"]["low"]
    assert table["kernel_distance"]["value"] > faithful[0]["kernel_distance"]["high"]


def test_every_row_carries_its_recipe(faithful):
    table, _ = faithful
    for row in table.values():
        assert row["low"] <= row["value"] <= row["high"]
        assert (row["features"], row["against"]) == ("digits", "held-out")
        assert (row["samples"], row["reference"]) == (200, 200) or " of " in row["score"]
        assert len(row["weights"]) == 64
        assert row["resize"]
        assert row["colour"] == "grey"
    json.dumps(list(table.values()), allow_nan=False)


def test_copies_are_found_and_shown_beside_their_originals(shapes):
    table, picture = scored(Copyist(), count=140, metrics="frechet,neighbours", features=shapes)
    assert table["copied_share"]["value"] == 1
    assert table["copied_share"]["real"] < 0.6
    assert table["copied_share"]["reference"] == 8000
    check_images(picture)
    sample, neighbour = picture[0, 0, :56, :56], picture[0, 0, :56, 60:116]
    assert torch.equal(sample, neighbour)


def test_the_seed_fixes_the_scores(faithful):
    again, _ = scored(Copyist(), count=200, metrics=FEW)
    assert again == faithful[0]
    other, _ = scored(Copyist(), count=200, metrics=FEW, seed=1)
    assert other["kernel_distance"]["value"] != faithful[0]["kernel_distance"]["value"]


class Recording(Copyist):
    """Notes which classes it is asked for, and paints nothing."""

    def paint(self, z, label=None):
        self.__dict__.setdefault("asked", []).append(label)
        return torch.zeros(len(z), 1, 28, 28)


def asked_of(seed, features, data="digits"):
    model = Recording()
    evaluate(model, data, count=200, metrics="kernel", features=features, seed=seed)
    return torch.cat(model.asked)


def test_classes_are_asked_for_as_often_as_in_the_data_whatever_the_reference_has(shapes):
    counts = torch.stack([asked_of(seed, shapes).bincount(minlength=10) for seed in range(8)]).double()
    expected = 200 * torch.from_numpy(np.bincount(digits("train")[1]) / 8000)
    assert ((counts.mean(0) - expected).abs() < 4 * (expected / 8).sqrt()).all()
    # were they those of the reference, always the same, it would be 0; drawn, it is about the 72 degrees of freedom
    assert 35 < ((counts - expected).square() / expected).sum() < 140
    assert torch.equal(asked_of(0, shapes), asked_of(0, shapes))
    assert not torch.equal(asked_of(0, shapes), asked_of(1, shapes))


def asked_by_name(known, data, features):
    """Of which classes a model that knows these is asked for how many samples."""
    model = Recording(classes=len(known))
    model.card = {"classes": known}
    found = {row["score"] for row in evaluate(model, data, count=60, metrics="precision", features=features).numbers}
    asked = torch.cat(model.asked).bincount(minlength=len(known))
    return dict(zip(known, asked.tolist(), strict=True)), {name for name in found if " of " in name}


def test_classes_of_model_and_data_go_by_their_names_whatever_their_numbers(folder, shapes):
    (folder / "dark" / "broken.png").unlink()
    for at in range(100):
        (folder / "light" / f"{at}.png").unlink()
    data = folder.as_posix()
    asked, told = asked_by_name(["light", "other", "dark"], data, shapes)
    assert asked["other"] == 0
    assert asked["dark"] > asked["light"] > 0
    assert told == {"coverage of dark", "coverage of light"}
    with pytest.warns(PictureWarning, match="does not know light: it is asked for the other classes of the data"):
        assert asked_by_name(["other", "dark"], data, shapes) == ({"other": 0, "dark": 60}, told)
    with pytest.warns(PictureWarning, match="knows none of the classes of the data"):
        assert min(asked_by_name(["a", "b", "c"], data, shapes)[0].values()) > 5


@pytest.mark.parametrize("written", ["set", "./set", "linked", "set/../set", "{}/set"])
def test_a_label_file_goes_with_its_pictures_however_their_place_is_written(
    written, folder, shapes, tmp_path, monkeypatch
):
    """The model learned from the relative "set" with labels that lie elsewhere: all of one class but ten."""
    (folder / "dark" / "broken.png").unlink()
    (folder / "dark").rename(folder / "set")
    (tmp_path / "linked").symlink_to(folder / "set")
    rows = {f"{at}.png": "day" if at < 10 else "night" for at in range(150)}
    (tmp_path / "labels.json").write_text(json.dumps(rows))
    monkeypatch.chdir(tmp_path)
    model = Recording(classes=2)
    model.card = {"classes": ["day", "night"], "training": {"data": "set", "labels": "labels.json"}}
    evaluate(model, written.format(tmp_path), count=100, metrics="kernel", features=shapes)
    day, night = torch.cat(model.asked).bincount(minlength=2).tolist()
    assert night > 5 * day, "as often as in the data; without the labels both alike"


def test_a_label_file_is_not_for_other_pictures(folder, shapes):
    (folder / "dark" / "broken.png").unlink()
    model = Recording(classes=2)
    model.card = {"classes": ["day", "night"], "training": {"data": str(folder / "light"), "labels": "gone.json"}}
    with pytest.warns(PictureWarning, match="have no labels: the model is asked for all of its classes alike"):
        evaluate(model, str(folder / "dark"), count=60, metrics="kernel", features=shapes)
    assert torch.cat(model.asked).bincount(minlength=2).min() > 20


def test_without_labels_all_classes_are_asked_for_alike(folder, shapes):
    loose = folder / "dark"
    (loose / "broken.png").unlink()
    assert asked_of(0, shapes, loose.as_posix()).bincount(minlength=10).min() > 8


def test_too_few_pictures_are_refused_with_the_number_needed():
    with pytest.raises(TooFewPictures, match=r"128 features needs at least 129 samples, not 100.*--count 129"):
        scored(Copyist(), count=100)
    with pytest.raises(TooFewPictures, match="at least 50 samples, not 20"):
        scored(Copyist(), count=20, metrics=FEW)
    with pytest.raises(TooFewPictures, match="1280 features needs at least 1281 samples, not 500"):
        scored(Copyist(), count=500, features="efficientnet-lite0")


def test_features_without_classes_are_enough_for_all_but_the_scores_of_classes(tmp_path):
    for part, count in (("train", 12), ("test", 12)):
        pictures, labels = digits(part)
        for at, label in enumerate(labels[: 10 * count]):
            place = tmp_path / part / str(label)
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pictures[at]).save(place / f"{at}.png")
    found, _ = scored(Copyist(), str(tmp_path), count=100, features="mobilenet-v2")
    assert {name.partition(" of ")[0] for name in found} == {
        "frechet_distance", "kernel_distance", "precision", "recall", "density", "coverage", "copied_share"
    }  # fmt: skip
    assert {row["features"] for row in found.values()} == {"mobilenet-v2"}


def test_metrics_and_features_that_do_not_exist_are_refused():
    with pytest.raises(ParameterError, match=r"no metric 'fid'.*Known: frechet, kernel"):
        scored(Copyist(), metrics="kernel,fid")
    with pytest.raises(ParameterError, match="score needs classes, and mobilenet-v2 tells none apart"):
        scored(Copyist(), metrics="score", features="mobilenet-v2")
    with pytest.raises(ParameterError, match="Name the file instead of inception"):
        scored(Copyist(), features="inception")
    with pytest.raises(ModelFileError, match="no such weights file"):
        scored(Copyist(), features="vgg")


class TestClasses:
    def test_of_an_unconditional_painter_are_left_out_or_refused(self):
        table, _ = scored(Copyist(classes=0), count=60, metrics="kernel")
        assert "class_accuracy" not in table
        with pytest.raises(ParameterError, match="the model is unconditional"):
            scored(Copyist(classes=0), count=60, metrics="classes")

    def test_of_other_names_are_not_compared(self, shapes):
        with pytest.raises(ParameterError, match="classes of shapes have other names"):
            scored(Copyist(), count=60, metrics="classes", features=shapes)
        table, _ = scored(Copyist(), count=60, metrics="score", features=shapes)
        assert table["classifier_score"]["features"] == "shapes"


@pytest.fixture
def folder(tmp_path):
    """300 of a person's own pictures in two classes, one of them damaged."""
    rng = np.random.RandomState(0)
    for name, level in (("dark", 60), ("light", 190)):
        (tmp_path / name).mkdir()
        for at in range(150):
            pixels = np.clip(level + 40 * rng.randn(20, 30), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{at}.png")
    (tmp_path / "dark" / "broken.png").write_bytes(b"no picture")
    return tmp_path


def test_a_persons_own_folder_is_measured_against_its_training_pictures_when_few_are_held_out(folder):
    table, picture = scored(Copyist(), folder.as_posix(), count=60, features="digits", metrics="kernel,neighbours")
    assert table["kernel_distance"]["against"] == "training"
    assert table["kernel_distance"]["real"] is not None
    assert table["kernel_distance"]["low"] > 10 * abs(table["kernel_distance"]["real"])
    assert table["copied_share"]["real"] is None
    check_images(picture)
    with pytest.raises(TooFewPictures, match=r"needs at least 1281 real pictures, not 2[0-9]{2}"):
        scored(Copyist(), folder.as_posix(), metrics="frechet")


def test_of_few_pictures_all_that_makes_sense_is_measured_and_what_is_left_out_is_told(folder):
    for at in range(60, 150):
        (folder / "dark" / f"{at}.png").unlink()
        (folder / "light" / f"{at}.png").unlink()
    (folder / "dark" / "broken.png").unlink()
    left_out = r"left out: on digits it needs 129 real pictures, not 1[0-9]{2}; --features mobilenet-v2 needs 97"
    with pytest.warns(PictureWarning, match=left_out):
        table, _ = scored(Copyist(classes=0), folder.as_posix(), count=150, features="digits")
    assert {"kernel_distance", "precision", "copied_share"} <= set(table)
    assert "frechet_distance" not in table


def test_what_a_refusal_advises_is_not_refused(folder):
    with pytest.raises(TooFewPictures) as refused:
        scored(Copyist(classes=0), folder.as_posix(), metrics="frechet")
    advised = refused.value.remedy.partition("--metrics ")[2]
    table, _ = scored(Copyist(classes=0), folder.as_posix(), count=100, features="digits", metrics=advised)
    assert "kernel_distance" in table


def test_whether_it_copies_is_told_of_pictures_too_few_for_distances(folder):
    for at in range(3, 150):
        (folder / "light" / f"{at}.png").unlink()
    with pytest.raises(TooFewPictures, match="at least 50 real pictures, not 3"):
        scored(Copyist(classes=0), (folder / "light").as_posix(), count=60, features="digits", metrics="kernel")
    with pytest.warns(PictureWarning, match="at least 50 real pictures, not 3"):
        table, picture = scored(Copyist(classes=0), (folder / "light").as_posix(), count=150, features="digits")
    assert set(table) == {"copied_share"}
    assert table["copied_share"]["low"] <= table["copied_share"]["value"] <= table["copied_share"]["high"]
    check_images(picture)
    (folder / "light" / "2.png").unlink()
    with pytest.raises(TooFewPictures):
        scored(Copyist(classes=0), (folder / "light").as_posix(), count=150, features="digits")
