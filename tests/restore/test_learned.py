"""The learned operators with the bundled weights, on photographs that were never learned from."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from skimage import data
from torch import Generator
from torch.nn.functional import avg_pool2d

import danqing
from danqing.core.artefacts.pictures import recipe_in
from danqing.core.errors import ModelFileError, ParameterError
from danqing.core.fields.weights import WeightsKind
from danqing.core.learned.card import bundled
from danqing.core.learned.families import family_named
from danqing.core.learned.model import Restorer
from danqing.core.learned.weights import load, save
from danqing.core.menu import operators
from danqing.core.notes import PictureWarning
from danqing.core.operators.operator import operator_named
from danqing.core.operators.tiles import tiled
from danqing.core.pictures.contract import Picture
from danqing.core.pictures.reading import read
from danqing.core.pictures.writing import write
from danqing.core.progress import finish
from danqing.core.runs.folders import Folders
from danqing.core.runs.run import run
from danqing.maths import ageing, degradation, masks
from danqing.maths.colour import brightness, luma
from danqing.maths.noise import by_statistics
from danqing.nets.ailments import LOOKS
from danqing.nets.noise_estimate import REACH

NETS = ("denoise-tiny", "denoise-base", "denoise-camera")


def photograph(side: int = 192) -> torch.Tensor:
    pixels = torch.from_numpy(data.chelsea()).permute(2, 0, 1)[None] / 255
    return pixels[..., 60 : 60 + side, 100 : 100 + side].contiguous()


def psnr(made: torch.Tensor, clean: torch.Tensor) -> float:
    return float(-10 * (made - clean).square().mean().log10())


def noisy(clean: torch.Tensor, sigma: float = 25) -> torch.Tensor:
    return degradation.gaussian_noise(clean, torch.tensor([sigma / 255]), Generator().manual_seed(0))


@pytest.mark.parametrize("weights", NETS)
@pytest.mark.parametrize("told", [True, False])
def test_noise_is_taken_away_in_colour_and_grey(weights: str, told: bool) -> None:
    for clean in (photograph(), brightness(photograph())):
        spoilt = noisy(clean)
        made = danqing.denoise(spoilt, sigma=25 if told else None, weights=weights)
        assert made.shape == clean.shape
        assert psnr(made, clean) > psnr(spoilt, clean) + 6


def _is_learned(name: str) -> bool:
    """Whether an operator comes with weights of its own."""
    kinds = [field.kind for field in operator_named(name).fields if field.name == "weights"]
    return any(isinstance(kind, WeightsKind) and kind.base is Restorer for kind in kinds)


LEARNED = sorted(
    name
    for name, entry in operators().items()
    if entry.group == "restore" and _is_learned(name) and name != "colourise"
)


@pytest.mark.parametrize("name", [*LEARNED, "repair"])
def test_grey_in_three_channels_stays_grey(name: str) -> None:
    grey = brightness(noisy(photograph(96), 15)) * 0.3
    x, values = grey.expand(-1, 3, -1, -1).contiguous(), {}
    if name == "inpaint":
        values = {"method": "learned", "mask": torch.zeros_like(grey)}
        values["mask"][..., 30:40, 30:60] = 1
    made = getattr(danqing, name)(x, **values)
    made = made.picture if name == "repair" else made
    assert made.shape[1] == 3
    assert float((made.amax(1) - made.amin(1)).max()) < 1e-5


def test_a_tile_without_colour_is_no_grey_picture() -> None:
    """The same pixels lose their colour whether a picture is worked on as a whole or by tiles."""
    x = brightness(photograph(192)).expand(-1, 3, -1, -1).clone()
    x[..., 150:, 150:] = photograph(192)[..., 150:, 150:]
    whole = danqing.deblur(x)
    parts = tiled(danqing.deblur, x, {}, tile=64)
    torch.testing.assert_close(parts, whole, rtol=0, atol=1 / 255)
    assert float((whole.amax(1) - whole.amin(1))[..., 150:, 150:].max()) > 0.1
    assert float((whole.amax(1) - whole.amin(1))[..., :80, :80].max()) < 1e-6


def test_a_larger_net_does_better() -> None:
    clean = photograph()
    found = [psnr(danqing.denoise(noisy(clean), weights=name), clean) for name in NETS]
    assert found[0] < max(found[1:])


@pytest.mark.parametrize("name", ["astronaut", "chelsea", "coffee", "rocket"])
def test_a_clean_picture_stays_as_it_is(name: str) -> None:
    clean = torch.from_numpy(getattr(data, name)()).permute(2, 0, 1)[None][..., :256, :256] / 255
    assert psnr(danqing.denoise(clean), clean) >= 45
    assert torch.equal(danqing.denoise(clean, sigma=0), clean)
    assert torch.equal(danqing.denoise(clean, strength=0), clean)


@pytest.mark.parametrize("finish", ["plain", "camera", "phone"])
def test_noise_of_a_camera_is_taken_away_though_nobody_tells_it(finish: str) -> None:
    clean = photograph()
    spoilt = danqing.add_camera_noise(clean, iso=25600, finish=finish)
    made = danqing.denoise(spoilt)
    assert psnr(made, clean) > psnr(spoilt, clean) + 3
    assert psnr(made, clean) > psnr(danqing.denoise(spoilt, weights="denoise-base"), clean) + 1


def test_the_net_is_chosen_by_the_noise_picture_by_picture(tmp_path: Path) -> None:
    """White noise and a camera's in one batch, told or not; the recipe names the net that was used and no other."""
    clean = photograph(96)
    white, taken = noisy(clean), danqing.add_camera_noise(clean, iso=25600)
    for sigma in (None, 20.0):
        made = danqing.denoise(torch.cat([white, taken]), sigma=sigma)
        assert torch.equal(made[:1], danqing.denoise(white, sigma=sigma, weights="denoise-base"))
        assert torch.equal(made[1:], danqing.denoise(taken, sigma=sigma, weights="denoise-camera"))
    for name, x in (("denoise-base", white), ("denoise-camera", taken)):
        source, out = tmp_path / f"{name}.png", tmp_path / f"{name}-clean.png"
        write(x, source)
        finish(run(operator_named("denoise"), {}, Folders([source], out=out)))
        (recipe,) = recipe_in(out) or []
        assert {*recipe.uses} & {*bundled()} == {name, "noisemeter"}
    assert {load(name).reach for name in ("denoise-base", "denoise-camera")} == {REACH}


def test_strength_goes_from_the_noisy_to_the_clean() -> None:
    x = noisy(photograph())
    half = danqing.denoise(x, strength=0.5)
    torch.testing.assert_close(half, (x + danqing.denoise(x)) / 2, atol=1e-6, rtol=0)


@pytest.mark.parametrize("weights", NETS)
@pytest.mark.parametrize("tile", [64, 96])
def test_tiles_show_no_seams(weights: str, tile: int) -> None:
    denoise, x, model = operator_named("denoise"), noisy(photograph()), load(weights)
    whole = denoise(x, weights=model)
    assert (tiled(denoise, x, {"weights": model}, tile) - whole).abs().max() < 1 / 255


def test_the_best_effort_knows_what_comes_again() -> None:
    """On cloth of stripes it is far nearer than the net alone; on a photograph it is not behind it; no tile shows."""
    denoise = operator_named("denoise")
    across = torch.arange(192.0).expand(192, 192)
    cloth = (0.5 + 0.3 * torch.sign(torch.sin(math.tau * (0.9 * across + 0.3 * across.T) / 7.3)))[None, None]
    for clean, gain in ((cloth.expand(1, 3, -1, -1).contiguous(), 2.0), (photograph(), -0.02)):
        spoilt = noisy(clean, 15)
        usual, best = danqing.denoise(spoilt), danqing.denoise(spoilt, effort="best")
        assert psnr(best, clean) > psnr(usual, clean) + gain
    model = load("denoise-base")
    values = {"weights": model, "sigma": 15.0, "effort": "best"}
    assert (tiled(denoise, spoilt, values, 96) - denoise(spoilt, **values)).abs().max() < 1 / 255


def test_the_best_effort_leaves_noise_of_a_camera_to_the_net() -> None:
    spoilt = danqing.add_camera_noise(photograph(), iso=12800)
    with pytest.warns(PictureWarning, match="for white noise"):
        made = danqing.denoise(spoilt, effort="best")
    assert torch.equal(made, danqing.denoise(spoilt))


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_enlarging_beats_interpolation(scale: int) -> None:
    clean = photograph()
    small = degradation.shrink(clean, scale)
    found = {m: psnr(danqing.upscale(small, scale=scale, method=m), clean) for m in ("learned", "lanczos", "bicubic")}
    assert found["learned"] > max(found["lanczos"], found["bicubic"])
    assert danqing.upscale(brightness(small), scale=scale).shape == (1, 1, 192, 192)


def test_interpolation_keeps_a_plain_picture_and_a_slope() -> None:
    for method in ("lanczos", "bicubic"):
        plain = torch.full((1, 3, 5, 7), 0.4)
        torch.testing.assert_close(danqing.upscale(plain, scale=3, method=method), torch.full((1, 3, 15, 21), 0.4))
        slope = torch.linspace(0.2, 0.8, 32).expand(1, 1, 8, 32)
        large = danqing.upscale(slope, scale=4, method=method)[0, 0, 16, 40:-40]
        steps = large.diff()
        assert steps.min() > 0
        assert steps.max() < 2 * steps.mean()


@pytest.mark.parametrize("quality", [10, 30])
def test_jpeg_is_mended(quality: int) -> None:
    clean = photograph()
    spoilt = degradation.jpeg(clean, torch.tensor([float(quality)]))
    assert psnr(danqing.dejpeg(spoilt), clean) > psnr(spoilt, clean) + 0.3
    assert psnr(danqing.dejpeg(spoilt, quality=quality), clean) > psnr(spoilt, clean) + 0.3


def test_blur_is_sharpened() -> None:
    clean = photograph()
    blurred = degradation.defocus(clean, torch.tensor([2.0]))
    assert psnr(danqing.deblur(blurred), clean) > psnr(blurred, clean) + 0.5


def test_holes_are_painted_and_the_rest_stays() -> None:
    clean = photograph()
    mask = masks.free_form(1, 192, 192, 0.2, Generator().manual_seed(0))
    made = danqing.inpaint(clean * (1 - mask), mask=mask, method="learned")
    assert torch.equal(made[(mask == 0).expand_as(made)], clean[(mask == 0).expand_as(clean)])
    smooth = danqing.inpaint(clean * (1 - mask), mask=mask, method="telea")
    assert psnr(made, clean) > psnr(smooth, clean)


def test_colours_keep_the_brightness_and_follow_the_hints() -> None:
    grey = brightness(photograph())
    made = danqing.colourise(grey)
    assert made.shape == (1, 3, 192, 192)
    torch.testing.assert_close(brightness(made), grey, atol=1e-4, rtol=0)
    hints = grey.expand(1, 3, -1, -1).clone()
    hints[:, :, 80:112, 80:112] = torch.tensor([0.9, 0.2, 0.2]).view(1, 3, 1, 1)
    red = danqing.colourise(grey, hints=hints)
    there = (red - luma(red))[0, 0, 84:108, 84:108].mean() - (made - luma(made))[0, 0, 84:108, 84:108].mean()
    assert there > 0.05
    with pytest.raises(ParameterError, match="do not fit a picture"):
        danqing.colourise(grey, hints=hints[..., :100])


@pytest.mark.parametrize("strength", [1.0, 2.0])
def test_paper_stays_white_and_ink_black_when_colours_are_guessed(page: torch.Tensor, strength: float) -> None:
    grey = brightness(page)
    made = danqing.colourise(grey, strength=strength)
    for end in (0, 1):
        assert torch.equal(made[(grey == end).expand_as(made)], page[(grey == end).expand_as(page)])
    torch.testing.assert_close(brightness(made), grey, atol=1e-5, rtol=0)


@pytest.mark.parametrize("method", ["learned", "clahe", "retinex"])
def test_darkness_is_lifted(method: str) -> None:
    clean = photograph()
    values = (torch.tensor([value]) for value in (0.1, 1.1, 0.001))
    dark = degradation.low_light(clean, *values, Generator().manual_seed(0))
    assert psnr(danqing.enhance(dark, method=method), clean) > psnr(dark, clean) + 1


def test_what_is_not_dark_is_not_brightened_unless_it_is_asked_for() -> None:
    """The net has seen only what was dark, and takes everything for that."""
    clean = photograph()
    with pytest.warns(PictureWarning, match="is not dark"):
        assert torch.equal(danqing.enhance(clean), clean)
    assert danqing.enhance(clean, gain=1.5).mean() > clean.mean() + 0.05
    dusk = clean * 0.8
    whole, part = (psnr(danqing.enhance(dusk, **values), clean) for values in ({"gain": 1.2}, {}))
    assert part > whole


def test_noise_is_not_brightened_with_the_picture() -> None:
    clean = photograph()
    values = (torch.tensor([value]) for value in (0.1, 1.0, 0.003))
    dark = degradation.low_light(clean, *values, Generator().manual_seed(0))
    cleaned, left = danqing.enhance(dark), danqing.enhance(dark, sigma=0)
    assert psnr(cleaned, clean) > psnr(left, clean) + 2


def test_brightening_weaves_no_pattern_into_calm_places() -> None:
    """The net paints in squares of its own; what the operator gives back has the detail of the picture alone."""
    ramp = torch.linspace(0.02, 0.12, 160)
    dark = (ramp[:, None] * torch.linspace(0.7, 1, 160)).expand(1, 3, -1, -1) * torch.tensor([1, 0.7, 0.4]).view(
        3, 1, 1
    )
    woven, made = load("lowlight-small").restore(dark), danqing.enhance(dark)
    assert _grain(made) < 2e-4 < _grain(woven)


def _grain(x: torch.Tensor) -> float:
    """How far pixels stand out from the mean of their neighbours."""
    return float((x[..., 16:-16, 16:-16] - avg_pool2d(x, 5, 1, 2)[..., 16:-16, 16:-16]).square().mean().sqrt())


def test_grey_world_takes_a_cast_away() -> None:
    x = photograph() * torch.tensor([1.0, 0.8, 0.6]).view(1, 3, 1, 1)
    means = danqing.enhance(x, method="grey-world").mean((0, 2, 3))
    assert means.max() / means.min() < x.mean((0, 2, 3)).max() / x.mean((0, 2, 3)).min()
    grey = torch.full((1, 3, 8, 8), 0.5)
    torch.testing.assert_close(danqing.enhance(grey, method="grey-world"), grey, atol=1e-5, rtol=0)


def test_weights_of_another_task_are_refused() -> None:
    with pytest.raises(ModelFileError, match="for the task upscale, not denoise"):
        danqing.denoise(photograph(), weights="upscale-small")
    with pytest.raises(ModelFileError, match="is a classifier"):
        danqing.denoise(photograph(), weights="digits")


def test_repair_says_what_it_found_and_mends_it() -> None:
    clean = photograph()
    spoilt = noisy(clean, 20)
    found = danqing.repair(spoilt)
    assert found.numbers[0]["noise"] == pytest.approx(20, abs=4)
    assert "noise" in found.numbers[0]["steps"]
    assert psnr(found.picture, clean) > psnr(spoilt, clean) + 4
    steps = danqing.repair(spoilt, output="steps")
    assert steps.picture.shape[-1] == 192 * (1 + len(steps.numbers[0]["steps"]))


@pytest.mark.parametrize("quality", [0, 40, 60, 90])
def test_repair_takes_away_the_noise_of_a_camera_with_what_its_file_did(quality: int) -> None:
    clean = photograph()
    spoilt = danqing.add_camera_noise(clean, quality=quality)
    found = danqing.repair(spoilt)
    assert found.numbers[0]["steps"][0] == "noise"
    assert psnr(found.picture, clean) > psnr(spoilt, clean) + 4


@pytest.mark.parametrize("quality", [10, 40, 75])
def test_repair_takes_the_traces_of_a_file_for_no_noise(quality: int) -> None:
    assert danqing.repair(danqing.add_jpeg(photograph(), quality=quality)).numbers[0]["steps"] == ["compression"]


def test_what_is_dark_is_cleaned_of_the_noise_of_a_camera() -> None:
    """By the net that knows it; how light the scene was is a guess, and is made good before comparing."""
    clean = photograph()
    exposure, gamma, none = (torch.tensor([value]) for value in (0.1, 1.0, 0.0))
    dark = degradation.low_light(clean, exposure, gamma, none, Generator().manual_seed(0))
    taken = danqing.add_camera_noise(dark, iso=3200, quality=95)

    def found(**values: Any) -> float:
        made = danqing.enhance(taken, **values)
        return psnr(made * (made * clean).sum() / made.square().sum(), clean)

    by_statistics_alone = found(sigma=255 * float(by_statistics(taken)))
    assert found() > max(by_statistics_alone, found(denoiser="denoise-base")) + 2


def test_repair_leaves_a_good_picture_alone() -> None:
    clean = photograph()
    found = danqing.repair(clean)
    assert found.numbers[0]["steps"] == []
    assert torch.equal(found.picture, clean)


def test_repair_leaves_drawings_pages_and_plain_pictures_alone(cartoon: torch.Tensor, page: torch.Tensor) -> None:
    """Outlines are no scratches, letters no noise, black ink on white paper has not faded."""
    plain = torch.tensor([128, 90, 70]).view(1, 3, 1, 1).expand(1, 3, 120, 160) / 255
    for clean in (cartoon, page, plain):
        found = danqing.repair(clean)
        assert found.numbers[0]["steps"] == []
        assert torch.equal(found.picture, clean)
        assert torch.equal(danqing.denoise(clean), clean)
        assert torch.equal(danqing.unfade(clean).picture, clean)
    assert danqing.repair(cartoon, always="scratches").numbers[0]["steps"] == ["scratches"]


@pytest.mark.parametrize("name", ["repair", "unfade"])
def test_what_is_mended_stays_transparent_where_it_was(name: str, tmp_path: Path) -> None:
    """Beside the pictures there are figures; opacity was lost once, and colours that nobody had seen were shown."""
    clean = photograph()
    alpha = (torch.arange(192) < 120).to(clean).expand(1, 1, 192, 192).clone()
    write(Picture(noisy(clean, 20), alpha), tmp_path / "cut.png")
    made = tmp_path / "made.png"
    values = {"always": True} if name == "unfade" else {}
    finish(run(operator_named(name), values, Folders([tmp_path / "cut.png"], out=made)))
    opacity = read(made).alpha
    assert opacity is not None
    assert torch.equal(opacity, alpha)


def test_repair_takes_neither_a_frame_nor_toning_for_a_sign_of_stains() -> None:
    """A black frame once made half of a picture grey: it counted as a stained print, and what was red as tea."""
    wall = 0.55 + 0.06 * torch.randn(1, 1, 120, 160, generator=Generator().manual_seed(0))
    scene = wall.expand(-1, 3, -1, -1).clone()
    scene[..., 30:90, 40:120] *= torch.tensor([1.5, 0.3, 0.05]).view(1, 3, 1, 1)
    framed = torch.nn.functional.pad(scene.clamp(0, 1), (25, 25, 25, 25))
    assert "stains" not in danqing.repair(framed).numbers[0]["steps"]
    tone = torch.tensor([1.07, 0.95, 0.78]).view(1, 3, 1, 1)
    toned = (brightness(photograph()) * tone + 8 / 255).clamp(0, 1)
    assert "stains" not in danqing.repair(toned).numbers[0]["steps"]


def test_repair_revives_faded_colours_and_old_jpegs() -> None:
    clean = torch.from_numpy(data.astronaut()[::2, ::2]).permute(2, 0, 1)[None] / 255  # from black to white
    faded = degradation.faded(clean, torch.tensor([0.9]), Generator().manual_seed(0))
    found = danqing.repair(faded)
    assert "fading" in found.numbers[0]["steps"]
    assert psnr(found.picture, clean) > psnr(faded, clean) + 5
    squeezed = degradation.jpeg(photograph(), torch.tensor([15.0]))
    assert danqing.repair(squeezed).numbers[0]["jpeg"] == pytest.approx(15, abs=3)


@pytest.mark.parametrize(("sigma", "order"), [(8, ["scratches", "noise"]), (22, ["noise", "scratches"])])
def test_repair_mends_scratches_before_weak_noise_and_after_strong(sigma: float, order: list[str]) -> None:
    clean = photograph()
    lines = masks.scratch_lines(1, 192, 192, 0.02, Generator().manual_seed(3))
    spoilt = noisy(clean * (1 - lines) + 0.98 * lines, sigma)
    left, mended = (danqing.repair(spoilt, never=unwanted) for unwanted in ("fading,scratches", "fading"))
    assert left.numbers[0]["steps"] == ["noise"]
    assert mended.numbers[0]["steps"] == order
    there = (lines > 0).expand_as(clean)
    error, before = ((found.picture - clean)[there].square().mean() for found in (mended, left))
    assert error < 0.6 * before


def test_repair_gives_stains_and_the_shadows_of_folds_their_light_back() -> None:
    clean = brightness(photograph()).expand(-1, 3, -1, -1).contiguous()
    made = ageing.worn(clean, [ageing.Wear(folds=1, stains=1)], Generator().manual_seed(5))
    others = "compression,scratches,noise,fading,blur"
    found = danqing.repair(made.x, never=others)
    numbers, seen = found.numbers[0], (made.hidden == 0).expand_as(clean)
    assert numbers["steps"] == ["shading", "stains"]
    assert 0.03 < numbers["shaded"] < 0.4
    assert numbers["stained"] == pytest.approx(float((made.stained.amax(1) > 0.03).float().mean()), rel=0.3)
    errors = [float((each - clean)[seen].abs().mean()) for each in (made.x, found.picture)]
    assert errors[1] < 0.5 * errors[0]
    half = danqing.repair(made.x, never=others, strength=0.5).picture
    assert errors[1] < float((half - clean)[seen].abs().mean()) < errors[0]
    assert danqing.repair(made.x, never=f"{others},stains").numbers[0]["steps"] == ["shading"]


REPAIRS = ("compression", "shading", "scratches", "stains", "noise", "fading", "blur")


@pytest.mark.parametrize("step", REPAIRS)
def test_every_step_of_repair_can_be_asked_for_and_forbidden(step: str) -> None:
    spoilt = danqing.age(photograph(96), seed=2)
    others = ",".join(each for each in REPAIRS if each != step)
    assert danqing.repair(spoilt, always=step, never=others).numbers[0]["steps"] == [step]
    none = danqing.repair(spoilt, never=f"{others}, {step}")
    assert none.numbers[0]["steps"] == []
    assert torch.equal(none.picture, spoilt)
    with pytest.raises(ParameterError, match="always, too"):
        danqing.repair(spoilt, always=step, never=step)
    with pytest.raises(ParameterError, match="no step “dust”"):
        danqing.repair(spoilt, never="dust")


@pytest.mark.parametrize("name", ["upscale", "deblur"])
def test_what_is_cleaned_before_is_noise_and_blocks_alone(name: str) -> None:
    """Whatever else repair would mend in an old print stays for repair."""
    old = luma(photograph(200)).expand(-1, 3, -1, -1).contiguous()
    old = noisy(danqing.age(old, seed=1, stains=2, folds=1, scratches=0, fading=0.1), 8)
    assert {"noise", "shading", "scratches"} <= {*danqing.repair(old).numbers[0]["steps"]}
    others = ",".join(sorted({*LOOKS} - {"noise", "compression"}))
    cleaned = danqing.repair(old, never=others).picture
    assert torch.equal(getattr(danqing, name)(old), getattr(danqing, name)(cleaned, clean=False))


@pytest.mark.parametrize("name", ["upscale", "deblur"])
def test_weights_that_know_mixed_damage_get_the_picture_as_it_is(name: str, tmp_path: Path) -> None:
    spoilt, mine = noisy(photograph(64), 8), tmp_path / "mine.safetensors"
    torch.manual_seed(0)
    net = family_named("restorer")(task=name, net="tiny", size=32, patch=32, mixed=True)
    torch.nn.init.normal_(net.net.tail.weight, std=0.01)  # as if it had learned something
    save(net, mine)
    operate = getattr(danqing, name)
    assert torch.equal(operate(spoilt, weights=mine), operate(spoilt, weights=mine, clean=False))
    assert not torch.equal(operate(spoilt), operate(spoilt, clean=False)), "there is nothing to clean"


@pytest.mark.parametrize("name", ["upscale", "deblur"])
def test_noise_is_not_taken_for_detail(name: str) -> None:
    clean = photograph(96)
    spoilt = noisy(degradation.shrink(clean, 2) if name == "upscale" else clean, 8)
    with_it, without = (getattr(danqing, name)(spoilt, clean=wanted) for wanted in (True, False))
    assert psnr(with_it, clean) > psnr(without, clean) + 0.5


def test_repair_shows_no_tiles() -> None:
    spoilt = noisy(photograph().repeat(1, 1, 1, 3)[..., :560], 20)
    whole = load("denoise-base").restore(spoilt, level=by_statistics(spoilt).to(spoilt))
    assert (danqing.repair(spoilt).picture - whole).abs().max() < 1 / 255
