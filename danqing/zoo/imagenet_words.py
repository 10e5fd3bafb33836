"""Take ImageNet's words out of a package again: ``python -m danqing.zoo.imagenet_words MOBILENET``.

MOBILENET is the archive of the npm package ``@tensorflow-models/mobilenet`` 2.1.1 (Apache-2.0), as ``npm pack`` fetches
it. The words are those of WordNet's synsets, in the order of the classes.
"""

from __future__ import annotations

import re
import tarfile
from pathlib import Path

from danqing.core.disk import replacing
from danqing.core.errors import DataError
from danqing.nets.imagenet import WORDS
from danqing.zoo.command_line import main

INSIDE = "package/dist/imagenet_classes.js"
LINE = re.compile(r"""^\s*(\d+):\s*(?:'((?:[^'\\]|\\.)*)'|"([^"]*)")""", re.M)


def extract(archive: Path, target: Path = WORDS) -> Path:
    """Write the words, one class a line.

    Raises:
        DataError: if the archive is another.
    """
    try:
        with tarfile.open(archive) as files:
            found = files.extractfile(INSIDE)
            text = "" if found is None else found.read().decode()
    except (OSError, KeyError, tarfile.TarError) as error:
        raise DataError("is not the archive of @tensorflow-models/mobilenet 2.1.1", where=archive) from error
    words = {int(at): (plain or double).replace("\\'", "'") for at, plain, double in LINE.findall(text)}
    if sorted(words) != list(range(1000)):
        raise DataError(f"names {len(words)} classes, not 1000", where=archive)
    with replacing(target) as temporary:
        temporary.write_text("".join(f"{words[at]}\n" for at in range(1000)), "utf-8")
    return target


if __name__ == "__main__":
    main(__doc__, lambda archive: [extract(archive)], "archive")
