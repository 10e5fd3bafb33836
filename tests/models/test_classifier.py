"""The classifier: learns, scores in closed form, keeps its promises; and the bundled one reads digits."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

from danqing.core.errors import ParameterError
from danqing.core.learned.card import bundled, read_card
from danqing.core.learned.model import Recogniser, Samples
from danqing.core.learned.weights import load, save
from danqing.data.digits import digits
from danqing.models.classifier import Classifier, _drop

NETS = ("cnn", "resnet")


def stripes(count: int, seed: int, size: int = 16, channels: int = 1) -> Samples:
    """Noisy stripes that lie, stand or slant: three classes that no single pixel tells apart."""
    rng = torch.Generator().manual_seed(seed)
    label = torch.randint(3, (count,), generator=rng)
    rows, columns = torch.arange(size).view(-1, 1), torch.arange(size).view(1, -1)
    ways = torch.stack([rows.expand(size, size), columns.expand(size, size), rows + columns])[label]
    shift = torch.randint(6, (count, 1, 1), generator=rng)
    clean = ((ways + shift) % 6 < 3).float()[:, None].repeat(1, channels, 1, 1)
    return Samples((0.2 + 0.6 * clean + 0.15 * torch.randn(clean.shape, generator=rng)).clamp(0, 1), label)


def trained(model: Classifier, batch: Samples, steps: int, lr: float = 3e-3) -> Classifier:
    rng = torch.Generator().manual_seed(0)
    optimiser = torch.optim.Adam(model.parameters(), lr)
    for _ in range(steps):
        ((_, loss),) = model.losses(batch, rng)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return model.eval()


@pytest.mark.parametrize(("net", "channels"), [("cnn", 3), ("resnet", 1)])
def test_learns_what_it_has_not_seen(net: str, channels: int) -> None:
    torch.manual_seed(0)
    model = Classifier(16, channels, 3, net=net, width=8, dim=16)
    before = model.eval().score(stripes(200, 9, channels=channels))
    after = trained(model.train(), stripes(192, 1, channels=channels), 40).score(stripes(200, 9, channels=channels))
    assert after["-accuracy"] <= -0.97
    assert before["-accuracy"] > -0.7
    assert next(iter(after)) == "-accuracy"


def test_cannot_learn_from_labels_that_say_nothing() -> None:
    torch.manual_seed(0)
    batch = stripes(192, 1)
    drawn = torch.randint(3, batch.y.shape, generator=torch.Generator().manual_seed(2))
    model = trained(Classifier(16, 1, 3, width=8, dim=16), Samples(batch.x, drawn), 40)
    assert model.score(stripes(300, 9))["-accuracy"] > -0.55


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("size", [16, 17, 28, 65])
def test_every_parameter_receives_gradient_at_every_size(net: str, size: int) -> None:
    model = Classifier(size, 1, 3, net=net, width=4, dim=8)
    batch = stripes(8, 0, size=size)
    ((_, loss),) = model.losses(batch, torch.Generator().manual_seed(0))
    loss.backward()
    assert not [name for name, p in model.named_parameters() if p.grad is None or not bool(p.grad.abs().sum() > 0)]
    assert model.eval().features(batch.x).shape == (8, 8)


def test_loss_and_scores_are_their_closed_forms() -> None:
    model = Classifier(16, 1, 3, smoothing=0.3, dropout=0.0).eval()
    batch = stripes(30, 0)
    with torch.no_grad():
        model.head.weight.zero_()
        model.head.bias.copy_(torch.tensor([0.0, math.log(2), math.log(5)]))
        ((_, loss),) = model.losses(batch, torch.Generator())
        scores = model.score(batch)
    logs = torch.tensor([1.0, 2.0, 5.0]).div(8).log()
    target = 0.7 * torch.eye(3)[batch.y] + 0.1
    assert float(loss) == pytest.approx(float(-(target * logs).sum(1).mean()), rel=1e-5)
    assert scores["loss"] == pytest.approx(float(-logs[batch.y].mean()), rel=1e-5)
    assert scores["-accuracy"] == pytest.approx(-float((batch.y == 2).float().mean()))
    torch.testing.assert_close(model.predict(batch.x), logs.exp().expand(30, -1))


def test_dropout_draws_from_its_generator_alone_and_keeps_the_mean() -> None:
    model, batch = Classifier(16, 1, 3, dropout=0.5), stripes(16, 0)
    before = torch.get_rng_state()
    losses = [_loss(model, batch, seed) for seed in (1, 1, 2)]
    assert torch.equal(torch.get_rng_state(), before)
    assert losses[0] == losses[1] != losses[2]
    whole = model.features(batch.x).detach()
    kept = torch.stack([_drop(whole, 0.3, torch.Generator().manual_seed(seed)) for seed in range(400)])
    torch.testing.assert_close(kept.max(0).values, whole / 0.7)
    assert float(kept.mean()) == pytest.approx(float(whole.mean()), rel=0.01)


def _loss(model: Classifier, batch: Samples, seed: int) -> float:
    ((_, loss),) = model.losses(batch, torch.Generator().manual_seed(seed))
    return float(loss.detach())


def test_a_saved_model_sees_the_same(tmp_path: Path) -> None:
    model = trained(Classifier(16, 3, 3, net="resnet", width=4, dim=8), stripes(32, 0, channels=3), 3)
    save(model, tmp_path / "a.safetensors", classes=["lying", "standing", "slanting"])
    again = load(tmp_path / "a.safetensors", kind=Recogniser)
    x = stripes(5, 1, channels=3).x
    assert isinstance(again, Recogniser)
    assert torch.equal(model.predict(x), again.predict(x))
    assert again.card["classes"] == ["lying", "standing", "slanting"]


def test_predictions_and_features_keep_their_promises() -> None:
    model = Classifier(16, 1, 3).eval()
    x = torch.rand(6, 3, 40, 23, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        p, f = model.predict(x), model.features(x)
        alone = torch.cat([model.features(each) for each in x.split(1)])
    assert p.dtype == f.dtype == torch.float32
    torch.testing.assert_close(p.sum(1), torch.ones(6))
    torch.testing.assert_close(alone, f, rtol=1e-4, atol=1e-5)
    with torch.autocast("cpu", torch.bfloat16), torch.no_grad():
        assert model.predict(x).dtype == model.features(x).dtype == torch.float32


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"size": 15}, "size"),
        ({"channels": 2}, "channels"),
        ({"classes": 0}, "classes"),
        ({"classes": 1}, "classes"),
    ],
)
def test_refuses_what_it_cannot_learn_from(given: dict[str, int], where: str) -> None:
    with pytest.raises(ParameterError) as caught:
        Classifier(**{"size": 16, "channels": 1, "classes": 2, **given})
    assert caught.value.where == where


def test_refuses_pictures_without_labels() -> None:
    with pytest.raises(ParameterError, match="labels"):
        next(Classifier(16, 1, 2).losses(Samples(torch.zeros(2, 1, 16, 16)), torch.Generator()))


def test_the_bundled_one_reads_digits_whatever_their_size_and_colour() -> None:
    model = load("digits", kind=Recogniser)
    assert isinstance(model, Recogniser)
    pictures, labels = (torch.from_numpy(part.copy()) for part in digits("test"))
    x = pictures[:, None].float() / 255
    assert _accuracy(model, x[:500], labels[:500]) >= 0.98  # all of them are counted in the tests of assess
    large = torch.nn.functional.interpolate(x[:300], size=(70, 70), mode="bicubic").clamp(0, 1)
    wide = torch.nn.functional.pad(large, (20, 20)).repeat(1, 3, 1, 1)
    assert _accuracy(model, wide, labels[:300]) >= 0.98
    assert read_card(bundled()["digits"])["classes"] == [str(digit) for digit in range(10)]
    assert bundled()["digits"].stat().st_size < 1_500_000


def test_the_bundled_ones_features_span_their_space() -> None:
    """A Fréchet distance needs a covariance of full rank, without units that never speak."""
    model = load("digits", kind=Recogniser)
    with torch.no_grad():
        features = model.features(torch.from_numpy(digits("test")[0][:600, None].copy()).float() / 255).double()
    assert int(torch.linalg.matrix_rank(features.T.cov())) == features.shape[1]


def _accuracy(model: Recogniser, x: Tensor, labels: Tensor) -> float:
    with torch.no_grad():
        named = torch.cat([model.predict(part).argmax(1) for part in x.split(250)])
    return float((named == labels).float().mean())


def test_what_imagenet_taught_tells_classes_from_few_pictures_with_the_trunk_frozen() -> None:
    """A linear probe: eight pictures, twelve steps of the head alone."""
    model = Classifier(64, 3, 2, net="imagenet", dropout=0.0)
    from skimage import data

    photos = [torch.from_numpy(getattr(data, name)()[:300, :300].copy()) for name in ("chelsea", "coffee")]
    crops = torch.stack([photo[at : at + 150, at : at + 150] for photo in photos for at in (0, 40, 80, 120)])
    x = torch.nn.functional.interpolate(crops.permute(0, 3, 1, 2) / 255, 64, mode="area")
    y = torch.tensor([0] * 4 + [1] * 4)
    model.trunk.requires_grad_(False)
    optimiser = torch.optim.Adam(model.head.parameters(), lr=1e-2)
    for _ in range(12):
        optimiser.zero_grad()
        next(iter(model.losses(Samples(x, y), torch.Generator().manual_seed(0))))[1].backward()
        optimiser.step()
    assert bool((model.predict(x.flip(3)).argmax(1) == y).all())
