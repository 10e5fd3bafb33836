"""Style by a cyclegan, beside the other ways

The photographs of `bench style`, its judge and one of its paintings, which is among the five works by Van Gogh that
the `cyclegan` learned from (`python -m danqing.zoo.retrain danqing/zoo/recipes/unbundled/photo-to-gogh.json`). It
paints as it does: no strength is searched. Means over five photographs; the rows of the other ways are those of
`bench style`, run to the content of the peer's pictures; `style_model` is given once more, run to the content of the
cyclegan's. At a scale of 1 the cyclegan paints strokes as large as it learned them; the judge sees the painting in the
area of the photograph, and at that painting's scale strokes are as large as there. Seconds are of one thread's
processor time.
"""

from __future__ import annotations

import json
import os
import statistics
from pathlib import Path
from typing import Any

from bench.style import PAINTINGS, PHOTOGRAPHS, facts, matched, painted_at_once, photograph, picture, sized, timed
from bench.style_nets import SqueezeNet
from danqing.core.learned.painting import Translator
from danqing.core.learned.weights import load
from danqing.core.operators.operator import operator_named
from danqing.core.pictures.contract import Images

PAINTING = "train/vincent-van-gogh-village-street-in-auvers-1890"
WEIGHTS = os.environ.get("DANQING_CYCLEGAN", "runs/zoo-photo-to-gogh")
SLOW = Path(__file__).parent / "results" / "style.json"
OTHERS = ("photo itself", "Gatys, VGG16", "neural_style", "style_model", "patch_style")
LEARNED, ALIKE = "cyclegan, scale 1", "cyclegan, at the painting's scale"
NEARER = "style_model, as alike as that"


def run() -> dict[str, Any]:
    """Paint every photograph, and judge it beside what the other ways made of the same pair."""
    judge, weights = SqueezeNet(), load(WEIGHTS, kind=Translator)
    known = {
        row["photograph"]: row for row in json.loads(SLOW.read_text("utf-8"))["rows"] if row["painting"] == PAINTING
    }
    rows = [_row(judge, weights, known[name]) for name in PHOTOGRAPHS]
    return {"rows": rows, "pictures_seen": weights.card["training"]["pictures_seen"]}


def _row(judge: SqueezeNet, weights: Translator, known: dict[str, Any]) -> dict[str, Any]:
    x, whole = photograph(known["photograph"]), picture(PAINTINGS / f"{PAINTING}.png")
    painting = sized(whole, x)
    row = {"photograph": known["photograph"], **{label: known[label] for label in OTHERS}}
    for label, scale in ((LEARNED, 1.0), (ALIKE, painting.shape[2] / whole.shape[2])):

        def paint(x: Images, painting: Images, strength: float, scale: float = scale) -> Images:
            made: Images = operator_named("translate")(x, weights=weights, scale=scale)
            return made

        made, seconds = timed(paint, x, painting, 1.0)
        row[label] = facts(judge, x, painting, made, seconds)
    made, seconds, strength = matched(judge, painted_at_once, x, painting, row[ALIKE]["content"])
    row[NEARER] = {**facts(judge, x, painting, made, seconds), "strength": strength}
    return row


def table(result: dict[str, Any]) -> str:
    """Means over the photographs."""
    lines = ["| | distance | in texture | content | chroma noise | seconds |", "|---" * 6 + "|"]
    for label in (*OTHERS, NEARER, LEARNED, ALIKE):
        means = [
            statistics.fmean(row[label][value] for row in result["rows"])
            for value in ("distance", "texture", "content", "chroma", "seconds")
        ]
        lines.append("| {} | {:.3f} | {:.3f} | {:.2f} | {:.1f} | {:.1f} |".format(label, *means))
    return "\n".join([*lines, "", f"The cyclegan had seen {result['pictures_seen']:,} pictures."])
