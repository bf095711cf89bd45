"""What the studio is asked to do."""

from typing import Annotated, Any, Literal

from pydantic import Field

from ..collage.options import Filter
from ..collage.options import Options as CollageOptions
from ..options import Options as StylizeOptions
from .schema import Id, Model, Size

Filters = Annotated[tuple[Filter, ...], Field(min_length=1, max_length=12)]
Styles = Annotated[tuple[Id, ...], Field(max_length=8)]


class VariantsRequest(Model):
    """Variants of a photo: each model with each filter."""

    models: Annotated[tuple[str, ...], Field(min_length=1, max_length=12)]
    filters: Filters = ("none",)
    styles: Styles = ()
    """Ids of pictures, for models that take a style."""
    options: CollageOptions = CollageOptions()
    """`filter` is of no account; `parts` only while no mask was sent."""


class SaveOptions(Model):
    """How a result becomes a file."""

    format: Literal["png", "jpeg", "webp", "avif"] = "png"
    """PNG loses nothing; JPEG has no transparency."""
    quality: Annotated[int, Field(ge=1, le=100)] = 92
    """Of JPEG, WebP and AVIF."""
    keep_camera: bool = True
    """Keep EXIF, such as the camera and the date."""
    keep_place: bool = False
    """Keep in it where the photo was taken."""
    embed_recipe: bool = True
    """Write into the file how it was made: models and options, no names of files."""


class BlendRequest(Model):
    """A variant put into its photo anew."""

    options: CollageOptions | None = None
    """`blend`, `softness`, `color_match` and `strength` of them; None: those that it was made with."""


class ExportRequest(BlendRequest):
    """A variant as a file, at the photo's own size."""

    save: SaveOptions = SaveOptions()
    cutout: bool = False
    """Only the zone, on transparent ground; not as JPEG."""


class StylizeChoice(Model):
    """A photo in the style of others."""

    model: str = "microast/art"
    styles: Styles = ()
    """Ids of pictures; none for a model that has a style of its own."""
    options: StylizeOptions = StylizeOptions()
    use_mask: bool = False
    """Only where the photo's mask is white."""


class PreviewRequest(StylizeChoice):
    """A small preview, at once."""

    side: Annotated[int, Field(ge=64, le=768)] = 384
    """Longest side in pixels."""


class StylizeRequest(StylizeChoice):
    """The whole picture as a file."""

    save: SaveOptions = SaveOptions()


class TextureRequest(Model):
    """A texture like one or several swatches, or of a network that has learned one."""

    swatches: Annotated[tuple[Id, ...], Field(max_length=4)] = ()
    model: str | None = None
    """A model that fits `texture`, in place of swatches."""
    size: Annotated[Size, Field(description="[width, height]")] = (512, 512)
    seamless: bool = True
    """Copies side by side show no border."""
    weights: tuple[Annotated[float, Field(ge=0)], ...] = ()
    """How much of each swatch; all alike if none is given."""
    swatch_size: Annotated[int, Field(ge=16, le=2048)] | None = None
    """Longest side that the swatch is brought to; larger for larger grains."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    options: dict[str, Any] = {}
    """Fields of `texture` in /api/options."""
    save: SaveOptions = SaveOptions()


class BatchCollage(Model):
    """The same variant of many photos, each with a zone of its own parts, which `options.parts` names."""

    kind: Literal["collage"]
    model: str
    styles: Styles = ()
    options: CollageOptions = CollageOptions()


class BatchStylize(Model):
    """The same style for many photos."""

    kind: Literal["stylize"]
    model: str = "microast/art"
    styles: Styles = ()
    options: StylizeOptions = StylizeOptions()


class BatchRequest(Model):
    """The same on many photos of the session."""

    photos: Annotated[tuple[Id, ...], Field(min_length=1, max_length=500)]
    recipe: Annotated[BatchCollage | BatchStylize, Field(discriminator="kind")]
    save: SaveOptions = SaveOptions()
