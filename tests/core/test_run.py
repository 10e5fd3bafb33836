"""Operators on files and folders: what is written, skipped, refused, and made again."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import pytest
import torch
from torch import Tensor

from danqing.core.artefacts.figures import Figures, numbers_in
from danqing.core.artefacts.pictures import recipe_in
from danqing.core.artefacts.saving import Saving
from danqing.core.disk import hash_of
from danqing.core.errors import DataError, ModelFileError, OutputError, ParameterError, PictureError, UserError
from danqing.core.fields.net import Net
from danqing.core.fields.number import Range
from danqing.core.learned.families import family_named
from danqing.core.learned.weights import save
from danqing.core.operators.operator import Operator, operator_named
from danqing.core.pictures.contract import Images, Picture
from danqing.core.pictures.reading import read
from danqing.core.pictures.sheet import contact_sheet
from danqing.core.pictures.writing import write
from danqing.core.progress import Progress, finish
from danqing.core.recipe import Step, to_json
from danqing.core.runs.folders import Folders
from danqing.core.runs.replay import replay, show
from danqing.core.runs.run import Result
from danqing.core.runs.run import run as run_task

NAMES = ("a.png", "b c.png", "🐼/new\nline.png", "🐼/deep/d.jpg")


def noise(height: int = 12, width: int = 17, channels: int = 3, seed: int = 0, levels: int = 255) -> Tensor:
    rng = torch.Generator().manual_seed(seed)
    return torch.randint(0, levels + 1, (1, channels, height, width), generator=rng) / levels


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    for seed, name in enumerate(NAMES):
        write(noise(seed=seed), folder / name)
    return folder


@pytest.fixture(scope="module")
def painter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    model = family_named("vae")(size=16, channels=1, classes=0, dim=3, width=4)  # type: ignore[call-arg]
    return save(model, tmp_path_factory.mktemp("weights") / "vae.safetensors")


def run(name: str, pictures: Any = (), values: dict[str, Any] | None = None, **more: Any) -> Result:
    return finish(run_task(operator_named(name), values or {}, Folders(pictures, **more)))


def states(report: Result) -> list[str]:
    return [outcome.state for outcome in report.outcomes]


# one picture


def test_a_file_holds_what_the_function_returns(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    report = run("median", [photos / "a.png"], {"radius": 2}, out=out)
    assert report.outcomes[0].files == (out,)
    expected = operator_named("median")(read(photos / "a.png").pixels, radius=2)
    assert torch.equal(read(out).pixels, expected)


def test_without_a_place_the_result_lies_beside_the_picture(photos: Path) -> None:
    assert run("flip", [photos / "a.png"]).outcomes[0].files == (photos / "a-flip.png",)


def test_the_recipe_says_what_was_done_to_what(photos: Path, tmp_path: Path) -> None:
    run("resize", [photos / "a.png"], {"width": 5}, out=tmp_path / "new" / "out.png")
    (step,) = show(tmp_path / "new" / "out.png")
    assert (step.operator, step.params["width"], step.params["filter"]) == ("resize", 5, "lanczos")
    assert step.inputs[0]["as"] == "x"
    assert step.inputs[0]["path"] == "../photos/a.png"


def test_steps_add_up(photos: Path, tmp_path: Path) -> None:
    run("flip", [photos / "a.png"], out=tmp_path / "one.png")
    run("median", [tmp_path / "one.png"], out=tmp_path / "two.png")
    assert [step.operator for step in show(tmp_path / "two.png")] == ["flip", "median"]


def test_sixteen_bits_stay_sixteen_bits(tmp_path: Path) -> None:
    x = noise(levels=65535)
    write(x, tmp_path / "deep.png", depth=16)
    run("flip", [tmp_path / "deep.png"], out=tmp_path / "out.png")
    run("flip", [tmp_path / "deep.png"], out=tmp_path / "flat.png", saving=Saving(depth=8))
    assert read(tmp_path / "out.png").depth == 16
    assert torch.allclose(read(tmp_path / "out.png").pixels, x.flip(3), atol=1e-7)
    assert read(tmp_path / "flat.png").depth == 8


def test_errors_of_a_single_picture_go_to_the_caller(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="no such file"):
        run("flip", [photos / "none.png"], out=tmp_path / "out.png")
    with pytest.raises(ParameterError, match="outside"):
        run("crop", [photos / "a.png"], {"left": 99}, out=tmp_path / "out.png")
    with pytest.raises(ParameterError, match="not a whole number"):
        run("median", [photos / "a.png"], {"radius": 99}, out=tmp_path / "out.png")
    with pytest.raises(ParameterError, match="no such parameter"):
        run("median", [photos / "a.png"], {"radios": 1}, out=tmp_path / "out.png")
    with pytest.raises(PictureError, match="more than the limit"):
        run("flip", [photos / "a.png"], out=tmp_path / "out.png", saving=Saving(limit=1e-6))
    assert not (tmp_path / "out.png").exists()


# transparency


def test_transparency_is_put_back(tmp_path: Path) -> None:
    alpha = noise(channels=1, seed=9)
    write(Picture(noise(), alpha), tmp_path / "in.png")
    run("median", [tmp_path / "in.png"], out=tmp_path / "out.png")
    out = read(tmp_path / "out.png")
    assert out.alpha is not None
    assert torch.equal(out.alpha, alpha)


@pytest.mark.parametrize(("fill", "corner"), [(None, 0.0), ((1.0, 0.5, 0.0), 1.0)])
def test_what_moves_pixels_moves_transparency(tmp_path: Path, fill: Any, corner: float) -> None:
    alpha = noise(channels=1, seed=9)
    write(Picture(noise(), alpha), tmp_path / "in.png")
    run("pad", [tmp_path / "in.png"], {"left": 3, "fill": fill}, out=tmp_path / "out.png")
    out = read(tmp_path / "out.png").alpha
    assert out is not None
    assert torch.equal(out[..., 3:], alpha)
    assert out[..., :3].unique().tolist() == [corner]


# folders


def test_a_folder_is_mirrored(photos: Path, tmp_path: Path) -> None:
    report = run("flip", [photos], out_dir=tmp_path / "out")
    assert states(report) == ["done"] * len(NAMES)
    for name in NAMES:
        assert read(tmp_path / "out" / name).pixels.shape == (1, 3, 12, 17)
    assert torch.equal(read(tmp_path / "out/a.png").pixels, read(photos / "a.png").pixels.flip(3))


def test_bad_files_do_not_stop_the_rest(photos: Path, tmp_path: Path) -> None:
    (photos / "aa.png").write_text("no picture")
    (photos / "empty.jpg").touch()
    (photos / "cut.png").write_bytes((photos / "a.png").read_bytes()[:200])
    (photos / "notes.txt").write_text("not meant")
    report = run("flip", [photos], out_dir=tmp_path / "out")
    assert {outcome.source.name for outcome in report.of("failed") if outcome.source} == {
        "aa.png",
        "empty.jpg",
        "cut.png",
    }
    assert all(isinstance(outcome.error, PictureError) for outcome in report.of("failed"))
    assert len(report.of("done")) == len(NAMES)
    assert not (tmp_path / "out/aa.png").exists()


def test_mistakes_in_an_operator_do_not_stop_the_rest(photos: Path, tmp_path: Path) -> None:
    def shaky(x: Images, level: Annotated[float, Range(0, 1)] = 0.5) -> Images:
        if torch.equal(x, read(photos / "b c.png").pixels):
            raise ZeroDivisionError("oh")
        return x

    report = finish(run_task(Operator(shaky, "shaky", "edit"), {}, Folders([photos], out_dir=tmp_path / "out")))
    (failed,) = report.of("failed")
    assert failed.source == photos / "b c.png"
    assert "ZeroDivisionError: oh" in str(failed.error)
    with pytest.raises(ZeroDivisionError):
        finish(run_task(Operator(shaky, "shaky", "edit"), {}, Folders([photos / "b c.png"], out=tmp_path / "out.png")))


def test_file_names_may_be_no_utf8(photos: Path, tmp_path: Path) -> None:
    odd = Path(os.fsdecode(os.fsencode(photos) + b"/caf\xe9.png"))
    shutil.copy(photos / "a.png", odd)
    assert states(run("flip", [odd], out_dir=tmp_path / "out")) == ["done"]
    assert states(run("edges", [odd], out_dir=tmp_path / "out")) == ["done"]
    assert finish(replay(tmp_path / "out" / odd.name)).identical
    assert numbers_in(tmp_path / "out" / odd.with_suffix(".json").name)["density"] >= 0


def test_names_that_would_clash_keep_their_suffix(tmp_path: Path) -> None:
    for name in ("a.png", "a.jpg", "b.png"):
        write(noise(), tmp_path / "in" / name)
    run("edges", [tmp_path / "in"], out_dir=tmp_path / "out")
    assert {file.name for file in (tmp_path / "out").glob("*.json")} == {"a.png.json", "a.jpg.json", "b.json"}


def test_dots_in_a_name_belong_to_it(tmp_path: Path) -> None:
    """Pictures without a suffix are found by what they begin with; what stands behind their last dot is none."""
    for name in ("shot.v1", "shot.v2.png"):
        write(noise(), tmp_path / "in" / "whole.png", force=True)
        (tmp_path / "in" / "whole.png").rename(tmp_path / "in" / name)
    run("flip", [tmp_path / "in"], out_dir=tmp_path / "out")
    assert sorted(each.name for each in (tmp_path / "out").iterdir()) == ["shot.v1.png", "shot.v2.png"]
    run("flip", [tmp_path / "in" / "shot.v1"])
    assert (tmp_path / "in" / "shot.v1-flip.png").is_file()


@pytest.mark.parametrize("operator", ["flip", "palette", "detect", "compress"])
def test_a_name_as_long_as_names_can_be_costs_no_picture(tmp_path: Path, operator: str) -> None:
    """Where the name of a result would be longer than disks hold, its end is left out; the others are done as well."""
    long = tmp_path / "in" / ("é" * 125 + "x.png")
    write(noise(64, 64), tmp_path / "in" / "short.png")
    shutil.copy(tmp_path / "in" / "short.png", long)
    assert set(states(run(operator, [tmp_path / "in"], out_dir=tmp_path / "out"))) == {"done"}
    assert set(states(run(operator, [tmp_path / "in"], out_dir=tmp_path / "out"))) == {"skipped"}
    assert states(run("flip", [long])) == ["done"]
    (found,) = (tmp_path / "in").glob("*-flip.png")
    finish(replay(found))
    with pytest.raises(OutputError, match="longer than disks hold"):
        run("flip", [long], out=tmp_path / ("x" * 260 + ".png"))


def test_two_pictures_of_one_name_are_refused(photos: Path, tmp_path: Path) -> None:
    write(noise(), tmp_path / "other/a.png")
    with pytest.raises(OutputError, match="have this name"):
        run("flip", [photos / "a.png", tmp_path / "other/a.png"], out_dir=tmp_path / "out")
    assert states(run("flip", [photos, tmp_path / "other"], out_dir=tmp_path / "out")) == ["done"] * 5


def test_results_inside_the_folder_are_not_read_again(photos: Path) -> None:
    for _ in range(2):
        assert len(run("flip", [photos], out_dir=photos / "out").outcomes) == len(NAMES)


def test_results_may_lie_around_the_folder(photos: Path) -> None:
    assert states(run("flip", [photos / "🐼"], out_dir=photos)) == ["done", "done"]


def test_the_pictures_themselves_are_never_written_over(photos: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(photos)
    for place in (photos, link):
        with pytest.raises(OutputError, match="one of the files to be read"):
            run("flip", [photos], out_dir=place, saving=Saving(force=True))
    with pytest.raises(OutputError, match="one of the files to be read"):
        run("flip", [photos / "a.png"], out=link / "a.png", saving=Saving(force=True))


def test_places_that_cannot_be(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="4 pictures"):
        run("flip", [photos], out=tmp_path / "one.png")
    with pytest.raises(OutputError, match="need a place"):
        run("flip", [photos])
    with pytest.raises(OutputError, match="both given"):
        run("flip", [photos], out=tmp_path / "one.png", out_dir=tmp_path)
    with pytest.raises(OutputError, match="cannot be written"):
        run("flip", [photos], out_dir=photos / "a.png" / "out")
    with pytest.raises(OutputError, match="cannot be written"):
        run("flip", [photos / "a.png"], out="/proc/none/out.png")
    with pytest.raises(ParameterError, match="no pictures"):
        run("flip", [])
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no pictures"):
        run("flip", [tmp_path / "empty"], out_dir=tmp_path / "out")


# what is done already


def test_what_is_done_is_skipped(photos: Path, tmp_path: Path) -> None:
    run("median", [photos], out_dir=tmp_path / "out")
    before = (tmp_path / "out/a.png").stat().st_mtime_ns
    write(noise(seed=50), photos / "e.png")
    report = run("median", [photos], out_dir=tmp_path / "out")
    assert sorted(states(report)) == ["done"] + ["skipped"] * len(NAMES)
    assert (tmp_path / "out/a.png").stat().st_mtime_ns == before


def test_another_step_or_another_picture_is_not_skipped(photos: Path, tmp_path: Path) -> None:
    run("median", [photos], out_dir=tmp_path / "out")
    report = run("median", [photos], {"radius": 2}, out_dir=tmp_path / "out")
    assert all(isinstance(outcome.error, OutputError) for outcome in report.outcomes)
    write(noise(seed=77), photos / "a.png", force=True)
    report = run("median", [photos], out_dir=tmp_path / "out")
    assert [outcome.state == "failed" for outcome in report.outcomes] == [name == "a.png" for name in NAMES]


def test_force_replaces(photos: Path, tmp_path: Path) -> None:
    run("median", [photos], out_dir=tmp_path / "out")
    report = run("median", [photos], {"radius": 2}, out_dir=tmp_path / "out", saving=Saving(force=True))
    assert states(report) == ["done"] * len(NAMES)
    assert show(tmp_path / "out/a.png")[0].params == {"radius": 2}


def test_a_net_that_was_replaced_makes_the_work_another(photos: Path, tmp_path: Path) -> None:
    def looking(x: Images, net: Net = "sketch") -> Images:
        return x

    def state() -> str:
        operator: Operator[..., Images] = Operator(looking, "flip", "edit")
        folders = Folders([photos / "a.png"], out=tmp_path / "out.png")
        return finish(run_task(operator, {"net": str(net)}, folders)).outcomes[0].state

    net = tmp_path / "net.pth"
    net.write_bytes(b"as it was")
    assert [state(), state()] == ["done", "skipped"]
    net.write_bytes(b"as it is ")
    with pytest.raises(OutputError, match="exists already"):
        state()


def test_a_foreign_file_is_not_replaced(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "out.png").write_text("mine")
    with pytest.raises(OutputError, match="exists already"):
        run("flip", [photos / "a.png"], out=tmp_path / "out.png")
    assert (tmp_path / "out.png").read_text() == "mine"


def test_nothing_is_written_where_a_file_beside_is_foreign(painter: Path, tmp_path: Path) -> None:
    foreign = [tmp_path / name for name in ("a-sheet.png", "a-examples.png")]
    for file in foreign:
        file.write_text("mine")
    with pytest.raises(OutputError, match=r"a-sheet\.png: exists already"):
        run("find_directions", values={"weights": painter, "count": 1}, out=tmp_path / "a.directions")
    with pytest.raises(OutputError, match=r"a-examples\.png: exists already"):
        run("robustness", values={"weights": "digits", "count": 10}, out=tmp_path / "a.png")
    assert sorted(tmp_path.glob("a*")) == sorted(foreign)
    assert all(file.read_text() == "mine" for file in foreign)


# progress and stopping


def test_progress_counts_files(photos: Path, tmp_path: Path) -> None:
    seen: list[Progress] = []
    finish(run_task(operator_named("flip"), {}, Folders([photos], out_dir=tmp_path / "out")), seen.append)
    done = [progress.done for progress in seen]
    assert done == sorted(done)
    assert (seen[-1].done, seen[-1].total) == (len(NAMES), len(NAMES))


def test_a_stopped_job_leaves_whole_files_only(photos: Path, tmp_path: Path) -> None:
    job = run_task(operator_named("flip"), {}, Folders([photos], out_dir=tmp_path / "out"))
    for _ in range(3):
        next(job)
    job.close()
    written = [file for file in (tmp_path / "out").rglob("*") if file.is_file()]
    assert {file.name for file in written} == {"a.png", "b c.png"}
    assert all(read(file).recipe for file in written)


def test_large_pictures_are_not_piled_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["danqing.core.runs.run"], "MEGAPIXELS", 0.001)
    for seed in range(6):
        write(noise(40, 40, seed=seed), tmp_path / "in" / f"{seed}.png")
    read_before = set()

    def watching(x: Images) -> Images:
        read_before.add(len(list((tmp_path / "out").glob("*.png"))))
        return x

    report = finish(
        run_task(Operator(watching, "watching", "edit"), {}, Folders([tmp_path / "in"], out_dir=tmp_path / "out"))
    )
    assert states(report) == ["done"] * 6
    assert read_before == set(range(6))  # each was written before the next one was worked on


# numbers


def test_findings_go_to_json_and_a_picture(photos: Path, tmp_path: Path) -> None:
    report = run("edges", [photos], {"method": "sobel"}, out_dir=tmp_path / "out")
    expected = operator_named("edges")(read(photos / "a.png").pixels, method="sobel")
    assert report.outcomes[0].numbers == expected.numbers[0]
    assert numbers_in(tmp_path / "out/a.json") == report.outcomes[0].numbers
    assert read(tmp_path / "out/a-edges.png").pixels.shape == expected.picture.shape
    again = run("edges", [photos], {"method": "sobel"}, out_dir=tmp_path / "out")
    assert set(states(again)) == {"skipped"}
    assert again.outcomes[0].numbers == report.outcomes[0].numbers


def test_findings_without_a_place_are_only_told(photos: Path) -> None:
    before = sorted(photos.rglob("*"))
    outcome = run("palette", [photos / "a.png"], {"count": 3}).outcomes[0]
    assert outcome.files == ()
    assert sum(colour["proportion"] for colour in outcome.numbers["colours"]) == pytest.approx(1)
    assert sorted(photos.rglob("*")) == before


def test_findings_may_go_to_one_file(photos: Path, tmp_path: Path) -> None:
    run("edges", [photos / "a.png"], out=tmp_path / "n.json")
    run("edges", [photos / "a.png"], out=tmp_path / "p.png")
    again = run("edges", [photos / "a.png"], out=tmp_path / "p.png").outcomes[0]
    assert again.state == "skipped"
    assert again.numbers == numbers_in(tmp_path / "n.json")
    assert json.loads((tmp_path / "n.json").read_text())["recipe"]["steps"][0]["operator"] == "edges"


def test_pairs_are_found_by_name(photos: Path, tmp_path: Path) -> None:
    run("flip", [photos], out_dir=tmp_path / "flipped")
    report = run("compare", [photos], {"y": tmp_path / "flipped"})
    assert states(report) == ["done"] * len(NAMES)
    x = read(photos / "a.png").pixels
    assert report.outcomes[0].numbers["mse"] == pytest.approx(float((x - x.flip(3)).square().mean()), rel=1e-4)


# operators that take no pictures


def test_several_pictures_are_numbered(painter: Path, tmp_path: Path) -> None:
    values = {"weights": painter, "count": 3, "seed": 5}
    report = run("generate", values=values, out_dir=tmp_path / "out")
    assert [file.name for file in report.outcomes[0].files] == [f"generate-{at:04}.png" for at in range(3)]
    samples = operator_named("generate")(painter, count=3, seed=5)
    assert torch.allclose(read(tmp_path / "out/generate-0002.png").pixels, samples[2:], atol=0.5 / 255 + 1e-6)
    assert show(tmp_path / "out/generate-0002.png")[0].take == 2
    assert states(run("generate", values=values, out_dir=tmp_path / "out")) == ["skipped"]
    (tmp_path / "out/generate-0001.png").unlink()
    assert states(run("generate", values=values, out_dir=tmp_path / "out")) == ["done"]
    with pytest.raises(OutputError, match="exists already"):
        run("generate", values={**values, "seed": 6}, out_dir=tmp_path / "out")


def test_a_sheet_holds_them_all(painter: Path, tmp_path: Path) -> None:
    values = {"weights": painter, "count": 5}
    run("generate", values=values, out=tmp_path / "sheet.png", saving=Saving(columns=2))
    expected = contact_sheet(operator_named("generate")(painter, count=5), 2)
    assert torch.allclose(read(tmp_path / "sheet.png").pixels, expected, atol=0.5 / 255 + 1e-6)
    assert show(tmp_path / "sheet.png")[0].take == "grid"


@pytest.mark.parametrize("suffix", ["gif", "webp", "mp4"])
def test_moving_pictures(painter: Path, tmp_path: Path, suffix: str) -> None:
    import av

    out = tmp_path / f"walk.{suffix}"
    values = {"weights": painter, "frames": 6}
    run("interpolate", values=values, out=out)
    assert states(run("interpolate", values=values, out=out)) == ["skipped"]
    assert finish(replay(out)).identical
    if suffix != "webp":
        with av.open(str(out)) as film:
            frames = [frame.to_ndarray(format="gray") for frame in film.decode(video=0)]
        assert len(frames) == 6
        first = operator_named("interpolate")(painter, frames=6).pictures[0, 0]
        assert abs(torch.from_numpy(frames[0]).float() / 255 - first).mean() < 0.05


def test_moving_pictures_need_a_name_that_says_how(painter: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="moving picture"):
        run("interpolate", values={"weights": painter, "frames": 2}, out=tmp_path / "walk.png")


# making again


Change = Callable[[Path, Path], None]


def test_a_replay_is_the_same_bit_for_bit(photos: Path, tmp_path: Path) -> None:
    cases: list[tuple[str, dict[str, Any], str, Saving]] = [
        ("median", {"radius": 2}, "png", Saving()),
        ("rotate", {"angle": 20.0, "fill": (1.0, 0.0, 0.5)}, "png", Saving(depth=16)),
        ("resize", {"scale": 0.7}, "jpg", Saving(quality=60)),
        ("flip", {}, "webp", Saving(quality=30)),
        ("edges", {}, "json", Saving()),
        ("edges", {"sigma": 2.0}, "png", Saving()),
    ]
    for at, (name, values, suffix, saving) in enumerate(cases):
        out = tmp_path / f"{at}.{suffix}"
        run(name, [photos / "a.png"], values, out=out, saving=saving)
        done = finish(replay(out))
        assert done == (tmp_path / f"{at}-replay.{suffix}", True)
        if suffix != "json":
            assert torch.equal(read(done.file).pixels, read(out).pixels)
            assert read(done.file).depth == read(out).depth


def test_a_replay_elsewhere_can_be_replayed(photos: Path, tmp_path: Path) -> None:
    run("flip", [photos / "a.png"], out=tmp_path / "out.png")
    assert finish(replay(tmp_path / "out.png", tmp_path / "far" / "away" / "again.png")).identical
    assert finish(replay(tmp_path / "far" / "away" / "again.png")).identical


def test_the_input_may_lie_beside_the_picture(photos: Path, tmp_path: Path) -> None:
    run("flip", [photos / "a.png"], out=tmp_path / "out.png")
    (tmp_path / "moved").mkdir()
    shutil.copy(tmp_path / "out.png", tmp_path / "moved")
    shutil.copy(photos / "a.png", tmp_path / "moved")
    shutil.rmtree(photos)
    assert finish(replay(tmp_path / "moved/out.png")).identical


def test_an_input_that_danqing_made_is_made_again(photos: Path, tmp_path: Path) -> None:
    run("rotate", [photos / "a.png"], {"angle": 10.0}, out=tmp_path / "one.png")
    run("median", [tmp_path / "one.png"], out=tmp_path / "two.png")
    (tmp_path / "one.png").unlink()
    assert finish(replay(tmp_path / "two.png")).identical
    assert not (tmp_path / "one.png").exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda photo, out: photo.unlink(), "is missing"),
        (lambda photo, out: shutil.copy(photo.parent / "b c.png", photo), "has changed"),
        (lambda photo, out: out.write_text("no picture"), "is not a picture"),
        (lambda photo, out: write(read(out).pixels, out, force=True), "holds no recipe"),
    ],
)
def test_what_cannot_be_made_again_says_why(photos: Path, tmp_path: Path, change: Change, words: str) -> None:
    out = tmp_path / "out.png"
    run("flip", [photos / "a.png"], out=out)
    change(photos / "a.png", out)
    with pytest.raises(UserError, match=words):
        finish(replay(out))
    assert not (tmp_path / "out-replay.png").exists()


ELSEWHERE = ("http://127.0.0.1:9/a.tar", "photos.tar::http://127.0.0.1:9/a.tar", "pipe:touch here", "//host/a.tar")


@pytest.mark.parametrize("place", ELSEWHERE)
def test_a_recipe_cannot_lead_away_from_this_disk(tmp_path: Path, place: str) -> None:
    """Whichever way an address stands in a place that is opened; words that only look like one are left alone."""
    step = Step("assess", params={"data": place}, weights={"weights": {"name": "digits", "sha256": "0" * 64}})
    (tmp_path / "a.json").write_text(json.dumps({"numbers": [], "recipe": json.loads(to_json([step]))}))
    with pytest.raises(UserError, match="from an address"):
        finish(replay(tmp_path / "a.json"))
    assert not (tmp_path / "here").exists()


@pytest.mark.parametrize("force", [False, True])
def test_a_replay_never_lands_on_what_the_picture_was_made_from(photos: Path, tmp_path: Path, force: bool) -> None:
    """Neither on its input nor on what that was made from, nor on a mask."""
    write(noise(channels=1), tmp_path / "mask.png")
    run("flip", [photos / "a.png"], out=tmp_path / "one.png")
    run("select", [tmp_path / "one.png"], {"mask": tmp_path / "mask.png"}, out=tmp_path / "two.png")
    for source in (photos / "a.png", tmp_path / "one.png", tmp_path / "mask.png"):
        before = source.read_bytes()
        with pytest.raises(OutputError):
            finish(replay(tmp_path / "two.png", source, force))
        assert source.read_bytes() == before


@pytest.mark.parametrize(
    ("operator", "params"),
    [("select", {"mask": "mask.png"}), ("select", {"boxes": "boxes.json"}), ("flip", {}), ("style_film", {})],
)
def test_a_recipe_says_by_hash_what_was_read(tmp_path: Path, operator: str, params: dict[str, str]) -> None:
    """A file that is only named could be any, and one that is left out none: neither is passed over."""
    write(noise(), tmp_path / "in.png")
    step = Step(operator, params=params, version=operator_named(operator).version)
    if params:
        facts = {"as": "x", "path": "in.png", "sha256": hash_of(tmp_path / "in.png")}
        step = replace(step, inputs=[facts])
    write(noise(), tmp_path / "odd.png", recipe=[step])
    with pytest.raises(UserError, match="its recipe"):
        finish(replay(tmp_path / "odd.png"))


@pytest.mark.parametrize("name", ["Screenshot:1.png", "a::b.png"])
def test_names_with_colons_are_files(photos: Path, tmp_path: Path, name: str) -> None:
    shutil.copy(photos / "a.png", photos / name)
    run("flip", [photos / name], out=tmp_path / "out.png")
    assert finish(replay(tmp_path / "out.png")).identical


def test_what_was_used_must_be_what_it_was(photos: Path, tmp_path: Path) -> None:
    """A bundled net, or an operator, that is another one today: not there already, and not replayed."""
    run("flip", [photos / "a.png"], out=tmp_path / "out.png")
    for name, facts in (("denoise-base", {"sha256": "0" * 64}), ("median", {"version": "99"})):
        recipe = recipe_in(tmp_path / "out.png") or []
        changed = [*recipe[:-1], replace(recipe[-1], uses={name: facts})]
        write(read(tmp_path / "out.png").pixels, tmp_path / "changed.png", recipe=changed, force=True)
        with pytest.raises(UserError, match=f"{name}: is not what it was"):
            finish(replay(tmp_path / "changed.png"))
        with pytest.raises(OutputError, match="exists already"):
            run("flip", [photos / "a.png"], out=tmp_path / "changed.png")


@pytest.mark.parametrize("labels", [False, True])
def test_numbers_of_a_set_that_has_changed_are_not_there_already(tmp_path: Path, labels: bool) -> None:
    """Neither one picture more, nor another of the same name, size and time; nor other labels."""
    weights = small_classifier(tmp_path)
    values: dict[str, Any] = {"weights": weights, "data": str(tmp_path / "set"), "split": "all"}
    if labels:
        (tmp_path / "labels.csv").write_text("".join(f"{name},{name[0]}\n" for name in ("a/0.bmp", "b/0.bmp")))
        values["labels"] = tmp_path / "labels.csv"
    out = tmp_path / "set" / "out.json"  # which is no part of it
    assert states(run("assess", (), values, out=out)) == ["done"]
    assert states(run("assess", (), values, out=out)) == ["skipped"]
    if labels:
        values["labels"].write_text("a/0.bmp,b\nb/0.bmp,b\n")
    else:
        write(noise(seed=7), tmp_path / "set" / "a" / "0.bmp", force=True)
        os.utime(tmp_path / "set" / "a" / "0.bmp", (0, 0))
    with pytest.raises(OutputError, match="exists already"):
        run("assess", (), values, out=out)
    assert states(run("assess", (), values, out=out, saving=Saving(force=True))) == ["done"]


def small_classifier(home: Path) -> Path:
    """One that knows two classes, and a set of them."""
    for name in "ab":
        (home / "set" / name).mkdir(parents=True)
        write(noise(), home / "set" / name / "0.bmp")
        os.utime(home / "set" / name / "0.bmp", (0, 0))
    model = family_named("classifier")(size=16, channels=3, classes=2, width=4, dim=8)  # type: ignore[call-arg]
    return save(model, home / "classifier.safetensors", classes=["a", "b"])


def test_named_pictures_lie_beside_the_first(tmp_path: Path) -> None:
    x = torch.rand(1, 3, 4, 5)
    figures = Figures([{"n": 1}], x, {"curve": x, "map": x})
    assert [part.file.name for part in figures.parts(tmp_path / "a.png", Saving())] == [
        "a.png", "a-curve.png", "a-map.png",
    ]  # fmt: skip
    assert [part.file.name for part in figures.parts(tmp_path / "a.json", Saving())] == ["a.json"]


def test_a_replay_does_not_replace(photos: Path, tmp_path: Path) -> None:
    run("flip", [photos / "a.png"], out=tmp_path / "out.png")
    finish(replay(tmp_path / "out.png"))
    with pytest.raises(OutputError, match="exists already"):
        finish(replay(tmp_path / "out.png"))
    assert finish(replay(tmp_path / "out.png", force=True)).identical
    with pytest.raises(OutputError, match="compare with"):
        finish(replay(tmp_path / "out.png", tmp_path / "out.png", force=True))


def test_what_cannot_be_compared_is_not_replayed(photos: Path, tmp_path: Path) -> None:
    run("flip", [photos / "a.png"], out=tmp_path / "out.png")
    whole = (tmp_path / "out.png").read_bytes()
    (tmp_path / "out.png").write_bytes(whole[: whole.index(b"IDAT") + 60])
    with pytest.raises(PictureError, match="truncated"):
        finish(replay(tmp_path / "out.png"))
    assert not (tmp_path / "out-replay.png").exists()


def test_painted_pictures_are_made_again(painter: Path, tmp_path: Path) -> None:
    weights = Path(shutil.copy(painter, tmp_path))
    run("generate", values={"weights": weights, "count": 4, "seed": 3}, out_dir=tmp_path / "out")
    run("generate", values={"weights": weights, "count": 4}, out=tmp_path / "grid.png", saving=Saving(columns=3))
    assert finish(replay(tmp_path / "out/generate-0003.png")).identical
    assert finish(replay(tmp_path / "grid.png")).identical
    torch.manual_seed(1)
    other = family_named("vae")(size=16, channels=1, classes=0, dim=3, width=4)  # type: ignore[call-arg]
    save(other, weights)
    with pytest.raises(ModelFileError, match="have changed"):
        finish(replay(tmp_path / "grid.png", force=True))
    weights.unlink()
    with pytest.raises(ModelFileError, match="are missing"):
        finish(replay(tmp_path / "grid.png", force=True))


def test_bundled_weights_are_recorded_by_name(photos: Path, tmp_path: Path) -> None:
    run("predict", [photos / "a.png"], {"weights": "digits"}, out=tmp_path / "n.json")
    (step,) = recipe_in(tmp_path / "n.json") or []
    assert step.weights["weights"]["name"] == "digits"
    assert finish(replay(tmp_path / "n.json")).identical
