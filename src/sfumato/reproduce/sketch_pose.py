"""The source thesis's tables: what a network that finds poses in sketches learns from clean and from styled drawings.

    DIR/sets/clean ...      drawings to learn from, clean and in styles
    DIR/sets/held           drawings to measure by: people and motions that no run sees
    DIR/runs/NAME           a run for each row; rows of the same set, start and augmentation share it
    DIR/scores/NAME.*.json  what it finds on each set to measure by
    DIR/tables.md, .json    the thesis's rows, its figures beside ours

Each stage is one call of what its own command calls, and goes on where it stopped.
"""

import dataclasses
import hashlib
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from annotated_types import Ge, Lt

from .. import device as devices
from .. import restyle as styling
from .. import weights
from ..data import folders, manifest
from ..data.keypoints import labels_file
from ..errors import DataError, OptionError
from ..methods import hrnet
from ..pose import evaluate_pose
from ..progress import Report
from ..render import job, render
from ..train import Optimizer, Recipe, Schedule, products, train
from ..train.log import read_log
from . import materials, tables
from .rows import IN_PLACE, METHODS, SCALES, STARTS, STYLED, TABLES, Row, ScaleName, Set, recipe

MODEL = "pose.safetensors"
"""Of a run."""
PCK = "PCK@0.1"
"""What a report calls the mean share of correct keypoints."""
HELD = "builtin:run,dance,kick,kneel,point,throw"
"""Motions to measure by."""
HELD_SEED = 1_000_003
"""Added to the seed for the people of the set to measure by."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """What the tables are made of."""

    scale: ScaleName = "small"
    """tiny shows in minutes that all works, small is for two cores and hours, full for a GPU."""
    character: tuple[str, ...] = ("mannequin",)
    """Who is drawn to learn from, as `sfumato render` takes it."""
    motion: tuple[str, ...] = (
        "builtin:idle,walk,sneak,wave,jump,jumping_jacks,sit,floor,box,reach,bow,squat,clap,think,stretch,crawl,lie",
        "random:500",
    )
    """What they do, likewise; what is measured by is the built-in figure in other motions."""
    styles: tuple[str, ...] = ()
    """Pictures whose styles are taken, or folders of them: 12; none: bundled ones, of which there are 6."""
    adain: str = ""
    """A model of AdaIN, by name or file; where there is none, MicroAST's stands in, and the table says so."""
    stytr2: str = ""
    """A model of StyTr2, likewise."""
    real: str = ""
    """A folder of real labelled drawings, or its file of labels, to measure by, too."""
    seed: Annotated[int, Ge(0), Lt(2**30)] = 0
    """Fixes pictures, styles and runs."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A part of the work."""

    name: str
    seconds: float
    """It takes about."""
    run: Callable[[Report], object]


def reproduce(
    config: Config,
    out: str | Path,
    *,
    starts: Mapping[str, str | Path] | None = None,
    device: str = "auto",
    processes: int = 0,
    progress: Report | None = None,
    tell: Callable[[str], object] = lambda _: None,
) -> Path:
    """Makes what is missing of sets, runs and scores, and writes the tables; returns tables.md.

    Args:
        config: what the tables are made of.
        out: folder of all that.
        starts: files of HRNet's weights by what they learned from, `imagenet` and `coco`: models, or the authors' own
            files. Rows for which there are none are named and left out.
        device: as `device.pick` takes it.
        processes: that draw at once; 0 draws in this one.
        progress: called with the work done and all of it, in about seconds; returning False stops.
        tell: called with the name of each stage when it begins.

    Raises:
        OptionError: the folder holds tables of another configuration, or a start is unknown.
        DataError: characters, motions, styles or the real drawings cannot be used.
        WeightsError: a model or a start cannot be used.
        DiskError: the disk is full or not writable; the same call goes on.
        Cancelled: `progress` said so, or Ctrl-C; likewise.
    """
    work = SketchPose(config, Path(out), starts or {}, device, processes)
    stages = work.stages()
    total, done = sum(stage.seconds for stage in stages), 0.0
    for stage in stages:
        tell(stage.name)

        def within(part: int, whole: int, stage: Stage = stage, done: float = done) -> object:
            share = part / max(whole, 1)
            return None if progress is None else progress(round(done + share * stage.seconds), round(total))

        within(0, 1)
        stage.run(within)
        done += stage.seconds
    return work.write()


class SketchPose:
    """The work, stage by stage; the arguments are those of `reproduce`."""

    def __init__(
        self, config: Config, out: Path, starts: Mapping[str, str | Path], device: str, processes: int
    ) -> None:
        self.config, self.out, self.device, self.processes = config, out, device, processes
        self.scale = SCALES[config.scale]
        if strangers := sorted(set(starts) - {"imagenet", "coco"}):
            raise OptionError(f"--start {strangers[0]}: runs begin with the weights of imagenet or coco")
        self.styles = materials.styles(config.styles)
        self.models = {method: materials.stylizer(method, getattr(config, method)) for method in ("adain", "stytr2")}
        if config.real:
            labels_file(config.real)
        plain = {"styles": [folders.named(path) for path in self.styles], "models": self.models}
        manifest.claim(out, json.loads(json.dumps(dataclasses.asdict(config) | plain, default=str)) | {"real": ""})
        self.starts = {kind: materials.start(kind, Path(path), out) for kind, path in starts.items()}
        self.rows = [row for rows in TABLES.values() for row in rows if self.given(row)]

    def given(self, row: Row) -> bool:
        """Whether there is what the row begins with."""
        return row.start == "scratch" or row.start in self.starts

    def stages(self) -> list[Stage]:
        """All there is to do, in order; what is done already takes no time."""
        render_s, style_s, learn_s, measure_s = self.scale.seconds
        found = [
            self._rendered("clean", self.scale.pictures, render_s),
            self._rendered("held", self.scale.held, render_s),
        ]
        sets = {self.folder(row.learned): row.learned for row in self.rows if row.learned in STYLED}
        found += [self._styled(learned, style_s) for learned in sets.values() if learned is not None]
        runs = {self.key(row): row for row in self.rows}
        for key, row in runs.items():
            if row.learned is not None:
                found.append(self._learned(key, row, learn_s))
            found += [self._measured(key, row, name, measure_s) for name in self.measures()]
        return found

    def folder(self, learned: Set | None) -> str:
        """The name of a set's folder: those made alike are one."""
        if learned not in STYLED:
            return learned or "start"
        method, count = STYLED[learned]
        model = self.models[method]
        return f"{method if model != IN_PLACE else 'microast'}-{min(count, len(self.styles))}"

    def key(self, row: Row) -> str:
        """The name of a row's run."""
        return "-".join(part for part in (row.start, self.folder(row.learned), row.wear) if part)

    def measures(self) -> dict[str, Path]:
        """The sets to measure by."""
        found = {"rendered": self.out / "sets" / "held"}
        return found | ({"real": Path(self.config.real)} if self.config.real else {})

    def _rendered(self, name: str, count: int, seconds: float) -> Stage:
        seed, size = self.config.seed, (self.scale.size, self.scale.size)
        settings = job.Config(character=self.config.character, motion=self.config.motion, size=size, seed=seed)
        if name == "held":
            settings = replace(settings, character=("mannequin",), motion=(HELD,), seed=seed + HELD_SEED)
        folder = self.out / "sets" / name
        return Stage(
            name=f"rendering {count:,} pictures, {name}",
            seconds=count * seconds,
            run=lambda report: render(settings, count, folder, processes=self.processes, progress=report),
        )

    def _styled(self, learned: Set, seconds: float) -> Stage:
        (method, count), name = STYLED[learned], self.folder(learned)
        settings = styling.Config(model=self.models[method], seed=self.config.seed)

        def run(report: Report) -> None:
            hands = materials.copied(self.styles[:count], self.out / "styles" / str(count))
            source, folder = self.out / "sets" / "clean", self.out / "sets" / name
            styling.restyle(source, [str(hands)], folder, settings, device=self.device, progress=report)

        return Stage(name=f"styling, {name}", seconds=self.scale.pictures * seconds, run=run)

    def recipe(self, row: Row) -> Recipe:
        """The run of a row: the thesis's, as large as the scale says."""
        made, scale = recipe(row), self.scale
        height, width = scale.shape
        method = hrnet.Config(variant=scale.variant, height=height, width=width, sigma=max(1.0, 2.0 * height / 256))
        start = self.starts.get(row.start)
        if start is not None:
            method = hrnet.Config(**weights.read_card(start).config)
        fast = start is None and scale.muon > 0
        optimizer = Optimizer(lr=2e-3, muon=scale.muon) if fast else Optimizer(lr=1e-3)
        root = (str(self.out / "sets" / self.folder(row.learned)),)
        return replace(
            made,
            method=method,
            data=replace(made.data, root=root, hold_out=0.0, height=method.height, width=method.width),
            images=scale.images,
            batch=scale.batch,
            optimizers={"network": optimizer},
            schedule=Schedule(kind="cosine", warmup=scale.warmup),
            ema_images=min(10_000, scale.images // 10),
            start=str(start or ""),
            seed=self.config.seed,
            workers=scale.workers,
            log_every=-(-scale.images // 60),
            save_every=-(-scale.images // 10),
            sample_every=-(-scale.images // 4),
            title=f"Poses, {row.name}, begun with {STARTS[row.start]}",
        )

    def _learned(self, key: str, row: Row, seconds: float) -> Stage:
        run, settings = self.out / "runs" / key, self.recipe(row)

        def learn(report: Report) -> None:
            if not _ended(run, settings):
                train(settings, run, device=self.device, progress=report)

        return Stage(name=f"training, {key}", seconds=settings.images * seconds, run=learn)

    def model(self, row: Row) -> Path:
        """The model of a row."""
        return self.starts[row.start] if row.learned is None else self.out / "runs" / self.key(row) / MODEL

    def _measured(self, key: str, row: Row, name: str, seconds: float) -> Stage:
        dataset, path = self.measures()[name], self.score(key, name)

        def measure(report: Report) -> None:
            if self.read(key, name) is None:
                found = evaluate_pose(self.model(row), dataset, device=self.device, progress=report).json()
                _write_json(path, found | {"digest": _digest(dataset)})

        return Stage(name=f"measuring {key} on {name} drawings", seconds=self.scale.held * seconds, run=measure)

    def score(self, key: str, name: str) -> Path:
        """Where a run's figures on a set are."""
        return self.out / "scores" / f"{key}.{name}.json"

    def read(self, key: str, name: str) -> dict[str, Any] | None:
        """The figures of a run on a set, as it is now; None: they are not there."""
        path = self.score(key, name)
        if not path.exists():
            return None
        try:
            found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise DataError(f"{path}: cannot be read ({error}); remove it, and it is made again") from error
        return found if found.get("digest") == _digest(self.measures()[name]) else None

    def write(self) -> Path:
        """Writes tables.json and tables.md; returns the latter.

        Raises:
            DiskError: they cannot be written.
        """
        made = {
            "scale": {"name": self.config.scale, **dataclasses.asdict(self.scale)},
            "command": products.command(sys.argv),
            "machine": devices.describe(devices.pick(self.device)),
            "styles": [path.name for path in self.styles],
            "models": self.models,
            "measured_by": {name: str(path) for name, path in self.measures().items()},
            "notes": self.notes(),
            "tables": {title: [self._row(row) for row in rows] for title, rows in TABLES.items()},
        }
        _write_json(self.out / "tables.json", made)
        with weights.replacing(self.out / "tables.md") as file:
            file.write(tables.markdown(made).encode())
        return self.out / "tables.md"

    def notes(self) -> list[str]:
        """What is otherwise than in the thesis, each in a sentence."""
        count, scale = len(self.styles), self.scale
        found = [
            f"{METHODS[method]}: there is no model of it here, {IN_PLACE} stands in (`--{method} FILE` names one)."
            for method, model in self.models.items()
            if model == IN_PLACE
        ]
        if count < 12:
            found.append(f"12 styles: there are {count} (`--styles PATH` names more).")
        found += [f"{' and '.join(names)} are one set here, and so one run." for names in self._alike()]
        found += [
            f"Rows begun with {STARTS[start]} are left out: there are none here (`--start {start}=FILE` names them)."
            for start in ("imagenet", "coco")
            if start not in self.starts
        ]
        if self.config.scale == "tiny":
            found.append("Scale tiny shows that all works; its figures mean nothing.")
        people = ", ".join(Path(who).name for who in self.config.character)
        found.append(
            f"{scale.pictures:,} drawings of {people} to learn from; the thesis had about 200,000 of 5 characters."
            f" Measured by {scale.held:,} rendered drawings of people and motions that no run has seen; the thesis's"
            " 800 real sketches are not public."
        )
        return found

    def _alike(self) -> list[list[str]]:
        """Names of styled sets that are one, because one stylizer stands in for others or styles are few."""
        names: dict[str, dict[str, None]] = {}
        for row in (row for rows in TABLES.values() for row in rows if row.learned in STYLED):
            names.setdefault(self.folder(row.learned), {})[row.name] = None
        return [list(alike) for alike in names.values() if len(alike) > 1]

    def _row(self, row: Row) -> dict[str, Any]:
        method, _ = STYLED.get(row.learned, ("", 0)) if row.learned else ("", 0)
        found: dict[str, Any] = {
            "row": row.name,
            "start": row.start,
            "learned": self.folder(row.learned) if row.learned else None,
            "styled_by": self.models.get(method),
            "augmentation": row.wear or "none",
            "thesis_AP": row.thesis,
        }
        if not self.given(row):
            return found | {"left_out": f"no {STARTS[row.start]}"}
        key, run = self.key(row), self.out / "runs" / self.key(row)
        lines = read_log(run / "log.jsonl") if row.learned else []
        found |= {"run": key, "images": self.recipe(row).images if row.learned else 0}
        found |= {"seconds": lines[-1]["seconds"] if lines else 0.0}
        for name in self.measures():
            score = self.read(key, name) or {}
            found[name] = {k: score.get(k) for k in ("figures", "AP", "AP_interval", "AP50", "AP75", "AR", PCK)}
        return found


def _ended(run: Path, recipe: Recipe) -> bool:
    """Whether the run has nothing left to learn."""
    path = run / MODEL
    return path.exists() and weights.read_card(path).images_seen >= recipe.images // recipe.batch * recipe.batch


def _digest(dataset: Path) -> str:
    return hashlib.sha256(labels_file(dataset).read_bytes()).hexdigest()[:16]


def _write_json(path: Path, values: Mapping[str, Any]) -> None:
    with weights.replacing(path) as file:
        file.write((json.dumps(values, indent=1, ensure_ascii=False) + "\n").encode())
