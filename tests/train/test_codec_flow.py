"""Flows that learn in the latents of a codec: what a run keeps of it, tells of it and refuses."""

import shutil

import pytest
import torch

import danqing
from danqing.core.errors import ModelFileError, ParameterError
from danqing.core.learned.card import read_card
from danqing.core.learned.weights import load, load_tensors
from danqing.core.progress import finish
from danqing.training.config import TrainConfig
from danqing.training.loop import resume, train

RUN = {"budget": "64pictures", "every": "50%", "batch": 16, "precision": "fp32", "threads": 1, "conditional": False}
SMALL = {"width": 16, "steps": 2}


@pytest.fixture(scope="module")
def codec(tmp_path_factory):
    out = tmp_path_factory.mktemp("codec") / "run"
    return danqing.train("codec", "digits", **RUN, width=16, perceptual=0.0, out=out).folder


def config(out, codec, **changes):
    return TrainConfig.make("flow", "digits", **{**RUN, **SMALL, "codec": str(codec), "out": out, **changes})


def weights(file):
    return load_tensors(file)[1]


def test_a_run_goes_on_bit_for_bit_and_paints_when_the_codecs_file_is_gone(codec, tmp_path):
    mine = shutil.copytree(codec, tmp_path / "codec")
    news = []
    job = train(config(tmp_path / "whole", mine))
    whole = finish(job, lambda progress: news.append(progress.news))
    assert "Holds as its codec" in "".join(news)
    job = train(config(tmp_path / "stopped", mine))
    next(progress for progress in job if "kimg" in progress.words and progress.done > 0.6)
    job.close()
    held = {name: value for name, value in weights(whole.model).items() if name.startswith("codec.")}
    taught = weights(mine / "model.safetensors")
    assert held.keys() == {f"codec.{name}" for name in taught}
    assert all(torch.equal(held[f"codec.{name}"], value) for name, value in taught.items())
    shutil.rmtree(mine)
    stopped = finish(resume(tmp_path / "stopped"))
    one, other = weights(whole.model), weights(stopped.model)
    assert all(torch.equal(one[name], other[name]) for name in one.keys() | other.keys())
    card = read_card(stopped.model)
    assert [(each["how"], each["family"]) for each in card["lineage"]] == [("codec", "codec")]
    assert card["lineage"][0]["sha256"] == card["config"]["codec"]["sha256"]
    assert danqing.generate(stopped.model, count=2).shape == (2, 1, 28, 28)
    on = TrainConfig.make("flow", "digits", **RUN, from_=str(stopped.model), out=tmp_path / "on")
    begun = load(finish(train(on)).model)
    assert begun.config == load(stopped.model).config
    assert torch.equal(begun.codec.state_dict()["encoder.head.weight"], held["codec.encoder.head.weight"])


def test_what_does_not_fit_is_refused_before_anything_is_written(codec, tmp_path):
    vae = danqing.train("vae", "digits", **RUN, net="dense", width=4, out=tmp_path / "vae").folder
    with pytest.raises(ParameterError, match="28 px in grey") as refusal:
        finish(train(config(tmp_path / "run", codec, size=32)))
    assert "--size 28 --channels grey" in refusal.value.remedy
    with pytest.raises(ModelFileError, match="is a vae, not a codec") as refusal:
        finish(train(config(tmp_path / "run", vae)))
    assert "danqing train codec" in refusal.value.remedy
    with pytest.raises(ModelFileError, match="no such weights"):
        finish(train(config(tmp_path / "run", tmp_path / "nothing")))
    pixels = danqing.train("flow", "digits", **RUN, **SMALL, out=tmp_path / "pixels").folder
    with pytest.raises(ParameterError) as refusal:
        finish(train(config(tmp_path / "run", codec, from_=str(pixels))))
    assert refusal.value.where == "codec"
    assert not (tmp_path / "run").exists()
