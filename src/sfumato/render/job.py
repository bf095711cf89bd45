"""What is rendered: picture i is a function of (configuration, i), so that any process can make any of them.

The source thesis took 5 characters, dozens of motions, every tenth frame and 8 cameras; so does this, in random order.
"""

import dataclasses
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Ge, Gt, Le, Lt
from numpy.typing import NDArray

from .. import image
from ..data.coco import annotation
from ..errors import DataError
from ..weights import replacing
from . import characters, engines, exaggerate, motions
from .camera import Camera, View, framed
from .character import Character, Floats, keypoints, skinned
from .frame import Figure, Frame, Settings
from .motion import Motion
from .passes import pictures

Output = Literal["lines", "svg", "depth", "normals", "parts", "shaded", "flat", "mask"]
Share = Annotated[float, Ge(0), Lt(1)]


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
    """How many different people a character that can vary, as the mannequin, stands for."""
    every: Annotated[int, Gt(0)] = 10
    """Every so many frames of a motion are used."""
    cameras: Annotated[int, Gt(0)] = 8
    """Places of the camera around the figure."""
    elevation_deg: tuple[Annotated[float, Ge(-89), Le(89)], Annotated[float, Ge(-89), Le(89)]] = (-5.0, 25.0)
    """Lowest and highest angle from which the camera looks."""
    field_deg: tuple[Annotated[float, Gt(1), Lt(150)], Annotated[float, Gt(1), Lt(150)]] = (20.0, 45.0)
    """Smallest and largest angle of view: large ones foreshorten."""
    margin: tuple[Share, Share] = (0.04, 0.2)
    """Smallest and largest share of the picture that stays free around the figure."""
    figures: Annotated[int, Gt(0), Le(16)] = 1
    """Figures in a picture, at most; as many or fewer, by chance."""
    line_width: tuple[Annotated[float, Gt(0), Le(100)], Annotated[float, Gt(0), Le(100)]] = (1.2, 2.4)
    """Thinnest and thickest line in pixels where the picture is 512 wide; in others as much wider."""
    taper: Share = 0.0
    """How much thinner lines are at their ends."""
    engine: Literal["native", "blender"] = "native"
    """What finds the lines: Sfumato itself, or Blender, which $SFUMATO_BLENDER_PYTHON names (a Python with bpy)."""
    strokes: Literal["line_art", "freestyle"] = "line_art"
    """Lines by Blender: of its Line Art, or of Freestyle, which draws contours alone and is slow."""
    exaggerate: Annotated[float, Ge(0), Le(1)] = 0.0
    """How far the liberties of artists go: longer limbs, larger heads."""
    outputs: tuple[Output, ...] = ("lines",)
    """What is written of each: lines (on transparent ground), svg, depth, normals, parts, shaded, flat, mask."""
    format: Literal["png", "webp"] = "png"
    """Of lines and colour pictures; labels such as depth and parts are PNG."""
    occluded: Literal["label", "drop"] = "label"
    """Hidden keypoints are labelled as such, or left out."""
    seed: Annotated[int, Ge(0), Lt(2**31)] = 0
    """Fixes everything."""


def check(config: Config) -> None:
    """Loads each character and motion once, so that mistakes are told before the work begins.

    Raises:
        DataError: one of them cannot be used, or there is no Blender where it is to draw.
        OptionError: options do not go together.
    """
    engines.check(config.engine, config.strokes)
    for spec in config.character:
        _motions(config, spec)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What picture i shows."""

    character: str
    variant: int
    motion: Motion
    frame: int
    azimuth_deg: float


def choice(config: Config, number: int, rng: np.random.Generator) -> Choice:
    """One of all characters, variants, motions, frames and cameras; each comes once before any comes again."""
    spec = config.character[number % len(config.character)]
    found = _motions(config, spec)
    frames = [(motion, frame) for motion in found for frame in range(0, motion.frames, config.every)]
    total = len(frames) * config.cameras
    turn, place = divmod(number // len(config.character), total)
    place = int(_order(total, config.seed, turn)[place])
    motion, frame = frames[place // config.cameras]
    step = 360 / config.cameras
    azimuth = (place % config.cameras + rng.uniform(-0.25, 0.25)) * step
    return Choice(
        character=spec, variant=int(rng.integers(config.variants)), motion=motion, frame=frame, azimuth_deg=azimuth
    )


@lru_cache(maxsize=2)
def _order(total: int, seed: int, turn: int) -> NDArray[np.int64]:
    return np.random.default_rng([seed, turn, *b"order"]).permutation(total)


@lru_cache(maxsize=64)
def _character(spec: str, seed: int, variant: int) -> Character:
    return characters.load(spec, int(np.random.default_rng([seed, variant, *b"person"]).integers(2**31)))


@lru_cache(maxsize=16)
def _loaded(specs: tuple[str, ...], spec: str, seed: int) -> tuple[Motion, ...]:
    own = tuple(_character(spec, seed, 0).actions.values())
    if "own" in specs and not own:
        raise DataError(f"{spec}: has no motions of its own; --motion builtin, random or BVH files move it")
    return tuple(motion for name in specs for motion in (own if name == "own" else motions.load(name, seed=seed)))


def _motions(config: Config, spec: str) -> tuple[Motion, ...]:
    return _loaded(config.motion, spec, config.seed)


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
    others = [choice(config, int(rng.integers(2**40)), rng) for _ in range(int(rng.integers(config.figures)))]
    placed, people = [], []
    for place, chosen in enumerate([first, *others]):
        figure = posed(config, chosen, rng)
        turn = 0.0 if not place else float(rng.uniform(-180, 180))
        placed.append(moved(figure, turn, _spot(place, rng)))
        people.append(
            {
                "character": figure.character.name,
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
    width = float(rng.uniform(*config.line_width)) * max(config.size) / 512
    return Scene(
        figures=tuple(placed),
        camera=framed(np.concatenate([figure.vertices for figure in placed]), view),
        settings=Settings(line_width=width, taper=config.taper, colors=bool({"shaded", "flat"} & {*config.outputs})),
        facts={"people": people, "camera": {k: v for k, v in dataclasses.asdict(view).items() if k != "size"}},
    )


def posed(config: Config, chosen: Choice, rng: np.random.Generator) -> Figure:
    """The figure of a choice, at its own place."""
    character = _character(chosen.character, config.seed, chosen.variant)
    if config.exaggerate:
        character = exaggerate.exaggerated(character, exaggerate.drawn(rng, config.exaggerate))
    pose = chosen.motion.pose(character, chosen.frame)
    vertices = skinned(character, pose)
    return Figure(vertices=vertices, character=character, keypoints=keypoints(character, pose, vertices))


def moved(figure: Figure, turn_deg: float, offset: Floats) -> Figure:
    """The figure turned about the vertical through its middle, which then stands at `offset` (3,) on the ground."""
    angle = np.radians(turn_deg)
    turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
    middle = (figure.vertices.min(0) + figure.vertices.max(0)) / 2 * (1, 0, 1)
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
        annotation(frame.figures == place, points, occluded=config.occluded)
        for place, points in enumerate(frame.keypoints, 1)
    ]
    record = {"id": number, "file": files.get("lines") or next(iter(files.values())), "width": width, "height": height}
    return record | {"files": files, **made.facts, "annotations": [f for f in found if f["area"]]}


def write(frame: Frame, settings: Settings, config: Config, folder: Path, name: str) -> dict[str, str]:
    """Writes what is asked for; paths in the folder by the output's name."""
    files = {}
    for output, content in pictures(frame, config.outputs, settings):
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
