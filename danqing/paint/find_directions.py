"""Directions in which a model's pictures change, found without labels."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from danqing.core.artefacts.directions import FoundDirections
from danqing.core.errors import ParameterError
from danqing.core.fields.number import Range
from danqing.core.fields.seed import Seed
from danqing.core.fields.start import Place, Start
from danqing.core.learned.kept import Directions, Latents
from danqing.core.learned.model import Painter
from danqing.core.learned.painting import paint_coded
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images
from danqing.core.pictures.sheet import contact_sheet
from danqing.core.progress import Job, shared
from danqing.maths.latents import class_rule, latent, numbered_codes, starting_codes

SAMPLES, SIDE = 512, 16  # pictures looked at by pca, and how small
STRENGTHS = (-3.0, -1.5, 0.0, 1.5, 3.0)  # of the sheet's columns
FIRST = Place()
TRIED = 8  # pictures on which the effect is measured


@operator(version=2)
def find_directions(
    weights: Painter,
    method: Literal["sefa", "pca"] | None = None,
    count: Annotated[int, Range(1, 64)] = 8,
    names: str = "",
    start: Start = FIRST,
    seed: Seed = 0,
) -> Job[FoundDirections]:
    """Find the directions of latent space along which a model's pictures change most.

    Nobody has to say what to look for; what a direction means is seen on the sheet: a row each, weakened to the left
    of the picture in the middle, strengthened to the right. Look at it, then run the same command again with names.

    Args:
        weights: a trained generator: a run folder, a .safetensors file, or the name of a bundled one, such as emoji.
        method: sefa reads them from the weights that latents meet first; pca from what many samples have in common;
            left out: sefa, or of a family that does not tell such weights, as a flow, pca.
        count: how many.
        names: what to call them, between commas, from the first on; the others keep their numbers.
        start: the picture that the sheet shows, as seed:number or seed:number:class; or latents from ``project``.
        seed: chooses the samples that pca looks at.

    Returns:
        a file of directions for ``steer``, each as long as the codes usually spread along it.

    Raises:
        ParameterError: for more directions than there are, more names than directions, two alike, or a family that
            does not tell the weights that sefa reads.

    Source: Shen & Zhou 2021, arXiv:2007.06600, eq. 5 (SeFa); Härkönen et al. 2020, arXiv:2004.02546, section 2 (PCA of
    styles, or of what is made from latents with a regression back to them; here of small pictures less the mean of
    their class).

    Examples:
        danqing find_directions runs/dcgan-1 --count 6 --names slant,weight --out mine.directions
    """
    called = _called(names, count)
    method = method or ("sefa" if weights.entrances() else "pca")
    found = _by_weights(weights) if method == "sefa" else (yield from shared(_by_samples(weights, seed), 0, 0.6))
    if count > len(found):
        raise ParameterError(f"there are no more than {len(found)} directions", where="count")
    moves = F.pad(_upright(found[:count]), (0, weights.weighs))
    kept = Directions.of(weights, moves, names=called, method=method)
    effects = yield from shared(_effects(weights, kept.tensor, seed), 0.6, 0.2)
    sheet = yield from shared(_sheet(weights, kept.tensor, start), 0.8, 0.2)
    rows = [{"name": name, "effect": round(effect, 5)} for name, effect in zip(called, effects, strict=True)]
    lines = [f"{row['name']:12} changes a picture by {255 * effects[at]:.1f}/255" for at, row in enumerate(rows)]
    return FoundDirections(kept, sheet, rows, lines)


def _called(names: str, count: int) -> list[str]:
    given = [each.strip() for each in names.split(",")] if names.strip() else []
    called = [*given, *(str(at + 1) for at in range(len(given), count))]
    if len(given) > count or "" in given or len(set(called)) < len(called) or any("=" in each for each in given):
        what = f"{names!r} are no names for {count} directions"
        remedy = "Give up to as many as there are, all different, without =, and none the number of one without a name"
        raise ParameterError(what, where="names", remedy=remedy)
    return called


def _by_weights(model: Painter) -> Tensor:
    """SeFa: the eigenvectors of AᵀA for the weights A, the strongest first; (K, levels, D)."""
    entrances = model.entrances()
    if not entrances:
        what = f"the family {model.family} does not tell which weights its latents meet first"
        raise ParameterError(what, where="method", remedy="Take --method pca")
    rows = torch.cat([F.normalize(each.detach().double(), dim=1) for each in entrances])
    vectors = torch.linalg.eigh(rows.T @ rows).eigenvectors.flip(1).T.float()
    moves: Tensor = vectors[:, None].expand(-1, model.levels, -1)
    return moves * _spread(model, moves) if model.mapped else moves


def _by_samples(model: Painter, seed: int) -> Job[Tensor]:
    """PCA: of the styles where there are any, else of small pictures, carried back to latents; (K, levels, D)."""
    rule = class_rule(model, seed)
    z = torch.stack([latent(model.latent, seed, at) for at in range(SAMPLES)])
    y = None if rule is None else torch.tensor(list(map(rule, range(SAMPLES))))
    with torch.no_grad():
        codes = model.codes(z, y)
    if model.mapped:
        seen = codes
    else:
        seen = F.adaptive_avg_pool2d((yield from paint_coded(model, codes, "looking at samples")), SIDE)
    flat = _less_means(seen.flatten(1).double(), torch.zeros(SAMPLES, dtype=torch.int64) if y is None else y)
    axes = torch.linalg.svd(flat, full_matrices=False).Vh
    if model.mapped:
        moves = axes.unflatten(1, codes.shape[1:]).float()
        spread: Tensor = _spread(model, moves)
        scaled: Tensor = moves * spread
        return scaled
    scores = F.normalize(flat @ axes[: z[0].numel()].T, dim=0)  # (N, K), orthonormal
    back: Tensor = (scores.T @ model.swaying(codes).double()).float()
    return F.normalize(back, dim=1)[:, None].expand(-1, model.levels, -1)


def _less_means(seen: Tensor, y: Tensor) -> Tensor:
    """Samples less the mean of their class."""
    own = F.one_hot(y).to(seen)  # (N, classes)
    means = own.T @ seen / own.sum(0).clamp_min(1)[:, None]
    return seen - means[y]


@torch.no_grad()
def _spread(model: Painter, moves: Tensor) -> Tensor:
    """The deviation of styles along unit directions (K, levels, D): (K, 1, 1)."""
    classes = int(model.config["classes"])
    z = torch.stack([latent(model.latent, 0, at) for at in range(SAMPLES)])
    y = torch.arange(SAMPLES) % classes if classes else torch.zeros(SAMPLES).long()
    flat = _less_means(model.codes(z, y if classes else None).flatten(1), y)
    units = F.normalize(moves.flatten(1), dim=1)
    spread: Tensor = (flat @ units.T).std(0) / moves.flatten(1).norm(dim=1)
    return spread[:, None, None]


def _upright(moves: Tensor) -> Tensor:
    """The same directions, each turned so that its largest number is positive."""
    flat = moves.flatten(1)
    largest = flat.gather(1, flat.abs().argmax(1, keepdim=True)).sign()
    return moves * largest[:, :, None]


def _effects(model: Painter, moves: Tensor, seed: int) -> Job[list[float]]:
    """How much pictures change along each direction from one deviation below to one above: root mean square."""
    codes = numbered_codes(model, seed, range(TRIED))
    moved = torch.stack([codes - moves[:, None], codes + moves[:, None]]).flatten(0, 2)
    painted = yield from paint_coded(model, moved, "measuring")
    below, above = painted.reshape(2, len(moves), -1)
    return [float(each) for each in (above - below).square().mean(1).sqrt()]


def _sheet(model: Painter, moves: Tensor, start: Place | Latents) -> Job[Images]:
    code = starting_codes(model, start)[0]
    moved = torch.stack([code + strength * move for move in moves for strength in STRENGTHS])
    return contact_sheet((yield from paint_coded(model, moved, "drawing the sheet")), len(STRENGTHS))
