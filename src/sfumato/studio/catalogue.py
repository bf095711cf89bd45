"""The models there are, as the server knows them: wishes that no model can fulfil are refused before they wait."""

from typing import Literal

from .problems import Refusal, no_such_model
from .schema import ModelInfo
from .studio import Studio

Work = Literal["collage", "stylize", "translate", "texture"]
PAINTING: tuple[Work, ...] = ("stylize", "translate")
"""What is sent as `stylize`: models that take a style, and those that have their own."""


async def listed(studio: Studio) -> tuple[ModelInfo, ...]:
    """All models as they are now; they are remembered.

    Raises:
        Refusal: the process that knows them died.
    """
    values, _ = await studio.engine.quick.call("models", {})
    loaded = set(studio.engine.heavy.loaded)
    found = tuple(ModelInfo(**info | {"loaded": info["name"] in loaded}) for info in values["models"])
    studio.models = {info.name: info for info in found}
    return found


async def fit(studio: Studio, name: str, works: tuple[Work, ...], *, styles: bool = True) -> ModelInfo:
    """A model that can do one of these kinds of work. No weights are loaded.

    Args:
        studio: that has the models.
        name: of the model.
        works: any of them will do.
        styles: whether there is a style, which some models need.

    Raises:
        Refusal: there is none of that name here, it does other work, or it lacks a style.
    """
    known = studio.models.get(name)
    if known is None or known.problem:  # it may have come since
        await listed(studio)
        known = studio.models.get(name)
    if known is None or known.place == "downloadable":
        raise no_such_model(name)
    if known.problem:
        raise Refusal("no_model", known.problem)
    if not set(works) & set(known.fits):
        message, hint = f"The model {name!r} does other work.", "GET /api/models says which work each fits."
        raise Refusal("no_model", message, hint, detail="other_work", values={"name": name})
    if takes_style(known) and not styles:
        message, hint = f"The model {name!r} needs a style.", "Send a picture whose style is to be taken."
        raise Refusal("wrong_option", message, hint, detail="no_style")
    return known


def takes_style(model: ModelInfo) -> bool:
    """Whether a model paints like pictures that are sent along."""
    return "stylize" in model.fits
