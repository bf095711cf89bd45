"""The trainer: one loop for every method."""

from .loop import train
from .recipe import Adam, Recipe

__all__ = ["Adam", "Recipe", "train"]
