"""Files from before a parameter had a name are what they were: loaded, begun with and gone on with."""

import json

import pytest
import torch

from danqing.core.learned.families import family_named
from danqing.core.learned.model import Painter
from danqing.core.learned.weights import load, save, save_tensors
from danqing.core.menu import families
from danqing.core.progress import finish
from danqing.training.config import TrainConfig
from danqing.training.loop import resume, train

pytestmark = pytest.mark.usefixtures("quick_looks")

SMALL = {
    "dcgan": {"size": 16, "width": 4, "critic_width": 4},
    "stylegan": {"size": 16, "width": 4, "critic_width": 4},
    "flow": {"size": 16, "width": 16, "steps": 2},
}
PAINTERS = [name for name in families() if issubclass(family_named(name), Painter)]  # of a stylist: test_stylist.py
FORMER = [(name, param) for name in PAINTERS for param in family_named(name).former]
RUN = {"budget": "64pictures", "batch": 16, "threads": 1, "channels": "grey", "conditional": False, "precision": "fp32"}


def without(config, param):
    return {name: value for name, value in config.items() if name != param}


@pytest.mark.parametrize(("name", "param"), FORMER)
def test_an_older_file_is_what_it_was(name, param, tmp_path):
    make = family_named(name)
    assert make(**SMALL[name]).config[param] != make.former[param], "else nothing need be remembered"
    torch.manual_seed(0)
    net = make(**SMALL[name], **{param: make.former[param]}).eval()
    config = without(net.config, param)
    file = save_tensors(net.state_dict(), tmp_path / "old.safetensors", {"family": name, "config": config})
    again = load(file)
    assert again.config == net.config
    rng = torch.Generator().manual_seed(1)
    with torch.inference_mode():
        assert torch.equal(again.sample(3, rng), net.sample(3, rng.manual_seed(1)))
    begun = TrainConfig.make(name, "digits", from_=str(save(net, tmp_path / "new.safetensors")), **RUN)
    old = TrainConfig.make(name, "digits", from_=str(file), **RUN)
    assert old.params == begun.params
    assert old.params[param] == make.former[param]


@pytest.mark.parametrize(("name", "param"), FORMER)
def test_an_older_run_goes_on(name, param, tmp_path):
    value = family_named(name).former[param]
    params = {**without(SMALL[name], "size"), param: value}
    config = TrainConfig.make(name, "digits", size=16, **RUN, **params, out=tmp_path / "run")
    finish(train(config))
    file = tmp_path / "run" / "config.json"
    known = json.loads(file.read_text())
    file.write_text(json.dumps({**known, "params": without(known["params"], param)}))
    gone_on = finish(resume(tmp_path / "run", budget="128pictures"))
    assert load(gone_on.model).config[param] == value
