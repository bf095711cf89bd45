"""Rigged characters as drawings of lines, with labels: characters, motions, cameras, engines."""

from .sets import render

__all__ = ["render"]
