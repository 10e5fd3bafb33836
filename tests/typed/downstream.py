"""What a program that uses danqing looks like; mypy --strict must know the type of every name in it."""

from __future__ import annotations

from typing import assert_type

from torch import Tensor

import danqing
from danqing.core.artefacts.figures import Figures
from danqing.core.artefacts.film import Film
from danqing.core.learned.model import Model, Painter, Restorer
from danqing.core.progress import Job

picture = danqing.read("photo.png")
assert_type(danqing.median(picture.pixels, radius=2), Tensor)
assert_type(danqing.resize(picture.pixels, width=128), Tensor)
assert_type(danqing.palette(picture.pixels, count=3), Figures)
assert_type(danqing.load("runs/a"), Model)
assert_type(danqing.load("runs/a", kind=Painter), Painter)
cleaner = danqing.load("denoise-tiny", kind=Restorer, task="denoise")
assert_type(danqing.denoise(picture.pixels, sigma=25, weights=cleaner), Tensor)
assert_type(danqing.generate(danqing.load("runs/a", kind=Painter), count=4), Tensor)  # long work: its result
assert_type(danqing.interpolate(danqing.load("runs/a", kind=Painter)), Film)
assert_type(danqing.median.job(picture.pixels, 2), Job[Tensor])
danqing.median(picture.pixels, radios=2)  # type: ignore[call-arg]
danqing.median(picture.pixels, radius="two")  # type: ignore[arg-type]
danqing.no_such_operator()  # type: ignore[attr-defined]
