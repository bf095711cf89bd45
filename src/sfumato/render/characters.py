"""Characters by what a user writes: the built-in figure, a folder of MakeHuman, a file."""

import re
from pathlib import Path

from ..errors import DataError, OptionError
from .character import Character
from .doll.look import drawn
from .gltf import read_gltf
from .makehuman import read_makehuman
from .makehuman_files import is_makehuman
from .mannequin import mannequin

_WISHES = re.compile(r"^(?P<what>.*?):(?P<wishes>\w+=[^,:]*(?:,\w+=[^,:]*)*)$")
_BLENDER = {".fbx": "FBX", ".blend": "Blender", ".dae": "COLLADA", ".usd": "USD", ".usdz": "USD"}


def load(spec: str, seed: int) -> Character:
    """The character that `spec` names; what it leaves open is drawn from the seed.

    `mannequin` is the built-in figure, `mannequin:style=anime,age=8` one with wishes, else it is a folder of MakeHuman
    (wishes likewise: `FOLDER:age=60,hair=bob01`) or a .glb or .gltf file.

    Raises:
        OptionError: a wish is unknown or out of bounds.
        DataError: there is no such file, or it cannot be used; the message says what to do.
    """
    match = _WISHES.match(spec)
    what = match["what"] if match else spec
    wishes = dict(pair.split("=", 1) for pair in match["wishes"].split(",")) if match else {}
    if what == "mannequin":
        return mannequin(drawn(seed, wishes))
    path = Path(what)
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


def _file(path: Path) -> Character:
    kind = path.suffix.lower()
    if not path.is_file():
        raise DataError(f"{path}: there is no such file or folder; `mannequin` is the built-in character")
    if kind in _BLENDER:
        raise DataError(
            f"{path}: {_BLENDER[kind]} files are read through Blender, which is not wired up yet; export it as .glb"
        )
    if kind not in {".glb", ".gltf"}:
        raise DataError(
            f"{path}: is no character; .glb and .gltf files are read, folders of MakeHuman, and `mannequin`"
        )
    return read_gltf(path)
