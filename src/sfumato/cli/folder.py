"""`sfumato folder`: what a folder of pictures is like."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import OptionError
from ..progress import Progress
from . import flags, source
from .console import Console
from .files import path_of, tell_list
from .stylize import add_limit

if TYPE_CHECKING:
    from ..data.health import Group, Health

SUMMARY = "tell broken, double and odd pictures of a folder"
LISTED = 10
"""At most so many pictures are named of each kind; --json names all."""
SHOWN = 40
"""At most so many pictures are on the sheet, and as many duplicates below them."""
LABELS = {"grey": "grey", "alpha": "with alpha", "deep": "16 bits", "tiny": "tiny"}
SIZES = {
    "width": "width",
    "height": "height",
    "shorter": "shorter side",
    "megapixels": "megapixels",
    "aspect": "aspect",
}


def fields() -> list[source.Field]:
    """What can be chosen."""
    return source.fields("data/health.py", "Options")


def parser() -> flags.Parser:
    """The parser of the command."""
    made = flags.parser(
        "folder",
        "Reads every picture of a folder and those below it, and tells sizes, broken files, duplicates and pictures\n"
        "that are grey, transparent, of 16 bits or tiny. The folder is changed by --move-duplicates alone, and no\n"
        "picture is ever deleted.",
        [
            "folder photos/",
            "folder photos/ --sheet photos.jpg --dedupe-list doubles.txt",
            "folder photos/ --move-duplicates aside/",
            "folder photos/ --distance 0 --json",
        ],
    )
    made.usage = "sfumato folder FOLDER [options]"
    made.add_argument("folder", metavar="FOLDER", help="A folder of pictures")
    made.add_argument("--json", action="store_true", help="Print all of it as JSON")
    text = f"Write a page of {SHOWN} of the pictures, evenly chosen, and of duplicates"
    made.add_argument("--sheet", metavar="FILE", help=text)
    text = "Write the names of all but the best of each group of duplicates, for --data.exclude of a training"
    made.add_argument("--dedupe-list", metavar="FILE", help=text)
    text = "Move all but the best of each group of duplicates to another folder, which keeps their ways"
    made.add_argument("--move-duplicates", metavar="FOLDER", help=text)
    made.add_argument("--overwrite", action="store_true", help="Replace FILE if it is there")
    add_limit(made)
    flags.add(made.add_argument_group("what counts"), fields())
    return flags.finish(made)


def run(words: Sequence[str], console: Console) -> int:
    """Examines the folder, and writes what was asked for."""
    given = parser().parse_intermixed_args(words)
    from .. import image
    from ..data import health, unwanted

    options = flags.build(health.Options, flags.given(given, fields()))
    folder = path_of(given.folder)
    sheet = path_of(given.sheet) if given.sheet else None
    names = path_of(given.dedupe_list) if given.dedupe_list else None
    if sheet is not None:
        image.check_output(sheet, overwrite=given.overwrite, makes_folder=True)
    if names is not None:
        image.check_place(names, overwrite=given.overwrite, makes_folder=True)
        if names.suffix.lower() in image.FORMATS:
            raise OptionError(f"--dedupe-list {names}: is a list of names, not a picture; call it .txt")
    aside = path_of(given.move_duplicates) if given.move_duplicates else None
    if aside is not None:
        unwanted.check_aside(folder, aside)
    with Progress("pictures", label="reading", quiet=console.quiet) as progress:
        found = health.examine(folder, options, limit_mp=given.limit_mp, progress=progress)
    console.say(json.dumps(found.to_dict(), indent=1) if given.json else "\n".join(describe(found)))
    if names is not None:
        _write_names(found, names, console)
    if sheet is not None:
        _write_sheet(found, sheet, console, overwrite=given.overwrite)
    if aside is not None:
        _move(found, aside, console)
    return 0


def describe(found: "Health") -> list[str]:
    """What was found, in lines."""
    facts = found.to_dict()
    kinds = ", ".join(f"{count:,} {suffix}" for suffix, count in facts["formats"].items())
    lines = [f"{found.folder}: {len(found.pictures):,} pictures, {facts['bytes'] / 1e6:,.1f} MB ({kinds or 'none'})"]
    for name, (low, median, high) in found.sizes.items():
        lines.append(f"{SIZES[name]:15} {low:,g} to {high:,g}, median {median:,g}")
    lines += _named("broken", [f"{found.name(path)}: {reason}" for path, reason in found.broken.items()])
    lines += _duplicates(found, "the same", found.exact) + _duplicates(found, "nearly the same", found.near)
    for kind, names in found.odd.items():
        lines += _named(LABELS[kind], names)
    if found.strangers:
        others = ", ".join(f"{count:,} {suffix or 'without extension'}" for suffix, count in found.strangers.items())
        lines.append(f"{'other files':15} {sum(found.strangers.values()):,} ({others})")
    return lines


def _named(title: str, entries: Sequence[str]) -> list[str]:
    """A count and the first entries, or the mere 0."""
    more = [f"  ... and {len(entries) - LISTED:,} more (--json names all)"] if len(entries) > LISTED else []
    return [f"{title:15} {len(entries):,}", *(f"  {entry}" for entry in entries[:LISTED]), *more]


def _duplicates(found: "Health", title: str, groups: "Iterable[Group]") -> list[str]:
    entries = [
        f"{found.name(other.path)} as {found.name(group.best.path)}" + (f" ({bits} bits apart)" if bits else "")
        for group in groups
        for other, bits in group.others
    ]
    return _named(title, entries)


def _write_names(found: "Health", path: Path, console: Console) -> None:
    from ..data import unwanted

    lines, left = unwanted.lines(found.surplus, found.kept)
    where = found.folder.name or "this folder"
    unwanted.write_list(path, f"{len(lines)} pictures of {where} that are the same as better ones", lines)
    tell_list(path, lines, left, console)


def _move(found: "Health", aside: Path, console: Console) -> None:
    from ..data import unwanted

    stay = unwanted.move(found.surplus, found.folder, aside)
    console.say(f"{aside}: {len(found.surplus) - len(stay):,} pictures moved here")
    if stay:
        console.warn(f"{len(stay):,} duplicates stay, since {aside} has files of their names ({stay[0]})")


def _write_sheet(found: "Health", path: Path, console: Console, *, overwrite: bool) -> None:
    from .. import image
    from .files import write

    step = max(len(found.pictures) / SHOWN, 1)
    count = min(len(found.pictures), SHOWN)
    shown = [found.pictures[int(i * step)] for i in range(count)]
    labels = [f"{found.name(picture.path)} {picture.width} x {picture.height}" for picture in shown]
    for group in (*found.exact, *found.near):
        if len(shown) + len(group.others) < count + SHOWN:
            shown += [group.best, *(other for other, _ in group.others)]
            labels += [f"best: {found.name(group.best.path)}", *(f"{found.name(o.path)}: {b}" for o, b in group.others)]
    if not shown:
        console.warn(f"{path} is not written: no picture can be read")
        return
    pictures = [image.resize(image.read(picture.path), longest=240) for picture in shown]
    page = image.contact_sheet(pictures, columns=8, labels=labels, side=240, title=str(found.folder))
    write(path, image.from_any(page), console, overwrite=overwrite)
