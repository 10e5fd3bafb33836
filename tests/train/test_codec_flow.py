"""Flows that learn in the latents of a codec: what a run keeps of it, tells of it and refuses."""

import pytest
import torch

import danqing
from danqing.core.errors import ModelFileError, OutputError, ParameterError, UserError
from danqing.core.learned.card import read_card
from danqing.core.learned.weights import load, load_tensors, save
from danqing.core.notes import noted
from danqing.core.operators.task import task_named
from danqing.core.progress import finish
from danqing.models.codec import Codec
from danqing.models.flow import Flow
from danqing.models.vae import VAE
from danqing.training.config import TrainConfig
from danqing.training.loop import resume, train
from danqing.training.parts import can_go_on, resume_whole, train_whole
from danqing.training.plan import plan

pytestmark = pytest.mark.usefixtures("quick_looks")

RUN = {"budget": "64pictures", "every": "50%", "batch": 16, "precision": "fp32", "threads": 1}
RUN |= {"conditional": False, "size": 8}
SMALL = {"width": 16, "steps": 2}


@pytest.fixture
def codec(tmp_path):
    """A file of a codec that has learned nothing: what a run does with it is the same."""
    torch.manual_seed(0)
    return save(Codec(8, 1, depth=2, halvings=1, width=16), tmp_path / "codec.safetensors")


def config(out, codec, **changes):
    return TrainConfig.make("flow", "digits", **{**RUN, **SMALL, "codec": str(codec), "out": out, **changes})


def weights(file):
    return load_tensors(file)[1]


def test_a_run_goes_on_bit_for_bit_and_paints_when_the_codecs_file_is_gone(codec, tmp_path):
    news = []
    whole = finish(train(config(tmp_path / "whole", codec)), lambda progress: news.append(progress.news))
    assert "Holds as its codec" in "".join(news)
    job = train(config(tmp_path / "stopped", codec))
    next(progress for progress in job if "kimg" in progress.words and progress.done > 0.6)
    job.close()
    held = {name: value for name, value in weights(whole.model).items() if name.startswith("codec.")}
    taught = weights(codec)
    assert held.keys() == {f"codec.{name}" for name in taught}
    assert all(torch.equal(held[f"codec.{name}"], value) for name, value in taught.items())
    codec.unlink()
    stopped = finish(resume(tmp_path / "stopped"))
    one, other = weights(whole.model), weights(stopped.model)
    assert all(torch.equal(one[name], other[name]) for name in one.keys() | other.keys())
    card = read_card(stopped.model)
    assert [(each["how"], each["family"]) for each in card["lineage"]] == [("codec", "codec")]
    assert card["lineage"][0]["sha256"] == card["config"]["codec"]["sha256"]
    assert danqing.generate(stopped.model, count=2).shape == (2, 1, 8, 8)


@pytest.mark.slow
def test_what_begins_with_a_flow_keeps_its_codec(codec, tmp_path):
    first = finish(train(config(tmp_path / "first", codec))).model
    held = load(first).codec.state_dict()
    codec.unlink()
    on = TrainConfig.make("flow", "digits", **RUN, from_=str(first), out=tmp_path / "on")
    begun = load(finish(train(on)).model)
    assert begun.config == load(first).config
    assert all(torch.equal(value, held[name]) for name, value in begun.codec.state_dict().items())


def test_adapters_leave_the_codec_alone(codec, tmp_path):
    """It learns no more, and others hold it: a change of it would be a change of what latents mean."""
    first = finish(train(config(tmp_path / "first", codec, budget="16pictures"))).model
    on = {**RUN, "budget": "32pictures", "from_": str(first), "adapters": "low-rank", "rank": 1}
    job = train(TrainConfig.make("flow", "digits", **on, out=tmp_path / "on"))
    next(progress for progress in job if "kimg" in progress.words and progress.done > 0.6)
    job.close()
    names = weights(max((tmp_path / "on" / "checkpoints").glob("*.safetensors")))
    adapted = [name for name in names if "parametrizations" in name]
    assert adapted
    assert not [name for name in adapted if "codec." in name]


def test_what_does_not_fit_is_refused_before_anything_is_written(codec, tmp_path):
    vae = save(VAE(8, 1, net="dense", width=4), tmp_path / "vae.safetensors")
    pixels = save(Flow(8, 1, **SMALL), tmp_path / "pixels.safetensors")
    with pytest.raises(ParameterError, match="8 px in grey") as refusal:
        finish(train(config(tmp_path / "run", codec, size=16)))
    assert "--size 8 --channels grey" in refusal.value.remedy
    with pytest.raises(ModelFileError, match="is a vae, not a codec") as refusal:
        config(tmp_path / "run", vae)  # no picture was looked at
    assert "danqing train codec" in refusal.value.remedy
    with pytest.raises(ModelFileError, match="no such weights"):
        finish(train(config(tmp_path / "run", tmp_path / "nothing")))
    with pytest.raises(ParameterError) as refusal:
        finish(train(config(tmp_path / "run", codec, from_=str(pixels))))
    assert refusal.value.where == "codec"
    assert not (tmp_path / "run").exists()


def test_a_new_codec_is_learned_first_on_a_quarter_of_the_budget(tmp_path):
    asked = {**RUN, **SMALL, "codec": "new", "budget": "256pictures", "out": tmp_path / "run"}
    planned = finish(plan(TrainConfig.make("flow", "digits", **asked)))
    assert planned["pictures_seen"] == 192
    assert "Before it a codec learns, for 64 pictures" in planned["forecast"]
    assert not (tmp_path / "run").exists()
    result = danqing.train("flow", "digits", **asked)
    codec, flow = read_card(tmp_path / "run" / "codec" / "model.safetensors"), read_card(result.model)
    assert [(card["training"]["family"], card["training"]["pictures_seen"]) for card in (codec, flow)] == [
        ("codec", 64),
        ("flow", 192),
    ]
    told = [(each["how"], each["sha256"]) for each in flow["lineage"]]
    assert told == [("codec", load(str(tmp_path / "run" / "codec")).card["sha256"])]
    with pytest.raises(OutputError, match="holds a run"):
        danqing.train("flow", "digits", **asked)


@pytest.mark.parametrize("auto", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_run_whose_codec_was_stopped_goes_on(auto, tmp_path):
    """And comes to the same weights."""
    asked = {**RUN, **SMALL, "codec": "new", "budget": "1024pictures"}
    whole = danqing.train("flow", "digits", **asked, auto=auto, out=tmp_path / "whole")
    out = {**asked, "out": tmp_path / "stopped"}
    job = train_whole(TrainConfig.make("flow", "digits", **out), auto=auto)
    next(progress for progress in job if progress.words.startswith("codec") and 0.1 < progress.done < 0.2)
    job.close()
    assert can_go_on(tmp_path / "stopped")
    with pytest.raises(OutputError, match="holds a run"):
        danqing.train("flow", "digits", **out)
    stopped = finish(resume_whole(tmp_path / "stopped"))
    one, other = weights(whole.model), weights(stopped.model)
    assert all(torch.equal(one[name], other[name]) for name in one.keys() | other.keys())
    assert not (tmp_path / "stopped" / "whole.json").exists()
    assert finish(resume_whole(tmp_path / "stopped", budget="1152pictures")).summary["pictures_seen"] == 1152


def test_a_run_that_is_replaced_stays_until_the_one_with_a_new_codec_begins(tmp_path):
    asked = {**RUN, **SMALL, "out": tmp_path / "run"}
    first = weights(danqing.train("flow", "digits", **asked).model)
    job = train_whole(TrainConfig.make("flow", "digits", **asked, codec="new"), force=True)
    next(progress for progress in job if progress.words.startswith("codec"))
    job.close()
    still = weights(tmp_path / "run" / "model.safetensors")
    assert all(torch.equal(first[name], still[name]) for name in first)
    result = danqing.train("flow", "digits", **asked, codec="new", force=True)
    assert any(name.startswith("codec.") for name in weights(result.model))


def test_what_is_wrong_with_a_flow_is_said_before_its_codec_learns(tmp_path):
    with pytest.raises(ParameterError) as refusal:
        danqing.train("flow", "digits", **{**RUN, **SMALL, "codec": "new", "freeze": "critic", "out": tmp_path / "run"})
    assert refusal.value.where == "freeze"
    with pytest.raises(ModelFileError):
        danqing.train("flow", "digits", **{**RUN, **SMALL, "codec": "newer", "out": tmp_path / "run"})
    assert not (tmp_path / "run").exists()


def test_what_a_new_codec_cannot_go_with_is_said_before_it_learns(codec, tmp_path):
    flow = str(finish(train(config(tmp_path / "flow", codec, budget="16pictures"))).model)
    for changes, words in (
        ({"from_": flow}, "--codec would replace"),
        ({"teacher": flow, "channels": "colour"}, "has channels 1, the new model 3"),
    ):
        asked = config(tmp_path / "run", "new", **changes)
        for job in (train_whole(asked), plan(asked)):
            with pytest.raises(UserError, match=words):
                finish(job)
    assert not (tmp_path / "run").exists()


def test_a_large_flow_without_a_codec_is_told_of_one(tmp_path):
    with noted([]) as told:
        danqing.train("flow", "digits", **{**RUN, **SMALL, "size": 64, "budget": "16pictures", "out": tmp_path / "run"})
    assert any("--codec new" in words for words in told)


def test_who_stops_before_the_flow_began_is_told_how_to_go_on(tmp_path):
    task = task_named("train").child("flow")
    assert task.after_stop({"out": tmp_path}) == ""
    (tmp_path / "whole.json").touch()
    assert "--resume" in task.after_stop({"out": tmp_path})


def test_a_damaged_note_of_what_is_to_be_is_an_error(tmp_path):
    (tmp_path / "whole.json").write_text("[]")
    with pytest.raises(UserError, match="does not say what the run is to be"):
        finish(resume_whole(tmp_path))
