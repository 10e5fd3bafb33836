"""What belongs to a picture stays on what it shows, whatever is done to the picture."""

import pytest
import torch
from torch.nn import functional as F

from danqing.core.learned.model import Samples
from danqing.data.augment import KINDS, augmentations

GEOMETRY = ["flip=1", "flip", "crop=0.3", "rotate=40", "affine=0.2", "flip,crop=0.2,rotate=20,affine=0.1"]
SIZES = [(48, 48), (40, 64)]
COUNT = 24


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def spots(points: torch.Tensor, height: int, width: int, sigma: float = 1.5) -> torch.Tensor:
    """Pictures (B, 1, H, W), each with a soft spot at its point (B, 2) in pixels."""
    down = torch.arange(height) + 0.5
    right = torch.arange(width) + 0.5
    x, y = points[:, 0, None, None], points[:, 1, None, None]
    return (-((right[None, None] - x) ** 2 + (down[None, :, None] - y) ** 2) / (2 * sigma**2)).exp()[:, None]


def centres(pictures: torch.Tensor) -> torch.Tensor:
    """Where the light of each picture is, (B, 2) in pixels."""
    mass = pictures[:, 0] / pictures.sum((1, 2, 3))[:, None, None]
    right = (mass.sum(1) * (torch.arange(pictures.shape[3]) + 0.5)).sum(1)
    down = (mass.sum(2) * (torch.arange(pictures.shape[2]) + 0.5)).sum(1)
    return torch.stack([right, down], 1)


def points_near_the_middle(height: int, width: int) -> torch.Tensor:
    return torch.tensor([width, height]) * (0.4 + 0.2 * torch.rand(COUNT, 2, generator=rng(7)))


@pytest.mark.parametrize("text", GEOMETRY)
@pytest.mark.parametrize(("height", "width"), SIZES)
@pytest.mark.parametrize("scale", [1, 2, 3])
def test_points_masks_and_pairs_of_any_scale_stay_on_the_spot(text: str, height: int, width: int, scale: int) -> None:
    points = points_near_the_middle(height, width)
    x = spots(points, height, width)
    pair = spots(points * scale, height * scale, width * scale, 1.5 * scale)
    out = augmentations(text)(Samples(x, pair=pair, mask=x, points=points[:, None]), rng(1))
    assert out.pair is not None
    assert out.points is not None
    assert out.mask is not None
    assert torch.equal(out.mask, out.x)
    assert not torch.equal(out.x, x)
    # half a pixel of interpolation shifts no centre; sampling a spot of 1.5 pixels leaves less than 0.05 of a pixel
    torch.testing.assert_close(out.points[:, 0], centres(out.x), atol=0.05, rtol=0)
    torch.testing.assert_close(out.points[:, 0] * scale, centres(out.pair), atol=0.05 * scale, rtol=0)


@pytest.mark.parametrize("text", GEOMETRY)
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_boxes_enclose_the_moved_shape_and_touch_its_corners(text: str, height: int, width: int) -> None:
    left, top, right, bottom = 2 * width // 5, 2 * height // 5, width // 2, 3 * height // 5  # far from mirrored edges
    x = torch.zeros(COUNT, 1, height, width)
    x[..., top:bottom, left:right] = 1
    box = torch.tensor([left, top, right, bottom], dtype=torch.float32).expand(COUNT, 1, 4)
    nothing = torch.full((COUNT, 1, 4), torch.nan)
    out = augmentations(text)(Samples(x, boxes=torch.cat([box, nothing], 1)), rng(2))
    assert out.boxes is not None
    assert out.boxes[:, 1].isnan().all()
    for picture, (x1, y1, x2, y2) in zip(out.x[:, 0], out.boxes[:, 0].tolist(), strict=True):
        rows, columns = (picture > 0.5).nonzero().T
        for low, found, high in ((x1, columns, x2), (y1, rows, y2)):
            assert float(found.min()) + 0.5 >= low - 0.05  # middles of pixels that are lit lie inside
            assert float(found.max()) + 0.5 <= high + 0.05
            assert float(found.min()) <= low + 2.5  # a sharp corner loses at most two pixels to the threshold
            assert float(found.max()) + 1 >= high - 2.5


def test_mirrored_boxes_and_points_are_exact() -> None:
    x = torch.rand(3, 3, 10, 20, generator=rng())
    boxes = torch.tensor([[[1.0, 2.0, 5.0, 9.0]]]).expand(3, 1, 4)
    points = torch.tensor([[[0.5, 0.5], [torch.nan, torch.nan]]]).expand(3, 2, 2)
    out = augmentations("flip=1")(Samples(x, boxes=boxes, points=points), rng())
    assert out.boxes is not None
    assert out.points is not None
    torch.testing.assert_close(out.boxes[0, 0], torch.tensor([15.0, 2.0, 19.0, 9.0]))
    torch.testing.assert_close(out.points[0, 0], torch.tensor([19.5, 0.5]))
    assert out.points[:, 1].isnan().all()


def test_what_leaves_the_picture_is_not_to_be_seen() -> None:
    x = torch.rand(200, 1, 32, 32, generator=rng())
    points = torch.tensor([[[0.2, 0.2]]]).expand(200, 1, 2)
    boxes = torch.tensor([[[0.0, 0.0, 0.4, 0.4]]]).expand(200, 1, 4)
    out = augmentations("crop=0.5")(Samples(x, boxes=boxes, points=points), rng())
    assert out.boxes is not None
    assert out.points is not None
    assert out.points.isnan().any((1, 2)).float().mean() > 0.9
    seen = ~out.boxes.isnan().any(2)[:, 0]
    assert bool((out.boxes[seen] >= 0).all())
    assert int(seen.sum()) < 20


@pytest.mark.parametrize("text", [*GEOMETRY, "jitter=0.5", "flip,rotate,crop,affine,jitter"])
def test_equal_pairs_stay_equal(text: str) -> None:
    x = torch.rand(8, 3, 24, 24, generator=rng())
    out = augmentations(text)(Samples(x, pair=x.clone()), rng())
    assert out.pair is not None
    assert torch.equal(out.x, out.pair)


@pytest.mark.parametrize("text", ["cutout", "noise"])
def test_damage_is_done_to_the_picture_alone(text: str) -> None:
    x = torch.rand(8, 3, 24, 24, generator=rng())
    out = augmentations(text)(Samples(x, pair=x, mask=x[:, :1]), rng())
    assert not torch.equal(out.x, x)
    assert out.pair is x
    assert out.mask is not None
    assert torch.equal(out.mask, x[:, :1])


def test_pictures_fare_the_same_with_and_without_company() -> None:
    x = torch.rand(8, 3, 24, 24, generator=rng())
    company = Samples(
        x, torch.arange(8), F.interpolate(x, scale_factor=2), x[:, :1], torch.rand(8, 2, 4), torch.rand(8, 1, 2)
    )
    augment = augmentations(",".join(KINDS))
    alone, together = augment(Samples(x), rng()), augment(company, rng())
    assert torch.equal(alone.x, together.x)
    assert together.y is not None
    assert torch.equal(together.y, torch.arange(8))
    assert all(each is not None and len(each) == 8 for each in together)


def test_samples_are_chosen_and_moved_together() -> None:
    samples = Samples(torch.rand(4, 3, 6, 6), torch.arange(4), pair=torch.rand(4, 3, 12, 12))
    chosen = samples.map(lambda each: each[1:3])
    assert chosen.y is not None
    assert chosen.pair is not None
    assert chosen.y.tolist() == [1, 2]
    assert torch.equal(chosen.pair, samples.pair[1:3])  # type: ignore[index]
    assert chosen.mask is None
    there = samples.moved_to("cpu")
    assert there.x.is_contiguous(memory_format=torch.channels_last)
    assert there.pair is not None
    assert there.pair.is_contiguous(memory_format=torch.channels_last)
