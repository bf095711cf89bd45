"""Signs in the log that a run is failing; what they say is a function of the log's lines alone.

A sign is told once, when it comes, and again only after it went away.
"""

import statistics
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

Line = Mapping[str, float]

LASTS = 20
"""Lines of the log over which a loss must misbehave, 4,000 images as a rule: shorter dips are part of every game."""
WON = 0.03
"""A discriminator's loss below which it tells made pictures from real ones without fail; the bundled models' runs stay
above 0.15."""
TOSSED = 0.25
"""The loss of a discriminator that tosses coins by least squares; 0.69 by cross entropy."""
FALLS = 0.95
"""Share of its size to which a generator's adversarial loss must come down meanwhile, or it is not catching up."""
BLOWN_UP = 10.0
"""Times its usual size from which a loss has blown up: means over a line vary by less than 3 in sound runs."""
COLLAPSED = 0.2
"""Share of the inputs' diversity below which translations are all alike; sound ones have 0.5 and more, a generator
that ignores its input about 0."""
IN_A_ROW = 2
"""Figures in a row that must show a collapse: at the very beginning generators paint everything grey."""


Found = Iterator[tuple[tuple[str, str], str]]
"""What is wrong, and with which value of the line, and the text."""


@dataclass
class Sign:
    """Something that is wrong with a run.

    Attributes:
        kind: what.
        name: the value of the log that shows it.
        text: one line that says so, and what helps.
        images: when it came.
        until: when it went, None if it is still there.
    """

    kind: str
    name: str
    text: str
    images: int
    until: int | None = None


class Signs:
    """Reads a log line by line.

    Args:
        patience: images without a better figure after which that is told; 0 never tells.
    """

    def __init__(self, patience: int = 0) -> None:
        self.patience = patience
        self.told: list[Sign] = []
        self.present: dict[tuple[str, str], Sign] = {}
        self.recent: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=LASTS))
        self.first: dict[str, list[float]] = defaultdict(list)
        self.usual: dict[str, float] = {}
        self.negative: set[str] = set()
        self.alike: dict[str, int] = defaultdict(int)
        self.best: dict[str, tuple[float, float]] = {}

    def replay(self, lines: Iterable[Line]) -> "Signs":
        """Reads lines that were told already."""
        for line in lines:
            self.read(line)
        return self

    def read(self, line: Line) -> list[Sign]:
        """The signs that come with a line."""
        images, found = int(line["images"]), dict(self._found(line))
        for key in [key for key in self.present if key[1] in line and key not in found]:
            self.present.pop(key).until = images
        came = {key: Sign(*key, text, images) for key, text in found.items() if key not in self.present}
        self.present |= came
        self.told += came.values()
        return list(came.values())

    def _found(self, line: Line) -> Found:
        losses = {name: value for name, value in line.items() if is_loss(name)}
        for name, value in losses.items():
            yield from self._blown_up(name, value)
        for name, value in losses.items():
            self.recent[name].append(value)
            if len(self.first[name]) < LASTS:
                self.first[name].append(abs(value))
            if value < 0:
                self.negative.add(name)
        yield from self._won(losses)
        for name in line:
            if name.endswith("/diversity"):
                yield from self._collapsed(name, line[name])
            elif is_figure(name):
                yield from self._stale(name, line[name], line["images"])

    def _blown_up(self, name: str, value: float) -> Found:
        key = ("blow-up", name)
        if len(self.first[name]) < LASTS:
            return
        if key not in self.present:  # else what was usual before it came
            recent = statistics.median(map(abs, self.recent[name]))
            least = TOSSED if name.startswith("discriminator") else 0.0  # one that had nearly won may lose again
            self.usual[name] = max(recent, statistics.median(self.first[name]), least)
        if abs(value) > BLOWN_UP * self.usual[name] > 0:
            yield (
                key,
                f"loss blow-up: {name} is {value:.3g}, {abs(value) / self.usual[name]:.0f} times its usual"
                f" {self.usual[name]:.3g}; smaller learning rates or clipped gradients (--optimizers.GROUP.clip) help",
            )

    def _won(self, losses: Mapping[str, float]) -> Found:
        for name in losses:
            group, _, term = name.partition("/")
            low = self.recent[name]
            if not group.startswith("discriminator") or len(low) < LASTS or max(low) >= WON:
                continue
            if name in self.negative or "penalty" in term:  # a Wasserstein critic is to win, and may end at 0
                continue
            rivals = [rival for rival in opponents(term, losses) if self._does_not_fall(rival)]
            if rivals:
                now = statistics.fmean(list(self.recent[rivals[0]])[LASTS // 2 :])
                yield (
                    ("won", name),
                    f"a discriminator has won: {name} has been below {WON} for {LASTS} lines, and {rivals[0]}, at"
                    f" {now:.3g}, does not fall; a smaller --method.discriminator-width or"
                    f" --optimizers.{group}.lr helps; where pictures are few, --method.augment",
                )

    def _does_not_fall(self, rival: str) -> bool:
        values = list(self.recent[rival])
        if len(values) < LASTS:
            return False
        before, after = values[: LASTS // 2], values[LASTS // 2 :]
        return statistics.fmean(after) > FALLS * statistics.fmean(before)

    def _collapsed(self, name: str, value: float) -> Found:
        key, model = ("collapse", name), name.partition("/")[0]
        self.alike[name] = self.alike[name] + 1 if value < COLLAPSED else 0
        if self.alike[name] >= IN_A_ROW or (key in self.present and self.alike[name]):
            yield (
                key,
                f"mode collapse: what {model} makes of different pictures is nearly the same, its diversity is"
                f" {value:.0%} of theirs; go back to an earlier state with a smaller learning rate, or give content"
                " more weight",
            )

    def _stale(self, name: str, value: float, images: float) -> Found:
        best, since = self.best.get(name, (value, images))
        if name not in self.best or is_better(name, value, best):
            self.best[name] = (value, images)
        elif self.patience and images - since >= self.patience:
            yield (
                ("patience", name),
                f"no improvement: {name} was best, {best:.4g}, after {since:,.0f} images, {images - since:,.0f} ago;"
                f" best_{name.partition('/')[0]}.safetensors keeps that model",
            )


def is_loss(name: str) -> bool:
    """Whether a value of a line is a loss, `GROUP/TERM`."""
    return "/" in name and not name.startswith("lr/") and not is_figure(name) and not is_measured(name)


def is_figure(name: str) -> bool:
    """Whether a value of a line is the figure that decides which model is best: `MODEL/fid`, `fd-...`, `AP`, `mIoU`."""
    return name.endswith("/fid") or "/fd-" in name or rises(name)


def rises(name: str) -> bool:
    """Whether a figure that decides is better the larger it is."""
    return name.endswith(("/AP", "/mIoU"))


def is_better(name: str, value: float, best: float | None) -> bool:
    """Whether a figure that decides is better than the best so far, None if there is none."""
    return best is None or (value > best if rises(name) else value < best)


def is_measured(name: str) -> bool:
    """Whether a value of a line was measured on what is kept from training."""
    return (
        is_figure(name)
        or name.endswith(("/kid", "/diversity", "/l1", "/psnr", "/PCK"))
        or "/kd-" in name
        or "/IoU-" in name
    )


def opponents(term: str, losses: Iterable[str]) -> list[str]:
    """The generator's losses that a discriminator's term stands against: of its name, else of its side, else all."""
    made = [name for name in losses if name.startswith("generator")]
    liked = [name for name in made if name.partition("/")[2].startswith("adversarial")]
    rules: list[Callable[[str], bool]] = [
        lambda name: name.partition("/")[2] == term,
        lambda name: name in liked and name.endswith(f"2{term}"),
        lambda name: name in liked,
    ]
    return next((chosen for rule in rules if (chosen := [name for name in made if rule(name)])), [])
