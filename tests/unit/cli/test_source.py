"""What is read from the source is what the classes say."""

import dataclasses
import importlib
import inspect
import typing

import pytest

from sfumato.cli import source, stylize
from sfumato.recipes import available

DATACLASSES = [
    ("options.py", "Options"),
    ("collage/options.py", "Options"),
    ("train/recipe.py", "Recipe"),
    *((f"methods/{name}.py", "Config") for name in source.names("methods")),
]


@pytest.mark.parametrize(("file", "name"), DATACLASSES)
def test_fields(file, name):
    module = importlib.import_module("sfumato." + file.removesuffix(".py").replace("/", "."))
    kind = getattr(module, name)
    read = {field.name: field for field in source.fields(file, name)}
    assert list(read) == [field.name for field in dataclasses.fields(kind)]
    for field in dataclasses.fields(kind):
        if isinstance(field.default, (int, float, str, tuple)):
            assert read[field.name].default == field.default
        assert set(read[field.name].choices) == set(map(str, literals(typing.get_type_hints(kind)[field.name])))


def literals(hint):
    """All values of the Literals in a type."""
    if typing.get_origin(hint) is typing.Literal:
        return list(typing.get_args(hint))
    return [value for part in typing.get_args(hint) for value in literals(part)]


def test_every_field_has_a_help_text():
    for file, name in DATACLASSES:
        assert [f.name for f in source.fields(file, name) if not f.help] == []


def test_bounds_in_words():
    bounds = {field.name: field.bounds for field in source.fields("options.py", "Options")}
    assert (bounds["strength"], bounds["keep_colors"]) == ("0 to 1", "")
    assert {f.name: f.bounds for f in source.fields("methods/microast.py", "Config")}["width"] == "above 0"


@pytest.mark.parametrize("name", source.names("methods"))
def test_constants_and_titles(name):
    module = importlib.import_module(f"sfumato.methods.{name}")
    assert source.constant(f"methods/{name}.py", "OFFICIAL_ROLES") == getattr(module, "OFFICIAL_ROLES", None)
    assert inspect.getdoc(module).startswith(source.title(f"methods/{name}.py"))


def test_recipes():
    for name, line in available().items():
        file, _, function = name.partition(".")
        assert source.functions(f"recipes/{file}.py", "Recipe")[function] == line.rstrip(".")


def test_methods_that_stylize():
    assert {"adain", "gatys", "microast"} <= set(stylize.methods())
    assert "vgg" not in stylize.methods()
