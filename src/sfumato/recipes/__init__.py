"""One file for each method; each function is a named run, such as `microast.art`.

Listing them needs no torch.
"""

import ast
import difflib
import importlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import RecipeError

if TYPE_CHECKING:
    from ..train.recipe import Recipe


def available() -> dict[str, str]:
    """The first line of the docstring of each recipe, by name; the `tiny` ones of the tests are left out."""
    return {
        f"{path.stem}.{node.name}": (ast.get_docstring(node) or "").partition("\n")[0]
        for path in sorted(Path(__file__).parent.glob("[a-z]*.py"))
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and node.name != "tiny"
    }


def find(name: str) -> "Recipe":
    """The recipe of that name.

    Raises:
        RecipeError: there is none.
    """
    names = available()
    module, _, function = name.partition(".")
    of_method = [known for known in names if known.startswith(f"{module}.")]
    if name not in names and not (function == "tiny" and of_method):
        close = difflib.get_close_matches(name, names, 1)
        if of_method and not function:
            hint = f"there are {', '.join(of_method)}"
        else:
            hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(names)}"
        raise RecipeError(f"there is no recipe {name!r}; {hint}")
    recipe: Recipe = getattr(importlib.import_module(f"{__name__}.{module}"), function)()
    return recipe


def parse(name: str, words: Sequence[str]) -> "Recipe":
    """The recipe of that name, with values overridden by `--FIELD VALUE...`.

    `--help` among the words prints all fields to stdout and ends the program.

    Raises:
        WeightsError: the model that it is to begin with is unknown.
        RecipeError: there is no such recipe, a field is unknown or a value is wrong; one line that names it.
    """
    recipe = find(name)
    from ..train.overrides import override

    return _begun(override(recipe, words, program=f"sfumato train {name}"))


def _begun(recipe: "Recipe") -> "Recipe":
    """The recipe with the file of the model that it begins with, if it names one."""
    if not recipe.start or Path(recipe.start).suffix in (".pt", ".safetensors"):
        return recipe
    from .. import zoo

    return replace(recipe, start=str(zoo.find(recipe.start).path))
