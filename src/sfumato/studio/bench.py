"""What the working process keeps at hand: models, pictures, a parser; and what there is to choose from."""

import dataclasses
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from pydantic import TypeAdapter

from .. import device, image, zoo
from ..card import Card
from ..collage.options import Options as CollageOptions
from ..errors import SfumatoError
from ..image import Picture
from ..machine import is_about_memory
from ..methods import base, gatys, segformer
from ..options import Options
from ..parsing import Parts, finder, first_zone
from ..parsing.finding import DEFAULT_MODEL, Finder, bundled
from ..progress import Report
from ..translate import Painter, Translator
from .notes import note
from .problems import Refusal, no_such_model, wrong_value
from .schema import GATYS, ModelInfo, Note
from .views import shrunk

if TYPE_CHECKING:
    from collections.abc import Hashable

Artist: TypeAlias = Translator | Painter
ResultT = TypeVar("ResultT")

WARM = 4
"""Models that are kept in memory."""
KEPT_PICTURES, KEPT_PIXELS = 16, 6_000_000
"""Pictures that are kept in memory, and how many pixels one of them may have."""
CAREFUL_TILE = 256
"""Side of the parts in which work is tried again after memory ran out."""


class Bench:
    """Everything at hand.

    Args:
        device_name: where models run.
        report: told how far a piece of work is; returns False to cancel it.
        loading: told the name and the bytes of a model before it is loaded.
    """

    def __init__(self, device_name: str, report: Report, loading: Callable[[str, int], None]) -> None:
        device.keep_memory()
        self.device, self.report, self.loading = device.pick(device_name), report, loading
        self.artists: OrderedDict[str, Artist] = OrderedDict()
        self.pictures: OrderedDict[Hashable, Picture] = OrderedDict()
        self.finder: Finder | None = None

    def do(self, op: str, given: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Does a piece of work of `work.OPS`; returns its values and bytes."""
        from .work import OPS

        return OPS[op](self, given)

    def names(self) -> list[str]:
        """Of the models in memory."""
        return [*self.artists, *([] if self.finder is None or self.finder is first_zone else [DEFAULT_MODEL])]

    def artist(self, name: str) -> Artist:
        """A model ready for pictures.

        Raises:
            Refusal: there is none of that name.
            SfumatoError: it cannot be loaded, or makes no pictures.
        """
        if name not in self.artists:
            self.loading(name, size_of(name))
            made = Painter(device=self.device) if name == GATYS else Translator(name, device=self.device)
            self.artists[name] = made
            if len(self.artists) > WARM:
                self.artists.popitem(last=False)
        self.artists.move_to_end(name)
        return self.artists[name]

    def with_room(self, name: str, work: Callable[[Artist], ResultT]) -> tuple[ResultT, Note | None]:
        """What `work` makes with a model, and a remark if memory ran out and it took another way."""
        for remark, change in self._ways(name):
            try:
                return work(change()), remark
            except Exception as error:
                if not is_about_memory(error):
                    raise
            self._free()
        raise Refusal("no_memory", "There was not enough memory.", "Close other programs, or take a smaller size.")

    def _ways(self, name: str) -> Sequence[tuple[Note | None, Callable[[], Artist]]]:
        def careful(where: Any) -> Artist:
            return Painter(device=where) if name == GATYS else Translator(name, CAREFUL_TILE, device=where)

        ways: list[tuple[Note | None, Callable[[], Artist]]] = [(None, lambda: self.artist(name))]
        if name != GATYS:
            ways.append((note("in_parts"), lambda: careful(self.device)))
        if self.device.type != "cpu":
            ways.append((note("by_processor"), lambda: careful("cpu")))
        return ways

    def _free(self) -> None:
        import torch

        self.artists.clear()
        self.finder = None
        self.pictures.clear()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def picture(self, path: str, longest: int | None = None) -> Picture:
        """The picture of a file of the studio, smaller if it has to be; those of late are kept.

        Args:
            path: of the file.
            longest: most pixels of a side.
        """
        status = Path(path).stat()
        key = (path, status.st_mtime_ns, status.st_size, longest)
        if key not in self.pictures:
            found = image.in_color(image.read(path))
            found = found if longest is None else shrunk(found, longest)
            if found.width * found.height > KEPT_PIXELS:
                return found
            self.pictures[key] = found
            if len(self.pictures) > KEPT_PICTURES:
                self.pictures.popitem(last=False)
        self.pictures.move_to_end(key)
        return self.pictures[key]

    def parsed(self, picture: Picture) -> tuple[Parts, str]:
        """The parts of a picture, and what found them: a network where there is one, else a first guess."""
        found = self.the_finder()
        return found(picture), "first_zone" if found is first_zone else "parser"

    def the_finder(self) -> Finder:
        """What finds parts; loaded if it is not there."""
        if self.finder is None:
            if bundled():
                self.loading(DEFAULT_MODEL, size_of(DEFAULT_MODEL))
            self.finder = finder(device=str(self.device))
        return self.finder


def size_of(name: str) -> int:
    """Bytes of a model's file.

    Raises:
        Refusal: there is no such model here. Names of files are none: nobody loads from a path through the studio.
    """
    if name == GATYS:
        return 0
    for entry in zoo.available():
        if entry.name == name and entry.path is not None and not entry.problem:
            return entry.size
    raise no_such_model(name)


def models() -> list[ModelInfo]:
    """All models, and which work each fits."""
    made = ModelInfo(
        name=GATYS,
        title="Optimisation by Gatys et al.: slow, and free to choose in everything",
        method=GATYS,
        licence="MIT",
        place="bundled",
        bytes=0,
        fits=("stylize", "collage", "texture"),
        loaded=False,
    )
    return [*(info_of(entry) for entry in zoo.available()), made]


def info_of(entry: zoo.Entry) -> ModelInfo:
    """What the client is told of a model."""
    fits, problem = fits_of(entry)
    return ModelInfo(
        name=entry.name,
        title=entry.title,
        method=entry.card.method if entry.card else "",
        licence=entry.licence,
        place=entry.place,
        bytes=entry.size,
        fits=fits,
        loaded=False,
        problem=problem,
    )


def fits_of(entry: zoo.Entry) -> tuple[Any, str]:
    """The kinds of work that a model fits as far as its card tells, and why it cannot be used if so."""
    absent = f"Not on this computer; `sfumato models get {entry.name}` downloads it." if entry.path is None else ""
    problem = entry.problem or absent
    if entry.card is None:  # it is damaged, or a network that judges and makes no pictures
        return (), problem
    try:
        kind = zoo.method_module(entry.card.method).Model
    except SfumatoError as error:
        return (), str(error)
    if issubclass(kind, base.Stylizer):
        return ("stylize", "collage"), problem
    if kind is segformer.Model:
        return ("parse",), problem
    return of_pictures(entry.card, problem) if issubclass(kind, base.ImageToImage) else ((), problem)


def of_pictures(card: Card, problem: str) -> tuple[Any, str]:
    """The same of a model from picture to picture; some weave from noise alone, and some must be told a class."""
    try:
        model = zoo.blank(card)
    except SfumatoError as error:
        return ("translate", "collage"), problem or str(error)
    if getattr(model, "blind", False):
        return ("texture",), problem
    classed = "It must be told a class; `sfumato translate --label` does that." if getattr(model, "classes", ()) else ""
    return ("translate", "collage"), problem or classed


def forms() -> dict[str, Any]:
    """JSON schemas of what can be chosen, by kind of work."""
    texture = TypeAdapter(gatys.Config).json_schema()
    for name in (*gatys.SHARED, *gatys.OF_CONTENT):
        del texture["properties"][name]
    return {
        "collage": TypeAdapter(CollageOptions).json_schema(),
        "stylize": TypeAdapter(Options).json_schema(),
        "texture": texture,
    }


def built(kind: Any, values: dict[str, Any]) -> Any:
    """A dataclass of options from JSON values.

    Raises:
        Refusal: a value is wrong, or nothing of that name can be chosen.
    """
    from pydantic import ValidationError

    if unknown := sorted(set(values) - {field.name for field in dataclasses.fields(kind)}):
        raise Refusal("wrong_option", f"There is no option {unknown[0]!r}.")
    try:
        return TypeAdapter(kind).validate_python(values)
    except ValidationError as error:
        raise wrong_value(error) from error
