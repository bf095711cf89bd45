"""What a run tells: run/log.jsonl, run/losses.png, run/samples/, and TensorBoard if it is asked to."""

import json
import math
import os
import time
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor

from .. import image
from ..errors import RecipeError
from ..weights import replacing
from .checkpoint import diverged, writing
from .signs import is_measured

SHOWN = 6
"""Samples in a grid."""


Line = dict[str, float]
"""Values by name."""


class Writer(Protocol):
    """The part of TensorBoard's writer that is used."""

    def add_scalar(self, tag: str, value: float, step: int) -> None: ...
    def close(self) -> None: ...


class Log:
    """The losses of a run as one line for some hundred images, `run/log.jsonl`.

    A line holds `images`, `seconds` of training in all, `images_per_s` and `data_share` (of the time, spent waiting for
    pictures) since the line before, `lr/GROUP`, the mean since the line before of each loss, `GROUP/TERM`, and figures
    where there are new ones, `MODEL/FIGURE`. All but what the clock says is exact: a resumed run writes the lines that
    an uninterrupted one would have written.

    Args:
        run: folder of the run.
        writes: whether this process writes files.
        tensorboard: whether to write for TensorBoard, too.
    """

    def __init__(self, run: Path, *, writes: bool = True, tensorboard: bool = False) -> None:
        self.path, self.writes, self.tensorboard = run / "log.jsonl", writes, tensorboard
        self.sums: dict[str, Tensor] = {}
        self.counts: dict[str, int] = {}
        self.recent: dict[str, float] = {}
        self.seconds, self.waited, self.images, self.since = 0.0, 0.0, 0, time.perf_counter()
        self.writer: Writer | None = None

    def state(self) -> dict[str, Any]:
        """What a resumed log must remember; lines are on the disk before it is."""
        return {"sums": dict(self.sums), "counts": dict(self.counts), "recent": dict(self.recent)}

    def restore(self, state: Mapping[str, Any], seen: int) -> None:
        """Goes on after `seen` images: lines of later ones, and one that was cut off, are dropped from the file."""
        self.sums, self.counts, self.recent = (dict(state.get(k, {})) for k in ("sums", "counts", "recent"))
        lines = [line for line in read_log(self.path) if line["images"] <= seen]
        self.seconds = lines[-1]["seconds"] if lines else 0.0
        if self.writes and self.path.exists():
            with replacing(self.path) as file:
                file.writelines(json.dumps(line).encode() + b"\n" for line in lines)
        if self.writes and self.tensorboard:
            self.writer = tensorboard_writer(self.path.parent / "tensorboard", seen)
        self.since = time.perf_counter()

    def step(self, record: Mapping[str, Tensor], images: int, waited: float) -> None:
        """Takes note of a step's losses; they are read from the device only when a line is due."""
        self.images += images
        self.waited += waited
        for name, value in record.items():
            self.sums[name] = self.sums[name] + value.float() if name in self.sums else value.float()
            self.counts[name] = self.counts.get(name, 0) + 1

    def line(self, seen: int, rates: Mapping[str, float], figures: Mapping[str, float] | None = None) -> Line:
        """Writes, and returns, what has gathered since the line before.

        Raises:
            TrainingDiverged: a loss is not finite.
            DiskError: the disk is full or not writable.
        """
        losses = {name: float(total) / self.counts[name] for name, total in self.sums.items()}
        if wrong := [f"{name} is {value}" for name, value in losses.items() if not math.isfinite(value)]:
            raise diverged(self.path.parent, f"after {seen:,} images {', '.join(wrong)}")
        now = time.perf_counter()
        passed = max(now - self.since, 1e-9)
        self.seconds += passed
        values: Line = {"images": seen, "seconds": round(self.seconds, 3)}
        values |= {"images_per_s": round(self.images / passed, 3)}
        values |= {"data_share": round(min(self.waited / passed, 1.0), 4)}
        values |= {f"lr/{group}": rate for group, rate in rates.items()} | losses | dict(figures or {})
        if self.writes:
            with writing(self.path), self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(values) + "\n")
                file.flush()
                os.fsync(file.fileno())  # no state that is saved later may survive without it
        if self.writer:
            for name, value in values.items():
                self.writer.add_scalar(name, value, seen)
        self.recent = {name: 0.8 * self.recent.get(name, value) + 0.2 * value for name, value in losses.items()}
        self.sums, self.counts, self.images, self.waited, self.since = {}, {}, 0, 0.0, now
        return values

    def close(self) -> None:
        """Ends TensorBoard's file."""
        if self.writer:
            self.writer.close()


def read_log(path: Path) -> list[Line]:
    """The lines of a log, up to the first that is damaged; none if there is no log."""
    lines: list[Line] = []
    if not path.exists():
        return lines
    for text in path.read_bytes().splitlines(keepends=True):
        try:
            line = json.loads(text)
        except ValueError:
            break
        if not text.endswith(b"\n") or not isinstance(line, dict) or not {"images", "seconds"} <= line.keys():
            break
        lines.append(line)
    return lines


def tensorboard_writer(folder: Path, seen: int) -> Writer:
    """A writer that goes on after `seen` images.

    Raises:
        RecipeError: TensorBoard is not installed.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise RecipeError("tensorboard: it is not installed; run pip install 'sfumato[tensorboard]'") from error
    writer: Writer = SummaryWriter(str(folder), purge_step=seen)
    return writer


def drawable(lines: Sequence[Line]) -> list[str]:
    """The values of a log that make curves, learning rates last."""
    return sorted({name for line in lines for name in line if "/" in name}, key=lambda n: (n.startswith("lr/"), n))


def draw_losses(run: Path) -> None:
    """Draws run/losses.png of run/log.jsonl: each loss and its running mean over the images seen.

    Raises:
        DiskError: the disk is full or not writable.
    """
    from matplotlib.figure import Figure

    lines = read_log(run / "log.jsonl")
    names = drawable(lines)
    if not names:
        return
    columns = min(3, len(names))
    rows = -(-len(names) // columns)
    figure = Figure(figsize=(5 * columns, 3.2 * rows), layout="constrained")
    for place, name in enumerate(names, 1):
        axes = figure.add_subplot(rows, columns, place, title=name, xlabel="images")
        points = [(line["images"], line[name]) for line in lines if name in line]
        images, values = zip(*points, strict=True)
        if name.startswith("lr/"):
            axes.plot(images, values, color="tab:gray")
        elif is_measured(name):
            axes.plot(images, values, color="tab:green", marker=".")
        else:
            axes.plot(images, values, color="tab:blue", alpha=0.35, linewidth=1)
            axes.plot(images, smooth(values), color="tab:blue", linewidth=1.5)
            axes.set_yscale("log" if min(values) > 0 and max(values) > 20 * min(values) else "linear")
        axes.grid(alpha=0.3)
    content = BytesIO()
    figure.savefig(content, format="png", dpi=110)
    with replacing(run / "losses.png") as file:
        file.write(content.getvalue())


def smooth(values: tuple[float, ...]) -> list[float]:
    """A running mean over about a twentieth of all values, unbiased at its beginning."""
    keep = 0.5 ** (1 / max(1.0, len(values) / 40))
    means, mean, weight = [], 0.0, 0.0
    for value in values:
        mean, weight = keep * mean + (1 - keep) * value, keep * weight + 1 - keep
        means.append(mean / weight)
    return means


def draw_samples(run: Path, seen: int, pictures: Mapping[str, Tensor]) -> None:
    """Draws run/samples/IMAGES.jpg: a row for each caption.

    Args:
        pictures: by caption (B, 3, H, W) in [0, 1], on the CPU.

    Raises:
        DiskError: the disk is full or not writable.
    """
    rows = {caption: images[:SHOWN].nan_to_num(0).clamp(0, 1) for caption, images in pictures.items()}
    if not rows:
        return
    columns = min(len(images) for images in rows.values())
    shown = [picture for images in rows.values() for picture in images[:columns]]
    labels = [caption for caption in rows for _ in range(columns)]
    side = max(128, shown[0].shape[-1])
    page = image.contact_sheet(shown, columns=columns, labels=labels, side=side, title=f"{seen:,} images")
    with writing(run):
        (run / "samples").mkdir(exist_ok=True)
    image.write(run / "samples" / f"{seen:08d}.jpg", image.from_any(page), overwrite=True)
