"""jpeg_quality reads the quality that Pillow was asked for from the pixels."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from danqing import adjust, jpeg_quality
from danqing.core.pictures.contract import from_uint8, to_uint8


def saved(x: Tensor, quality: int, subsampling: int = 2) -> Tensor:
    pixels, file = to_uint8(x)[0], io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(
        file, "JPEG", quality=quality, subsampling=subsampling
    )
    pixels = np.asarray(Image.open(file))
    return from_uint8(pixels.reshape(1, *pixels.shape[:2], -1))


def told(x: Tensor) -> tuple[int | None, list[int]]:
    found = jpeg_quality(x).numbers[0]
    return found["quality"], found["grid"]


@pytest.mark.parametrize("quality", [10, 30, 50, 75, 85, 92, 95])
def test_the_quality_is_read_exactly(quality: int, astronaut: Tensor, camera: Tensor) -> None:
    for x in (astronaut[..., :256, :256].contiguous(), camera[..., 100:356, 100:356].contiguous()):
        assert told(saved(x, quality)) == (quality, [0, 0])


def test_colour_sampling_does_not_matter(chelsea: Tensor) -> None:
    assert told(saved(chelsea, 60, subsampling=0)) == (60, [0, 0])


def test_a_cropped_picture_tells_where_its_blocks_begin(astronaut: Tensor) -> None:
    assert told(saved(astronaut, 40)[:, :, 3:, 6:].contiguous()) == (40, [2, 5])


def test_the_last_saving_is_the_one_told(astronaut: Tensor) -> None:
    assert told(saved(saved(astronaut, 90), 60))[0] == 60


def test_no_trace_is_told_where_there_is_none(astronaut: Tensor, camera: Tensor) -> None:
    for x in (astronaut, camera, torch.rand(1, 3, 64, 64), adjust(saved(astronaut, 80), gamma=1.7)):
        assert told(x)[0] is None
    assert jpeg_quality(torch.rand(1, 1, 5, 5)).numbers[0]["blockiness"] == 0


def test_even_ground_tells_nothing_however_much_there_is_of_it(cartoon: Tensor) -> None:
    """The mean of a block of one colour is a multiple of some step by chance, and so is that of a hundred like it."""
    plain = torch.tensor([128, 90, 70]).view(1, 3, 1, 1).expand(1, 3, 120, 160) / 255
    logo = plain.clone()
    logo[..., 41:83, 50:107] = torch.tensor([30, 140, 220]).view(1, 3, 1, 1) / 255
    for x in (plain, logo, cartoon):
        assert told(x)[0] is None
    assert told(saved(cartoon, 75))[0] == 75


def test_blocks_are_seen_and_drawn(camera: Tensor) -> None:
    seen = [jpeg_quality(saved(camera, quality)).numbers[0]["blockiness"] for quality in (90, 50, 10)]
    assert seen == sorted(seen)
    shown = jpeg_quality(saved(camera, 10)).picture.sum(1)[0]
    assert float(shown[:, 8::8].mean()) > 3 * float(shown[:, 4::8].mean())
