"""Writes docs/methods, a page for each method, from docstrings, options and recipes, and docs/studio-api.md.

    python tools/docs.py [--check]

`--check` writes nothing and fails if a page is not what it would write; a test does the same. Of the methods nothing is
imported but the reader of source files that the command line has for its help texts; the page of the studio's interface
is made from its operations.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from sfumato.cli import source
from sfumato.cli.source import PACKAGE, Field
from sfumato.studio import openapi
from sfumato.studio.app import OPERATIONS

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs" / "methods"
GENERATED = "<!-- Written by tools/docs.py from the source; do not edit. -->"


def pages() -> dict[Path, str]:
    """Every page by its path."""
    names = source.names("methods")
    of_methods = {PAGES / f"{name}.md": page(name) for name in names} | {PAGES / "README.md": index(names)}
    return of_methods | {ROOT / "docs" / "studio-api.md": openapi.page(OPERATIONS)}


def page(name: str) -> str:
    """The page of one method."""
    file = f"methods/{name}.py"
    text = (PACKAGE / file).read_text(encoding="utf-8")
    tree = ast.parse(text)
    title = ast.get_docstring(tree) or name
    about = "\n\n".join(p for p in paragraphs(tree)[1:] if not p.startswith("#"))
    parts = [GENERATED, f"# {source.first_line(title)}", about, places(name), model(tree), deviations(name)]
    parts += [options(file), recipes(name), official(name)]
    return "\n\n".join(part for part in parts if part) + "\n"


def index(names: list[str]) -> str:
    """The list of the pages."""
    rows = "\n".join(f"- [{name}]({name}.md): {source.title(f'methods/{name}.py')}" for name in names)
    return f"{GENERATED}\n\n# Methods\n\nOne page for each paper, written from its source.\n\n{rows}\n"


def places(name: str) -> str:
    """Where the code is."""
    return "Source: " + ", ".join(f"[`src/sfumato/{f}`](../../src/sfumato/{f})" for f in files_of(name)) + "."


PARTS = {
    "hrnet": ("nets/heatmaps.py", "data/poses.py", "data/person_crop.py", "pose/estimator.py"),
    "segformer": (
        "losses/parts.py",
        "data/parsing.py",
        "data/part_labels.py",
        "data/part_sets.py",
        "parsing/parser.py",
    ),
}
"""What else belongs to a method, though others import it."""


def files_of(name: str) -> list[str]:
    """The files of a method: itself, its recipes, networks that nothing else imports, and `PARTS`."""
    files = [f"{folder}/{name}.py" for folder in ("methods", "recipes")]
    nets = [f"nets/{net}.py" for net, users in users_of_nets().items() if users == {files[0]}]
    return [f for f in [*files, *nets, *PARTS.get(name, ())] if (PACKAGE / f).is_file()]


@cache
def users_of_nets() -> dict[str, set[str]]:
    """The files that import each module of `nets`, but those of `nets`, which share parts."""
    users: dict[str, set[str]] = {name: set() for name in source.names("nets")}
    for path in sorted(PACKAGE.rglob("*.py")):
        file = path.relative_to(PACKAGE).as_posix()
        imports = (n for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.ImportFrom))
        for node in imports if not file.startswith("nets/") else ():
            module = node.module or ""
            found = [alias.name for alias in node.names] if module == "nets" else [module.removeprefix("nets.")]
            for net in found if module.startswith("nets") else ():
                users.get(net, set()).add(file)
    return users


def model(tree: ast.Module) -> str:
    """What the Model says of itself."""
    found = next((n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == "Model"), None)
    prose = [p for p in paragraphs(found) if not p.startswith(("#", "Args:", "Raises:", "Attributes:"))]
    return "\n\n".join(["## Model", *prose]) if prose else ""


def deviations(name: str) -> str:
    """The notes `# Differs from the paper: ...` in the files of a method, of comments and of docstrings.

    Those of a recipe begin with its name.
    """
    rows = []
    for file in files_of(name):
        text = (PACKAGE / file).read_text(encoding="utf-8")
        nodes = list(ast.walk(ast.parse(text)))
        runs = [f"{name}.{n.name}" if file.startswith("recipes/") and hasattr(n, "name") else "" for n in nodes]
        told = [("", note) for note in comments(text)]
        told += [(run, note) for run, node in zip(runs, nodes, strict=True) for note in paragraphs(node)]
        for run, note in told:
            if note.startswith("# Differs"):
                said = re.sub(r"^Differs from [^:,.]*: ", "", note.removeprefix("# "))
                rows.append(f"- `{run}`: {said}" if run else f"- {said[0].upper()}{said[1:]}")
    return "\n\n".join(["## What differs from the paper", "\n".join(rows)]) if rows else ""


def comments(text: str) -> Iterator[str]:
    """Each run of lines that are comments alone, or one at a line's end, as one line with one `# `."""
    last, run = -2, ""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type != tokenize.COMMENT:
            continue
        alone = not token.line[: token.start[1]].strip()
        if run and alone and token.start[0] == last + 1 and not token.string.startswith("# Differs"):
            run += token.string.removeprefix("#")
        else:
            yield run
            run = token.string
        last = token.start[0]
    yield run


def paragraphs(node: ast.AST | None) -> list[str]:
    """The paragraphs of a docstring, each on one line; those of notes begin with `# `."""
    if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
        return []
    text = re.split(r"\n\n|\n(?=# Differs)", ast.get_docstring(node) or "")
    return [" ".join(re.sub(r"\n\s*# ", " ", p).split()) for p in text]


def options(file: str) -> str:
    """A table of the Config."""
    fields = source.fields(file, "Config")
    rows = [f"| `{f.name}` | {kind(f)} | {f.default_text and f'`{f.default_text}`'} | {f.help} |" for f in fields]
    return "\n".join(["## Options", "", "| option | values | default | meaning |", "|---|---|---|---|", *rows])


def kind(field: Field) -> str:
    """What values a field takes, in words."""
    if field.choices:
        return ", ".join(f"`{choice}`" for choice in field.choices)
    word = {"int": "whole number", "float": "number", "str": "text", "bool": "yes or no"}.get(field.kind, field.kind)
    word = f"{word}s" if field.many and field.kind in ("int", "float", "str") else word
    return f"{word}, {field.bounds}" if field.bounds else word


def recipes(name: str) -> str:
    """The recipes, each with its whole docstring."""
    if name not in source.names("recipes"):
        return ""
    tree = ast.parse((PACKAGE / f"recipes/{name}.py").read_text(encoding="utf-8"))
    named = source.functions(f"recipes/{name}.py", "Recipe")
    rows = [
        f"### {name}.{node.name}\n\n" + "\n\n".join(p for p in paragraphs(node) if not p.startswith("#"))
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name in named and node.name != "tiny"
    ]
    about = f"`sfumato train {name}.{next(iter(named))} --help` lists what can be overridden ([training](../train.md))."
    return "\n\n".join(["## Recipes", about, *rows])


def official(name: str) -> str:
    """The files of the authors that can be read."""
    roles = source.constant(f"methods/{name}.py", "OFFICIAL_ROLES")
    if not roles:
        return ""
    extras = source.constant(f"methods/{name}.py", "OFFICIAL_EXTRAS") or ()
    listed = ", ".join([*(f"`{role}`" for role in roles), *(f"perhaps `{role}`" for role in extras)])
    text = f"`sfumato import {name}` reads them ([models](../models.md)); the roles of its files: {listed}."
    return f"## The authors' files\n\n{text}"


def main() -> None:
    wanted = pages()
    outdated = [p for p, text in wanted.items() if not p.is_file() or p.read_text(encoding="utf-8") != text]
    extra = [path for path in PAGES.glob("*.md") if path not in wanted]
    if "--check" in sys.argv[1:]:
        if outdated or extra:
            names = ", ".join(str(p.relative_to(ROOT)) for p in [*outdated, *extra])
            sys.exit(f"not up to date: {names}; run: python tools/docs.py")
        return
    PAGES.mkdir(parents=True, exist_ok=True)
    for path in extra:
        path.unlink()
    for path in outdated:
        path.write_text(wanted[path], encoding="utf-8")
        print(f"written: {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
