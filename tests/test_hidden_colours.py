"""What lies under full transparency never changes an answer, and opaque everywhere is no transparency."""

from __future__ import annotations

import functools
import inspect
import json
from typing import Any

import pytest
import torch
from skimage import data
from torch import Tensor
from torch.nn import functional

import danqing
from danqing.core.artefacts.figures import Figures
from danqing.core.artefacts.mended import Mended
from danqing.core.errors import ParameterError
from danqing.core.menu import operators
from danqing.core.operators.operator import Operator, operator_named
from danqing.core.pictures.contract import Picture
from danqing.core.progress import finish
from danqing.core.runs.compute import compute, placed
from danqing.core.runs.order import Call
from danqing.maths.colour import luma
from danqing.maths.damage import gain_for
from danqing.models.segmenter import Segmenter

GROUPS = ("analyse", "recognise", "encode", "measure")  # of these, the operators on pictures
VALUES: dict[str, dict[str, Any]] = {
    "predict": {"weights": "digits", "top": 10},
    "compress": {"format": "png"},
    "cutout": {"softness": 1.0},
    "segment": {"softness": 1.0},
}


def judges() -> list[str]:
    found = (operator_named(name) for name in operators())
    return sorted(op.name for op in found if op.group in GROUPS and op.takes_pictures and not op.lacks)


@functools.cache
def segmenter() -> Segmenter:
    """One that has learned nothing: what it marks depends on what it sees all the same."""
    torch.manual_seed(0)
    return Segmenter(64, 3, 2, "mobilenet", 16).eval().requires_grad_(False)


def subject(name: str, channels: int = 3) -> Tensor:
    """What an operator is asked about, (2, C, 96, 104): somebody, stained or scratched prints, or shapes."""
    if name == "stains":
        return stained()
    if name == "scratches":
        return scratched()[:, :channels]
    if name != "cutout":
        return photograph(channels=channels)
    somebody = torch.from_numpy(data.astronaut()[:192, 120:328] / 255).permute(2, 0, 1)[None].float()
    x = functional.avg_pool2d(somebody, 2)
    return torch.cat((x, x.flip(3)))[:, :channels]


def stained() -> Tensor:
    """Prints of one tone that were stained, in colour: of grey ones nothing can be told."""
    return danqing.age(prints(), seed=3, stains=4, fading=0.3, scratches=0, folds=0)


def scratched() -> Tensor:
    """Prints of one tone that were scratched."""
    return danqing.age(prints(), seed=3, stains=0, fading=0, scratches=8, folds=0)


def prints() -> Tensor:
    """Two parts of a photograph of one tone, in three channels."""
    whole = functional.avg_pool2d(torch.from_numpy(data.chelsea() / 255).permute(2, 0, 1)[None].float(), 2)
    return luma(torch.cat((whole[..., 20:116, 60:164], whole[..., :96, :104]))).expand(-1, 3, -1, -1).contiguous()


def photograph(seed: int = 0, channels: int = 3) -> Tensor:
    """Slopes, edges, grain and a scratch, (2, C, 96, 104)."""
    rng = torch.Generator().manual_seed(seed)
    down, across = torch.arange(96)[:, None] / 96, torch.arange(104)[None] / 104
    light = 0.2 + 0.2 * down * across + 0.25 * (((down * 5).long() + (across * 6).long() + seed) % 2)
    light[4:90, 30] = 1.0
    return (light + 0.02 * torch.randn(2, channels, 96, 104, generator=rng)).clamp(0, 1)


def opacity() -> Tensor:
    """A disc that is opaque inside, hidden outside, and half seen between, (2, 1, 96, 104)."""
    down, across = torch.arange(96)[:, None] - 40.0, torch.arange(104)[None] - 50.0
    away = torch.hypot(down, across)
    return ((36 - away) / 6).clamp(0, 1).expand(2, 1, -1, -1).contiguous()


def told(name: str, x: Tensor, **alphas: Tensor) -> tuple[str, list[Tensor]]:
    """The figures as text, and the pictures."""
    op: Operator = operator_named(name)
    given = {**VALUES.get(name, {}), **alphas}
    if name == "segment":
        given["weights"] = segmenter()
    if name == "compare":
        given["y"] = photograph(1, x.shape[1])
    result = op(x, **given)
    if isinstance(result, Tensor):
        return "", [result]
    if isinstance(result, Figures):
        return json.dumps(result.numbers), [] if result.picture is None else [result.picture]
    return json.dumps([[file.numbers, file.data.hex()] for file in result]), []


def alike(one: tuple[str, list[Tensor]], other: tuple[str, list[Tensor]]) -> bool:
    return one[0] == other[0] and all(map(torch.equal, one[1], other[1]))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", judges())
def test_hidden_colours_change_nothing(name: str, channels: int) -> None:
    x, alpha = subject(name, channels), opacity()
    first = told(name, x, alpha=alpha)
    for under in (torch.zeros_like(x), torch.ones_like(x), torch.rand_like(x)):
        assert alike(told(name, torch.where(alpha > 0, x, under), alpha=alpha), first)
    assert not alike(told(name, x), first), "the opacity is not looked at"


@pytest.mark.parametrize("name", judges())
def test_opaque_everywhere_is_no_transparency(name: str) -> None:
    x = subject(name)
    assert alike(told(name, x, alpha=torch.ones(2, 1, 96, 104)), told(name, x))


@pytest.mark.parametrize("name", judges())
def test_an_opacity_of_another_size_is_refused(name: str) -> None:
    with pytest.raises(ParameterError, match="alpha"):
        told(name, photograph(), alpha=torch.ones(2, 1, 9, 9))


def test_every_judge_takes_the_opacity_of_each_picture_it_is_given() -> None:
    for name in judges():
        parameters = list(inspect.signature(operator_named(name).function).parameters)
        assert "alpha" in parameters, name
    assert "y_alpha" in inspect.signature(danqing.compare.function).parameters


@pytest.mark.parametrize("name", [name for name in judges() if operator_named(name).group == "analyse"])
def test_a_picture_of_which_nothing_is_seen_cannot_be_measured(name: str) -> None:
    with pytest.raises(ParameterError, match="wholly transparent"):
        told(name, photograph(), alpha=torch.zeros(2, 1, 96, 104))


class TestWhatIsMeasured:
    """Of a picture whose right half is hidden, what is measured of its left half alone."""

    x = photograph()
    alpha = torch.ones(2, 1, 96, 104)
    alpha[..., 56:] = 0

    def both(self, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
        op = operator_named(name)
        return op(self.x, alpha=self.alpha).numbers[0], op(self.x[..., :56].contiguous()).numbers[0]

    def test_colours_and_palette_are_exactly_those(self) -> None:
        seen, left = self.both("colours")
        assert flat(seen) == pytest.approx(flat(left), abs=1e-9)
        seen, left = self.both("palette")
        assert [each["hex"] for each in seen["colours"]] == [each["hex"] for each in left["colours"]]

    def test_noise_is_exactly_that(self) -> None:
        for method in ("learned", "patches", "wavelet", "laplacian"):
            seen = danqing.noise_level(self.x, method=method, alpha=self.alpha).numbers[0]
            left = danqing.noise_level(self.x[..., :56].contiguous(), method=method).numbers[0]
            assert seen["sigma"] == pytest.approx(left["sigma"], rel=1e-5)
            assert seen["tones"] == pytest.approx(left["tones"])
            if method == "learned":
                assert flat(seen["colours"]) == pytest.approx(flat(left["colours"]), rel=1e-4)
                assert seen["grain"] == pytest.approx(left["grain"], rel=1e-4)

    def test_neighbourhoods_meet_no_edge_where_the_picture_ends(self) -> None:
        seen, left = self.both("edges")
        assert seen["density"] == pytest.approx(left["density"], rel=0.05)
        seen, left = self.both("sharpness")
        assert seen["laplacian"] == pytest.approx(left["laplacian"], rel=0.05)
        assert seen["blur"] == pytest.approx(left["blur"], rel=0.05)
        seen, left = self.both("texture")
        assert seen["cooccurrence"] == pytest.approx(left["cooccurrence"], rel=1e-6)
        assert seen["patterns"] == pytest.approx(left["patterns"], abs=0.01)


def flat(value: Any) -> list[float]:
    if isinstance(value, dict):
        return [number for each in value.values() for number in flat(each)]
    if isinstance(value, list):
        return [number for each in value for number in flat(each)]
    return [float(value)] if isinstance(value, int | float) else []


def test_what_differs_in_opacity_alone_differs() -> None:
    for ground in (0.0, 0.5, 1.0):
        x = torch.full((1, 3, 32, 32), ground)
        solid, gone = torch.ones(1, 1, 32, 32), torch.zeros(1, 1, 32, 32)
        found = danqing.compare(x, x, alpha=gone, y_alpha=solid).numbers[0]
        assert found["mse"] > 0.2
        assert found["ssim"] < 0.1
        assert danqing.compare(x, 1 - x, alpha=gone, y_alpha=gone).numbers[0]["mse"] == 0


class TestWhatIsMended:
    """How a picture is mended, of which a part is hidden, is told by what is seen alone."""

    def mended(self, name: str, x: Tensor, alpha: Tensor | None, **values: Any) -> Tensor:
        call = Call.of(operator_named(name), values)
        artefact, _ = finish(compute(call, placed(call, {call.operator.subject: Picture(x, alpha)})))
        return artefact.picture if isinstance(artefact, Mended) else artefact.x

    @pytest.mark.parametrize("name", ["denoise", "repair", "deblur", "upscale"])
    def test_noise_is_taken_away_though_most_is_transparent(self, name: str) -> None:
        """What lies under transparency is smooth: whoever measured it would find no noise, and leave what there is."""
        clean = functional.avg_pool2d(torch.from_numpy(data.astronaut() / 255).permute(2, 0, 1)[None].float(), 2)
        noisy = danqing.add_noise(clean, sigma=25.0, seed=1)
        alpha = torch.zeros(1, 1, 256, 256)
        alpha[..., 64:192, 64:192] = 1
        whole, part = self.mended(name, noisy, None), self.mended(name, noisy, alpha)
        scale = whole.shape[-1] // 256
        off = (whole - part)[..., 72 * scale : 184 * scale, 72 * scale : 184 * scale].square().mean().sqrt()
        assert 255 * float(off) < 5  # of 25: what is left of the noise is of another part's estimate

    def test_light_is_that_of_what_is_seen(self) -> None:
        x = photograph()[:1] * torch.tensor([1.0, 0.8, 0.5]).view(1, 3, 1, 1)
        alpha = torch.zeros(1, 1, 96, 104)
        alpha[..., 56:] = 1
        whole = self.mended("white_balance", x, alpha)[..., 56:]
        torch.testing.assert_close(whole, danqing.white_balance(x[..., 56:].contiguous()), rtol=0, atol=1e-6)

    @pytest.mark.parametrize("method", ["reinhard", "linear", "sliced"])
    def test_colours_are_taken_from_what_is_seen_and_given_to_what_is_seen(self, method: str) -> None:
        x, other = photograph()[:1], photograph(1)[1:].flip(1)
        alpha = torch.zeros(1, 1, 96, 104)
        alpha[..., 56:] = 1
        made = danqing.colour_transfer(x, other, method=method, alpha=alpha, reference_alpha=alpha.flip(3))
        parts = x[..., 56:].contiguous(), other[..., :48].contiguous()
        expected = danqing.colour_transfer(*parts, method=method)
        atol = 0.02 if method == "sliced" else 1e-5  # whose change is evened along the picture, beyond what is seen
        torch.testing.assert_close(made[..., 60:], expected[..., 4:], rtol=0, atol=atol)

    def test_darkness_is_that_of_what_is_seen(self) -> None:
        x = photograph()[:1] * 0.2
        alpha = torch.ones(1, 1, 96, 104)
        alpha[..., 56:] = 0
        gain = float(gain_for(x[..., :56]))
        made = [self.mended("enhance", x, alpha, sigma=0.0, gain=each)[..., :56] for each in (gain, None)]
        torch.testing.assert_close(*made, rtol=0, atol=1e-4)  # the same mean, added up in another order
