"""The command line of the programs that make the zoo anew."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path

from danqing.core.errors import UserError


def main(words: str | None, make: Callable[..., Iterable[object]], *places: str, **options: str) -> None:
    """Make something of the files and folders that the command line gives, and print what came of it, a line each.

    Args:
        words: the docstring of the program.
        make: gets the places, each under its name; what it refuses is told.
        places: what must be given.
        options: what may be given, with help.
    """
    parser = argparse.ArgumentParser(description=(words or "").partition("\n")[0])
    for place in places:
        parser.add_argument(place, type=Path)
    for name, told in options.items():
        parser.add_argument(f"--{name}", type=Path, help=told)
    try:
        print(*make(**vars(parser.parse_args())), sep="\n")
    except UserError as error:
        parser.exit(error.exit_code, f"{error}\n")


__all__ = ["main"]
