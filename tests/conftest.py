"""Pictures for the tests: photographs that come with scikit-image, without network; and a cache of their own."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, settings
from torch import Tensor

settings.register_profile("whatever the machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("whatever the machine")


@pytest.fixture(scope="session", autouse=True)
def _own_cache() -> Iterator[None]:
    """Keep packed stores out of the home folder, in subprocesses too; shared by the tests, as by a person's runs."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DANQING_CACHE"] = folder
        yield
        del os.environ["DANQING_CACHE"]


@pytest.fixture(autouse=True)
def _denormals() -> Iterator[None]:
    """Training flushes denormal numbers for the rest of its process; tests that follow have them back."""
    yield
    torch.set_flush_denormal(False)


@pytest.fixture(scope="session")
def _photographs() -> dict[str, Tensor]:
    from skimage import data

    pictures = {"astronaut": data.astronaut(), "chelsea": data.chelsea(), "camera": data.camera()[..., None]}
    return {name: _tensor(pixels) for name, pixels in pictures.items()}


@pytest.fixture
def astronaut(_photographs: dict[str, Tensor]) -> Tensor:
    """A colour photograph (1, 3, 512, 512)."""
    return _photographs["astronaut"].clone()


@pytest.fixture
def chelsea(_photographs: dict[str, Tensor]) -> Tensor:
    """A colour photograph that is not square, (1, 3, 300, 451)."""
    return _photographs["chelsea"].clone()


@pytest.fixture
def camera(_photographs: dict[str, Tensor]) -> Tensor:
    """A grey photograph (1, 1, 512, 512)."""
    return _photographs["camera"].clone()


@pytest.fixture
def page() -> Tensor:
    """Lines of writing, (1, 3, 160, 240)."""
    from PIL import Image, ImageDraw

    made = Image.new("RGB", (240, 160), "white")
    for row in range(12, 150, 13):
        ImageDraw.Draw(made).text((12, row), "it was the age of wisdom, it was", fill="black")
    return _tensor(np.asarray(made))


@pytest.fixture
def cartoon() -> Tensor:
    """Even ground with outlines, (1, 3, 160, 240)."""
    from PIL import Image, ImageDraw

    made = Image.new("RGB", (720, 480), (120, 190, 240))
    pen = ImageDraw.Draw(made)
    pen.rectangle((0, 330, 720, 480), fill=(90, 170, 70))
    pen.ellipse((90, 90, 390, 390), fill=(250, 200, 160), outline="black", width=9)
    pen.ellipse((540, 30, 660, 150), fill=(255, 220, 60), outline="black", width=9)
    return _tensor(np.asarray(made.resize((240, 160), Image.Resampling.LANCZOS)))


def _tensor(pixels: np.ndarray[Any, Any]) -> Tensor:
    return torch.from_numpy(pixels.astype(np.float32) / 255).permute(2, 0, 1)[None].contiguous()
