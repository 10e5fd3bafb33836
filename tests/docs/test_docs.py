"""What the documents say is what the program does: their blocks run, the generated page is up to date."""

import contextlib
import importlib
import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest

from bench.__main__ import PAGE as BENCHMARKS
from bench.__main__ import names, page
from tests.session import Session

ROOT = Path(__file__).parents[2]
README, CHINESE = ROOT / "README.md", ROOT / "README.zh-CN.md"
PAGES = [
    README,
    *(ROOT / "docs" / page for page in ("tutorial.md", "style.md", "recognition.md", "labels.md", "transfer.md")),
]
QUICK = """import danqing.models.flow, danqing.training.setup
danqing.training.setup.SCORED, danqing.models.flow.LOOK = 128, 1"""  # looks at a run
FEWER = {"evaluate": ("--count", "200")}
SIDE = 160  # px: the longer side of the pictures in the folder
BLOCK = re.compile(r"^```(bash|python)\n(.*?)^```$", re.M | re.S)


def blocks(page: Path) -> list[tuple[str, str]]:
    return [
        (kind, code) for kind, code in BLOCK.findall(page.read_text("utf-8")) if not code.startswith(("make ", "git "))
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_blocks_of_a_page_run_one_after_the_other(page: Path, tmp_path: Path) -> None:
    """In an empty folder with a photograph and a folder of pictures; budgets are cut short, and few samples scored."""
    from PIL import Image
    from skimage import data

    shutil.copyfile(Path(data.__file__).parent / "astronaut.png", tmp_path / "photo.png")
    (tmp_path / "PHOTOS").mkdir()
    for name in ("astronaut", "coffee", "chelsea", *["coffee"] * 24):
        with Image.open(Path(data.__file__).parent / f"{name}.png") as picture:
            picture.thumbnail((SIDE, SIDE))
            picture.save(tmp_path / "PHOTOS" / f"{name}{len(list((tmp_path / 'PHOTOS').iterdir()))}.png")
    found = blocks(page)
    assert found, "a page without blocks"
    with contextlib.closing(Session(tmp_path)) as session:
        session.python(QUICK)
        for kind, code in found:
            short = re.sub(r"(budget[ =]\"?)\d+(m|h)\b", r"\g<1>128pictures", code)
            if kind == "python":
                session.python(short)
                continue
            for line in short.splitlines():
                first, *words = shlex.split(line, comments=True)
                assert first == "danqing", f"{line}: only danqing's commands are tried"
                session.danqing(*words, *FEWER.get(words[0], ()))


def test_the_blocks_are_the_same_in_chinese() -> None:
    """But for what is said beside them."""
    english, chinese = ([re.sub(r"#.*", "", code) for _, code in blocks(page)] for page in (README, CHINESE))
    assert [line.split() for line in english] == [line.split() for line in chinese]


def test_the_reference_is_up_to_date() -> None:
    sys.path.insert(0, str(ROOT / "docs"))
    try:
        from make_reference import PAGE, reference
    finally:
        sys.path.pop(0)
    assert PAGE.read_text("utf-8") == reference(), "run `make docs`"


def test_every_linked_file_exists() -> None:
    for text in [*PAGES, CHINESE, ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for target in re.findall(r"\]\(([^)#:]+)\)|src=\"([^\":]+)\"", text.read_text("utf-8")):
            path = text.parent / (target[0] or target[1])
            assert path.exists(), f"{text.name} points to {path}"


def test_the_page_of_benchmarks_holds_all_figures_that_are_kept() -> None:
    assert BENCHMARKS.read_text("utf-8") == page(), "bench.__main__.write_page writes it"


@pytest.mark.parametrize("name", names())
def test_every_benchmark_can_be_begun(name: str) -> None:
    """What one takes from another, and from danqing, is there."""
    module = importlib.import_module(f"bench.{name}")
    assert callable(module.run)
    assert callable(module.table)
