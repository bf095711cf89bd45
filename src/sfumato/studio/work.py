"""What the working process does, each piece a function from values to values: it calls what the command line calls.

Values are JSON. Paths in them come from the server, which drew every part of them itself.

Shapes: H W pixels.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import TypeAdapter

from .. import device, image
from ..collage import Blended, Collage, blend, collage, cut_out
from ..collage.options import Options as CollageOptions
from ..data.faces import Face
from ..image import Picture, Pixels, exif
from ..methods import gatys
from ..options import Options
from ..parsing import Parts
from ..parsing.finding import seen as faces_in
from ..parsing.tidying import grown
from ..parts import PARTS
from ..translate import Painter
from ..translate.weaver import Weaver
from . import bench as benches
from . import views
from .bench import Artist, Bench, built
from .problems import Refusal
from .requests import SaveOptions
from .schema import GATYS, Note
from .trainings import log_of, runs_of

Values = dict[str, Any]
Answer = tuple[Values, bytes]

PRESETS = {
    "face and hair": ("face", "hair"),
    "head": ("face", "hair", "hat", "sunglasses"),
    "clothes": ("hat", "upper-clothes", "skirt", "pants", "dress", "belt", "left-shoe", "right-shoe", "bag", "scarf"),
    "person": tuple(part for part in PARTS if part != "background"),
    "everything": PARTS,
    "background": ("background",),
}
FACES = TypeAdapter(tuple[Face, ...])
NOBODY = 64
"""Side in pixels of a picture of nothing, for which the detector of faces is loaded, too."""
FIRST = ("face", "hair")
"""Parts that the first zone is made of."""


def hello(bench: Bench, _given: Values) -> Answer:
    """What the process is, and the bytes of main memory that are free."""
    free = device.memory_budget(torch.device("cpu"))
    return {"device": device.describe(bench.device).partition(";")[0], "free": free}, b""


def models(_bench: Bench, _given: Values) -> Answer:
    """The models there are."""
    return {"models": [info.model_dump() for info in benches.models()]}, b""


def forms(_bench: Bench, _given: Values) -> Answer:
    """What can be chosen."""
    return benches.forms(), b""


def parse(bench: Bench, given: Values) -> Answer:
    """Finds the parts of the picture `work`; the values are a Status'.

    Writes labels.png, soft.npy and faces.json to `folder`.
    """
    picture, folder = bench.picture(given["work"]), Path(given["folder"])
    parts, source = bench.parsed(picture)
    labels = parts.labels
    image.write(folder / "labels.png", Picture(pixels=np.repeat(labels[..., None], 3, 2), mode="L"), overwrite=True)
    if parts.soft is not None:
        np.save(folder / "soft.npy", parts.soft.astype(np.float16))
    if parts.faces is not None:
        (folder / "faces.json").write_bytes(FACES.dump_json(parts.faces))
    counts = np.bincount(labels.ravel(), minlength=len(parts.names))
    found = [
        {"label": label, "name": name, "pixels": int(count), "color": color_of(picture.pixels, labels == label)}
        for label, (name, count) in enumerate(zip(parts.names, counts, strict=True))
    ]
    places = {name: label for label, name in enumerate(parts.names) if counts[label]}
    presets = [
        {"name": name, "labels": [places[part] for part in wanted if part in places]}
        for name, wanted in PRESETS.items()
    ]
    person = any(counts[1:])
    status = {
        "state": "parsed" if person else "no_person",
        "source": source,
        "parts": found,
        "presets": [preset for preset in presets if preset["labels"]],
        "selected": [places[name] for name in FIRST if name in places],
    }
    return status, b""


def color_of(pixels: Pixels, chosen: NDArray[np.bool_]) -> str:
    """The mean colour of chosen pixels as `#rrggbb`; grey if there are none."""
    if not chosen.any():
        return "#808080"
    white = np.iinfo(pixels.dtype).max
    return "#" + "".join(f"{round(float(value) * 255 / white):02x}" for value in pixels[chosen].mean(0))


def warm(bench: Bench, given: Values) -> Answer:
    """Loads one of the pieces that finding parts needs, the parser or the detector of faces, if it is not there."""
    if given["piece"] == "parser":
        bench.the_finder()
    else:
        faces_in(np.zeros((NOBODY, NOBODY, 3), np.uint8))
    return {}, b""


def variant(bench: Bench, given: Values) -> Answer:
    """Draws the zone of the picture `work`; writes all of it to `folder`."""
    folder, options = Path(given["folder"]), built(CollageOptions, given["options"])
    made, note = drawn(bench, given, bench.picture(given["work"]), options)
    keep_drawing(folder, made)
    seen = views.write(folder, made.result)
    pixels = int(np.count_nonzero(made.mask))
    height, width = made.mask.shape
    mask = {"width": width, "height": height, "pixels": pixels, "share": pixels / made.mask.size}
    return {"width": seen.width, "height": seen.height, "mask": mask, "note": told(note)}, b""


def drawn(bench: Bench, given: Values, picture: Picture, options: CollageOptions) -> tuple[Collage, Note | None]:
    """The zone of a picture drawn by the model, and a remark.

    Raises:
        Refusal: the zone is empty.
    """
    mask = None if given["mask"] is None else bench.picture(given["mask"])
    parts = parts_of(bench, given["parts"], picture)
    if (mask is not None and not mask.pixels.any()) or (mask is None and parts is not None and not parts.labels.any()):
        raise empty()

    def work(artist: Artist) -> Collage:
        styles = [bench.picture(path) for path in given["styles"]] if artist.takes_style else []
        return collage(picture, mask, artist, options, styles=styles, parts=parts, progress=bench.report)

    made, note = bench.with_room(given["model"], work)
    if not made.mask.any():
        raise empty()
    return made, note


def empty() -> Refusal:
    """No pixel is chosen."""
    return Refusal("empty_zone", "The zone is empty.", "Paint it, or choose a part that is in the photo.")


def parts_of(bench: Bench, given: Values | None, picture: Picture) -> Parts | None:
    """The parts that were found at the working size, at a picture's size; None if nobody looked for them."""
    if given is None:
        return None
    folder, soft, faces = Path(given["folder"]), None, None
    if (folder / "soft.npy").exists():
        soft = np.load(folder / "soft.npy", allow_pickle=False).astype(np.float32)
    if (folder / "faces.json").exists():
        faces = FACES.validate_json((folder / "faces.json").read_bytes())
    labels = np.ascontiguousarray(bench.picture(str(folder / "labels.png")).pixels[..., 0])
    parts = Parts(labels=labels, names=tuple(given["names"]), soft=soft, faces=faces, tidy=True)
    size = picture.height, picture.width
    return replace(parts.resized(*size), labels=grown(labels, size))


def keep_drawing(folder: Path, made: Collage) -> None:
    """Writes what another blending needs: the drawing and the zone."""
    mask = made.mask.astype(np.uint8)[..., None] * np.uint8(255)
    image.write(folder / "mask.png", Picture(pixels=np.repeat(mask, 3, 2), mode="L"), overwrite=True)
    image.write(folder / "drawn.png", Picture(pixels=made.drawn), overwrite=True)


def blended(bench: Bench, given: Values, photo: Picture, options: CollageOptions) -> Blended:
    """The drawing in `folder` in its photo."""
    folder = Path(given["folder"])
    mask = bench.picture(str(folder / "mask.png")).pixels[..., 0] >= 128
    drawing = bench.picture(str(folder / "drawn.png")).pixels
    return blend(photo.pixels, drawing, mask, options, parts=parts_of(bench, given["parts"], photo))


def reblend(bench: Bench, given: Values) -> Answer:
    """A variant with other options of blending; the bytes are its preview."""
    photo = bench.picture(given["work"])
    made = blended(bench, given, photo, built(CollageOptions, given["options"]))
    return looked_at(photo.with_pixels(made.pixels))


def looked_at(picture: Picture) -> Answer:
    """A picture as bytes."""
    suffix, content = views.as_bytes(picture)
    return {"suffix": suffix}, content


def export(bench: Bench, given: Values) -> Answer:
    """A variant at the photo's own size as a file; what the model made is kept in `folder`."""
    folder, options = Path(given["folder"]), built(CollageOptions, given["options"])
    photo, note = image.in_color(image.read(given["photo"])), None
    if (folder / "drawn.png").exists():
        result = blended(bench, given, photo, options)
    else:
        folder.mkdir(exist_ok=True)
        made, note = drawn(bench, given, photo, options)
        keep_drawing(folder, made)
        result = Blended(pixels=made.result.pixels, alpha=made.alpha)
    picture = photo.with_pixels(result.pixels)
    if given["cutout"]:
        alpha = (
            result.alpha if options.strength == 1 else blended(bench, given, photo, replace(options, strength=1)).alpha
        )
        plainly = options.strength == 1 and options.color_match == 0
        pixels = image.read(folder / "drawn.png").pixels if plainly else result.pixels
        picture = cut_out(photo, pixels, alpha)
    return saved(given, picture, note)


def saved(given: Values, picture: Picture, note: Note | None = None) -> Answer:
    """Writes a result to `out` as `save` says, and pictures to look at beside it."""
    save = SaveOptions.model_validate(given["save"])
    raw = picture.exif if save.keep_camera else None
    if raw is not None and not save.keep_place:
        raw = exif.without_place(raw)
    if save.embed_recipe:
        raw = exif.with_comment(raw, given["recipe"])
    out = Path(given["out"])
    image.write(out, replace(picture, exif=raw), overwrite=True, quality=save.quality)
    views.write(out.parent, picture, given["side"])
    size = {"width": picture.width, "height": picture.height}
    return {"bytes": out.stat().st_size, **size, "note": told(note)}, b""


def told(note: Note | None) -> Values | None:
    """A remark as JSON."""
    return None if note is None else note.model_dump()


def stylize(bench: Bench, given: Values) -> Answer:
    """The photo in a style as a file; what the model made is kept at `cache`."""
    cache, note = Path(given["cache"]), None
    photo = image.read(given["photo"])
    if cache.exists():
        made = image.read(cache)
        sized = image.resize(photo, size=(made.height, made.width))
        result = replace(colored(sized, built(Options, given["options"])), pixels=made.pixels)
    else:
        result, note = styled(bench, given, photo)
        image.write(cache, replace(image.plain(result), alpha=None, mode="RGB"))
    return saved(given, result, note)


def colored(photo: Picture, options: Options) -> Picture:
    """The photo in colours, unless all that is wanted is light and dark."""
    return image.in_color(photo, keeps_grey=options.keep_colors == "luminance")


def styled(bench: Bench, given: Values, photo: Picture) -> tuple[Picture, Note | None]:
    """A picture in the styles that were chosen."""
    options = built(Options, given["options"])
    photo = colored(photo, options)

    def work(artist: Artist) -> Picture:
        styles = [bench.picture(path) for path in given["styles"]]
        masks = [bench.picture(given["mask"])] * max(1, len(styles)) if given["mask"] else []
        return artist.translate_picture(photo, styles, options, masks=masks, progress=bench.report)

    return bench.with_room(given["model"], work)


def preview(bench: Bench, given: Values) -> Answer:
    """The same, small; the bytes are the picture."""
    given = given | {"options": given["options"] | {"size": None}}
    result, _ = styled(bench, given, bench.picture(given["work"], given["side"]))
    return looked_at(result)


def texture(bench: Bench, given: Values) -> Answer:
    """A texture as a file."""
    size = tuple(given["size"])
    swatches = [bench.picture(path) for path in given["swatches"]]
    if given["model"] not in (None, GATYS):
        bench.loading(given["model"], benches.size_of(given["model"]))
        return saved(given, Weaver(given["model"], device=bench.device).texture(size, seed=given["seed"]))
    config = built(gatys.Config, given["options"] | {"seed": given["seed"]})
    made = Painter(config, device=bench.device).texture(
        swatches,
        size,
        seamless=given["seamless"],
        swatch_size=given["swatch_size"],
        weights=given["weights"],
        progress=bench.report,
    )
    return saved(given, made)


def runs(_bench: Bench, given: Values) -> Answer:
    """The trainings in `folder`."""
    found = runs_of(Path(given["folder"]))
    return {"runs": [run.model_dump() for run, _ in found], "folders": {run.id: str(path) for run, path in found}}, b""


def run_log(_bench: Bench, given: Values) -> Answer:
    """Lines of the log of a training from `after` on."""
    return {"lines": log_of(Path(given["folder"]), given["after"])}, b""


OPS: dict[str, Callable[[Bench, Values], Answer]] = {
    work.__name__: work
    for work in (hello, models, forms, parse, warm, variant, reblend, export, stylize, preview, texture, runs, run_log)
}
"""Every piece of work by its name."""
