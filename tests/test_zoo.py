"""Bundled weights: each has its card and the recipe that makes it again, and together they stay small."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from danqing.core.learned.card import bundled, read_card
from danqing.core.learned.weights import load
from danqing.core.menu import PACKAGE
from danqing.nets.ready_made import FOLDER
from danqing.training.config import TrainConfig
from danqing.zoo.retrain import parts_of

RECIPES = PACKAGE / "zoo" / "recipes"


@pytest.mark.parametrize("name", bundled())
def test_the_recipe_makes_what_the_card_says(name: str) -> None:
    card, recipe = read_card(bundled()[name]), json.loads((RECIPES / f"{name}.json").read_text("utf-8"))
    made = config_of(RECIPES / f"{name}.json").to_json()
    assert card["family"] == made["family"]
    assert card["licence"] == recipe["licence"]
    assert card["data"]["sha256"]
    assert card["scores"]
    trained = {**card["training"], **card["training"].pop("params")}
    for option in recipe.keys() - {"params", "licence"}:
        assert trained[option] == made[option], option
    own = {option: value for option, value in recipe["params"].items() if option not in parts_in(recipe)}
    assert own.items() <= card["config"].items()
    for option in parts_in(recipe):
        assert [each["sha256"] for each in card["lineage"] if each["how"] == option] == [
            card["config"][option]["sha256"]
        ]


def parts_in(recipe: dict[str, Any]) -> dict[str, Path]:
    """The recipes of what a recipe's model holds, by parameter."""
    runs = {option: value for option, value in recipe.get("params", {}).items() if str(value).startswith("runs/zoo-")}
    return {option: RECIPES / "unbundled" / f"{run.removeprefix('runs/zoo-')}.json" for option, run in runs.items()}


def config_of(recipe: Path) -> TrainConfig:
    """A recipe's config; a part that its model holds is taken for one that is still to be learned."""
    return TrainConfig.from_json(recipe, **dict.fromkeys(parts_in(json.loads(recipe.read_text("utf-8"))), "new"))


@pytest.mark.parametrize("recipe", sorted(RECIPES.glob("**/*.json")), ids=lambda recipe: recipe.stem)
def test_what_a_model_holds_has_a_recipe_that_is_trained_first(recipe: Path) -> None:
    parts = parts_in(json.loads(recipe.read_text("utf-8")))
    assert all(part.exists() for part in parts.values())
    assert parts_of(recipe) == [
        part for part in parts.values() if not Path("runs", f"zoo-{part.stem}", "model.safetensors").exists()
    ]


def test_every_recipe_has_its_weights() -> None:
    assert {path.stem for path in RECIPES.glob("*.json")} == set(bundled())


@pytest.mark.parametrize("recipe", sorted(RECIPES.glob("*/*.json")), ids=lambda recipe: recipe.stem)
def test_every_other_recipe_is_a_run(recipe: Path) -> None:
    assert config_of(recipe).options.licence
    assert recipe.stem not in bundled() or recipe.parent.name == "learning"


def test_the_weights_stay_small() -> None:
    sizes = [file.stat().st_size for file in [*bundled().values(), *FOLDER.glob("*.safetensors")]]
    assert max(sizes) < 25e6
    assert sum(sizes) < 60e6


def test_the_digit_classifier_names_at_least_99_of_100_held_out_digits() -> None:
    import danqing

    overall = danqing.assess(load("digits"), data="digits", split="test").numbers[0]
    assert overall["accuracy"] >= 0.99
