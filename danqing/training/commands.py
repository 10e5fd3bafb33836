"""Commands that a page, or the check of a set, offers: with all that decides, so that they do what they say."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import Any

from danqing.core.learned.families import family_named
from danqing.training.config import TrainConfig
from danqing.training.setup import fit_of


def command(words: str, *places: str | Path, **options: Any) -> str:
    """A command line as a shell takes it; options that are None are left out.

    Args:
        words: its name, and what of it is no place.
        places: files and folders that it is given by position.
        options: by parameter; of True and False the switch is said.
    """
    named = [option(name, value) for name, value in options.items() if value is not None]
    return " ".join(["danqing", words, *(quote(str(place)) for place in places), *named])


def option(parameter: str, value: Any) -> str:
    """An option as a shell takes it."""
    name = parameter.strip("_").replace("_", "-")
    if isinstance(value, bool):
        return f"--{name}" if value else f"--no-{name}"
    return f"--{name} {quote(str(value))}"


def same_pictures(config: TrainConfig, family: str) -> dict[str, Any]:
    """The options by which another family is shown the pictures of a run as that was.

    Args:
        config: of the run.
        family: the other one.
    """
    options, fit = config.options, fit_of(config)
    return {
        "size": config.side,
        "labels": options.labels,
        "channels": None if options.channels == "auto" else options.channels,
        "fit": None if fit == family_named(family).fit else fit,
        "stream": options.stream or None,
        "skip_bad": options.skip_bad or None,
    }


__all__ = ["command", "option", "same_pictures"]
