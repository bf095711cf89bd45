"""What is rendered: picture i is a function of (configuration, i), so that any process can make any of them.

The source thesis took 5 characters, dozens of motions, every tenth frame and 8 cameras; so does this, in random order.
"""

import dataclasses
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Ge, Gt, Le, Lt

from .. import image
from ..data.coco import annotation
from ..data.keypoints import KEYPOINTS
from ..errors import OptionError
from ..weights import replacing
from . import bounds, characters, choices, engines
from .camera import Camera, Margin, View, framed
from .character import Character, Floats, keypoints, skinned
from .choices import Choice, another, choice
from .exaggerate import Amount, drawn, exaggerated
from .frame import Figure, Frame, Settings, Width
from .passes import pictures
from .vectors import box

logger = logging.getLogger(__name__)

Output = Literal["lines", "svg", "depth", "normals", "parts", "shaded", "flat", "mask"]
Share = Annotated[float, Ge(0), Lt(1)]
MAIN: tuple[Output, ...] = ("lines", "shaded", "flat", "normals", "mask", "parts", "depth")
"""Labels are of the first of these that is written."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """A set of pictures."""

    character: tuple[str, ...] = ("mannequin",)
    """Who: `mannequin`, a folder of MakeHuman, a GLB file, or FBX, .blend or USD by Blender; several take turns."""
    motion: tuple[str, ...] = ("builtin",)
    """What they do: `builtin`, `random`, `own` actions of the character, files or folders of BVH, GLB or FBX."""
    size: tuple[Annotated[int, Ge(16), Le(8192)], Annotated[int, Ge(16), Le(8192)]] = (512, 512)
    """Width and height of a picture in pixels."""
    variants: Annotated[int, Gt(0)] = 64
    """People, each with manners of its own; those from files look all alike."""
    every: Annotated[int, Gt(0)] = 10
    """Every so many frames of a film are used; of random poses all are."""
    cameras: Annotated[int, Gt(0)] = 8
    """Places of the camera around the figure."""
    elevation_deg: tuple[Annotated[float, Ge(-89), Le(89)], Annotated[float, Ge(-89), Le(89)]] = (-5.0, 25.0)
    """Lowest and highest angle from which the camera looks."""
    field_deg: tuple[Annotated[float, Gt(1), Lt(150)], Annotated[float, Gt(1), Lt(150)]] = (20.0, 45.0)
    """Smallest and largest angle of view: large ones foreshorten."""
    margin: tuple[Margin, Margin] = (0.04, 0.2)
    """Smallest and largest share of the picture that stays free around the figure."""
    figures: Annotated[int, Gt(0), Le(16)] = 1
    """Figures in a picture, at most; as many or fewer, by chance."""
    line_width: tuple[Width, Width] = (1.2, 2.4)
    """Thinnest and thickest line in pixels where the picture is 512 wide; in others as much wider."""
    taper: Share = 0.0
    """How much thinner lines are at their ends."""
    engine: Literal["native", "blender"] = "native"
    """What finds the lines: Sfumato itself, or Blender, which $SFUMATO_BLENDER_PYTHON names (a Python with bpy)."""
    strokes: Literal["line_art", "freestyle"] = "line_art"
    """Lines by Blender: of its Line Art, or of Freestyle, which draws contours alone and is slow."""
    exaggerate: Amount = 0.0
    """How far the liberties of artists go: longer limbs, larger heads."""
    outputs: tuple[Output, ...] = ("lines",)
    """What is written of each: lines (on transparent ground), svg with them, depth, normals, parts, shaded, flat,
    mask."""
    format: Literal["png", "webp"] = "png"
    """Of lines and colour pictures; labels such as depth and parts are PNG."""
    occluded: Literal["label", "drop"] = "label"
    """Hidden keypoints are labelled as such, or left out."""
    seed: Annotated[int, Ge(0), Lt(2**31)] = 0
    """Fixes everything."""

    def __post_init__(self) -> None:
        bounds.checked(self)
        for name in ("elevation_deg", "field_deg", "margin", "line_width"):
            low, high = getattr(self, name)
            if low > high:
                raise OptionError(f"{name} {low:g} {high:g}: the smaller number comes first")
        for width in self.line_width:
            if wrong := bounds.problem(Settings, "line_width", pixels := self.pixels(width)):
                raise OptionError(
                    f"line_width {width:g}: in a picture of {max(self.size)} pixels that is {pixels:g}, which {wrong}"
                )

    def pixels(self, width: float) -> float:
        """Of a line that is so wide where the picture is 512 wide."""
        return width * max(self.size) / 512

    @property
    def written(self) -> tuple[Output, ...]:
        """What is written of each picture; with strokes alone there would be nothing to read."""
        return self.outputs if {*self.outputs} - {"svg"} else ("lines", *self.outputs)


def check(config: Config) -> None:
    """Loads each character and motion once, so that mistakes are told before the work begins; of bare bodies it warns.

    Raises:
        DataError: one of them cannot be used, or there is no Blender where it is to draw.
        OptionError: options do not go together.
    """
    engines.check(config.engine, config.strokes)
    choices.load(config)
    for bare in filter(characters.is_bare, config.character):
        logger.warning("%s: has no clothes or hair (.mhclo) below it, so bodies are bare; name the folder above", bare)


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Picture i before it is drawn."""

    figures: tuple[Figure, ...]
    camera: Camera
    settings: Settings
    facts: dict[str, Any]
    """What the manifest says of it."""


def scene(config: Config, number: int) -> Scene:
    """Picture `number`: who is in it, in which poses, and from where they are seen."""
    rng = np.random.default_rng([config.seed, number, *b"scene"])
    first = choice(config, number, rng)
    others = [another(config, number, rng) for _ in range(int(rng.integers(config.figures)))]
    placed, people = [], []
    for place, chosen in enumerate([first, *others]):
        figure = posed(config, chosen, rng)
        turn = 0.0 if not place else float(rng.uniform(-180, 180))
        placed.append(moved(figure, turn, _spot(place, rng)))
        people.append(
            {
                "character": chosen.character,
                "variant": chosen.variant,
                "motion": chosen.motion.name,
                "frame": chosen.frame,
            }
        )
    view = View(
        azimuth_deg=first.azimuth_deg,
        elevation_deg=float(rng.uniform(*config.elevation_deg)),
        field_deg=float(rng.uniform(*config.field_deg)),
        size=config.size,
        margin=float(rng.uniform(*config.margin)),
    )
    width = config.pixels(float(rng.uniform(*config.line_width)))
    return Scene(
        figures=tuple(placed),
        camera=framed(np.concatenate([figure.vertices for figure in placed]), view),
        settings=Settings(line_width=width, taper=config.taper, colors=bool({"shaded", "flat"} & {*config.outputs})),
        facts={
            "seed": config.seed,
            "people": people,
            "camera": {k: v for k, v in dataclasses.asdict(view).items() if k != "size"},
        },
    )


def posed(config: Config, chosen: Choice, rng: np.random.Generator) -> Figure:
    """The figure of a choice, at its own place."""
    character = choices.person(chosen.character, config.seed, chosen.variant)
    if config.exaggerate:
        character = exaggerated(character, drawn(rng, config.exaggerate))
    pose = chosen.motion.pose(character, chosen.frame)
    vertices = skinned(character, pose)
    return Figure(vertices=vertices, character=character, keypoints=keypoints(character, pose, vertices))


def moved(figure: Figure, turn_deg: float, offset: Floats) -> Figure:
    """The figure turned about the vertical through its middle, which then stands at `offset` (3,) on the ground."""
    angle = np.radians(turn_deg)
    turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
    low, high = box(figure.vertices)
    middle = (low + high) / 2 * (1, 0, 1)
    vertices, points = ((x - middle) @ turn.T + offset for x in (figure.vertices, figure.keypoints))
    return dataclasses.replace(figure, vertices=vertices, keypoints=points)


def _spot(place: int, rng: np.random.Generator) -> Floats:
    """Where figure `place` stands: the first in the middle, others in a loose ring around it."""
    if not place:
        return np.zeros(3)
    angle, distance = rng.uniform(0, 2 * np.pi), 0.7 * np.sqrt(place) + rng.uniform(0, 0.5)
    return np.array([np.sin(angle) * distance, 0.0, np.cos(angle) * distance])


def draw(config: Config, number: int) -> tuple[Frame, Scene]:
    """Picture `number`, and what it shows."""
    made = scene(config, number)
    return engines.draw(made.figures, made.camera, made.settings, config.engine, config.strokes), made


def make(config: Config, number: int, folder: Path) -> dict[str, Any]:
    """Draws and writes picture `number`; its line of the manifest.

    Raises:
        DiskError: it cannot be written.
    """
    frame, made = draw(config, number)
    files = write(frame, made.settings, config, folder, f"{number:012d}")
    width, height = config.size
    found = [
        annotation(frame.figures == place, points, occluded=config.occluded) | _guessed(figure.character)
        for place, (points, figure) in enumerate(zip(frame.keypoints, made.figures, strict=True), 1)
    ]
    main = next(files[output] for output in MAIN if output in files)
    record = {"id": number, "file": main, "width": width, "height": height}
    return record | {"files": files, **made.facts, "annotations": [f for f in found if f["area"]]}


def _guessed(character: Character) -> dict[str, list[str]]:
    """Names of the keypoints whose place on the character is guessed, if there are some."""
    names = [name for name, point in zip(KEYPOINTS, character.keypoints, strict=True) if point.approximate]
    return {"approximate": names} if names else {}


def write(frame: Frame, settings: Settings, config: Config, folder: Path, name: str) -> dict[str, str]:
    """Writes what is asked for; paths in the folder by the output's name."""
    files = {}
    for output, content in pictures(frame, config.written, settings):
        ending = "svg" if output == "svg" else config.format if output in ("lines", "shaded", "flat") else "png"
        path = folder / ("images" if output == "lines" else output) / f"{name}.{ending}"
        if isinstance(content, str):
            with replacing(path) as file:
                file.write(content.encode())
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            image.write(path, content, overwrite=True)
        files[output] = f"{path.parent.name}/{path.name}"
    return files
