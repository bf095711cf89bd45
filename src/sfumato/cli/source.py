"""What a help text needs, read from source files without running them: importing torch would take seconds.

Options, their defaults and their help stand once, in the dataclasses that the code itself uses.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeGuard

PACKAGE = Path(__file__).parent.parent
STYLIZER = re.compile(r"^class Model\(.*Stylizer\)", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field of a dataclass as its source has it."""

    name: str
    kind: str
    """The innermost type: `float`, `int`, `str`, `bool`, `Literal`, or another name."""
    many: bool
    """Whether it is a tuple,"""
    count: int
    """and of how many values; 0: of any number."""
    optional: bool
    """Whether None is among its values."""
    choices: tuple[str, ...]
    """Of a Literal."""
    bounds: str
    """What is allowed, in words: `0 to 1`, `above 0`; empty if all is."""
    default: Any
    """A plain value, also of a constant's name, or None where the source computes it."""
    default_text: str
    """The default as the source has it; empty if there is none."""
    help: str
    """The docstring below it."""


def names(folder: str) -> list[str]:
    """The public modules of a folder of the package, without `base`."""
    return sorted(path.stem for path in (PACKAGE / folder).glob("[a-z]*.py") if path.stem != "base")


def fields(file: str, name: str) -> list[Field]:
    """The fields of the dataclass `name` in a file of the package such as `methods/gatys.py`, inherited ones first."""
    kind = next(n for n in _tree(file).body if isinstance(n, ast.ClassDef) and n.name == name)
    found = {field.name: field for base in kind.bases for field in _inherited(base, file)}
    for node, after in zip(kind.body, [*kind.body[1:], None]):
        if isinstance(node, ast.AnnAssign) and not ast.unparse(node.annotation).startswith("ClassVar"):
            field = _field(node, after, file)
            found[field.name] = field  # one that is inherited keeps its place
    return list(found.values())


def _inherited(base: ast.expr, file: str) -> list[Field]:
    """The fields of a base class: of this file, imported by it, or `module.Class` of the same folder."""
    module, _, name = ast.unparse(base).rpartition(".")
    return fields((Path(file).parent / f"{module}.py").as_posix() if module else _home(name, file) or file, name)


def constant(file: str, name: str) -> Any:
    """A constant of a file of the package, or None if it has none of that name."""
    for node in _tree(file).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return _plain(node.value)
    return None


def functions(file: str, returns: str) -> dict[str, str]:
    """The public functions of a file that are annotated to return `returns`, with their docstrings' first lines."""
    return {
        node.name: first_line(ast.get_docstring(node) or "")
        for node in _tree(file).body
        if isinstance(node, ast.FunctionDef)
        and not node.name.startswith("_")
        and node.returns is not None
        and ast.unparse(node.returns) == returns
    }


def stylizes(file: str) -> bool:
    """Whether a method's file has a Model that takes a picture and a style.

    By its text: to parse all methods would take half of the time of a help text.
    """
    return STYLIZER.search((PACKAGE / file).read_text(encoding="utf-8")) is not None


def title(file: str) -> str:
    """The first line of a file's docstring."""
    return first_line(ast.get_docstring(_tree(file)) or "")


def first_line(docstring: str) -> str:
    """The first line, without its full stop."""
    return docstring.partition("\n")[0].rstrip(".")


@cache
def _tree(file: str) -> ast.Module:
    return ast.parse((PACKAGE / file).read_text(encoding="utf-8"))


def _field(node: ast.AnnAssign, after: ast.stmt | None, file: str) -> Field:
    parts = list(_parts(node.annotation, file))
    names = [n.id for n in parts if isinstance(n, ast.Name)]
    literals = [n for n in parts if isinstance(n, ast.Subscript) and ast.unparse(n.value) == "Literal"]
    choices = tuple(str(c) for n in literals for c in _elements(ast.literal_eval(n.slice)))
    return Field(
        name=ast.unparse(node.target),
        kind=next((n for n in names if n in {"Literal", "float", "int", "bool", "str", "Path"}), names[0]),
        many="tuple" in names,
        count=next((n for n in map(_length, parts) if n), 0),
        optional=any(isinstance(n, ast.Constant) and n.value is None for n in parts),
        choices=choices,
        bounds=_bounds(parts),
        default=_value(node.value, file),
        default_text=ast.unparse(node.value) if node.value else "",
        help=" ".join(str(ast.literal_eval(after.value)).split()) if _is_text(after) else "",
    )


def _length(part: ast.AST) -> int:
    """The number of values of a tuple that has a fixed one; 0: it is none."""
    match part:
        case ast.Subscript(value=ast.Name(id="tuple"), slice=ast.Tuple(elts=elements)):
            return 0 if any(isinstance(one, ast.Constant) for one in elements) else len(elements)
    return 0


def _is_text(node: ast.stmt | None) -> TypeGuard[ast.Expr]:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _parts(annotation: ast.expr, file: str) -> Iterator[ast.AST]:
    """Everything in an annotation, names of other types replaced by what they stand for."""
    for part in ast.walk(annotation):
        yield part
        if isinstance(part, ast.Name) and (found := _alias(part.id, file)):
            yield from _parts(*found)


def _alias(name: str, file: str) -> tuple[ast.expr, str] | None:
    """What a name stands for, and the file of the package that says so; None if it is no alias of ours."""
    for node in _tree(file).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return node.value, file
    home = _home(name, file)
    return _alias(name, home) if home else None


def _home(name: str, file: str) -> str | None:
    """The file of the package that another one imports a name from; None if that is no import of ours."""
    for node in _tree(file).body:
        if isinstance(node, ast.ImportFrom) and node.level and any(a.name == name for a in node.names):
            folder = Path(file).parents[node.level - 1]
            module = (folder / (node.module or "").replace(".", "/")).as_posix()
            files = [f for f in (f"{module}.py", f"{module}/__init__.py") if (PACKAGE / f).is_file()]
            return files[0] if files else None
    return None


def _bounds(parts: Iterable[ast.AST]) -> str:
    """The bounds of an annotation in words, from everything in it."""
    calls = (n for n in parts if isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.args)
    limit = {n.func.id: ast.unparse(n.args[0]) for n in calls}  # type: ignore[attr-defined]
    if "Ge" in limit and "Le" in limit:
        return f"{limit['Ge']} to {limit['Le']}"
    words = {"Ge": "at least", "Gt": "above", "Le": "at most", "Lt": "below"}
    return ", ".join(f"{word} {limit[kind]}" for kind, word in words.items() if kind in limit)


def _value(node: ast.expr | None, file: str) -> Any:
    """The plain value of an expression, names and `get_args` of a Literal looked up; None where more is computed."""
    match node:
        case ast.Name(id=name):
            return next((_value(found, home) for found, home in _assigned(name, file)), None)
        case ast.Call(func=ast.Name(id="get_args"), args=[ast.Name(id=name)]) if found := _alias(name, file):
            literals = (part for part in _parts(*found) if isinstance(part, ast.Subscript))
            return tuple(choice for literal in literals for choice in _elements(ast.literal_eval(literal.slice)))
    return _plain(node)


def _assigned(name: str, file: str) -> Iterator[tuple[ast.expr, str]]:
    """What a constant of a file, or one that it imports, is set to, and the file that says so."""
    home = _home(name, file) or file
    for node in _tree(home).body:
        match node:
            case ast.Assign(targets=[ast.Name(id=target)], value=value) if target == name:
                yield value, home
            case ast.AnnAssign(target=ast.Name(id=target), value=ast.expr() as value) if target == name:
                yield value, home


def _plain(node: ast.expr | None) -> Any:
    try:
        return None if node is None else ast.literal_eval(node)
    except ValueError:
        return None


def _elements(value: Any) -> Iterator[Any]:
    yield from value if isinstance(value, tuple) else (value,)
