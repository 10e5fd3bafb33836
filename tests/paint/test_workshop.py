"""The workshop in latent space: what is mixed, moved and looked for is what its words say."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.fft import dctn
from torch.nn import functional as F

from danqing.core.errors import ModelFileError, OutputError, ParameterError
from danqing.core.learned.kept import Directions, Latents
from danqing.core.learned.model import Painter
from danqing.core.learned.weights import save
from danqing.core.notes import noted
from danqing.core.operators.operator import operator_named
from danqing.core.progress import finish
from danqing.core.recipe import Step
from danqing.core.runs.folders import Folders
from danqing.core.runs.replay import replay, show
from danqing.core.runs.run import run
from danqing.maths.latents import latent, numbered_codes
from danqing.maths.projection import DRAWN
from danqing.models.dcgan import DCGAN
from danqing.models.flow import Flow
from danqing.models.mlpgan import MLPGAN
from danqing.models.stylegan import StyleGAN
from danqing.models.vae import VAE
from danqing.paint.browse import browse
from danqing.paint.curate import curate
from danqing.paint.find_directions import find_directions
from danqing.paint.generate import generate
from danqing.paint.interpolate import interpolate
from danqing.paint.loop import loop
from danqing.paint.mix_styles import mix_styles
from danqing.paint.more_like import more_like
from danqing.paint.morph import morph
from danqing.paint.morph_classes import morph_classes
from danqing.paint.project import project
from danqing.paint.reconstruct import reconstruct
from danqing.paint.steer import steer

NEAR = 2e-4  # float32 products of a few hundred terms, added up in other orders by other batches


def made(family: str, classes: int = 3) -> Painter:
    torch.manual_seed(0)
    models = {
        "dcgan": lambda: DCGAN(16, 3, classes, latents=6, width=8, critic_width=8),
        "mlpgan": lambda: MLPGAN(8, 1, classes, latents=6, width=16),
        "vae": lambda: VAE(16, 3, classes, dim=6, width=16),  # at which torch gives pictures channels last
        "stylegan": lambda: StyleGAN(16, 3, classes, latents=6, styles=12, width=4, critic_width=8),
        "flow": lambda: Flow(8, 1, classes, width=16, steps=3),
    }
    model: Painter = models[family]().eval()
    for module in model.modules():  # classes that scale the maps, as if they had been learned
        if isinstance(module, torch.nn.Embedding):
            torch.nn.init.normal_(module.weight, 1.0, 0.5)
    return model.requires_grad_(False)


FAMILIES = ("dcgan", "mlpgan", "vae", "stylegan", "flow")


@pytest.fixture(scope="module")
def dcgan() -> Painter:
    return made("dcgan")


@pytest.mark.parametrize("classes", [0, 3])
@pytest.mark.parametrize("family", FAMILIES)
def test_codes_paint_what_latents_paint(family: str, classes: int) -> None:
    model = made(family, classes)
    z = torch.randn(5, *model.latent, generator=torch.Generator().manual_seed(1))
    label = torch.arange(5) % 3 if classes else None
    codes = model.codes(z, label)
    assert codes.shape[:2] == (5, model.levels)
    torch.testing.assert_close(model.paint_codes(codes), model.paint(z, label), rtol=0, atol=NEAR)
    middle = model.codes(z, label, truncation=0.0)
    again = model.codes(z.flip(0), label, truncation=0.0)
    torch.testing.assert_close(middle, again, rtol=0, atol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_loop_goes_on_where_it_ends(family: str) -> None:
    frames = loop(made(family), frames=24, turns=2, label="1").pictures.flatten(1)
    steps = (frames - frames.roll(1, 0)).norm(dim=1)
    assert float(steps[0]) < 2 * float(steps[1:].max())
    assert float(steps.min()) > 0


def test_styles_come_from_the_rows_and_manners_from_the_columns(dcgan: Painter) -> None:
    sheet = mix_styles(dcgan, rows=2, columns=3, level=1)[0]
    cells = [sheet[:, 18 * row : 18 * row + 16, 18 * at : 18 * at + 16] for row in range(3) for at in range(4)]
    assert bool((cells[0] == 1).all())
    coarse = numbered_codes(dcgan, 0, range(2))[:, :1]
    fine = numbered_codes(dcgan, 1, range(3))[:, 1:]
    wanted = dcgan.paint_codes(torch.cat([coarse[1:], fine[2:]], 1))
    torch.testing.assert_close(cells[11], wanted[0], rtol=0, atol=NEAR)
    with pytest.raises(ParameterError, match="level"):
        mix_styles(dcgan, level=dcgan.levels)
    with pytest.raises(ParameterError, match="a flow"):
        mix_styles(made("vae"))


def test_a_flow_has_the_coarse_bands_of_one_picture_and_the_class_of_another() -> None:
    flow = made("flow")
    assert flow.blends == 4  # of maps of 8×8: their mean, and up to 2, 4 and 8 waves
    coarse, fine = numbered_codes(flow, 0, range(2), "0"), numbered_codes(flow, 1, range(2), "2")
    low, high = (dctn(each[..., :64].reshape(2, 8, 8).numpy(), axes=(1, 2), norm="ortho") for each in (coarse, fine))
    for level, side in enumerate((0, 1, 2, 4, 8)):
        blended = flow.blended(coarse, fine, level)
        assert torch.equal(blended[..., 64:], fine[..., 64:])
        wanted = high.copy()
        wanted[:, :side, :side] = low[:, :side, :side]
        waves = dctn(blended[..., :64].reshape(2, 8, 8).numpy(), axes=(1, 2), norm="ortho")
        np.testing.assert_allclose(waves, wanted, atol=1e-5)
    assert mix_styles(flow, rows=1, columns=2).shape == (1, 1, 18, 28)


def test_many_are_asked_for_class_by_class(dcgan: Painter) -> None:
    one_by_one = torch.cat([numbered_codes(dcgan, 3, range(at, at + 1), str(at % 3)) for at in range(5)])
    assert torch.equal(numbered_codes(dcgan, 3, range(5), "all"), one_by_one)
    with pytest.raises(ParameterError, match="unconditional"):
        numbered_codes(made("dcgan", 0), 3, range(5), "all")


def test_a_wrong_class_is_blamed_on_what_said_it(dcgan: Painter) -> None:
    for blamed, make in (
        ("start", lambda: more_like(dcgan, start="0:1:kai")),
        ("labels", lambda: morph_classes(dcgan, labels="0,kai")),
        ("label", lambda: browse(dcgan, label="kai")),
        ("labels", lambda: morph_classes(dcgan, labels="1,1")),
    ):
        with pytest.raises(ParameterError) as caught:
            make()
        assert caught.value.where == blamed


@pytest.mark.parametrize("family", FAMILIES)
def test_classes_turn_into_each_other(family: str) -> None:
    model = made(family)
    film = morph_classes(model, labels="0,2", seed=5, frames=8).pictures
    for frame, label in ((0, "0"), (4, "2")):
        wanted = model.paint_codes(numbered_codes(model, 5, range(1), label))
        torch.testing.assert_close(film[frame], wanted[0], rtol=0, atol=NEAR)
    for labels, words in (("0", "one class"), ("0,9", "It knows"), ("", "It knows")):
        with pytest.raises(ParameterError, match=words):
            morph_classes(model, labels=labels)
    with pytest.raises(ParameterError, match="unconditional"):
        morph_classes(made(family, 0))


def test_films_of_too_few_frames_to_show_all_are_told(dcgan: Painter) -> None:
    notes: list[str] = []
    with noted(notes):
        morph_classes(dcgan, frames=3)
        interpolate(dcgan, to="1,2", frames=3)
    assert not notes
    with noted(notes):
        morph_classes(dcgan, frames=2)
        interpolate(dcgan, to="1,2,3", frames=3)
    assert [each.partition(":")[0] for each in notes] == [
        "2 frames cannot show all 3 classes on the way", "3 frames cannot show all 4 pictures on the way"
    ]  # fmt: skip


@pytest.mark.parametrize("family", FAMILIES)
def test_more_like_one_is_near_it(family: str) -> None:
    model = made(family)
    gaps = []
    for distance in (0.0, 0.2, 1.0):
        found = more_like(model, "2:5", count=6, distance=distance)
        gaps.append(float((found[1:] - found[:1]).abs().mean()))
    assert gaps[0] < NEAR < gaps[1] < gaps[2]
    one = model.paint_codes(numbered_codes(model, 2, range(5, 6)))
    torch.testing.assert_close(found[:1], one, rtol=0, atol=NEAR)


def test_the_critic_keeps_what_it_takes_for_real() -> None:
    model = made("dcgan", 0)
    notes: list[str] = []
    with noted(notes):
        kept = curate(model, count=5, tries=4, seed=1)
    every = generate(model, count=20, seed=1)
    best = model.judge(every).argsort(descending=True)[:5].sort().values
    torch.testing.assert_close(kept, every[best], rtol=0, atol=NEAR)
    assert ", ".join(map(str, best.tolist())) in notes[0]
    with pytest.raises(ParameterError, match="no critic"):
        curate(made("vae"))


def test_a_sheet_to_browse_has_room_for_numbers(dcgan: Painter) -> None:
    sheet = browse(dcgan, count=5, columns=3)
    assert sheet.shape == (1, 3, 2 * (48 + 12 + 4) - 4, 3 * (48 + 4) - 4)
    assert not torch.equal(sheet[..., 48:60, :48], sheet[..., 48:60, 52:100])


def test_sefa_finds_what_the_weights_make_most_of() -> None:
    model = made("vae", 0)
    entrance = model.get_submodule("entrance")
    with torch.no_grad():
        entrance.weight[:, 4] *= 50
    found = find_directions(model, count=2, names="big").kept
    assert found.names == ["big", "2"]
    assert float(found.named("big")[0, 4]) > 0.99
    picked = find_directions(model, method="pca", count=1).kept.tensor[0, 0]
    assert float(picked[4].abs()) > 0.9


@pytest.mark.parametrize("classes", [0, 3])
@pytest.mark.parametrize("family", FAMILIES)
def test_directions_are_found_in_every_family(family: str, classes: int) -> None:
    model = made(family, classes)
    found = find_directions(model, method="pca", count=2)
    assert found.kept.tensor.shape == (2, model.levels, numbered_codes(model, 0, range(1)).shape[2])
    assert all(row["effect"] > 0 for row in found.numbers)


def test_directions_of_a_flow_are_of_the_coarse_bands_of_its_noise() -> None:
    found = find_directions(made("flow"), count=2).kept  # by pca, since it has no weights for sefa
    assert not found.tensor[..., 64:].any()
    waves = dctn(found.tensor[:, 0, :64].reshape(2, 8, 8).numpy(), axes=(1, 2), norm="ortho")
    assert np.abs(waves[:, :2, :2]).max() > 0.1
    waves[:, :2, :2] = 0
    np.testing.assert_allclose(waves, 0, atol=1e-6)
    assert find_directions(made("vae"), count=2).kept.facts["method"] == "sefa"


def test_steering_adds_directions_and_nothing_at_strength_0(dcgan: Painter) -> None:
    found = find_directions(dcgan, count=3, names="a,b").kept
    still = generate(dcgan, count=1, seed=3)
    torch.testing.assert_close(steer(dcgan, found, strength=0.0, start="3"), still, rtol=0, atol=NEAR)
    moved = numbered_codes(dcgan, 3, range(1)) + 1.5 * (2 * found.tensor[0] - found.tensor[1])
    wanted = dcgan.paint_codes(moved)
    torch.testing.assert_close(steer(dcgan, found, "a=2, b=-1", 1.5, "3:0"), wanted, rtol=0, atol=NEAR)
    assert len(steer(dcgan, found, "3", steps=5)) == 5


@pytest.mark.parametrize(
    ("given", "where"),
    [({"along": "c"}, "along"), ({"along": "a=x"}, "along"), ({"along": "9"}, "along"), ({"along": "a@7"}, "along"),
     ({"along": "a@2-1=2"}, "along"), ({"along": "a@x"}, "along")],
)  # fmt: skip
def test_steering_refuses_what_is_not_there(dcgan: Painter, given: dict[str, str], where: str) -> None:
    found = find_directions(dcgan, count=2, names="a,b").kept
    with pytest.raises(ParameterError) as caught:
        steer(dcgan, found, **given)
    assert caught.value.where == where


def test_what_was_found_in_another_model_is_refused(dcgan: Painter, tmp_path: Path) -> None:
    found = find_directions(dcgan, count=1).kept
    assert isinstance(found, Directions)
    with pytest.raises(ParameterError, match="another model"):
        steer(made("vae"), found)
    file = tmp_path / "one.directions"
    found.write(file, [Step("find_directions")], False)
    assert Directions.read(file).same(found)
    with pytest.raises(ModelFileError, match="holds no latents"):
        more_like(dcgan, start=Latents.read(file))
    save(dcgan, tmp_path / "model.safetensors")
    with pytest.raises(ModelFileError, match="holds no directions"):
        steer(dcgan, str(tmp_path / "model.safetensors"))
    with pytest.raises(ModelFileError, match=r"holds directions, no model.*Give the dcgan itself"):
        generate(str(file))
    with pytest.raises(ModelFileError, match="no such latents file"):
        Latents.read(tmp_path / "gone.latents")
    (tmp_path / "dcgan.onnx").write_bytes(b"\x08\x0a\x12\x07pytorch")
    with pytest.raises(ModelFileError, match="is an export, for other programs"):
        generate(str(tmp_path / "dcgan.onnx"))


def test_what_needs_classes_or_an_encoder_says_so_of_a_model_without(astronaut: torch.Tensor) -> None:
    with pytest.raises(
        ParameterError,
        match=r"weights: this model is unconditional: it knows no classes.*trained on pictures with classes",
    ):
        morph_classes(made("dcgan", 0))
    with pytest.raises(ModelFileError, match=r"is a dcgan, not a vae or codec.*danqing project"):
        reconstruct(astronaut, weights=made("dcgan"))


def test_what_was_found_and_its_sheet_are_made_again(tmp_path: Path) -> None:
    save(made("mlpgan"), tmp_path / "model.safetensors")
    values = {"weights": tmp_path / "model.safetensors", "count": 2}
    places = Folders(out=tmp_path / "two.directions")
    finish(run(operator_named("find_directions"), values, places))
    assert show(tmp_path / "two-sheet.png")[0].take == "sheet"
    for name in ("two-sheet.png", "two.directions"):
        assert finish(replay(tmp_path / name)) == (tmp_path / name.replace(".", "-replay."), True)
    assert finish(run(operator_named("find_directions"), values, places)).outcomes[0].state == "skipped"
    with pytest.raises(OutputError, match="no name for directions"):
        finish(replay(tmp_path / "two.directions", tmp_path / "picture.png"))
    assert not (tmp_path / "picture.png").exists()


@pytest.mark.parametrize("family", FAMILIES)
def test_a_picture_of_the_model_is_found_again(family: str) -> None:
    model = made(family, 0)
    picture = model.paint(latent(model.latent, 9, 4)[None])
    near, far = (project(picture, model, steps=steps).numbers[0]["unexplained"] for steps in (150, 0))
    assert near < max(0.6 * far, 1e-9)  # a flow goes its way back, and need not search
    found = project(picture, model, steps=40)
    again = more_like(model, start=found.kept, count=1)
    error = float((again - picture).square().mean())
    assert error == pytest.approx(10 ** (-found.numbers[0]["psnr"] / 10), rel=0.05, abs=1e-7)


def test_a_search_that_drops_beginnings_ends_no_farther_than_the_nearest_sample() -> None:
    model = made("mlpgan", 0)  # the quickest to paint so many
    picture = model.paint(latent(model.latent, 9, 4)[None])
    with torch.no_grad():
        samples = model.paint_codes(numbered_codes(model, 3, range(DRAWN)))
    found = project(picture, model, steps=4, seed=3).kept.tensor
    nearest, reached = _misfits(samples - picture).min(), _misfits(model.paint_codes(found) - picture)[0]
    assert reached <= 1.001 * nearest  # few products keep four digits, torch's own convolutions more


def _misfits(gap: torch.Tensor) -> torch.Tensor:
    return torch.stack([F.avg_pool2d(gap, scale).square().mean((1, 2, 3)) for scale in (1, 2, 4)]).sum(0)


def test_a_picture_of_another_kind_is_told(dcgan: Painter, astronaut: torch.Tensor) -> None:
    notes: list[str] = []
    with noted(notes):
        found = project(torch.cat([astronaut, astronaut.flip(2)]), dcgan, steps=3, label="1")
    assert len(found.numbers) == 2
    assert found.numbers[0]["class"] == "1"
    assert "not of the kind" in notes[0]
    with pytest.raises(ParameterError, match="It knows"):
        project(astronaut, dcgan, label="7")
    with pytest.raises(ParameterError, match="It knows"):
        more_like(dcgan, start="0:0:7")


@pytest.mark.parametrize("family", ["dcgan", "stylegan"])
def test_a_morph_goes_between_the_places_that_project_finds(family: str, astronaut: torch.Tensor) -> None:
    model = made(family)
    one, other = (model.paint(latent(model.latent, 9, at)[None], torch.tensor([at])) for at in (1, 2))
    places = [more_like(model, start=project(each, model, steps=5).kept, count=1) for each in (one, other)]
    film = morph(one, other, model, frames=5, steps=5).pictures
    torch.testing.assert_close(film[[0, -1]], torch.cat(places), rtol=0, atol=NEAR)
    steps = [float((later - sooner).square().mean()) for sooner, later in pairwise(film)]
    assert max(steps) < 0.6 * float((film[-1] - film[0]).square().mean())  # it goes, and does not jump
    notes: list[str] = []
    with noted(notes):
        two = morph(torch.cat([one, astronaut[..., :16, :16]]), other, model, frames=5, steps=5).pictures
    torch.testing.assert_close(two[:5], film, rtol=0, atol=NEAR)
    assert len(two) == 10
    assert "picture 1 is not of the kind" in notes[0]
