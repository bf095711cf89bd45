"""The training loop: one for every method.

    train(recipe, run)  ->  run/{recipe.json, state.pt, log.jsonl, losses.png, samples/, report.html,
                                 NAME.safetensors, best_NAME.safetensors}

Killed at any moment and started again, it goes on with bitwise the same losses as a run that was never stopped: samples
and noise are functions of (seed, images seen), all else is in the state. (On a GPU up to the order in which its
kernels add, which torch leaves open.) Two processes do what one does with the same batch, up to rounding.
"""

import logging
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from ..data import stream
from ..data.mixed import Mixed
from ..device import DTYPES, fast_dtype
from ..errors import Cancelled, DataError, DiskError, PictureError, RecipeError, SfumatoError
from ..progress import Report
from . import checkpoint, dist, products
from . import report as reports
from .log import SHOWN, Log, draw_losses, draw_samples, read_log
from .recipe import Recipe, validated
from .signs import Signs
from .state import State, build
from .stop import Stop
from .watch import watcher

logger = logging.getLogger(__name__)

__all__ = ["build", "prepare", "train"]


def train(
    recipe: Recipe,
    run: str | Path,
    *,
    device: str = "auto",
    until: int | None = None,
    progress: Report | None = None,
) -> dict[str, Path]:
    """Trains the recipe in the folder `run`, or goes on where it stopped there; returns the model files by name.

    Args:
        recipe: what to do.
        run: folder of the run; a run of another recipe there is an error.
        device: `auto`, `cpu`, `cuda` ...
        until: stops after this many images, as an interruption would.
        progress: called after each step with the images seen and their total, in the first process; returning False
            stops the run.

    Raises:
        RecipeError: the recipe is wrong, or the folder holds a run of another one.
        OptionError: there is no such device.
        DataError: the data cannot be used.
        WeightsError: the saved state is damaged.
        TrainingDiverged: a loss or a weight is not finite; the last saved state stays.
        DiskError: the disk is full or not writable; likewise. Where only samples, curves or the report cannot be
            written there is a warning, and the run goes on.
        FailedError: a process that reads pictures died; likewise.
        Cancelled: Ctrl-C or `progress` stopped it; the state is saved, and the same call goes on.
    """
    recipe, run = validated(recipe), Path(run)
    with dist.joined(device) as where:
        return _train(settled(recipe, run, where), run, where, until, progress)


def _train(
    recipe: Recipe, run: Path, where: torch.device, until: int | None, progress: Report | None
) -> dict[str, Path]:
    with (
        torch.random.fork_rng([where] if where.type == "cuda" else []),
        checkpoint.claimed(run, recipe) if dist.rank() == 0 else nullcontext(),
        stream.reading(),
    ):
        dist.together()
        last = recipe.images if until is None else min(until, recipe.images)
        return Trainer(recipe, run, where).go(last, progress if dist.rank() == 0 else None)


def settled(recipe: Recipe, run: Path, device: torch.device) -> Recipe:
    """The recipe with a precision for `auto`: that of the run in the folder, else bf16 where all devices like it."""
    if recipe.precision != "auto":
        return recipe
    known = checkpoint.begun(run).get("precision")
    slow = dist.agree(fast_dtype(device) == torch.float32, device)
    return replace(recipe, precision=known if known in DTYPES else "fp32" if slow else "bf16")


class Trainer:
    """One run in one process, from where its folder says it is; the arguments are those of `train`."""

    def __init__(self, recipe: Recipe, run: Path, device: torch.device) -> None:
        self.recipe, self.run, self.writes = recipe, run, dist.rank() == 0
        self.state = State(recipe, device)
        self.samples, self.shown = opened(recipe)
        self.log = Log(run, writes=self.writes, tensorboard=recipe.tensorboard)
        checkpoint.resume(run, self.state, self.log, self.samples.digest())
        if recipe.start:
            checkpoint.begin(recipe.start, self.state)
        self.signs = Signs(recipe.watch.patience).replay(read_log(self.log.path) if self.writes else ())
        self.watcher = watcher(self.state, self.shown, run) if self.writes else None
        self.missing: set[str] = set()

    def go(self, until: int, progress: Report | None) -> dict[str, Path]:
        """Steps until so many images have been seen, and writes what is due on the way; returns the model files."""
        try:
            files, stopped = self._go(until, progress)
            where = f"after {self.state.seen:,} of {self.recipe.images:,} images"
            if stopped and not self._over():
                raise Cancelled(f"stopped {where}; the same command goes on from there")
        except Exception as error:
            known = isinstance(error, SfumatoError)
            self._report(str(error) if known else f"failed by {error!r}", failed=not isinstance(error, Cancelled))
            if isinstance(error, RecipeError) and self.state.seen == 0 and self.writes:
                checkpoint.forget(self.run)  # the recipe will be put right, and the folder is to take it then
            raise
        self._report(f"{'finished' if self._over() else 'stopped'} {where}")
        return files

    def _go(self, until: int, progress: Report | None) -> tuple[dict[str, Path], bool]:
        """Goes there; the model files, and whether somebody stopped it."""
        state, images = self.state, self.recipe.images
        report(progress, state.seen, images)
        stopped = False
        if state.seen == 0:  # a good state to keep from the beginning, and a full disk is noticed now
            self._save_state()
        self._report()
        with Stop() as stop, closing(self.log), closing(self._batches(until)) as batches:
            for batch, waited in timed(batches):
                self.log.step(state.step(prepare(batch, state.device)), self.recipe.batch, waited)
                self._write_what_is_due()
                goes_on = report(progress, state.seen, images) and not stop.asked
                if stopped := dist.agree(not goes_on, state.device):
                    break
            return self._save(), stopped

    def _batches(self, until: int) -> Generator[dict[str, Tensor], None, None]:
        """What is left of the run, in whole batches."""
        firsts = range(self.state.seen, until - self.recipe.batch + 1, self.recipe.batch)
        pin = self.state.device.type == "cuda"
        share = (dist.rank(), dist.world())
        return stream.batches(self.samples, self.recipe.seed, firsts, share=share, workers=self.recipe.workers, pin=pin)

    def _over(self) -> bool:
        """Whether no whole batch is left."""
        return self.state.seen > self.recipe.images - self.recipe.batch

    def _write_what_is_due(self) -> None:
        seen, batch, over, every = self.state.seen, self.recipe.batch, self._over(), self.recipe.watch.every
        watches = every > 0 and (over or due(seen, every, batch))
        if over or watches or due(seen, self.recipe.log_every, batch):
            self._log(self.watcher.measure() if self.watcher and watches else {})
        if saves := due(seen, self.recipe.save_every, batch) and not over:  # the end saves in any case
            self._save()
        if draws := self.writes and (over or due(seen, self.recipe.sample_every, batch)):
            self._draw()
        if (saves or draws) and not over:
            self._report()

    def _log(self, figures: Mapping[str, float]) -> None:
        """Writes a line, and a warning of each sign that comes with it; keeps the models of the best figures."""
        line = self.log.line(self.state.seen, self.state.rates(), figures)
        for sign in self.signs.read(line):
            logger.warning("after %s images, %s", f"{sign.images:,}", sign.text)
        if self.watcher and figures:
            self.watcher.keep_best(figures, self.samples.counts(), self.log.recent)

    def _report(self, ended: str = "", *, failed: bool = False) -> None:
        """Writes run/report.html; `ended` says how the run ended, if it did."""
        if not self.writes:
            return
        machine, best = reports.machine(self.state.device, self.recipe.precision), self.state.best
        status = reports.Status(seen=self.state.seen, ended=ended, failed=failed, best=best, machine=machine)
        with self._aside():
            reports.write(self.run, self.recipe, status)

    @contextmanager
    def _aside(self) -> Iterator[None]:
        """Inside, what only helps to look at the run is written: where that fails the run goes on, and says so once."""
        try:
            yield
        except (DiskError, PictureError) as error:
            if str(error) not in self.missing:
                logger.warning("%s; the run goes on without it", error)
            self.missing.add(str(error))

    def _save(self) -> dict[str, Path]:
        """Saves the state, and the models as files with their cards."""
        self._save_state()
        counts = self.samples.counts()
        files = products.write(self.run, self.state, counts, self.log.recent) if self.writes else {}
        return files | (self.watcher.files() if self.watcher else {})

    def _save_state(self) -> None:
        values = checkpoint.contents(self.state, self.log, self.samples.digest())
        checkpoint.check_finite(values, self.run)
        if self.writes:
            checkpoint.save(self.run, values)

    def _draw(self) -> None:
        """Draws the losses so far, and what the models make of the run's first samples, always the same."""
        with self._aside():
            draw_losses(self.run)
        parts = [self.shown.sample(self.recipe.seed, n) for n in range(SHOWN)]
        batch = {name: torch.stack([part[name] for part in parts]) for name in parts[0]}
        with self._aside():
            draw_samples(self.run, self.state.seen, self.state.sample(prepare(batch, self.state.device)))


def opened(recipe: Recipe) -> tuple[stream.Samples, stream.Samples]:
    """The samples of the run, and those of `data` alone, which are watched and shown.

    Raises:
        DataError: a set has no pictures that can be read.
        RecipeError: the two do not go together.
    """
    room = recipe.cache_mb * 1_000_000 // max(1, recipe.workers)
    if recipe.more is None:
        samples: stream.Samples = recipe.data.open(room)
        return samples, samples
    wanted: stream.Samples = recipe.data.open(room // 2)
    try:
        more: stream.Samples = recipe.more.open(room // 2)
    except (DataError, RecipeError) as error:
        raise type(error)(str(error).replace("data.", "more.")) from error
    least, given = (getattr(data, "hold_out", 0) for data in (recipe.data, recipe.more))
    if given < least and wanted.counts().keys() & more.counts().keys():
        raise RecipeError(f"more.hold_out: {given} is less than data.hold_out {least}: what figures are of, is learned")
    share = replace(recipe.share, images=recipe.share.images or recipe.images)
    return Mixed(wanted, more, share), wanted


def due(seen: int, every: int, batch: int) -> bool:
    """Whether the step that ended at `seen` passed a multiple of `every`."""
    return seen // every > (seen - batch) // every


def report(progress: Report | None, seen: int, images: int) -> bool:
    """Tells how far the run is; whether it is to go on."""
    return progress is None or progress(seen, images) is not False


def prepare(batch: dict[str, Tensor], device: torch.device) -> dict[str, Tensor]:
    """uint8 pictures to float32 in [0, 1], on the device."""
    moved = {k: v.to(device, non_blocking=True) for k, v in batch.items()}
    return {
        k: (v.float() / 255).contiguous(memory_format=torch.channels_last) if v.dtype == torch.uint8 else v
        for k, v in moved.items()
    }


def timed(stream: Iterator[dict[str, Tensor]]) -> Iterator[tuple[dict[str, Tensor], float]]:
    """Each batch with the seconds it was waited for."""
    while True:
        start = time.perf_counter()
        batch = next(stream, None)
        if batch is None:
            return
        yield batch, time.perf_counter() - start
