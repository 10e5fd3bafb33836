"""A small painter."""

from __future__ import annotations

import pytest
import torch

from danqing.models.vae import VAE


@pytest.fixture(scope="module")
def model() -> VAE:
    torch.manual_seed(0)
    return VAE(16, 1, dim=6, width=4).eval()
