"""Pictures by rule: every kind is painted, a seed fixes it and another changes it, and what cannot be is refused."""

import pytest
import torch

import danqing
from danqing.core.errors import ParameterError
from danqing.core.notes import noted

SMALL = {"width": 40, "height": 32}
CASES = [
    *((danqing.noise_pattern, {**SMALL, "kind": kind, "scale": 16}) for kind in ("perlin", "simplex", "ridges")),
    *((danqing.cell_pattern, {**SMALL, "kind": kind, "count": 9}) for kind in ("voronoi", "worley", "cracks")),
    *((danqing.reaction_diffusion, {**SMALL, "kind": k, "steps": 300}) for k in ("coral", "spots", "maze", "worms")),
    *((danqing.landscape, {**SMALL, "view": view}) for view in ("eye", "map", "heights")),
    (danqing.l_system, {"size": 32, "rules": "bush", "generations": 2, "wobble": 0.3}),
    (danqing.l_system, {"size": 32, "rules": "X:X=F[+X]-X,F=FF", "generations": 3, "wobble": 0.3}),
]


@pytest.mark.parametrize(("paint", "values"), CASES)
def test_a_seed_fixes_the_picture_and_another_changes_it(paint, values):
    one, same, other = (paint(**values, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert one.shape[2:] == (values.get("height", 32), values.get("width", 32))
    assert one.dtype == torch.float32
    assert 0 <= one.min() < one.max() <= 1


def test_what_cannot_be_is_refused():
    with pytest.raises(ParameterError, match="triangles"):
        danqing.noise_pattern(kind="simplex", tileable=True)
    with pytest.raises(ParameterError, match="neither a name"):
        danqing.l_system(rules="shrub")
    with pytest.raises(ParameterError, match="draws nothing"):
        danqing.l_system(rules="X:X=XX", generations=2)


def test_of_a_pattern_that_died_out_it_is_said():
    notes = []
    with noted(notes):
        danqing.reaction_diffusion(width=16, height=16, kind="maze", steps=4000)
    assert any("died out on 16×16" in each for each in notes)
    notes.clear()
    with noted(notes):
        danqing.reaction_diffusion(width=64, height=64, kind="maze", steps=300)
    assert not notes
