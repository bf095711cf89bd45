"""Characters by what a user writes: the built-in figure, a folder of MakeHuman, a file."""

import re
from pathlib import Path

from ..errors import DataError, OptionError
from .blender import files
from .character import Character
from .doll.look import drawn
from .gltf import read_gltf
from .makehuman import read_makehuman
from .makehuman_files import is_makehuman, read_base
from .mannequin import mannequin

_WISHES = re.compile(r"^(?P<what>.*?):(?P<wishes>\w+=[^,:]*(?:,\w+=[^,:]*)*)$")


def load(spec: str, seed: int) -> Character:
    """The character that `spec` names; what it leaves open is drawn from the seed.

    `mannequin` is the built-in figure, `mannequin:style=anime,age=8` one with wishes, else it is a folder of MakeHuman
    (wishes likewise: `FOLDER:age=60,hair=bob01`), a .glb or .gltf file, or one that Blender reads.

    Raises:
        OptionError: a wish is unknown or out of bounds.
        DataError: there is no such file, or it cannot be used; the message says what to do.
    """
    path, wishes = _read(spec)
    if path is None:
        return mannequin(drawn(seed, wishes))
    if path.is_dir():
        if not is_makehuman(path):
            raise DataError(
                f"{path}: holds no character: neither base.obj nor default.mhskel of MakeHuman; or name a .glb"
            )
        return read_makehuman(path, seed, wishes)
    if wishes:
        raise OptionError(f"{path}: {', '.join(wishes)}: wishes go with mannequin and MakeHuman, not with a file")
    return _file(path)


def varies(spec: str) -> bool:
    """Whether seeds draw different people; a file has one."""
    return not Path(spec).is_file()


def is_bare(spec: str) -> bool:
    """Whether it is a folder of MakeHuman without clothes and hair."""
    path = path_of(spec)
    return path is not None and path.is_dir() and not read_base(path.resolve()).garments


def _file(path: Path) -> Character:
    kind = path.suffix.lower()
    if not path.is_file():
        raise DataError(f"{path}: there is no such file or folder; `mannequin` is the built-in character")
    if kind in files.KINDS:
        return read_gltf(files.as_gltf(path), path)
    if kind not in {".glb", ".gltf"}:
        raise DataError(
            f"{path}: is no character; .glb and .gltf files are read, through Blender {', '.join(files.KINDS)}, folders"
            " of MakeHuman, and `mannequin`"
        )
    return read_gltf(path)


def path_of(spec: str) -> Path | None:
    """The file or folder that `spec` names; None: the built-in figure."""
    return _read(spec)[0]


def _read(spec: str) -> tuple[Path | None, dict[str, str]]:
    """What is named, and the wishes."""
    match = _WISHES.match(spec)
    what = match["what"] if match else spec
    wishes = dict(pair.split("=", 1) for pair in match["wishes"].split(",")) if match else {}
    return (None if what == "mannequin" else Path(what)), wishes
