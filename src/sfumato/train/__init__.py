"""The trainer: one loop for every method. `sfumato.train(recipe, run)` calls the package itself."""

import sys
from types import ModuleType

from .loop import train
from .recipe import Optimizer, Recipe, Schedule, Watch

__all__ = ["Optimizer", "Recipe", "Schedule", "Watch", "train"]


class _Trainer(ModuleType):
    """A package whose call is its function of the same name: Python binds the name `sfumato.train` to the package."""

    __call__ = staticmethod(train)


sys.modules[__name__].__class__ = _Trainer
