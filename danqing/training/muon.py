"""Muon: steps of kernels whose directions all count alike, which learn more from each batch than Adam's."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

MOMENTUM = 0.95
ROUNDS = 5
A, B, C = 3.4445, -4.7750, 2.0315  # of the odd polynomial that drives all singular values towards 1
NARROW = 16  # kernels with fewer channels, in or out, are left to Adam


class Muon(torch.optim.Optimizer):
    """Gradient descent with momentum, each step made (nearly) orthogonal.

    A kernel (O, I, h, w) is taken as a matrix (O, I h w).

    Args:
        parameters: kernels of two dimensions or more.
        lr: the learning rate: about the size of a step's singular values.

    Source: K. Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024; here the Newton–Schulz
    polynomial is worked out on the smaller Gram matrix, which is the same product and half the work.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float) -> None:
        super().__init__(parameters, {"lr": lr})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state = self.state[parameter]
                if not state:
                    state["momentum"] = torch.zeros_like(parameter)
                momentum: Tensor = state["momentum"].mul_(MOMENTUM).add_(parameter.grad)
                change = orthogonal(parameter.grad.add(momentum, alpha=MOMENTUM).flatten(1)).view(parameter.shape)
                tall = max(1.0, len(parameter) / parameter[0].numel()) ** 0.5
                parameter.add_(change, alpha=-group["lr"] * tall)


def takes(parameter: Tensor) -> bool:
    """Whether a parameter is a kernel wide enough for Muon."""
    return parameter.ndim >= 2 and min(parameter.shape[:2]) >= NARROW


def orthogonal(matrix: Tensor) -> Tensor:
    """Bring all singular values of a matrix (M, N) near 1 (0.7 to 1.2), its singular vectors kept."""
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    wide = wide / (wide.norm() + 1e-7)
    gram = wide @ wide.T
    unit = factor = torch.eye(len(gram), dtype=gram.dtype, device=gram.device)
    for _ in range(ROUNDS):
        polynomial = A * unit + B * gram + C * (gram @ gram)
        gram = polynomial @ gram @ polynomial
        factor = polynomial @ factor
    made: Tensor = factor @ wide
    return made if matrix.shape[0] <= matrix.shape[1] else made.T
