"""Make the sheets of docs/painting.md: ``python docs/make_paint_sheets.py [SHEET …]``, from the repository's root.

``one-picture``: new pictures out of single ones, which all come with scikit-image and are free to ship.

``by-rule``: what is painted by rule.

``latent-space``: what is done in the latent space of the bundled ``characters`` and ``textures``; the characters that
are looked for there are of runs/characters, held out from what it learned.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from skimage import data
from torch import Tensor

import danqing
from danqing.core.learned.model import Painter
from danqing.core.learned.weights import load

IMAGES = Path(__file__).parent / "images"
HELD_OUT = Path("runs/characters/test")
GAP = 6  # px
SMALL, LARGE = 128, 192  # px; heights of rows
TWO = ("kai/526F.png", "kai/6A4B.png")


def one_picture() -> None:
    """A row a way: what is given, and what is made of it."""
    brick, gravel, rocket, coffee = (picture(name) for name in ("brick", "gravel", "rocket", "coffee"))
    brick, gravel = danqing.resize(brick, height=256), gravel[..., :256, :256]
    rocket, coffee = danqing.resize(rocket, height=LARGE), danqing.resize(coffee, height=LARGE)
    layout, piece = rocket.clone(), rocket[..., 54:, 126:164]
    layout[..., 54:, 67:105] = layout[..., 54:, 187:225] = piece
    rows = [
        [brick, danqing.grow_texture(brick, wider=2, radius=5), gravel, danqing.grow_texture(gravel, wider=2)],
        [rocket, danqing.retarget(rocket, wider=0.6), danqing.retarget(rocket, wider=1.6)],
        [rocket, layout, danqing.collage(rocket, layout)],
        [coffee, *(danqing.variations(coffee, seed=seed) for seed in (1, 2))],
    ]
    _kept("one-picture.jpg", [[_high(each, LARGE) for each in row] for row in rows])


def by_rule() -> None:
    """Every kind of every rule, at its defaults but for the size."""
    side = {"width": 256, "height": 256}
    noises = [danqing.noise_pattern(**side, kind=kind, seed=2) for kind in ("perlin", "simplex", "ridges")]
    cells = [danqing.cell_pattern(**side, kind=kind, count=40) for kind in ("voronoi", "worley", "cracks")]
    grown = [danqing.reaction_diffusion(kind=kind) for kind in ("coral", "spots", "maze", "worms")]
    plants = [danqing.l_system(size=256, rules=name) for name in ("plant", "bush", "tree", "dragon", "hilbert")]
    lands = [danqing.landscape(width=512, height=288, seed=seed) for seed in (0, 7)]
    land = danqing.landscape(width=256, height=256, view="map")
    rows = [[*noises, *cells], [*grown, *plants[3:]], [*plants[:3], land], lands]
    _kept("by-rule.jpg", [[_high(each, SMALL) for each in row] for row in rows[:2]] + [[*_low(rows[2]), *_low(lands)]])


def latent_space() -> None:
    """A row a way; the first two characters were held out."""
    writer, textures = load("characters", kind=Painter), load("textures", kind=Painter)
    first, last = (danqing.resize(danqing.read(HELD_OUT / name).pixels[:, :1], height=64) for name in TWO)
    film = danqing.morph(first, last, writer, frames=10).pictures
    found = danqing.project(first, writer).kept
    like = danqing.more_like(writer, start=found, count=12, distance=0.25)
    directions = danqing.find_directions(writer, method="pca", count=4).kept
    steered = [danqing.steer(writer, directions, along=str(at), start="3:4:kai", steps=6) for at in (1, 2)]
    classes = danqing.morph_classes(writer, seed=5, frames=12).pictures
    walk = danqing.interpolate(textures, seed=2, to="9,4", frames=12, label="leaves").pictures
    rows = [torch.cat([first, film, last]), like, torch.cat(steered), classes, walk]
    _kept("latent-space.png", [[picture.expand(-1, 3, -1, -1) for picture in row.split(1)] for row in rows], 4)


def picture(name: str) -> Tensor:
    """A picture of scikit-image, in colour."""
    x = torch.from_numpy(np.ascontiguousarray(getattr(data, name)())) / 255
    return x[None, None].expand(1, 3, -1, -1) if x.ndim == 2 else x.permute(2, 0, 1)[None]


def _high(x: Tensor, height: int) -> Tensor:
    x = x.expand(-1, 3, -1, -1)
    return x if x.shape[2] == height else danqing.resize(x, height=height)


def _low(row: list[Tensor]) -> list[Tensor]:
    return [_high(each, SMALL) for each in row]


def _kept(name: str, rows: list[list[Tensor]], gap: int = GAP) -> None:
    """Rows one below the other, each from the left, on white."""
    width = max(sum(each.shape[3] + gap for each in row) - gap for row in rows)
    lines: list[Tensor] = []
    for row in rows:
        line = torch.ones(1, 3, row[0].shape[2] + gap, width)
        left = 0
        for each in row:
            line[..., : each.shape[2], left : left + each.shape[3]] = each
            left += each.shape[3] + gap
        lines.append(line)
    danqing.write(torch.cat(lines, 2)[:, :, :-gap], IMAGES / name, force=True)


SHEETS = {"one-picture": one_picture, "by-rule": by_rule, "latent-space": latent_space}

if __name__ == "__main__":
    for each in sys.argv[1:] or SHEETS:
        SHEETS[each]()
