"""The motions that a user names: a file, a folder, those that are built in, random poses."""

from collections.abc import Sequence
from pathlib import Path

from ..errors import DataError, OptionError
from . import builtin, bvh, random_poses, retarget
from .blender import files
from .gltf_file import GltfFile
from .gltf_motion import recordings
from .motion import Motion

KINDS = (".bvh", ".fbx", ".glb", ".gltf")
"""Endings of files that a folder of motions may hold; it is one of the first kind that is there."""
FORMS = (
    "a .bvh file, a folder of them, builtin, builtin:NAME,NAME or random:COUNT; .glb and .gltf files, too, and .fbx,"
    " .blend and USD through Blender"
)


def load(spec: str, *, seed: int = 0, in_place: bool = False, every: int = 1) -> list[Motion]:
    """The motions, in an order that is always the same.

    Args:
        spec: FORMS says what it may be.
        seed: of variations of the built-in ones, and of random poses.
        in_place: those from files lead nowhere.
        every: of those from files only every so many frames are kept.

    Raises:
        DataError: a file is missing or broken, or a folder has none.
        OptionError: a built-in motion of that name does not exist, or a number is none.
    """
    kind, _, rest = spec.partition(":")
    if kind == "builtin":
        names = [name.strip() for name in rest.split(",")] if rest else list(builtin.NAMES)
        return [builtin.motion(name, seed=seed) for name in names]
    if kind == "random":
        if rest and not (rest.isdigit() and int(rest)):
            raise OptionError(f"random:{rest}: the number of poses must be a whole number above 0")
        return [random_poses.RandomPoses(frames=int(rest or random_poses.ENDLESS), seed=seed)]
    sources = [source for path in paths_of(spec) for source in _sources(path)]
    return [retarget.recorded(source, in_place=in_place, every=every) for source in sources]


def _sources(path: Path) -> Sequence[retarget.Source]:
    """The motions in a file."""
    kind = path.suffix.lower()
    if kind == ".bvh":
        return [bvh.read(path)]
    return recordings(GltfFile(files.as_gltf(path), path) if kind in files.KINDS else GltfFile(path))


def paths_of(spec: str) -> list[Path]:
    """The files that `spec` names, in their order; none for motions that are built in or random.

    Raises:
        DataError: a file is missing, or a folder has none.
    """
    return [] if spec.partition(":")[0] in ("builtin", "random") else _files(Path(spec))


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        there = sorted(p for p in path.rglob("*") if p.is_file())
        for kind in KINDS:
            if found := [p for p in there if p.suffix.lower() == kind]:
                return found
        raise DataError(f"{path}: the folder has no {KINDS[0]} files, nor {', '.join(KINDS[1:])}")
    if not path.exists():
        raise DataError(f"{path}: there is no such motion; name {FORMS}")
    if path.suffix.lower() not in {*KINDS, *files.KINDS}:
        raise DataError(f"{path}: is no motion; name {FORMS}; those inside a character's file come with it")
    return [path]
