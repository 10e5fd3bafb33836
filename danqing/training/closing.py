"""What a run leaves for people: a film of its looks, and a page that tells what was painted, how well, what next."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from danqing.core.artefacts.figures import Figures
from danqing.core.errors import TooFewPictures, UserError
from danqing.core.fields.budget import Budget, Spent
from danqing.core.learned.finder import Finder
from danqing.core.learned.model import Painter
from danqing.core.learned.painting import Translator
from danqing.core.operators.operator import operator_named
from danqing.core.phrases.book import in_chinese
from danqing.core.pictures.film_writing import write_frames
from danqing.core.pictures.films import Frame
from danqing.core.pictures.reading import read
from danqing.core.pictures.writing import write
from danqing.core.progress import Job
from danqing.data.store import Store
from danqing.training import record
from danqing.training.beside import columns_named, next_commands, originals
from danqing.training.config import TrainConfig
from danqing.training.forecast import aim_of
from danqing.training.kit import Kit
from danqing.training.report import Section, Shown, write_report
from danqing.training.setup import count_of
from danqing.training.verdicts import next_steps, score_rows, verdict_on_copies

SECONDS, LAST = 0.4, 2.5  # a look is shown in the film, and the last one
UNSCORED, ROUGH = 60.0, 600.0  # seconds of training: shorter runs are not scored, or on formula features alone
OVER = 0.5  # of a budget: by less than that the last step goes beyond it
SAMPLES = 512
SCORES, COPIES = "kernel,precision,neighbours", "neighbours"
SKETCH = "sketch"
SMALL = 32  # px: what is no larger is learned in minutes
ROUGHLY = (
    f" After a short run {SKETCH} is a formula of light, edges and tints: it tells how alike pictures are from afar, "
    "not whether things can be recognised in them. The command below measures more closely.",
    f"训练很短，{SKETCH} 只是明暗、边缘和色调的公式：它说明远看有多像，不说明画的东西能否认出。下面的命令衡量得更细。",
)


def close(folder: Path, config: TrainConfig, kit: Kit, summary: dict[str, Any]) -> Job[Path]:
    """Write film and page of a run that has ended.

    Args:
        folder: of the run.
        config: what it was.
        kit: of its last stage.
        summary: figures of its end.

    Returns:
        The page.

    Raises:
        OutputError: if it cannot be written.
    """
    finding = yield from _scored(folder, config, kit, summary["seconds"])
    film = _film(folder)
    sections = list(_sections(folder, config, kit, summary, film, finding))
    return write_report(folder / record.REPORT, f"{config.family} · {folder.name}", sections)


def _scored(folder: Path, config: TrainConfig, kit: Kit, seconds: float) -> Job[Figures | str]:
    """Scores with intervals and neighbours, as ``danqing evaluate`` gives them; or why there are none."""
    if not isinstance(kit.model, Painter):
        return "it paints no pictures of its own"
    if seconds < UNSCORED or not isinstance(kit.supplies.train, Store):
        return "the run was short" if seconds < UNSCORED else "its pictures came as a stream"
    features = SKETCH if seconds < ROUGH else "auto"
    asked = {"weights": folder / record.MODEL, "data": config.data, "count": SAMPLES, "features": features}
    evaluate = partial(operator_named("evaluate").job, **asked, seed=config.options.seed)
    try:
        try:
            finding: Figures = yield from evaluate(metrics=SCORES)
        except TooFewPictures:  # whether it copies is told even so
            finding = yield from evaluate(metrics=COPIES)
    except UserError as error:  # said on the page: the weights are what the run was for
        return str(error)
    if finding.picture is not None:
        write(finding.picture, folder / record.NEIGHBOURS, force=True)
    record.write_json(folder / record.SCORES, finding.numbers)
    return finding


def _film(folder: Path) -> Path | None:
    """The grids of the run one after the other, those of the last size."""
    grids = [read(file).pixels for file in sorted((folder / record.GRIDS).glob("*.png"))]
    alike = [grid for grid in grids if grid.shape == grids[-1].shape]
    if len(alike) < 2:
        return None
    frames = [*(Frame(grid, None, SECONDS) for grid in alike[:-1]), Frame(alike[-1], None, LAST)]
    return write_frames(frames, folder / record.FILM, quality=80, force=True)


def _sections(
    folder: Path, config: TrainConfig, kit: Kit, summary: dict[str, Any], film: Path | None, finding: Figures | str
) -> Iterator[Section]:
    grids = sorted((folder / record.GRIDS).glob("*.png"))
    seen, minutes = summary["pictures_seen"], summary["seconds"] / 60
    pictures = len(kit.supplies.train) if isinstance(kit.supplies.train, Store) else None
    of = f", {seen / pictures:,.1f} times each of {pictures:,}" if pictures else ""
    of_zh = f"（{pictures:,} 张各 {seen / pictures:,.1f} 次）" if pictures else ""
    by_class, by_class_zh = columns_named(kit)
    small, finds = kit.supplies.train.size <= SMALL, isinstance(kit.model, Finder)
    begun = config.options.from_ is not None
    early, early_zh = ("", "") if begun else _early(seen, kit)
    if grids:
        yield Section(
            *(("What was found", "找到了什么") if finds else ("What was painted", "画出了什么")),
            f"After {minutes:,.1f} minutes and {seen:,} pictures seen{of}.{by_class}{early}",
            f"训练 {minutes:,.1f} 分钟、看过 {seen:,} 张图片{of_zh}之后。{by_class_zh}{early_zh}",
            [Shown(grids[-1], f"{record.GRIDS}/{grids[-1].name}", small), *originals(folder, kit, small)],
        )  # fmt: skip
    paints = isinstance(kit.model, Painter)
    same = "the same latents at every look" if paints else "the same pictures at every look"
    shown = [Shown(film, same, small)] if film else []
    yield Section(
        "How it learned", "怎样学会的",
        "Losses, readings and scores over pictures seen; a line where the doctor found something.",
        "损失、读数与分数随所见图片的变化；竖线处医生有所发现。",
        [*shown, Shown(folder / record.CURVES, record.CURVES)],
    )  # fmt: skip
    yield _doctors(summary)
    yield from _scores(folder, finding)
    log = record.standing(record.read_log(folder / record.LOG))
    numbers = [] if isinstance(finding, str) else finding.numbers
    yield Section(
        "What to try next", "接下来试试", "As this run went:", "根据这次训练的情况：",
        rows=[(each, "", "") for each in next_steps(summary, log, pictures, numbers, begun)],
        commands=next_commands(kit, folder, config, _longer(config, kit, summary)),
    )  # fmt: skip


def _longer(config: TrainConfig, kit: Kit, summary: dict[str, Any]) -> str:
    """A budget to go on with: twice the run's, or twice as many of these as were spent, where that is more."""
    budget, seen = Budget.parse(config.options.budget), summary["pictures_seen"] + summary["pictures_taken_back"]
    share = budget.share(Spent(summary["seconds"], seen, seen / count_of(kit.supplies.train)))
    return budget.times(2 * max(1, math.ceil(share - OVER))).text()


def _early(seen: int, kit: Kit) -> tuple[str, str]:
    """Where a painter from nothing has only begun: how long it takes, lest its scores are read as if it were done."""
    paints = isinstance(kit.model, Painter) and not isinstance(kit.model, Translator)
    aim = aim_of(kit.model.family)
    if not paints or kit.supplies.train.size <= SMALL or seen >= aim.first:
        return "", ""
    return (
        f" That is early for pictures of this size: a first impression takes about {aim.first:,} pictures seen, what "
        f"is worth keeping about {aim.serious / 1e6:g} million.",
        f"对这种尺寸还太早：初见模样约需看过 {aim.first:,} 张，值得保留的结果约需 {aim.serious / 1e4:g} 万张。",
    )


def _doctors(summary: dict[str, Any]) -> Section:
    found = summary["findings"]
    words = "It found nothing amiss." if not found else "What it found, what was done, and what helps:"
    words_zh = "没有发现异常。" if not found else "发现了什么、做了什么、什么有帮助："
    rows = [(each["words"], f"step {each['at_step']:,}", f"{_done(each)}{each['remedy']}") for each in found]
    return Section("What the doctor says", "医生的诊断", words, words_zh, rows=rows)


def _done(finding: dict[str, Any]) -> str:
    if "back_to" not in finding:
        return ""
    changed = "; ".join(f"{name} {value:g}" for name, value in finding["changed"].items())
    return f"Went back to step {finding['back_to']:,} ({changed}). "


def _scores(folder: Path, finding: Figures | str) -> Iterator[Section]:
    if isinstance(finding, str):
        yield Section(
            "How good it is", "画得怎样",
            f"Not scored: {finding}.", f"未评分：{in_chinese(finding)}。画图的模型可用 danqing evaluate 评分。",
        )  # fmt: skip
        return
    features = finding.numbers[0]["features"]
    rough, rough_zh = ROUGHLY if features == SKETCH else ("", "")
    yield Section(
        "How good it is", "画得怎样",
        f"{SAMPLES} samples on the features of {features}, with 95 % intervals; in brackets what real pictures score "
        "in their place. Coverage of a class is the share of its real pictures that have a sample nearby."
        + rough,
        f"{SAMPLES} 张样本，用 {features} 的特征衡量，附 95 % 区间；括号内是真实图片自身的分数。" + rough_zh,
        rows=score_rows(finding.numbers),
    )  # fmt: skip
    verdict = verdict_on_copies(finding.numbers)
    yield Section(
        "Does it copy?", "有没有照抄？",
        f"{verdict} Samples, each with its nearest training pictures to its right; the upper half are the nearest of "
        "all.",
        f"{in_chinese(verdict)}每张样本右边是与它最相近的训练图片；上半部分是最相近的样本。",
        [Shown(folder / record.NEIGHBOURS, record.NEIGHBOURS)],
    )  # fmt: skip


__all__ = ["close"]
