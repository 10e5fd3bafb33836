"""Painting with flows: from a picture, and into a hole; and translating. Nets are new: what is tested is the way."""

from unittest.mock import patch

import numpy as np
import pytest
import torch
from PIL import Image

import danqing
from danqing.core.errors import ParameterError
from danqing.core.learned.model import Samples
from danqing.core.learned.weights import save
from danqing.core.notes import noted
from danqing.core.operators.operator import operator_named
from danqing.core.progress import finish
from danqing.core.runs.folders import Folders
from danqing.core.runs.run import run
from danqing.maths.projection import note_missed
from danqing.models.codec import Codec
from danqing.models.flow import Flow
from danqing.models.pix2pix import Pix2Pix
from danqing.training.step import Stepper

NAMES = ["left", "right"]


@pytest.fixture
def flow():
    torch.manual_seed(0)
    net = Flow(size=16, channels=3, classes=2, width=16).eval()
    net.card = {"classes": NAMES}
    return net


@pytest.fixture
def in_latents():
    """A flow in the latents of a codec, neither of which has learned anything."""
    torch.manual_seed(0)
    codec = {"family": "codec", "config": Codec(16, 3, width=16).config}
    net = Flow(size=16, channels=3, classes=2, width=16, steps=2, codec=codec).eval()
    net.card = {"classes": NAMES}
    return net


@pytest.fixture
def x():
    return torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(1))


def test_without_strength_a_picture_stays_and_with_all_nothing_is_kept(flow, x):
    assert torch.equal(danqing.image_to_image(x, flow, strength=0.0), x)
    whole = danqing.image_to_image(x, flow, strength=1.0, steps=3, label="right")
    assert torch.allclose(whole, danqing.image_to_image(1 - x, flow, strength=1.0, steps=3, label="right"))
    assert not torch.equal(whole, danqing.image_to_image(x, flow, strength=1.0, steps=3, label="left"))


def test_a_picture_does_not_depend_on_its_company(flow, x):
    both = danqing.image_to_image(x, flow, strength=0.5, steps=4)
    assert torch.equal(danqing.image_to_image(x[:1], flow, strength=0.5, steps=4), both[:1])


def test_only_the_hole_is_painted(flow, x):
    mask = torch.zeros(1, 1, 16, 16)
    mask[..., 4:9, 3:12] = 1
    made = danqing.inpaint_by_flow(x, mask, flow, steps=4)
    hole = (mask > 0.5).expand_as(x)
    assert torch.equal(made[~hole], x[~hole])
    other = danqing.inpaint_by_flow(x, mask, flow, steps=4, seed=1)
    assert not torch.equal(made[hole], other[hole])


def test_a_mask_of_another_size_is_refused_and_an_empty_one_told(flow, x):
    with pytest.raises(ParameterError, match="do not fit pictures of 16×16"):
        danqing.inpaint_by_flow(x, torch.ones(1, 1, 8, 8), flow, steps=1)
    notes = []
    with noted(notes):
        made = danqing.inpaint_by_flow(x, torch.zeros(1, 1, 16, 16), flow, steps=1)
    assert torch.equal(made, x)
    assert any("the mask is empty" in each for each in notes)


def test_guidance_without_a_class_is_refused(flow, x):
    for make in (
        danqing.image_to_image,
        lambda *a, **k: danqing.inpaint_by_flow(a[0], torch.ones_like(x[:1, :1]), *a[1:], **k),
    ):
        with pytest.raises(ParameterError, match="guidance"):
            make(x, flow, steps=1, guidance=3.0)
        two, left_out = (make(x, flow, steps=2, label="right", **more) for more in ({"guidance": 2.0}, {}))
        assert torch.equal(two, left_out)


def test_transparent_pictures_stand_on_white_as_in_training(in_latents, tmp_path):
    pixels = np.full((16, 16, 4), 255, np.uint8)
    pixels[:, 8:] = 200, 30, 10, 0
    pixels[4:12, 2:6, :3] = 20
    save(in_latents, tmp_path / "flow.safetensors")
    Image.fromarray(pixels).save(tmp_path / "hidden.png")
    pixels[:, 8:] = 255
    Image.fromarray(pixels[..., :3]).save(tmp_path / "white.png")
    made = {}
    for name in ("hidden", "white"):
        values = {"weights": tmp_path / "flow.safetensors", "strength": 0.5, "steps": 2}
        places = Folders([tmp_path / f"{name}.png"], out=tmp_path / f"{name}-made.png")
        finish(run(operator_named("image_to_image"), values, places))
        made[name] = np.asarray(Image.open(tmp_path / f"{name}-made.png").convert("RGB"))
    np.testing.assert_array_equal(made["hidden"], made["white"])


def test_in_latents_without_strength_a_picture_stays_and_with_little_it_is_near_what_the_codec_makes_of_it(
    in_latents, x
):
    assert torch.equal(danqing.image_to_image(x, in_latents, strength=0.0), x)
    with torch.no_grad():
        again = in_latents.codec.reconstruct(x)
    near, far = (danqing.image_to_image(x, in_latents, strength=each, steps=2) for each in (0.01, 1.0))
    assert (near - again).abs().mean() < 0.3 * (far - again).abs().mean()


def test_in_latents_only_the_hole_is_painted_and_what_it_hid_does_not_count(in_latents, x):
    mask = torch.zeros(1, 1, 16, 16)
    mask[..., 5:7, 4:8] = 1
    hole = (mask > 0.5).expand_as(x)
    made = danqing.inpaint_by_flow(x, mask, in_latents, steps=4)
    assert torch.equal(made[~hole], x[~hole])
    assert torch.equal(danqing.inpaint_by_flow(torch.where(hole, 1 - x, x), mask, in_latents, steps=4), made)
    around = torch.where(hole, x, 1 - x)
    assert not torch.equal(danqing.inpaint_by_flow(around, mask, in_latents, steps=4)[hole], made[hole])
    whole = danqing.inpaint_by_flow(x, torch.ones_like(mask), in_latents, steps=2)
    assert torch.equal(danqing.inpaint_by_flow(1 - x, torch.ones_like(mask), in_latents, steps=2), whole)


def test_an_unknown_class_is_refused(flow, x):
    with pytest.raises(ParameterError):
        danqing.image_to_image(x, flow, label="up")


def test_translating_keeps_the_size_and_takes_the_models_colours(x):
    torch.manual_seed(0)
    net = Pix2Pix(size=16, channels=1, width=16).eval()
    assert danqing.translate(x[..., :13], net).shape == (2, 1, 16, 13)
    with pytest.raises(ParameterError, match="one way only"):
        danqing.translate(x, net, back=True)


@pytest.mark.parametrize("solver", ["euler", "heun", "adams"])
def test_the_way_back_ends_where_the_picture_comes_from(solver, flow, x):
    """The net is new and hardly bends the way: what is painted again from the noise found is the picture."""
    flow.config |= {"solver": solver, "steps": 8}
    label = torch.tensor([0, 1])
    with torch.no_grad():
        noise = flow.way_back(x, label)
        assert torch.allclose(flow.paint(noise, label), x, atol=1 / 255)
        assert not torch.allclose(noise, flow.way_back(x, 1 - label), atol=1e-3)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("calligraphy", {"count": 1, "label": "kai", "seed": 3}),
        pytest.param("calligraphy", {"count": 6, "label": "all", "seed": 11}, marks=pytest.mark.slow),
        pytest.param("emoji", {"count": 6, "seed": 5}, marks=pytest.mark.slow),
    ],
)
def test_a_flows_own_pictures_are_found_again(name, values):
    """Ways bend under guidance, and codecs do not come back to the same latents: the way back alone misses."""
    notes: list[str] = []
    with noted(notes):
        found = danqing.project(danqing.generate(name, **values), name)
    assert min(row["psnr"] for row in found.numbers) >= 30
    assert max(row["unexplained"] for row in found.numbers) <= 0.02
    assert notes == []


def test_of_a_picture_that_is_missed_it_is_said_why():
    notes: list[str] = []
    with noted(notes):
        note_missed([0.9, 0.4, 1.2], [True, False, False])
        note_missed([0.7], [True])
    one, two, only = notes
    assert one.startswith("the search did not arrive at picture 0: 90%")
    assert two.startswith("picture 2 is not of the kind that this model paints: all of it")
    assert only.startswith("the search did not arrive at the picture: 70%")


def test_what_no_codec_can_say_is_of_another_kind_and_not_looked_for_long(in_latents, x):
    notes: list[str] = []
    with noted(notes), patch.object(Flow, "paint", autospec=True, side_effect=Flow.paint) as painted:
        danqing.project(x[:1], in_latents)
    assert [each for each in notes if "not of the kind" in each] == notes != []
    assert painted.call_count <= 3  # classes that are likely, and what is shown


def test_project_begins_where_a_flow_would_have_begun(flow, x):
    found = danqing.project(x[:1], flow, steps=0)
    assert found.numbers[0]["psnr"] > 40
    assert danqing.project(x[:1], flow, steps=4).numbers[0]["psnr"] >= found.numbers[0]["psnr"] - 1e-6
    assert danqing.project(x[:1], flow).numbers == found.numbers, "the way back is enough where nobody asks for more"


@pytest.mark.parametrize(("steps", "guidance"), [(1, None), (5, None), (5, 4.0), (1, 1.0)])
def test_how_the_way_is_gone_is_chosen_where_it_is_gone(steps, guidance, flow):
    """The same pictures as of a model that was trained to go so, and the model stays as it was."""
    before = dict(flow.config)
    made = danqing.generate_by_flow(flow, count=3, label="left", steps=steps, guidance=guidance)
    assert flow.config == before
    assert not torch.equal(made, danqing.generate(flow, count=3, label="left"))
    flow.config |= {"steps": steps, "solver": "adams", "guidance": before["guidance"] if guidance is None else guidance}
    assert torch.equal(made, danqing.generate(flow, count=3, label="left"))


def test_no_class_is_followed_where_none_is_known():
    unlabelled = Flow(size=16, channels=3, width=16).eval()
    assert danqing.generate_by_flow(unlabelled, count=1, steps=1).shape == (1, 3, 16, 16)
    with pytest.raises(ParameterError, match="no class to follow") as caught:
        danqing.generate_by_flow(unlabelled, count=1, guidance=2.0)
    assert caught.value.where == "guidance"


@pytest.fixture(scope="module")
def shades():
    """A flow that has learned dark pictures as one class and bright ones as another."""
    torch.manual_seed(0)
    net = Flow(size=16, channels=1, classes=2, width=16, dropout=0.0, told_augment=0.0)
    stepper, rng = Stepper(net, net.optimiser, "fp32"), torch.Generator().manual_seed(0)
    for _ in range(120):
        y = torch.randint(2, (32,), generator=rng)
        pictures = 0.2 + 0.6 * y.view(-1, 1, 1, 1) + 0.1 * torch.randn(32, 1, 16, 16, generator=rng)
        stepper.step(Samples(pictures.clamp(0, 1), y), rng)
    net.eval().card = {"classes": NAMES}
    return net


DARK, BETWEEN, BRIGHT = torch.tensor([0.2, 0.5, 0.8]).view(3, 1, 1, 1).expand(3, 1, 16, 16)[:, None]


def test_the_class_of_a_picture_is_told_by_how_well_it_explains_it(shades):
    """Nobody says which is projected."""
    assert shades.unlikeliness(torch.cat([DARK, BRIGHT, DARK])).argmin(1).tolist() == [0, 1, 0]
    found = danqing.project(torch.cat([BRIGHT, DARK]), shades, steps=0)
    assert [row["class"] for row in found.numbers] == ["right", "left"]
    told = danqing.project(BRIGHT, shades, label="left", steps=0)
    assert told.numbers[0]["class"] == "left"


def test_a_flow_keeps_what_its_class_explains(shades):
    pictures = torch.cat([DARK, BETWEEN, BRIGHT])
    clear, less, wrong = shades.judge(pictures, torch.zeros(3, dtype=torch.int64)).tolist()
    assert clear > less > wrong
    notes: list[str] = []
    with noted(notes):
        kept = danqing.curate(shades, count=4, tries=3, label="right", seed=1)
    every = danqing.generate(shades, count=12, label="right", seed=1)
    best = shades.judge(every, torch.ones(12, dtype=torch.int64)).argsort(descending=True)[:4].sort().values
    assert torch.allclose(kept, every[best], atol=1e-5)
    assert ", ".join(map(str, best.tolist())) in notes[0]


def test_a_flow_without_classes_has_nothing_to_judge_by():
    with pytest.raises(ParameterError, match="nothing to judge") as caught:
        danqing.curate(Flow(size=16, channels=1, width=16).eval(), count=1)
    assert caught.value.where == "weights"
