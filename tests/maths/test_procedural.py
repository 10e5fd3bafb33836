"""Noise, cells, reactions, words and land by rule: their laws, and that tiles meet."""

import math

import numpy as np
import pytest

from danqing.core.errors import ParameterError
from danqing.core.progress import finish
from danqing.maths.plants import PRESETS, drawn, grown, rules_of
from danqing.maths.procedural import cells, fractal, gray_scott, octaves, perlin, simplex
from danqing.maths.vista import ABOVE, RELIEF, SUN, _land, _lit, _met, seen


def rng(seed=0):
    return np.random.default_rng(seed)


def meets(plane):
    """Whether the step over the edge is as small as the steps inside."""
    edge = np.abs(plane[0] - plane[-1]).mean()
    return edge < 2 * np.abs(np.diff(plane, axis=0)).mean()


def test_perlin_noise_is_nothing_on_its_grid_and_has_its_wavelength():
    """With pixels in the middle of cells, those next to a grid point are half a pixel away from zero."""
    plane = perlin(64, 64, 16, rng())
    near, between = plane[::16, ::16], plane[8::16, 8::16]
    assert np.abs(near).max() <= math.sqrt(2) * math.sqrt(2) / 32 * 1.1  # the gradient times the distance
    assert np.abs(between).mean() > np.abs(near).mean()
    assert np.abs(plane).max() <= 1 + 1e-9


@pytest.mark.parametrize("kind", ["perlin"])
def test_tileable_noise_meets_and_other_does_not(kind):
    assert meets(octaves(kind, 60, 44, 20, 3, 0.5, rng(), True))
    assert not meets(octaves(kind, 60, 44, 20, 2, 0.5, rng(), False))


def test_simplex_noise_is_smooth_and_has_no_mean():
    plane = simplex(200, 200, 20, rng())
    assert np.abs(np.diff(plane, axis=1)).max() < 0.5
    assert abs(plane.mean()) < 0.1 < plane.std()
    assert np.abs(plane).max() < 1.1


def test_cells_are_those_of_the_nearest_point():
    distance, which = cells(20, 30, 5, rng(), False)
    points = rng().uniform(0, 1, (5, 2)) * (20, 30)
    for row, column in ((0, 0), (7, 22), (19, 29)):
        true = np.linalg.norm(points - (row + 0.5, column + 0.5), axis=1)
        assert which[row, column] == true.argmin()
        np.testing.assert_allclose(distance[row, column], np.sort(true)[:2])
    assert meets(cells(40, 40, 6, rng(), True)[0][..., 0])


def test_without_the_second_substance_nothing_reacts():
    made = finish(gray_scott(32, 32, 0.05, 0.1, 600, rng()))
    assert made.max() < 1e-3  # taken out faster than it is made
    alive = finish(gray_scott(48, 48, 0.029, 0.057, 400, rng()))
    assert alive.max() > 0.1
    assert meets(alive)


@pytest.mark.parametrize("roughness", [0.1, 0.6])
def test_land_is_as_rough_as_asked_and_meets(roughness):
    """The power of a surface falls as frequency to −(2 (1 − roughness) + 2)."""
    surface = fractal(256, roughness, rng())
    power = np.abs(np.fft.fft2(surface - surface.mean())) ** 2
    frequency = np.hypot(np.fft.fftfreq(256)[:, None], np.fft.fftfreq(256)[None])
    band = (frequency > 0.03) & (frequency < 0.3)
    slope = np.polyfit(np.log(frequency[band]), np.log(power[band]), 1)[0]
    assert slope == pytest.approx(-(4 - 2 * roughness), abs=0.15)
    assert meets(surface)


def test_land_is_seen_below_the_sky():
    view = finish(seen(fractal(64, 0.2, rng()), 0.4, 40, 60, fractal(64, 0.4, rng())))
    assert view.shape == (40, 60, 3)
    assert view[0, :, 2].min() > view[0, :, 0].max()  # blue above
    assert np.abs(view[-1] - view[0]).mean() > 0.1


def test_a_wall_in_the_sun_is_bright_and_throws_a_shadow():
    surface = np.zeros((64, 64))
    surface[:, 30:34] = 1.0  # as a wall in the middle, seen along it from above
    lit = _lit((surface * RELIEF).astype(np.float32))
    assert SUN[0] < 0  # the sun stands on the left, so the shadow falls to the right
    assert lit[:, 35:40].max() < 0.1
    assert lit[:, :29].min() > 0.9
    assert lit[:, 31:33].min() > 0.9


def test_what_is_near_hides_what_is_far_and_a_ridge_is_as_high_as_it_is_seen():
    """Of a plain with one ridge, each ray ends where plane geometry says."""
    surface = np.zeros((256, 256))
    surface[256 - 77 : 256 - 73] = 1.0  # 75 pixels ahead, 0.29 sides: beyond where the eye makes sure to stand above
    land = _land(surface, 0.0, surface)
    assert land.eye == pytest.approx(ABOVE)
    slope = np.array([-1.0, (ABOVE - 0.9 * RELIEF) * 256 / 75, ABOVE * 256 / 40, ABOVE * 256 / 20])
    met = _met(land, np.zeros(1), slope)[:, 0]
    assert np.isinf(met[0])  # over the ridge, into the sky
    np.testing.assert_allclose(met[1:], np.array([73, 40, 20]) / 256, rtol=0.03)


@pytest.mark.parametrize("text", ["F=FF,F=F+F", "X=F,F=FF,X=X", "F=F=F", "X=FX F=FF"])
def test_no_rule_is_lost(text):
    with pytest.raises(ParameterError, match=r"two rules for|is not a rule") as caught:
        rules_of(text)
    assert caught.value.where == "rules"


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ("F:F=F]F", r"a \] without a \["),
        ("F:F=F[F", r"a \[ without a \]"),
        ("]F[:F=FF", r"a \] without a \["),
        ("F]:F=F", r"a \] without a \["),
    ],
)
def test_brackets_that_do_not_match_are_refused(rules, words):
    axiom, _, own = rules.partition(":")
    word = grown(axiom, rules_of(own), 3)
    with pytest.raises(ParameterError, match=words) as caught:
        drawn(word, 25, 0.0, rng())
    assert caught.value.where == "rules"


def test_a_branch_may_go_out_by_one_rule_and_come_back_by_another():
    lines, depths = drawn(grown("AFB", rules_of("A=[+,B=]F"), 2), 25, 0.0, rng())
    assert (len(lines), depths.tolist()) == (2, [1, 0])


def test_words_grow_by_their_rules():
    assert grown("A", rules_of("A=AB,B=A"), 4) == "ABAABABA"  # Lindenmayer's algae: Fibonacci's lengths
    lines, depth = drawn("F[+F]F", 90, 0.0, rng())
    np.testing.assert_allclose(lines, [[0, 0, 0, 1], [0, 1, -1, 1], [0, 1, 0, 2]], atol=1e-12)
    assert depth.tolist() == [0, 1, 0]
    koch = drawn(grown(*PRESETS["koch"][:1], rules_of(PRESETS["koch"][1]), 3), 60, 0.0, rng())[0]
    assert len(koch) == 3 * 4**3
    np.testing.assert_allclose(koch[0, :2], koch[-1, 2:], atol=1e-9)  # a snowflake is closed


def test_rules_that_cannot_be_are_refused():
    with pytest.raises(ParameterError, match="not a rule"):
        rules_of("FF=F")
    with pytest.raises(ParameterError, match="symbols after"):
        grown("F", {"F": "FFFFFFFFFF"}, 20)
