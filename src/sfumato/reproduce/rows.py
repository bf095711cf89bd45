"""What the source thesis's tables of poses in sketches hold, and at which scales they are made here.

Its figures are average precision (COCO's) on 800 labelled real sketches, which are not public: ours, on other sets,
show which row is better than which, not by how much. Its sets had about 200,000 drawings of 5 characters.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from ..recipes import hrnet as recipes
from ..train.recipe import Recipe

Set = Literal["clean", "adain-1", "adain-12", "stytr2-12"]
Start = Literal["scratch", "imagenet", "coco"]
ScaleName = Literal["tiny", "small", "full"]

STYLED: dict[Set, tuple[str, int]] = {"adain-1": ("adain", 1), "adain-12": ("adain", 12), "stytr2-12": ("stytr2", 12)}
"""Method and number of styles of the sets that are not clean."""
METHODS = {"adain": "AdaIN", "stytr2": "StyTr2", "microast": "MicroAST"}
"""What methods are called."""
IN_PLACE = "microast/art"
"""The bundled stylizer, where there is no model of a method."""
STARTS: dict[Start, str] = {"scratch": "nothing", "imagenet": "ImageNet's weights", "coco": "COCO's weights"}
"""What runs begin with."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of a table."""

    name: str
    start: Start
    learned: Set | None = "clean"
    """The set that is learned from; None: the start as it is."""
    wear: Literal["", "worn", "all"] = ""
    """What befalls drawings beside the authors' flips, turns and scales: nothing, the thesis's blurs and noise, or all
    that `hrnet.sketches` has."""
    thesis: float | None = None
    """The thesis's AP, where it is known."""


def _sets(start: Start, *, adain_1: float | None, adain_12: float | None, stytr2_12: float | None) -> list[Row]:
    return [
        Row(name="AdaIN, 1 style", start=start, learned="adain-1", thesis=adain_1),
        Row(name="AdaIN, 12 styles", start=start, learned="adain-12", thesis=adain_12),
        Row(name="StyTr2, 12 styles", start=start, learned="stytr2-12", thesis=stytr2_12),
    ]


TABLES: dict[str, list[Row]] = {
    "Table 1, begun with ImageNet's weights": [
        Row(name="clean sketches", start="imagenet", thesis=0.33),
        *_sets("imagenet", adain_1=None, adain_12=0.40, stytr2_12=None),
    ],
    "Table 2, begun with COCO's weights": [
        Row(name="not taught any further", start="coco", learned=None, thesis=0.55),
        Row(name="clean sketches", start="coco", thesis=0.62),
        *_sets("coco", adain_1=0.54, adain_12=0.51, stytr2_12=0.47),
    ],
    "Table 3, augmentations, begun with COCO's weights": [
        Row(name="clean sketches", start="coco", thesis=0.62),
        Row(name="clean sketches, blurs and noise", start="coco", wear="worn", thesis=0.66),
        Row(name="clean sketches, all of hrnet.sketches", start="coco", wear="all"),
    ],
    "Ours, begun with nothing": [
        Row(name="clean sketches", start="scratch"),
        *_sets("scratch", adain_1=None, adain_12=None, stytr2_12=None),
        Row(name="clean sketches, blurs and noise", start="scratch", wear="worn"),
        Row(name="clean sketches, all of hrnet.sketches", start="scratch", wear="all"),
    ],
}
"""The rows by table."""
RECIPES: dict[Set, Callable[[], Recipe]] = {
    "clean": recipes.thesis_clean,
    "adain-1": recipes.thesis_adain_1,
    "adain-12": recipes.thesis_adain_12,
    "stytr2-12": recipes.thesis_stytr2_12,
}
"""The runs, by what they learn from."""


def recipe(row: Row) -> Recipe:
    """The thesis's run of a row that learns."""
    if row.wear == "worn":
        return recipes.thesis_worn()
    made = RECIPES[row.learned or "clean"]()
    return replace(made, data=recipes.sketches().data) if row.wear == "all" else made


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How large all is made, and about how many seconds that takes on the machine that it is for."""

    pictures: int
    """Of the set that is learned from."""
    held: int
    """Of the set to measure by."""
    size: int
    """Pixels of a picture's side."""
    variant: Literal["tiny", "small", "w32"]
    """The network, where a run begins with nothing."""
    shape: tuple[int, int]
    """Height and width of what it looks at."""
    images: int
    """Samples of a run."""
    batch: int
    warmup: int
    """Samples over which the learning rate rises."""
    workers: int
    """Processes that read pictures."""
    muon: float
    """Momentum of Muon for runs that begin with nothing, which learn more from few samples by it; 0 is Adam, as the
    thesis has."""
    seconds: tuple[float, float, float, float]
    """To render, to style, to learn from and to measure by one picture."""


SCALES: dict[ScaleName, Scale] = {
    "tiny": Scale(
        pictures=120,
        held=40,
        size=128,
        variant="tiny",
        shape=(64, 64),
        images=960,
        batch=16,
        warmup=160,
        workers=0,
        muon=0.95,
        seconds=(0.04, 0.05, 0.01, 0.05),
    ),
    "small": Scale(
        pictures=4_000,
        held=400,
        size=256,
        variant="small",
        shape=(128, 96),
        images=24_000,
        batch=32,
        warmup=640,
        workers=1,
        muon=0.95,
        seconds=(0.05, 0.08, 0.035, 0.05),
    ),
    "full": Scale(
        pictures=200_000,
        held=2_000,
        size=512,
        variant="w32",
        shape=(256, 192),
        images=2_000_000 // 128 * 128,
        batch=128,
        warmup=20_000,
        workers=8,
        muon=0.0,
        seconds=(0.06, 0.02, 0.002, 0.03),
    ),
}
"""`tiny` only shows that all works; `small` is for two cores, `full` for a GPU."""
