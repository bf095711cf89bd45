"""`sfumato stylize`: photographs in the style of paintings."""

import argparse
import math
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ..errors import OptionError, PictureError, WeightsError
from ..progress import Progress
from . import batch, files, flags, inputs, source
from .console import Console
from .source import Field

if TYPE_CHECKING:
    from ..image import Picture
    from ..options import Options
    from ..progress import Report

SUMMARY = "turn photographs into paintings"
GATYS = "gatys"
USUAL_GATYS_SIZE = 512
"""Longest side in pixels of what is painted by optimisation, if nothing is said: more takes very long."""
OUT_HELP = "A file, or a folder for several results; .png .jpg .webp .tif .avif"
LIMIT_MP = source.constant("image/files.py", "LIMIT_MP")
EXAMPLES = [
    "stylize photo.jpg --style wave.jpg",
    "stylize photo.jpg --style wave.jpg -o out.jpg --strength 0.6 --keep-colors luminance",
    "stylize photo.jpg --style wave.jpg night.jpg --weights 2 1",
    "stylize photo.jpg --style wave.jpg night.jpg --mask sky.png ground.png",
    "stylize photos/ --style wave.jpg -o results/",
    "stylize photo.jpg --style wave.jpg --draw-size 640",
    "stylize photo.jpg --style wave.jpg --method gatys --size 768",
]


class Artist(Protocol):
    """What Translator and Painter have in common."""

    def translate_picture(
        self,
        picture: "Picture",
        styles: Sequence["Picture"],
        options: "Options",
        *,
        masks: Sequence["Picture"],
        progress: "Report",
    ) -> "Picture": ...


def gatys_fields() -> list[Field]:
    """The options of the method gatys, without those that all methods have."""
    shared = source.constant("methods/gatys.py", "SHARED")
    return [field for field in source.fields("methods/gatys.py", "Config") if field.name not in shared]


def shared_fields() -> list[Field]:
    """The options of every method; `iterations` is one of gatys'."""
    return [field for field in source.fields("options.py", "Options") if field.name != "iterations"]


def methods() -> list[str]:
    """The methods that stylize: those with a Model that takes a style, and gatys."""
    return [name for name in source.names("methods") if name == GATYS or source.stylizes(f"methods/{name}.py")]


def parser(*, of_gatys: bool = False) -> flags.Parser:
    """The parser of the command; its help tells the options of gatys if `of_gatys` says so."""
    made = flags.parser(
        "stylize",
        "Gives photographs the style of a painting. Without -o the result is PHOTO-STYLE.png beside the photograph;\n"
        "nothing that exists is replaced. Size, transparency, colour profile and EXIF are kept.",
        EXAMPLES,
    )
    made.usage = "sfumato stylize PHOTO... --style STYLE... [-o OUT] [options]"
    made.add_argument("photos", nargs="*", metavar="PHOTO", help="Pictures, folders, or patterns such as '*.jpg'")
    _add_files(made.add_argument_group("pictures"))
    _add_ways(made.add_argument_group("how"))
    hint = "" if of_gatys else "`sfumato stylize --method gatys --help` lists them"
    flags.add(made.add_argument_group("only with --method gatys", hint), gatys_fields(), shown=of_gatys)
    return flags.finish(made)


def _add_files(group: argparse._ArgumentGroup) -> None:
    many: dict[str, Any] = {"nargs": "+", "action": "extend", "default": []}
    group.add_argument("--style", **many, metavar="STYLE", help="One picture or several, whose styles are mixed")
    group.add_argument("--mask", **many, metavar="MASK", help="For each style where it goes: white in a grey picture")
    group.add_argument("-o", "--out", metavar="OUT", help=OUT_HELP)
    group.add_argument("--format", default="png", metavar="EXT", help="Of results that are not named (default: png)")
    add_existing(group)
    add_limit(group)


def _add_ways(how: argparse._ArgumentGroup) -> None:
    text = "microast takes a second, gatys optimises for minutes (default: microast)"
    how.add_argument("--method", choices=methods(), help=text)
    how.add_argument("--model", metavar="NAME|FILE", help="A model of the method, see `sfumato models list`")
    flags.add(how, shared_fields())
    text = "Work in parts of at most N x N pixels; 0: never (default: by the memory there is)"
    how.add_argument("--tile", type=int, metavar="N", help=text)
    add_precision(how)


def add_existing(group: argparse._ActionsContainer) -> None:
    """Adds --overwrite and --skip-existing."""
    there = group.add_mutually_exclusive_group()
    there.add_argument("--overwrite", action="store_true", help="Replace results that are there")
    text = "Leave out pictures whose result is there: goes on where an earlier run ended"
    there.add_argument("--skip-existing", action="store_true", help=text)


def refuse_existing(job: inputs.Job) -> None:
    """Raises PictureError where the result is there."""
    if os.path.exists(job.output):
        ways = "--overwrite replaces it, --skip-existing leaves its picture out"
        raise PictureError(f"{job.output}: exists already; {ways}")


def add_precision(group: argparse._ActionsContainer) -> None:
    """Adds --precision."""
    text = "Number format: bf16, faster on some devices; fp32, exact; auto takes bf16 where it is faster (the default)"
    group.add_argument("--precision", choices=["auto", "fp32", "bf16"], default="auto", help=text)


def add_limit(group: argparse._ActionsContainer) -> None:
    """Adds --limit-mp."""
    text = f"Refuse pictures, and results by --size, of more megapixels (default: {LIMIT_MP:g})"
    group.add_argument("--limit-mp", type=_megapixels, default=LIMIT_MP, metavar="X", help=text)


def _megapixels(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise OptionError(f"--limit-mp {text}: wants a number above 0")
    return number


def run(words: Sequence[str], console: Console) -> int:
    """Stylizes all photographs; those that cannot be read are named at the end."""
    given = parser(of_gatys=GATYS in words or f"--method={GATYS}" in words).parse_intermixed_args(words)
    if not given.photos:
        raise OptionError("which photograph? It stands before --style: sfumato stylize PHOTO --style STYLE")
    if not given.style:
        raise OptionError("which style? Name a picture: --style STYLE")
    photos = inputs.find_photos(given.photos)
    styles, masks = inputs.find_files(given.style), inputs.find_files(given.mask)
    suffix = "." + given.format.lower().lstrip(".")
    jobs = inputs.plan(photos, inputs.ending_of(styles), given.out, suffix=suffix, keep=[*styles, *masks])
    from ..options import Options

    options = flags.build(Options, flags.given(given, shared_fields()))
    options.shares(len(styles))
    _check(given, len(styles), len(masks))
    _tell_left_out(photos, jobs, [*styles, *masks], console)
    if given.skip_existing:
        jobs = batch.missing(jobs, console)
    for job in jobs:
        _check_output(given, options, job)
    if not jobs:
        return 0
    pictures = [[files.read(path, console, limit_mp=given.limit_mp) for path in paths] for paths in (styles, masks)]
    artist = _artist(given)
    return _Session(given, console, artist, options, *pictures).do(jobs)


def _tell_left_out(
    photos: Sequence[inputs.Photo], jobs: Sequence[inputs.Job], used: Sequence[Path], console: Console
) -> None:
    """Says which pictures that were found are not worked on."""
    taken, others = {job.photo for job in jobs}, {files.identity(path) for path in used}
    left_out = [photo.path for photo in photos if photo.path not in taken]
    no_photos = [path for path in left_out if files.identity(path) in others]
    if no_photos:
        console.note(f"{', '.join(map(str, no_photos))}: left out, because --style or --mask names it")
    if results := len(left_out) - len(no_photos):
        console.note(f"{results} of {len(photos)} pictures left out as earlier results; one that is named is taken")


def _check_output(given: argparse.Namespace, options: "Options", job: inputs.Job) -> None:
    """Whether the result can be written, as far as that can be known before the work."""
    from .. import image

    size = _size_of_result(given, options, job.photo)
    image.check_output(job.output, size=size, overwrite=True, makes_folder=True)
    if size is not None and options.size is not None:
        files.check_wanted(size, given.limit_mp)
    if not given.overwrite:
        refuse_existing(job)


def _size_of_result(given: argparse.Namespace, options: "Options", photo: Path) -> tuple[int, int] | None:
    """The (height, width) of what a photograph becomes; None if it cannot be read, which its own turn tells."""
    from .. import image

    try:
        height, width = image.size_of(photo)
    except PictureError:
        return None
    longest = _options_for(given, options, height, width).size
    return (height, width) if longest is None else image.scaled(height, width, longest)


def _options_for(given: argparse.Namespace, options: "Options", height: int, width: int) -> "Options":
    """The options for a photograph: gatys paints large ones smaller, unless a size was asked for."""
    asked = options.size is not None or options.draw_size is not None
    if given.method != GATYS or asked or max(height, width) <= USUAL_GATYS_SIZE:
        return options
    return replace(options, size=USUAL_GATYS_SIZE)


def _check(given: argparse.Namespace, styles: int, masks: int) -> None:
    if masks not in (0, styles):
        raise OptionError(f"{masks} masks were given for {styles} styles; give one for each, or none")
    foreign = flags.given(given, gatys_fields())
    if foreign and given.method != GATYS:
        raise OptionError(f"{flags.flag(next(iter(foreign)))} is an option of gatys: add --method gatys")
    if given.method == GATYS:
        for name in ("model", "tile"):
            if getattr(given, name) is not None:
                raise OptionError(f"{flags.flag(name)} is nothing for gatys, which has no model and no tiles")


def _artist(given: argparse.Namespace) -> Artist:
    from .. import device

    device.keep_memory()
    if given.method == GATYS:
        from ..methods import gatys
        from ..translate.painter import Painter

        return Painter(
            gatys_config(given, gatys_fields(), gatys.Config), device=given.device, precision=given.precision
        )
    from ..translate import Translator

    return Translator(_model(given), given.tile, device=given.device, precision=given.precision)


def gatys_config(given: argparse.Namespace, fields: Sequence[Field], kind: type[Any]) -> Any:
    """The Config of gatys that was asked for."""
    return flags.build(kind, flags.given(given, fields) | {"seed": given.seed or 0})


def _model(given: argparse.Namespace) -> str:
    """The name or file of the model.

    Raises:
        WeightsError: there is none of that method.
        OptionError: model and method do not agree.
    """
    from .. import weights, zoo

    if given.model is not None:
        if given.method is not None:
            path = Path(given.model) if given.model.endswith(zoo.SUFFIX) else zoo.find(given.model).path
            method = weights.read_card(path).method if path else given.method
            if method != given.method:
                raise OptionError(f"{given.model} is a model of {method}, not of {given.method}")
        return str(given.model)
    from ..translate import DEFAULT_MODEL

    if given.method in (None, DEFAULT_MODEL.partition("/")[0]):
        return DEFAULT_MODEL
    found = [entry.name for entry in zoo.available() if entry.card is not None and entry.card.method == given.method]
    if not found:
        ways = f"`sfumato import {given.method}` or `sfumato train {given.method}.art`"
        raise WeightsError(f"there is no model of {given.method} here; make one by {ways} and name it: --model FILE")
    return found[0]


class _Session:
    """All photographs of one command."""

    def __init__(
        self,
        given: argparse.Namespace,
        console: Console,
        artist: Artist,
        options: "Options",
        styles: "list[Picture]",
        masks: "list[Picture]",
    ) -> None:
        self.given, self.console, self.artist, self.options = given, console, artist, options
        self.styles, self.masks = styles, masks
        unit = "iterations" if given.method == GATYS else "px"
        self.progress = Progress(unit, quiet=console.quiet)  # one for all, so that many short works show, too

    def do(self, jobs: Sequence[inputs.Job]) -> int:
        """Each photograph; returns the exit code."""
        return batch.each(jobs, self.console, self._one)

    def _one(self, job: inputs.Job, label: str) -> None:
        from .. import image

        picture = files.read(job.photo, self.console, limit_mp=self.given.limit_mp, label=label)
        picture = image.in_color(picture, keeps_grey=self.options.keep_colors == "luminance")
        options = _options_for(self.given, self.options, picture.height, picture.width)
        if options.size != self.options.size:
            self.console.note(
                f"{picture.name}: gatys paints it {options.size} pixels large; --size asks for more,"
                f" --draw-size {options.size} enlarges what it paints"
            )
        self.progress.label = label
        self.progress.history.clear()  # the rate is that of this photograph
        with self.progress as progress:
            result = self.artist.translate_picture(picture, self.styles, options, masks=self.masks, progress=progress)
        files.write(job.output, result, self.console, overwrite=self.given.overwrite)
