"""The converted nets say what their source graphs say, as TensorFlow.js and facenet-pytorch have it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from danqing.nets.blazepose import BlazePose
from danqing.nets.mtcnn import cut_out
from danqing.nets.nanodet import NanoDet
from danqing.nets.ready_made import FOLDER, ready_made
from danqing.nets.selfie import SelfieNet

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "recognisers.json").read_text())
CLOSE = 1e-3  # fp16 kernels are alike in both; what is left is the order of sums of some thousand terms


def picture(side: int) -> Tensor:
    """The same picture as in tests/golden/record_recognisers.js."""
    c = torch.arange(3, dtype=torch.float64).view(3, 1, 1)
    i, j = torch.meshgrid(*[torch.arange(side, dtype=torch.float64)] * 2, indexing="ij")
    y, x = i / side, j / side
    disc = torch.where((x - 0.5) ** 2 + (y - 0.3) ** 2 < 0.03, 0.4, 0.0)
    wave = 0.3 + 0.2 * torch.sin(7 * x + 2 * c) * torch.cos(5 * y - c) + disc + 0.1 * ((i + j) % 2)
    return wave.clamp(max=1).float()[None]


def assert_same(found: Tensor, golden: dict[str, Any]) -> None:
    assert list(found.shape) == golden["shape"]
    wanted = torch.tensor(golden["values"])
    scale = max(1.0, float(wanted.abs().max()))
    torch.testing.assert_close(found.flatten()[:: golden["step"]] / scale, wanted / scale, rtol=0, atol=CLOSE)


@torch.no_grad()
def test_nanodet_is_its_source_graph() -> None:
    levels = ready_made("nanodet", NanoDet)(picture(416))
    for at, level in enumerate(levels):
        chances = "Identity" if at == 0 else f"Identity_{at}"
        assert_same(level.logits.flatten(2).mT.sigmoid(), GOLDEN["nanodet"][chances])
        assert_same(level.bins.flatten(2).mT, GOLDEN["nanodet"][f"Identity_{at + 3}"])


@torch.no_grad()
def test_blazepose_is_its_source_graph() -> None:
    points, presence = ready_made("blazepose", BlazePose)(picture(256))
    assert_same(points.flatten(1), GOLDEN["blazepose"]["Identity_2"])
    assert_same(presence[:, None], GOLDEN["blazepose"]["Identity_3"])


@torch.no_grad()
def test_the_selfie_net_is_its_source_graph() -> None:
    assert_same(ready_made("selfie", SelfieNet)(picture(256)).movedim(1, 3), GOLDEN["selfie"]["activation_10"])


def test_a_net_is_loaded_once_and_never_learns() -> None:
    net = ready_made("selfie", SelfieNet)
    assert ready_made("selfie", SelfieNet) is net
    assert not any(each.requires_grad for each in net.parameters())


def test_all_of_them_take_at_most_12_megabytes() -> None:
    names = ("nanodet", "blazepose", "selfie", "mtcnn")
    assert sum((FOLDER / f"{name}.safetensors").stat().st_size for name in names) <= 12_000_000


@pytest.mark.parametrize(
    ("box", "seen"),
    [((0, 0, 8, 8), 1), ((-8, 0, 8, 16), 0.25), ((4, 4, 12, 12), 0.25), ((-9, 2, -1, 10), 0), ((2, 9, 5, 12), 0),
     ((2, -9, 5, -3), 0), ((3, 3, 3.2, 3.1), None)],
)  # fmt: skip
def test_what_lies_outside_a_picture_is_black_in_a_cut_out(box: tuple[float, ...], seen: float | None) -> None:
    x = torch.ones(1, 3, 8, 8)
    part = (cut_out(x, torch.tensor([box]).float(), 24) * 128 + 127.5) / 255
    assert part.shape == (1, 3, 24, 24)
    if seen is not None:
        assert float(part.mean()) == pytest.approx(seen, abs=1e-5)
