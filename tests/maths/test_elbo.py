"""The terms of the ELBO against closed forms and independent implementations."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.special import log_ndtr
from torch import Tensor
from torch.distributions import Bernoulli, MultivariateNormal, Normal, kl_divergence

from danqing.maths.elbo import (
    bernoulli_log_likelihood,
    bits_per_dimension,
    discretised_gaussian_log_likelihood,
    gaussian_kl,
)


def test_kl_is_that_of_torch_distributions() -> None:
    rng = torch.Generator().manual_seed(0)
    mean, logvar = torch.randn(5, 7, generator=rng) * 3, torch.randn(5, 7, generator=rng) * 2
    expected = kl_divergence(Normal(mean, (logvar / 2).exp()), Normal(0.0, 1.0)).sum(1)
    torch.testing.assert_close(gaussian_kl(mean, logvar), expected, rtol=1e-5, atol=1e-5)
    assert torch.equal(gaussian_kl(torch.zeros(2, 3), torch.zeros(2, 3)), torch.zeros(2))


def test_bernoulli_is_that_of_torch_distributions_and_the_mean_over_binarisations() -> None:
    logits = torch.tensor([[-3.0, 0.2, 1.5]])
    white = torch.tensor([[0.0, 1.0, 1.0]])
    expected = Bernoulli(logits=logits).log_prob(white).sum(1)
    torch.testing.assert_close(bernoulli_log_likelihood(white, logits), expected)
    x = torch.tensor([[0.25, 0.5, 0.9]])
    pictures = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * 3)
    chances = Bernoulli(x).log_prob(pictures).sum(1).exp()
    mean = (chances * bernoulli_log_likelihood(pictures, logits.expand(8, -1))).sum()
    torch.testing.assert_close(bernoulli_log_likelihood(x, logits)[0], mean)


@pytest.mark.parametrize("mean", [-0.5, 0.0, 0.3, 0.5001, 1.0, 1.4])
@pytest.mark.parametrize("log_sigma", [-7.0, -5.0, -3.0, 0.0, 3.0])
def test_discretised_gaussian_is_a_distribution_over_256_levels(mean: float, log_sigma: float) -> None:
    x = torch.arange(256)[:, None] / 255
    found = discretised_gaussian_log_likelihood(x, torch.tensor(mean), torch.tensor(log_sigma)).double()
    assert abs(float(found.exp().sum()) - 1) < 2e-5
    expected = torch.from_numpy(_masses(x.double().numpy()[:, 0], mean, math.exp(log_sigma)))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-3)


def _masses(x: np.ndarray, mean: float, sigma: float) -> np.ndarray:
    """log(Φ(high) − Φ(low)) by SciPy, in float64, from the tail in which it does not cancel."""
    high, low = (x - mean + 0.5 / 255) / sigma, (x - mean - 0.5 / 255) / sigma
    outer, inner = np.where(x > mean, -low, high), np.where(x > mean, -high, low)
    inside = log_ndtr(outer) + np.log1p(-np.exp(log_ndtr(inner) - log_ndtr(outer)))
    return np.where(x <= 0, log_ndtr(high), np.where(x >= 1, log_ndtr(-low), inside))


def test_discretised_gaussian_can_be_learned_from_however_far_off() -> None:
    x = torch.tensor([0.0, 0.5, 1.0]).view(1, 3)
    for place in (-30.0, 0.0, 0.5, 1.0, 30.0):
        mean, log_sigma = torch.full((1, 3), place, requires_grad=True), torch.tensor(-5.0, requires_grad=True)
        discretised_gaussian_log_likelihood(x, mean, log_sigma).sum().backward()
        assert mean.grad is not None
        assert mean.grad.isfinite().all()
        assert bool(((x - mean) * mean.grad >= 0).all()), "points away from the picture"


def test_a_uniform_guess_has_8_bits_and_gaussian_noise_its_entropy() -> None:
    assert bits_per_dimension(28 * 28 * math.log(256), 28 * 28) == pytest.approx(8)
    sigma = 20 / 255
    noise = torch.randn(1, 40_000, generator=torch.Generator().manual_seed(0)) * sigma
    x = ((0.5 + noise) * 255).round() / 255
    nats = -discretised_gaussian_log_likelihood(x, torch.tensor(0.5), torch.tensor(math.log(sigma)))
    entropy = math.log2(255 * sigma * math.sqrt(2 * math.pi * math.e))
    # The mean of 40,000 draws of z²/2 has a standard error of 1/√(2·40,000) nats, 0.005 bits.
    assert float(bits_per_dimension(nats, x.numel())) == pytest.approx(entropy, abs=0.02)


def test_the_elbo_of_the_best_encoder_is_the_likelihood_of_probabilistic_pca() -> None:
    """For x = Wz + μ + σε the posterior is Gaussian, diagonal when the columns of W are orthogonal: no gap is left."""
    rng = torch.Generator().manual_seed(3)
    dimensions, latents, sigma = 12, 3, 0.05
    axes = torch.linalg.qr(torch.randn(dimensions, latents, generator=rng, dtype=torch.float64))[0]
    w = axes * torch.tensor([0.08, 0.05, 0.02], dtype=torch.float64)
    x = 0.5 + torch.randn(6, latents, generator=rng, dtype=torch.float64) @ w.T
    x += sigma * torch.randn(x.shape, generator=rng, dtype=torch.float64)
    assert x.min() > 0.1
    assert x.max() < 0.9
    precision = (w.T @ w) / sigma**2 + torch.eye(latents)  # Tipping & Bishop 1999, eq. 7, as posterior precision
    variance = 1 / precision.diagonal()
    mean = (x - 0.5) @ w / sigma**2 * variance
    found = _expected_log_likelihood(x, mean, variance, w, sigma) - gaussian_kl(mean, variance.log().expand_as(mean))
    model = MultivariateNormal(torch.full((dimensions,), 0.5).double(), w @ w.T + sigma**2 * torch.eye(dimensions))
    exact = model.log_prob(x) - dimensions * math.log(255)  # a density as the mass of a bin
    # A bin's mass differs from density × width by (width / sigma)² / 24 of itself at most: 3e-4 a pixel.
    torch.testing.assert_close(found, exact, rtol=0, atol=dimensions * (1 / 255 / sigma) ** 2 / 24 + 1e-4)
    worse = _expected_log_likelihood(x, mean + 0.3, variance, w, sigma) - gaussian_kl(mean + 0.3, variance.log())
    assert bool((worse < exact).all()), "a bound lies below"


def _expected_log_likelihood(x: Tensor, mean: Tensor, variance: Tensor, w: Tensor, sigma: float) -> Tensor:
    """Average over the posterior by the cubature points ± √d s eᵢ, exact for the quadratic that it nearly is."""
    steps = torch.diag((len(variance) * variance).sqrt())
    values = [
        discretised_gaussian_log_likelihood(x, (mean + sign * step) @ w.T + 0.5, torch.tensor(math.log(sigma)))
        for step in steps
        for sign in (-1, 1)
    ]
    return torch.stack(values).mean(0)
