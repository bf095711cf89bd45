"""Flags from the dataclasses that the code uses: a field is a flag, its docstring the help, its default the default.

argparse, not tyro: `import tyro` alone takes 0.1 s of the 0.3 s that a help text may take, and it would need the
dataclasses themselves, which for a method means importing torch. tyro reads what only a recipe can tell, in
`sfumato train RECIPE`. Values stay text here; pydantic converts them and checks their bounds, once the class may be
imported.
"""

import argparse
import re
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn, TypeVar

from .. import __version__
from ..errors import OptionError
from .source import Field

ConfigT = TypeVar("ConfigT")
METAVARS = {"float": "X", "int": "N", "str": "TEXT", "Path": "PATH"}


class Parser(argparse.ArgumentParser):
    """A parser whose errors are ours."""

    def error(self, message: str) -> NoReturn:
        raise OptionError(f"{message}; see `{self.prog} --help`")


def parser(command: str, description: str, examples: Sequence[str]) -> Parser:
    """The parser of a command, to which `finish` adds the flags of every command.

    Args:
        description: what it does, in a sentence or two.
        examples: command lines without `sfumato`, for the end of the help.
    """
    return Parser(
        prog=f"sfumato {command}",
        description=description,
        epilog="examples:\n" + "\n".join(f"  sfumato {example}" for example in examples),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        add_help=False,
    )


def finish(made: Parser) -> Parser:
    """The parser with the flags of every command, which stand last in its help."""
    group = made.add_argument_group("flags of every command")
    group.add_argument("-h", "--help", action="help", help="Show this text")
    group.add_argument("--version", action="version", version=f"sfumato {__version__}", help="Show the version")
    group.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, xpu or mps (default: auto)")
    group.add_argument("--seed", type=_seed, metavar="N", help="Fixes all random numbers (default: 0)")
    group.add_argument("-q", "--quiet", action="store_true", help="Print nothing but warnings and errors")
    group.add_argument("--debug", action="store_true", help="Show where an error comes from")
    return made


def add(group: argparse._ActionsContainer, fields: Sequence[Field], *, shown: bool = True) -> None:
    """Adds a flag for each field; what is not given stays out of the namespace."""
    for field in fields:
        text = _help(field) if shown else argparse.SUPPRESS
        settings: dict[str, Any] = {"dest": field.name, "default": argparse.SUPPRESS, "help": text}
        if field.kind == "bool":
            settings["action"] = argparse.BooleanOptionalAction if field.default else "store_true"
        else:
            settings["metavar"] = METAVARS.get(field.kind)
            if field.choices and not field.many:
                settings |= {"choices": field.choices, "metavar": None}
            if field.many:
                settings["nargs"] = field.count or "+"
        group.add_argument(flag(field.name), **settings)


def flag(name: str) -> str:
    """The flag of a field."""
    return "--" + name.replace("_", "-")


def given(namespace: argparse.Namespace, fields: Sequence[Field]) -> dict[str, Any]:
    """The fields that were given, still as text."""
    return {f.name: getattr(namespace, f.name) for f in fields if hasattr(namespace, f.name)}


def build(kind: type[ConfigT], values: Mapping[str, Any]) -> ConfigT:
    """The dataclass with these values, converted from text and checked against their bounds.

    Raises:
        OptionError: a value is wrong; its flag is named.
    """
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(kind).validate_python(dict(values))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = str(first["loc"][0]) if first["loc"] else ""
        wrong = values.get(name, first["input"])
        text = " ".join(map(str, wrong)) if isinstance(wrong, list | tuple) else str(wrong)
        raise OptionError(f"{flag(name)} {text}: {first['msg'].lower()}") from error


def size(text: str) -> tuple[int, int]:
    """`640x480` or `512` as width and height."""
    match = re.fullmatch(r"([1-9]\d{0,8})(?:[x×]([1-9]\d{0,8}))?", text)
    if not match:
        raise OptionError(f"--size {text}: wants pixels such as 640x480, or 512 for a square")
    return int(match[1]), int(match[2] or match[1])


def pairs(name: str, form: str, given: Sequence[str]) -> dict[str, str]:
    """ROLE=PATH arguments; a path may hold further equals signs.

    Raises:
        OptionError: one has no equals sign, or a name twice.
    """
    pairs: dict[str, str] = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not (key and equals and value):
            raise OptionError(f"{name} {text}: wants the form {form}")
        if key in pairs:
            raise OptionError(f"{name} {text}: {key} is given twice")
        pairs[key] = value
    return pairs


def _help(field: Field) -> str:
    remarks = [field.bounds] if field.bounds else []
    if field.default is True:
        remarks.append(f"default: {flag(field.name)}")
    elif field.default is not False and field.default not in (None, "", ()):
        default = " ".join(map(str, field.default)) if isinstance(field.default, tuple) else field.default
        remarks.append(f"default: {default}")
    text = field.help.rstrip(".") + (f" ({'; '.join(remarks)})" if remarks else "")
    return text.replace("%", "%%")


def _seed(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) >= 2**31:
        raise argparse.ArgumentTypeError(f"a seed is a whole number from 0 to {2**31 - 1}, not {text!r}")
    return int(text)
