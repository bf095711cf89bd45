"""The card of a model: what a model file says of itself, as JSON in the file's header.

A card is data, never code: it may only name a method, a module inside `sfumato.methods` or an installed entry point.
"""

import dataclasses
import functools
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from annotated_types import Ge

from .errors import WeightsError

if TYPE_CHECKING:
    from pydantic import TypeAdapter

_FORBID: Any = {"extra": "forbid", "use_attribute_docstrings": True}


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """A set of pictures that a model learned from."""

    __pydantic_config__: ClassVar[Any] = _FORBID

    name: str
    licence: str
    count: Annotated[int, Ge(0)]
    """Pictures used."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A measured number."""

    __pydantic_config__: ClassVar[Any] = _FORBID

    name: str
    value: float
    unit: str = ""
    command: str = ""
    """What to run to measure it again."""
    machine: str = ""


@dataclass(frozen=True, kw_only=True)
class Card:
    """What a model file says of itself."""

    __pydantic_config__: ClassVar[Any] = _FORBID

    name: str
    """As `sfumato.load` takes it, such as `microast/art`."""
    method: str
    """A module of `sfumato.methods`, or an installed entry point of that group."""
    config: dict[str, Any] = field(default_factory=dict)
    """The method's Config."""
    title: str = ""
    """One line for the list of models."""
    description: str = ""
    licence: str = ""
    attribution: list[str] = field(default_factory=list)
    """Whom to name when the model is passed on."""
    side: Annotated[int, Ge(0)] = 0
    """Longest side in pixels of the pictures that suit it, as those that it learned from; 0: any."""
    data: list[DataSet] = field(default_factory=list)
    command: str = ""
    """What to run to train it again."""
    images_seen: Annotated[int, Ge(0)] = 0
    losses: dict[str, float] = field(default_factory=dict)
    """The last ones of the training."""
    figures: list[Figure] = field(default_factory=list)
    created: str = ""
    """Date, YYYY-MM-DD; `save` fills it in."""
    sfumato_version: str = ""
    """Of the program that wrote the file; `save` fills it in."""
    source: str = ""
    """Where the weights or the method come from."""
    citation: str = ""
    notes: list[str] = field(default_factory=list)
    """Limits and warnings."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", self.method):
            raise WeightsError(f"method {self.method!r} of a card is not the name of a module (a-z, 0-9, _)")

    def to_json(self) -> str:
        """The card as JSON.

        Raises:
            WeightsError: a field has a value that no reader would accept; it is named.
        """
        try:
            text = json.dumps(dataclasses.asdict(self), allow_nan=False, ensure_ascii=False)
        except (TypeError, ValueError) as error:
            raise WeightsError(
                f"the card of {self.name}: {_unfit_field(self)} cannot be written as JSON ({error})"
            ) from error
        Card.from_json(text)
        return text

    @classmethod
    def from_json(cls, text: str) -> "Card":
        """A card from JSON, strictly.

        Raises:
            WeightsError: it has a wrong, missing or unknown field, which is named.
        """
        from pydantic import ValidationError

        try:
            return _card_adapter().validate_json(text, strict=True)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(str(part) for part in first["loc"]) or "its text"
            raise WeightsError(f"card field {place}: {first['msg'].lower()}") from error


@functools.cache
def _card_adapter() -> "TypeAdapter[Card]":
    from pydantic import TypeAdapter

    return TypeAdapter(Card)


def _unfit_field(card: Card) -> str:
    def fits(value: Any) -> bool:
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError):
            return False
        return True

    return next((name for name, value in dataclasses.asdict(card).items() if not fits(value)), "it")
