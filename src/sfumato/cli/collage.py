"""`sfumato collage`: parts of photographs redrawn by a model, in the untouched photograph."""

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import OptionError, PictureError
from ..progress import Progress
from . import batch, files, films, flags, inputs, source
from .console import Console
from .stylize import GATYS, OUT_HELP, add_limit, add_precision
from .translate import model_name

if TYPE_CHECKING:
    from ..collage import Collage, Options, Scene
    from ..image import Picture
    from ..parsing.finding import Finder
    from ..translate import Painter, Translator

    Artist = Painter | Translator

SUMMARY = "redraw face and hair, or other parts, within a photograph"
FIRST_ZONE = "first-zone"
EXAMPLES = [
    "collage photo.jpg --model faces2kaokore",
    "collage photos/ --parts face,hair,hat --model faces2toon --softness 0.8 -o collages/",
    "collage photo.jpg --mask mask.png --model microast/art --style wave.jpg -o out.png",
    "collage photo.jpg --model faces2kaokore faces2toon --variants -o variants.png",
    "collage film.mp4 --model faces2kaokore --smooth 0.6 -o drawn.mp4",
]


def fields() -> list[source.Field]:
    """The options of the command that are fields of `collage.Options`; the seed is a flag of every command."""
    return [field for field in source.fields("collage/options.py", "Options") if field.name != "seed"]


def parser() -> flags.Parser:
    """The parser of the command."""
    made = flags.parser(
        "collage",
        "Redraws parts of photographs, a face with its hair if nothing else is said, by any model of pictures, and\n"
        "puts them back where they were; all else stays as it is, byte for byte. Without -o the result is\n"
        "PHOTO-MODEL-collage.png beside the photograph. Pictures whose result is there are left out, so that the\n"
        "same command goes on where it stopped.",
        EXAMPLES,
    )
    made.usage = "sfumato collage PHOTO... --model MODEL [-o OUT] [options]"
    made.add_argument(
        "photos", nargs="*", metavar="PHOTO", help="Pictures, films, folders, or patterns such as '*.jpg'"
    )
    made.add_argument("-o", "--out", metavar="OUT", help=OUT_HELP)
    made.add_argument("--format", default="png", metavar="EXT", help="Of results that are not named (default: png)")
    made.add_argument("--overwrite", action="store_true", help="Replace results that are there")
    made.add_argument("--shard", metavar="I/N", help="Only the I-th of N parts, I from 0: for several machines")
    made.add_argument("--steps", metavar="FOLDER", help="Also keep the picture of each step there")
    add_limit(made.add_argument_group("pictures"))
    _add_ways(made.add_argument_group("how"))
    films.add(made)
    return flags.finish(made)


def _add_ways(how: argparse._ArgumentGroup) -> None:
    text = "A model by its name, see `sfumato models list`, a file that a training wrote, or gatys, which optimises for"
    text += " minutes; several with --variants"
    how.add_argument("--model", nargs="+", metavar="NAME|FILE", help=text)
    text = "One picture or several, for a model that takes a style"
    how.add_argument("--style", nargs="+", action="extend", default=[], metavar="STYLE", help=text)
    how.add_argument("--mask", metavar="FILE", help="Where to redraw, white in a grey picture: nothing is looked for")
    text = f"What finds the parts: a model (default: the one that comes with the program), or {FIRST_ZONE}, by the"
    text += " faces' places and colours alone"
    how.add_argument("--parser", metavar="NAME|FILE", help=text)
    text = "Let the model look at the whole picture only, not once more at each head from near"
    how.add_argument("--no-zoom", dest="zoom", action="store_false", help=text)
    text = "Make a page of all models with all filters in place of each result"
    how.add_argument("--variants", action="store_true", help=text)
    flags.add(how, fields())
    add_precision(how)


def run(words: Sequence[str], console: Console) -> int:
    """Makes all collages; pictures that cannot be done are named at the end."""
    given = parser().parse_intermixed_args(words)
    _check(given)
    from ..collage import Options

    values = flags.given(given, fields())
    if "parts" in values:
        values["parts"] = [part for word in values["parts"] for part in word.split(",") if part]
    options = flags.build(Options, values | {"seed": given.seed or 0})
    moving, names = films.apart(given.photos, console)
    if moving and (given.variants or given.mask or given.steps or (names and given.out)):
        raise OptionError(f"{moving[0]}: a film has no --variants, --mask or --steps, and no -o together with pictures")
    ending = f"{model_name(given.model[0])}-collage"
    shows = films.plan(moving, ending, given, console) if moving else []
    jobs = _plan(names, given, console) if names else []
    if not jobs and not shows:
        return 0
    work = _Work(given, options, console)
    codes = [batch.each(jobs, console, work.page if given.variants else work.one)] if jobs else []
    codes += [films.run(shows, work.film, console)] if shows else []
    return max(codes)


def _check(given: argparse.Namespace) -> None:
    if not given.photos:
        raise OptionError("which photograph? sfumato collage PHOTO --model MODEL")
    if not given.model:
        raise OptionError("by which model? --model takes a name of `sfumato models list` or a .safetensors file")
    if len(given.model) > 1 and not given.variants:
        raise OptionError(f"--model {' '.join(given.model)}: several models make a page of variants: add --variants")
    if given.variants and hasattr(given, "filter"):
        raise OptionError("--variants shows all filters; leave out --filter")
    if given.variants and given.steps:
        raise OptionError("--variants makes a page and keeps no --steps; leave one of them out")
    if hasattr(given, "iterations") and GATYS not in given.model:
        raise OptionError("--iterations is an option of gatys: add --model gatys")
    if not given.zoom and given.parser == FIRST_ZONE:
        raise OptionError(f"--no-zoom is for a model that finds parts, and {FIRST_ZONE} is none; leave one of them out")
    for word, is_given in (("--parser", given.parser is not None), ("--no-zoom", not given.zoom)):
        if given.mask and is_given:
            raise OptionError(f"--mask says where to redraw, so that {word} has nothing to find; leave one of them out")


def _plan(names: Sequence[str], given: argparse.Namespace, console: Console) -> list[inputs.Job]:
    from .. import image

    ending = "variants" if given.variants else f"{model_name(given.model[0])}-collage"
    used = inputs.find_files([*given.style, *([given.mask] if given.mask else [])])
    suffix = "." + given.format.lower().lstrip(".")
    jobs = inputs.plan(inputs.find_photos(names), ending, given.out, suffix=suffix, keep=used)
    if given.mask and len(jobs) > 1:
        raise OptionError(f"--mask {given.mask}: is a place in one picture, not in {len(jobs)}")
    if given.steps and (twice := [n for n, k in Counter(job.output.stem for job in jobs).items() if k > 1]):
        raise OptionError(f"--steps {given.steps}: two results are called {twice[0]}; do their pictures one by one")
    if given.shard:
        jobs = batch.shard(jobs, given.shard)
    if not given.overwrite:
        jobs = batch.missing(jobs, console)
    for job in jobs:
        try:
            size = None if given.variants else image.size_of(job.photo)
        except PictureError:
            size = None  # its own turn tells
        image.check_output(job.output, size=size, overwrite=True, makes_folder=True)
    return jobs


class _Work:
    """All pictures of one command."""

    def __init__(self, given: argparse.Namespace, options: "Options", console: Console) -> None:
        from .. import device
        from ..translate import Painter, Translator

        device.keep_memory()
        self.given, self.options, self.console = given, options, console
        where = {"device": given.device, "precision": given.precision}
        self.translators: dict[str, Artist] = {
            name: Painter(**where) if name == GATYS else Translator(name, **where) for name in given.model
        }
        for name, translator in self.translators.items():
            _check_style(name, translator, given.style)
        self.find = None if given.mask else _finder(given)
        self.styles = [self._read(path) for path in inputs.find_files(given.style)]
        self.mask = self._read(inputs.find_files([given.mask])[0]) if given.mask else None
        self.progress = Progress("px", quiet=console.quiet)

    def _read(self, path: Path, label: str = "") -> "Picture":
        return files.read(path, self.console, limit_mp=self.given.limit_mp, label=label)

    def one(self, job: inputs.Job, label: str) -> None:
        """A collage of one photograph."""
        scene = self._scene(job, label)
        made = self._drawn(scene, next(iter(self.translators.values())), self.options, label)
        if self.given.steps:  # before the result, which tells that all is done
            for name, picture in made.steps().items():
                path = files.path_of(self.given.steps) / f"{job.output.stem}-{name}.png"
                files.write(path, picture, self.console, overwrite=True)
        files.write(job.output, made.result, self.console, overwrite=self.given.overwrite)

    def page(self, job: inputs.Job, label: str) -> None:
        """A page of one photograph: a row for each model, a column for each filter."""
        from .. import image
        from ..collage import FILTERS

        scene = self._scene(job, label)
        pictures, labels = [], []
        for name, translator in self.translators.items():
            for color in FILTERS:
                told = f"{model_name(name)}, {color}"
                made = self._drawn(scene, translator, replace(self.options, filter=color), f"{label}: {told}")
                pictures.append(image.resize(made.result, longest=min(480, max(scene.mask.shape))))
                labels.append(told)
        page = image.contact_sheet(pictures, columns=len(FILTERS), labels=labels, title=job.photo.name)
        files.write(job.output, image.from_any(page), self.console, overwrite=self.given.overwrite)

    def film(self, job: inputs.Job) -> films.Drawing:
        """How one film is drawn; none is left in which nothing was found."""
        from ..collage import Film
        from ..collage.options import absent

        assert self.find is not None, "a film has no mask"
        translator = next(iter(self.translators.values()))
        film = Film(translator, self.options, find=self.find, styles=self.styles, smooth=self.given.smooth)

        def check() -> None:
            if not film.redrawn:
                raise PictureError(f"{job.photo}: {absent(self.options.parts)} in it; --parts looks for others")

        def remark() -> str:
            return f"; redrawn in {film.redrawn:,} of them" if film.redrawn < film.frames else ""

        return films.Drawing(draw=film, check=check, remark=remark)

    def _scene(self, job: inputs.Job, label: str) -> "Scene":
        from ..collage import Scene
        from ..progress import during

        photo = self._read(job.photo, label)
        with during(f"looking for {', '.join(self.options.parts)} in {label}", quiet=self.console.quiet):
            parts = None if self.find is None else self.find(photo)
            scene = Scene.of(photo, self.mask, parts, self.options)
        if not scene.places:
            if self.mask is not None:
                hint = "so there is nothing to redraw; from 128 of 255 on grey counts as white"
                raise PictureError(f"--mask {self.given.mask}: is white nowhere, {hint}")
            ways = "--mask FILE says where, white in a grey picture"
            raise PictureError(f"{job.photo}: {'; '.join(_lacking(scene, self.options.parts, ways))}")
        if hasattr(self.given, "parts") and (told := _lacking(scene, self.options.parts)):
            self.console.warn(f"{job.photo}: {'; '.join(told)}")
        return scene

    def _drawn(self, scene: "Scene", translator: "Artist", options: "Options", label: str) -> "Collage":
        self.progress.label = label
        self.progress.history.clear()  # the rate is that of this picture
        with self.progress as progress:
            return scene.drawn(translator, options, styles=self.styles, progress=progress)


def _lacking(scene: "Scene", wanted: Sequence[str], *hints: str) -> list[str]:
    """Which parts that are wanted were not found, hints, and what was found; nothing if none is lacking."""
    if scene.parts is None:
        return []
    there = scene.parts.present()
    if not (lacking := [part for part in wanted if part not in there]):
        return []
    found = [part for part in there if part != "background"]
    from ..collage.options import absent

    return [f"{absent(lacking)} in it", *hints, f"found: {', '.join(found) or 'nobody'}"]


def _check_style(name: str, translator: "Artist", styles: Sequence[str]) -> None:
    """Whether a model has the styles that it takes."""
    if translator.takes_style and not styles:
        raise OptionError(f"{name} takes a style: add --style PICTURE")
    if not translator.takes_style and styles:
        raise OptionError(f"{name} has a style of its own and takes no --style")


def _finder(given: argparse.Namespace) -> "Finder":
    from ..parsing import PartParser, finder, first_zone
    from ..parsing.finding import DEFAULT_MODEL, bundled

    if given.parser == FIRST_ZONE:
        return first_zone
    usual = given.parser is None or (given.parser == DEFAULT_MODEL and bundled())
    find = finder if usual else partial(PartParser, given.parser)
    return find(zoom=given.zoom, device=given.device, precision=given.precision)
