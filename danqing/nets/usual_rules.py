"""The learning rate and the penalty that suit a painter and its critic, by the size of what they paint."""

from __future__ import annotations

SIDE = 28  # px of the grey pictures that both were found on
RATE, SLOWEST = 2e-3, 2e-4  # lower rates waste an evening
GAMMA = 0.1


def usual_rate(size: int) -> float:
    """The learning rate for pictures of a side in px: it falls with the side.

    Source: danqing (docs/adr/0037).
    """
    return max(SLOWEST, RATE * min(1.0, SIDE / size))


def usual_gamma(size: int, channels: int) -> float:
    """The strength of the critic's penalty: as many times more as pictures have more numbers.

    A critic's squared slope is as many times smaller there. Of pictures smaller than 28 px it is more again: with what
    their numbers would ask for, painters of 16 px had one picture for each class.

    Source: danqing (docs/adr/0037; below 28 px docs/adr/0053).
    """
    return GAMMA * channels * max(size / SIDE, SIDE / size) ** 2
