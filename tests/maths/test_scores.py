import json

import pytest
import torch

from danqing.core.errors import TooFewPictures
from danqing.maths.scores import MEANINGS, METRICS, About, Seen, Sets, rows

DIM, CLASSES = 6, ("cat", "dog", "owl")
ABOUT = About(CLASSES)


def seen(count, seed=0, labelled=True, spread=1.0, noise=1.0):
    """Three Gaussian classes, and a network that names them rightly but for a few."""
    rng = torch.Generator().manual_seed(seed)
    labels = torch.randint(3, (count,), generator=rng)
    centres = spread * torch.eye(3, DIM) * 4
    features = centres[labels] + noise * torch.randn(count, DIM, generator=rng)
    return Seen(features, (3 * features[:, :3]).softmax(1), labels if labelled else None)


def table(sets, wanted=tuple(METRICS), about=ABOUT):
    return {row["score"]: row for row in rows(sets, wanted, about, seed=0)}


@pytest.fixture(scope="module")
def fair():
    return table(Sets(seen(300, 1), seen(300, 2), seen(900, 3), held_out=True))


def test_every_score_says_what_it_is(fair):
    for name, row in fair.items():
        assert row["low"] <= row["value"] <= row["high"], name
        assert row["samples"] == 300 or name.startswith("class_accuracy of")
        assert row["better"] in ("lower", "higher", "as real")
        assert row["reference"] == (900 if name == "copied_share" else 300) or name.startswith("coverage of")
        assert row["against"] == ("training" if name == "copied_share" else "held-out")
        assert row["means"]
    json.dumps(list(fair.values()), allow_nan=False)


def test_every_meaning_is_used():
    sets = Sets(seen(60, 1), seen(60, 2), seen(60, 3), held_out=True)
    names = {*table(sets), *table(sets, about=About(CLASSES, official=True))}
    assert {name.partition(" of ")[0] for name in names} == set(MEANINGS)


def test_samples_drawn_as_the_data_are_score_as_real_pictures_do(fair):
    for name, row in fair.items():
        tolerance = 0.6 if "distance" in name else 0.1
        assert row["value"] == pytest.approx(row["real"], abs=tolerance), name
    assert 0.3 < fair["copied_share"]["value"] < 0.7


def test_each_class_is_told_by_name(fair):
    assert {name for name in fair if name.startswith("coverage of")} == {f"coverage of {name}" for name in CLASSES}
    assert fair["class_accuracy of owl"]["value"] > 0.8
    assert sum(fair[f"class_accuracy of {name}"]["samples"] for name in CLASSES) == 300
    assert sum(fair[f"coverage of {name}"]["reference"] for name in CLASSES) == 300


def test_a_class_that_is_never_painted_is_missed_by_its_coverage_alone():
    whole = seen(400, 1)
    sets = Sets(whole.part(whole.labels != 2), seen(300, 2), seen(900, 3), held_out=True)
    found = table(sets, ("precision",))
    assert found["coverage of cat"]["value"] > 0.8
    assert found["coverage of owl"]["value"] < 0.3
    assert found["precision"]["value"] > 0.8


def test_copies_are_told_from_fresh_samples():
    train = seen(900, 3)
    copies = train.part(slice(300))
    found = table(Sets(copies, seen(300, 2), train, held_out=True), ("neighbours", "frechet"))
    assert found["copied_share"]["value"] == 1
    assert found["copied_share"]["real"] < 0.7
    assert found["frechet_distance"]["value"] < 0.5  # which alone would praise them


def test_only_official_features_make_an_fid():
    sets = Sets(seen(60, 1), seen(60, 2), seen(60, 3), held_out=True)
    assert {"frechet_distance", "kernel_distance", "classifier_score"} <= table(sets).keys()
    official = table(sets, about=About(CLASSES, official=True)).keys()
    assert {"fid", "kid", "inception_score"} <= official
    assert not {"frechet_distance", "kernel_distance", "classifier_score"} & official


def test_without_held_out_pictures_halves_of_the_training_pictures_are_the_measure():
    train = seen(400, 3)
    found = table(Sets(seen(300, 1), train, train, held_out=False))
    assert found["frechet_distance"]["against"] == "training"
    assert found["frechet_distance"]["real"] is not None
    assert found["copied_share"]["real"] is None


def test_what_real_pictures_score_is_left_out_where_they_are_too_few():
    train = seen(10, 3)
    found = table(Sets(seen(300, 1), train, train, held_out=False), ("frechet", "precision"))
    assert found["frechet_distance"]["real"] is None
    assert found["precision"]["real"] is None
    with pytest.raises(TooFewPictures):
        table(Sets(seen(DIM, 1), train, train, held_out=False), ("frechet",))


def test_unlabelled_pictures_have_no_scores_by_class():
    sets = Sets(*(seen(60, seed, labelled=False) for seed in (1, 2, 3)), held_out=True)
    assert not [name for name in table(sets) if " of " in name or name == "class_accuracy"]
