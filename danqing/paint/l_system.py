"""The operator l_system."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import torch

from danqing.core.errors import ParameterError
from danqing.core.fields.number import Range
from danqing.core.fields.seed import Seed
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images
from danqing.maths.plants import PRESETS, drawn, grown, rules_of

FINER = 4  # drawn so much larger, and made small again
USUAL = 25.0, 5  # angle and generations of a person's own rules
MARGIN = 0.04  # of the side
PAPER, WOOD, LEAF = (np.array(each) for each in ((0.98, 0.97, 0.93), (0.30, 0.20, 0.12), (0.20, 0.50, 0.18)))


@operator
def l_system(
    size: Annotated[int, Range(16, 2048, "px")] = 512,
    rules: str = "plant",
    angle: Annotated[float, Range(0, 180)] | None = None,
    generations: Annotated[int, Range(0, 20)] | None = None,
    wobble: Annotated[float, Range(0, 1)] = 0.0,
    seed: Seed = 0,
) -> Images:
    """Grow a plant or a curve by the rules of an L-system, and draw it.

    Args:
        size: side of the picture.
        rules: plant, bush, tree, dragon, koch, hilbert, sierpinski, or the word that it grows from and what becomes of
            each symbol, such as X:X=F[+X]-X,F=FF; F and G draw a step, f goes one, + and - turn, [ and ] branch.
        angle: of a turn, in degrees; by default as the name has it, 25 for rules of your own.
        generations: how often the rules are applied; by default as the name has it, 5 for rules of your own.
        wobble: how much each turn differs by chance, as a share of the angle.
        seed: of that chance.

    Returns:
        one picture in colour: wood where it began, leaves where it branches.

    Raises:
        ParameterError: for rules of another form, two for one symbol, brackets that do not match, an unknown name, a
            word that draws nothing, or one that grows too long.

    Source: Prusinkiewicz & Lindenmayer 1990, "The algorithmic beauty of plants", chapter 1.

    Examples:
        danqing l_system --rules bush --wobble 0.2 --seed 5 --out bush.png
    """
    import cv2

    axiom, colon, own = rules.partition(":")
    if not colon and rules not in PRESETS:
        what = f"{rules!r} is neither a name nor an axiom with rules"
        raise ParameterError(what, where="rules", remedy=f"Say {', '.join(PRESETS)}, or such as X:X=F[+X]-X,F=FF")
    axiom, own, turn, often = PRESETS.get(rules, (axiom, own, *USUAL))
    word = grown(axiom, rules_of(own), often if generations is None else generations)
    lines, depth = drawn(word, turn if angle is None else angle, wobble, np.random.default_rng(seed))
    if not len(lines):
        raise ParameterError("draws nothing", where="rules", remedy="Let F or G stand in the axiom or the rules")
    ends = lines.reshape(-1, 2)
    low, reach = ends.min(0), max(float(np.ptp(ends, 0).max()), 1.0)
    side, clear = size * FINER, size * FINER * MARGIN
    room = side - 2 * clear
    x = clear + (lines[:, ::2] - low[0]) / reach * room + (room - np.ptp(ends[:, 0]) / reach * room) / 2
    y = side - clear - (lines[:, 1::2] - low[1]) / reach * room - (room - np.ptp(ends[:, 1]) / reach * room) / 2
    picture = np.broadcast_to(PAPER.astype(np.float32), (side, side, 3)).copy()
    deepest = max(1, int(depth.max()))
    thick = max(1.0, room / reach * 0.6)
    for number in np.argsort(depth, kind="stable"):
        share = depth[number] / deepest
        colour = (WOOD + (LEAF - WOOD) * share).tolist()
        start, end = ((int(x[number, each]), int(y[number, each])) for each in (0, 1))
        width = max(FINER // 2, min(3 * FINER, round(thick * (1 - 0.7 * share))))
        cv2.line(picture, start, end, colour, width)
    small = cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA)
    return torch.from_numpy(small.clip(0, 1)).permute(2, 0, 1)[None].contiguous()
