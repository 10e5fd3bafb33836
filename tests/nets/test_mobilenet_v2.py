"""MobileNetV2: its maps, that folding changes nothing, and that the bundled file is what it says."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from danqing.core.errors import DataError
from danqing.core.learned.card import read_card
from danqing.core.uses import noting_uses
from danqing.nets.efficientnet_lite import efficientnet_lite0
from danqing.nets.mobilenet_v2 import BUNDLED, MobileNetV2, folded, mobilenet_v2_maps, note_use
from danqing.zoo.mobilenet_v2 import convert

WIDTHS = {"inner -1": 32, "inner 0": 32, "inner 3": 144, "outer 4": 32, "inner 12": 576}


def test_maps_have_the_widths_and_sizes_of_the_paper() -> None:
    found = mobilenet_v2_maps().maps(torch.rand(2, 3, 65, 96), [-1, 0, 3, 12], [4])
    assert {name: each.shape[1] for name, each in found.items()} == WIDTHS
    assert [tuple(found[name].shape[2:]) for name in WIDTHS] == [(33, 48), (33, 48), (9, 12), (9, 12), (5, 6)]
    assert all(float(each.max()) <= 6 for name, each in found.items() if name.startswith("inner"))


def test_it_knows_a_cat_from_a_cup_by_its_deep_maps() -> None:
    """Deep features of two views of one thing are closer than those of two things."""
    from skimage import data

    def deep(pixels: object) -> torch.Tensor:
        x = torch.as_tensor(pixels).permute(2, 0, 1)[None].float() / 255
        return mobilenet_v2_maps().maps(x, [12])["inner 12"].mean((2, 3))

    cat, cup = data.chelsea(), data.coffee()
    views = deep(cat[20:244, 80:304].copy()), deep(cat[40:264, 120:344].copy()), deep(cup[80:304, 150:374].copy())
    near, far = (torch.cosine_similarity(views[0], each).item() for each in views[1:])
    assert 1 - near < (1 - far) / 5


def test_folding_keeps_the_values() -> None:
    net = MobileNetV2().eval()
    with torch.no_grad():
        for norm in (each for each in net.modules() if isinstance(each, nn.BatchNorm2d)):
            norm.running_mean.uniform_(-0.1, 0.1), norm.running_var.uniform_(0.5, 2)
        x = torch.rand(1, 3, 64, 64)
        before = net.logits(net.pooled(x))
        after = folded(net).logits(net.pooled(x))
    torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-5)


def test_a_cut_net_is_the_beginning_of_the_whole() -> None:
    whole, cut = MobileNetV2(), MobileNetV2(5)
    assert cut.state_dict().keys() < whole.state_dict().keys()
    assert not hasattr(cut, "classifier")


def test_the_bundled_file_tells_where_it_comes_from() -> None:
    card = read_card(BUNDLED)
    assert card["blocks"] == 13
    assert "MIT" in card["licence"]
    assert BUNDLED.with_suffix(".NOTICE.txt").read_text("utf-8").count("Permission is hereby granted") == 1
    assert BUNDLED.stat().st_size < 1_200_000
    uses: dict[str, dict[str, str]] = {}
    with noting_uses(uses):
        note_use()
    assert uses == {"mobilenet-v2": {"sha256": hashlib.sha256(BUNDLED.read_bytes()).hexdigest()}}


@pytest.mark.parametrize("load", [mobilenet_v2_maps.__wrapped__, efficientnet_lite0])
def test_a_net_that_is_loaded_draws_nothing_that_others_would_have_drawn(load: Callable[[], object]) -> None:
    before = torch.random.get_rng_state()
    load()
    assert torch.equal(torch.random.get_rng_state(), before)


def test_another_file_is_not_converted(tmp_path: Path) -> None:
    (tmp_path / "a.whl").write_bytes(b"no wheel")
    with pytest.raises(DataError, match="not the wheel"):
        convert(tmp_path / "a.whl", tmp_path / "out.safetensors")
