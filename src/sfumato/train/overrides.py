"""A recipe with some of its values overridden by words of a command line.

override(recipe, ["--data.content", "photos", "--images", "1000"])
"""

import contextlib
import difflib
import io
import re
from collections.abc import Sequence
from dataclasses import replace

from ..errors import RecipeError
from .recipe import Recipe, validated

LENGTHS = {
    "epochs": "epochs times the pictures of the set",
    "steps": "steps times --batch",
    "iterations": "iterations times --batch",
}
"""What others count the length of a run in, and how that becomes the number of images."""
MOST = 3
"""Fields that are suggested for one."""


def override(recipe: Recipe, words: Sequence[str], *, program: str = "sfumato train") -> Recipe:
    """The recipe with those values, each of its type and within its bounds.

    `--help` prints all fields with their docstrings to stdout and ends the program.

    Args:
        recipe: where the other values come from.
        words: `--FIELD VALUE...`, with dots into nested fields.
        program: how the help calls the command.

    Raises:
        RecipeError: a field is unknown or a value is wrong; one line that names the field.
    """
    import tyro

    if recipe.more is None and any(word.startswith("--more.") for word in words):
        recipe = replace(recipe, more=override(recipe, of_one_set(words), program=program).data)
    complaint = io.StringIO()
    with contextlib.redirect_stderr(complaint):
        try:
            parsed, strangers = tyro.cli(
                type(recipe), prog=program, default=recipe, args=words, return_unknown_args=True
            )
        except SystemExit as end:
            if not end.code:  # after --help
                raise
            raise RecipeError(one_line(complaint.getvalue())) from end
    if strangers:
        raise RecipeError(unknown(recipe, strangers))
    return validated(parsed)


def said(field: str, value: object) -> list[str]:
    """The words that `override` reads as that value of a field.

    Args:
        field: its path, with dots.
        value: as JSON has it.
    """
    path, _, name = field.replace("_", "-").rpartition(".")
    before = f"--{path}." if path else "--"
    if isinstance(value, bool):
        return [f"{before}{name}" if value else f"{before}no-{name}"]
    return [f"{before}{name}", *map(str, value if isinstance(value, list | tuple) else [value])]


def of_one_set(words: Sequence[str]) -> list[str]:
    """The words but for `--more.FIELD`, `--share.FIELD`, their values, and `--help`."""
    kept, keep = list[str](), True
    for word in words:
        if word.startswith("--") or word == "-h":
            keep = not word.startswith(("--more.", "--share.", "--help", "-h"))
        if keep:
            kept.append(word)
    return kept


def one_line(box: str) -> str:
    """What a framed message of tyro says, without its title and what comes after the next rule.

    Where the terminal has no letters for a frame, there is a rule below the title, too.
    """
    said: list[str] = []
    for line in box.splitlines()[1:]:
        text = line.strip(" │|")
        if not text.startswith(("─", "╰", "---", "+")):
            said.append(text)
        elif said:
            break
    text = re.sub(r"^Error parsing (\S+):", r"\1:", " ".join(said))
    return text[:1].lower() + text[1:]


def unknown(recipe: Recipe, words: Sequence[str]) -> str:
    """What is wrong with words that are no field of the recipe, and what may have been meant."""
    flags = [word for word in words if word.startswith("--")] or [word for word in words if word.startswith("-")][:1]
    if not flags:
        return f"{words[0]!r} stands alone; a value comes after its field, as in --images 1000"
    known = [field.replace("_", "-") for field in fields(recipe)]
    said = ""
    for word in dict.fromkeys(flag.partition("=")[0] for flag in flags):
        start = f"{said}{' ' if said.endswith('?') else '. '}Nor has it" if said else "the recipe has no field"
        said = f"{start} {word}; {meant(word.lstrip('-').replace('_', '-'), known)}"
    return said


def meant(name: str, known: Sequence[str]) -> str:
    """What somebody is told who wrote a name that is none of the known fields'."""
    if how := LENGTHS.get(name) or LENGTHS.get(f"{name}s"):
        return f"--images says how long a run is: {how}"
    near = named_alike(name, known)
    if not near:
        return "--help lists all"
    return f"did you mean {' or '.join(f'--{field}' for field in near)}?"


def named_alike(name: str, known: Sequence[str]) -> list[str]:
    """Fields that may have been meant by a name, at most `MOST`.

    Those that a name without dots ends, then the one that is most like it, then those whose last part is like its own.
    """
    lasts = {field: field.rpartition(".")[2] for field in known}
    if same := [field for field in known if lasts[field] == name]:
        return same[:MOST]
    if close := difflib.get_close_matches(name, known, 1):
        return close
    like = difflib.get_close_matches(name.rpartition(".")[2], dict.fromkeys(lasts.values()), MOST)
    return [field for last in like for field in known if lasts[field] == last][:MOST]


def fields(value: object, path: str = "") -> list[str]:
    """Paths of the fields that can be overridden, with dots."""
    nested = (
        vars(value) if hasattr(value, "__dataclass_fields__") else value if isinstance(value, dict) and value else None
    )
    if nested is None:
        return [path]
    there = {key: item for key, item in nested.items() if key != "more" or item is not None}
    return [name for key, item in there.items() for name in fields(item, f"{path}.{key}" if path else str(key))]
