"""The task demo: train a painter of digits, paint, score, and tell it on one page."""

from __future__ import annotations

import shutil
from pathlib import Path
from shlex import quote
from typing import Annotated, Any

from danqing.core.artefacts.figures import Figures
from danqing.core.artefacts.saving import Saving
from danqing.core.disk import replacing
from danqing.core.errors import OutputError
from danqing.core.fields.budget import BudgetKind
from danqing.core.fields.seed import Seed
from danqing.core.json_text import json_text
from danqing.core.operators.operator import operator_named
from danqing.core.operators.task import task
from danqing.core.pictures.writing import write
from danqing.core.progress import Job, Progress
from danqing.core.runs.folders import Folders
from danqing.core.runs.run import run as run_task
from danqing.training import record
from danqing.training.config import TrainConfig
from danqing.training.loop import RunResult, train
from danqing.training.report import Section, Shown, write_report

ROWS, CLASSES = 10, 10
SAMPLES = 2000
SHOWN = (  # of the scores, with what they mean
    ("class_accuracy", "recognised as the digit that was asked for"),
    ("frechet_distance", "distance from held-out real digits, less is better"),
    ("precision", "samples that look like real digits"),
    ("recall", "real digits that the painter could have painted"),
    ("density", "how densely samples lie among real digits"),
    ("coverage", "real digits with a sample nearby"),
    ("copied_share", "samples nearer to a training digit than its next fellow"),
)


@task
def demo(
    out: Path = Path("demo"), budget: Annotated[str, BudgetKind()] = "2m", seed: Seed = 0, force: bool = False
) -> Job[Figures]:
    """Train a painter of digits in two minutes, let it paint, score it, and write a report about it.

    Args:
        out: the folder for everything.
        budget: how long to train.
        seed: fixes every random choice.
        force: replace what is there.

    Returns:
        The page that tells it.

    Examples:
        danqing demo
        danqing demo --budget 10m --out better
    """
    if out.exists() and any(out.iterdir()) and not force:
        raise OutputError("is not empty", where=out, remedy="Choose another --out or give --force")
    run = yield from train(TrainConfig.make("dcgan", "digits", budget=budget, seed=seed, out=out / "run"), force=True)
    shutil.copyfile(run.model, out / "model.safetensors")
    generate, evaluate = operator_named("generate"), operator_named("evaluate")
    values = {"weights": str(out / "model.safetensors"), "seed": seed, "label": "all"}
    grid = Saving(columns=CLASSES, force=True)
    yield from run_task(generate, {**values, "count": ROWS * CLASSES}, Folders(out=out / "grid.png", saving=grid))
    finding: Figures = yield from evaluate.job(weights=out / "model.safetensors", data="digits", count=SAMPLES)
    neighbours = _keep(finding, out)
    yield Progress(1, 1, "writing the page")
    page = write_report(out / "report.html", "danqing demo", _sections(run, out, neighbours, finding))
    return Figures([{"report": str(page)}], lines=[f"Look at {page}"])


def _keep(finding: Figures, out: Path) -> Path:
    """Write the scores and the sheet of neighbours."""
    with replacing(out / "scores.json") as temporary:
        temporary.write_text(json_text(finding.numbers, indent=2) + "\n", "utf-8")
    assert finding.picture is not None
    return write(finding.picture, out / "neighbours.png", force=True)


def _sections(run: RunResult, out: Path, neighbours: Path, finding: Figures) -> list[Section]:
    facts, model = run.summary, quote(f"{out}/model.safetensors")
    return [
        Section(
            "What was painted", "画出了什么",
            f"One column a digit, {ROWS} of each, painted after {facts['seconds'] / 60:.1f} minutes of training: "
            f"{facts['steps']:,} steps of {facts['pictures_seen'] // max(1, facts['steps'])} pictures on "
            f"{facts['threads']} processor threads.",
            f"每列一个数字，各 {ROWS} 张；训练 {facts['seconds'] / 60:.1f} 分钟、{facts['steps']:,} 步后画成。",
            [Shown(out / "grid.png", "grid.png", pixels=True)],
        ),
        Section(
            "How it learnt", "怎样学会的",
            "The same latents, painted again and again while the painter learnt; and its losses and scores.",
            "学习过程中，同样的潜在向量被一遍遍重画；下面是损失与分数曲线。",
            [
                Shown(run.folder / record.FILM, "run/film.webp", pixels=True),
                Shown(run.folder / record.CURVES, "run/curves.png"),
            ],
        ),
        Section(
            "How good it is", "画得怎样",
            f"{SAMPLES:,} samples against held-out real digits, measured on the features of the bundled classifier, "
            "with 95 % intervals; in brackets what real digits score in their place. A Fréchet distance on these "
            "features is not an FID.",
            f"{SAMPLES:,} 张样本与留出的真实数字相比，用自带数字分类器的特征衡量，附 95 % 区间；"
            "括号内是真实数字自身的分数。",
            rows=_rows(finding.numbers),
        ),
        Section(
            "Does it copy?", "有没有照抄？",
            "Samples, each with its three nearest training pictures to its right; the upper half are the samples that "
            "are nearest to one.",
            "每张样本右边是与它最相近的三张训练图片；上半部分是与训练图片最相近的样本。",
            [Shown(neighbours, "neighbours.png")],
        ),
        Section(
            "What to try next", "接下来试试", "In this folder:", "在此文件夹中：",
            commands=[
                f"danqing generate {model} --label 7 --count 64 --seed 5 --grid --out sevens.png",
                f"danqing interpolate {model} --out walk.gif",
                f"danqing replay {quote(f'{out}/grid.png')} --out again.png          # bit for bit",
                f"danqing train --resume {quote(f'{out}/run')} --budget 10m          # go on learning",
                "danqing data check PHOTOS                               # your own pictures",
                "danqing train dcgan PHOTOS --size 64 --budget 1h --out runs/mine",
            ],
        ),
    ]  # fmt: skip


def _rows(numbers: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    found = {row["score"]: row for row in numbers}
    return [(name.replace("_", " "), _figure(found[name]), words) for name, words in SHOWN if name in found]


def _figure(row: dict[str, Any]) -> str:
    real = f" ({row['real']:.3f})" if row["real"] is not None else ""
    return f"{row['value']:.3f} [{row['low']:.3f}, {row['high']:.3f}]{real}"
