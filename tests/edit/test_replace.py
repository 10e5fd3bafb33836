"""replace puts the object where it is meant, as large as it is meant, and lit as its surroundings are."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from click.testing import CliRunner
from torch import Tensor

from danqing import replace
from danqing.core.errors import ParameterError
from danqing.core.pictures.contract import Picture
from danqing.core.pictures.reading import read
from danqing.core.pictures.writing import write
from danqing.faces.cli import cli


def plain(level: float, height: int = 80, width: int = 100) -> Tensor:
    return torch.full((1, 3, height, width), level)


def changed(out: Tensor, x: Tensor) -> tuple[int, int, int, int]:
    rows, columns = ((out != x).any(1)[0].any(axis).nonzero() for axis in (1, 0))
    return int(columns[0]), int(rows[0]), int(columns[-1] - columns[0]) + 1, int(rows[-1] - rows[0]) + 1


def test_it_is_placed_in_the_box_with_its_proportions_kept() -> None:
    x, thing = plain(0.2), plain(0.8, 20, 40)
    out = replace(x, thing, box="10,20,60,50", method="paste")
    assert changed(out, x) == (10, 30, 60, 30)
    assert changed(replace(x, thing, box="10,20,60,50", method="paste", scale=0.5), x) == (25, 37, 30, 15)
    torch.testing.assert_close(out[..., 30:60, 10:70], plain(0.8, 30, 60))


def test_an_object_larger_than_the_picture_is_cut() -> None:
    out = replace(plain(0.2), plain(0.8, 20, 40), box="60,0,40,20", method="paste", scale=3.0)
    assert changed(out, plain(0.2)) == (20, 0, 80, 40)


def test_the_outline_is_what_is_put_in_and_its_soft_edge_stays_soft() -> None:
    x, thing = plain(0.0), plain(1.0, 40, 40)
    thing[..., :20] = 0.5  # not the object: must not seep in
    outline = torch.zeros(1, 1, 40, 40)
    outline[..., 10:30, 24:36] = 1
    outline[..., 9, 24:36] = 0.5
    out = replace(x, thing, box="40,20,12,20", replacement_alpha=outline, method="paste")
    assert float(out[..., 20:40, 40:52].amin()) > 0.999
    assert float(out.amin()) == 0
    soft = torch.full((1, 1, 40, 40), 0.6)
    torch.testing.assert_close(
        replace(x, plain(1.0, 40, 40), box="40,20,20,20", replacement_alpha=soft, method="paste").amax(),
        torch.tensor(0.6),
    )


def test_a_constant_added_to_the_light_is_taken_away(astronaut: Tensor) -> None:
    """Poisson blending keeps gradients: an object cut from the picture itself, but darker, fits in without a trace."""
    x = astronaut[..., 300:420, 60:200] * 0.5 + 0.3
    dark = (x - 0.25)[..., 30:80, 40:100]
    out = replace(x, dark, box="40,30,60,50")
    assert float((out - x).abs().max()) < 0.01
    assert float((replace(x, dark, box="40,30,60,50", method="paste") - x).abs().max()) > 0.2


def test_it_agrees_with_opencv(astronaut: Tensor, chelsea: Tensor) -> None:
    """OpenCV's seamless cloning works in bytes and spreads over a rectangle around: the insides agree."""
    x, thing = astronaut[..., 20:220, 310:510], chelsea[..., 100:180, 120:220]
    y, z = np.mgrid[:80, :100]
    outline = (((y - 39.5) / 34) ** 2 + ((z - 49.5) / 44) ** 2 < 1).astype(np.float32)
    out = replace(x, thing, box="50,60,100,80", replacement_alpha=torch.ones(1, 1, 80, 100) * torch.from_numpy(outline))
    own = torch.from_numpy(outline)[None, None]
    rows, columns = (own[0, 0].any(1).nonzero(), own[0, 0].any(0).nonzero())
    tall, wide = int(rows[-1] - rows[0]) + 1, int(columns[-1] - columns[0]) + 1
    cut = [each[..., int(rows[0]) : int(rows[-1]) + 1, int(columns[0]) : int(columns[-1]) + 1] for each in (thing, own)]
    factor = min(80 / tall, 100 / wide)
    size = (round(tall * factor), round(wide * factor))
    big, mask = (torch.nn.functional.interpolate(each, size, mode="bilinear", antialias=True) for each in cut)
    source, where = (
        np.pad((each[0].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8), ((1, 1), (1, 1), (0, 0)))
        for each in (big, (mask > 0.5).float())
    )
    target = (x[0].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
    theirs = cv2.seamlessClone(source, target, where[..., 0].copy(), (100, 100), cv2.NORMAL_CLONE)
    ours = out[0].permute(1, 2, 0).numpy()
    inside = np.zeros((200, 200), bool)
    inside[80:120, 75:125] = True
    assert np.abs(ours - theirs / 255)[inside].mean() < 0.05
    assert np.corrcoef(ours[inside].ravel(), theirs[inside].ravel())[0, 1] > 0.9


def test_the_old_object_is_painted_over_where_the_new_one_is_smaller() -> None:
    x = plain(0.3)
    x[:, 0, 20:60, 20:70] = 0.9
    mask = (x[:, :1] > 0.5).float()
    out = replace(x, plain(0.6, 20, 20), mask=mask, method="paste", scale=0.5)
    assert float(out[:, 0].max()) < 0.61
    torch.testing.assert_close(out[..., 39, 44], torch.full((1, 3), 0.6))
    torch.testing.assert_close(out[..., 25, 25], torch.full((1, 3), 0.3), rtol=0, atol=0.01)


def test_colours_are_matched_with_the_surroundings(astronaut: Tensor, chelsea: Tensor) -> None:
    x, thing = astronaut[..., 300:460, 20:220], chelsea[..., 100:200, 100:200]
    around = x[..., 20:140, 40:160].mean((2, 3))
    far, near = (
        (replace(x, thing, box="60,40,80,80", method="paste", strength=s)[..., 40:120, 60:140].mean((2, 3)) - around)
        for s in (0.0, 1.0)
    )
    assert float(near.norm()) < 0.4 * float(far.norm())


def test_grey_and_colour_meet() -> None:
    x, thing = plain(0.2)[:, :1], plain(0.8, 10, 10)
    assert replace(x, thing).shape == (1, 3, 80, 100)
    assert replace(plain(0.2), thing[:, :1]).shape == (1, 3, 80, 100)
    assert replace(x, thing[:, :1]).shape == (1, 1, 80, 100)


def test_bad_input_is_refused() -> None:
    x, thing = plain(0.2), plain(0.8, 20, 20)
    for values, words in (
        ({"box": "90,0,20,20"}, "box: .*leaves the picture of 100×80 px"),
        (
            {"replacement_alpha": torch.ones(1, 1, 20, 21)},
            "replacement_alpha: its 21×20 px do not fit pictures of 20×20 px",
        ),
        ({"replacement_alpha": torch.zeros(1, 1, 20, 20)}, "replacement_alpha: marks nothing"),
        ({"mask": torch.ones(1, 1, 20, 20)}, "mask: its 20×20 px"),
        ({"replacement": thing.repeat(2, 1, 1, 1)}, "replacement: 2 replacements do not pair up with 1 pictures"),
    ):
        with pytest.raises(ParameterError, match=words):
            replace(x, **{"replacement": thing, **values})


def test_the_transparency_of_a_file_is_its_outline(tmp_path: Path) -> None:
    alpha = torch.zeros(1, 1, 40, 40)
    alpha[..., 10:30, 24:36] = 1
    write(Picture(plain(1.0, 40, 40), alpha), tmp_path / "thing.png")
    write(plain(0.2, 60, 80), tmp_path / "photo.png")
    photo, thing, out = (str(tmp_path / name) for name in ("photo.png", "thing.png", "out.png"))
    words = ["replace", photo, thing, "--box", "40,20,12,20", "--method", "paste", "--out", out]
    assert CliRunner().invoke(cli, words).exit_code == 0
    changed = (read(out).pixels - read(photo).pixels).abs().amax((0, 1)) > 0.5
    expected = torch.zeros(60, 80, dtype=torch.bool)
    expected[20:40, 40:52] = True
    assert torch.equal(changed, expected)
