"""Models as callers give them: built, by name, or by file."""

import os
from typing import TypeVar

from torch import nn

from .. import zoo
from ..errors import OptionError

Given = nn.Module | str | os.PathLike[str]
M = TypeVar("M", bound=nn.Module)


def loaded(model: Given, kinds: type[M] | tuple[type[M], ...], problem: str) -> M:
    """The model itself, or that of a name or path as `zoo.load` takes it, in evaluation mode.

    Args:
        problem: what is to be said of a model of another kind, after its name.

    Raises:
        OptionError: it is of another kind.
        WeightsError: it cannot be loaded.
    """
    found = model if isinstance(model, nn.Module) else zoo.load(os.fspath(model))
    if not isinstance(found, kinds):
        raise OptionError(f"{named(model)} {problem}")
    return found.eval()


def named(model: Given) -> str:
    """What a model is called in messages."""
    return type(model).__name__ if isinstance(model, nn.Module) else os.fspath(model)
