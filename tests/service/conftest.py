"""What the tests of the service share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from serving import Running, running

from danqing.core.pictures.writing import write


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One for all tests that leave it as it is."""
    with running(tmp_path_factory.mktemp("service")) as made:
        yield made


@pytest.fixture(scope="session")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture with a gradient, some noise, and a name that is not English."""
    y, x = torch.meshgrid(torch.linspace(0, 1, 48), torch.linspace(0, 1, 64), indexing="ij")
    noise = torch.rand(1, 3, 48, 64, generator=torch.Generator().manual_seed(0)) * 0.1
    pixels = torch.stack([x, y, 1 - x])[None] * 0.9 + noise
    return write(pixels.clamp(0, 1), tmp_path_factory.mktemp("photo") / "熊猫 photo.png")
